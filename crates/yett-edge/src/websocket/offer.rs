//! Which compression is agreed on (RFC 7692 section 5 and 7.1).
//!
//! We always ask that neither side keep its window from message to message
//! (`server_no_context_takeover`, `client_no_context_takeover`; a server may, offered or not). So a
//! silent connection holds no compressor, and no message is compressed together with another, whose
//! content could be guessed from the length.

use http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

/// The widest window, and what both sides use if nobody says anything (RFC 7692 section 7.1.2).
pub(super) const WIDEST: u8 = 15;

/// The narrowest window that our compressor makes: zlib has none of 8 bits for raw streams.
const NARROWEST: u8 = 9;

/// Longest offer that is looked at, in items: browsers send one.
const MOST_OFFERS: usize = 16;

/// That messages may be compressed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Base-2 logarithm of the window that we compress with, 9 to 15.
    pub(super) window: u8,
    /// Whether the client asked for that window.
    asked: bool,
}

impl Agreed {
    /// What is answered to the client.
    pub(super) fn answer(&self) -> HeaderValue {
        let base = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        if !self.asked {
            return HeaderValue::from_static(base);
        }
        let text = format!("{base}; server_max_window_bits={}", self.window);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(base))
    }
}

/// The first of the client's offers that can be accepted.
pub(crate) fn agree(headers: &HeaderMap) -> Option<Agreed> {
    headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        // A quoted value cannot hold a comma that means anything here: all values are numbers.
        .flat_map(|value| value.split(','))
        .take(MOST_OFFERS)
        .find_map(read)
}

/// Reads one offer; `None` for another extension, or one that must be declined (RFC 7692 section
/// 7.1: a parameter that is unknown, stands twice, or has a value that it cannot have).
fn read(offer: &str) -> Option<Agreed> {
    let mut parameters = offer.split(';').map(str::trim);
    if !parameters
        .next()?
        .eq_ignore_ascii_case("permessage-deflate")
    {
        return None;
    }
    let mut agreed = Agreed {
        window: WIDEST,
        asked: false,
    };
    let mut seen: Vec<&str> = Vec::new();
    for parameter in parameters {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None)
            | ("client_max_window_bits", None) => {}
            // Ours reads every window up to the widest, so the client's is no news.
            ("client_max_window_bits", Some(value)) => {
                bits(value)?;
            }
            ("server_max_window_bits", Some(value)) => {
                agreed.window = bits(value).filter(|bits| *bits >= NARROWEST)?;
                agreed.asked = true;
            }
            _ => return None,
        }
    }
    Some(agreed)
}

fn unquoted(value: &str) -> &str {
    let inside = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(value)
}

/// A number from 8 to 15 without a leading zero.
fn bits(value: &str) -> Option<u8> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
    let bits = value.parse().ok().filter(|_| digits)?;
    (8..=WIDEST).contains(&bits).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(offer: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(
            SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_str(offer).unwrap(),
        );
        let Some(agreed) = agree(&headers) else {
            return String::from("none");
        };
        let answer = agreed.answer();
        let answer = answer.to_str().unwrap();
        let base = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        answer.strip_prefix(base).unwrap().to_owned()
    }

    #[test]
    fn offers_of_browsers_are_accepted() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=10",
            "PerMessage-Deflate;server_no_context_takeover ; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate",
        ] {
            assert_eq!(answer(offer), "", "{offer}");
        }
    }

    #[test]
    fn window_that_the_client_asks_for_is_kept_to_and_said() {
        for bits in ["9", "\"12\"", " 15"] {
            let offer = format!("permessage-deflate; server_max_window_bits={bits}");
            let said = bits.trim().trim_matches('"');
            assert_eq!(answer(&offer), format!("; server_max_window_bits={said}"));
        }
    }

    #[test]
    fn offer_that_cannot_be_kept_is_declined_and_the_next_one_read() {
        for offer in [
            "",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=+9",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; unknown",
            "permessage-deflate;",
        ] {
            assert_eq!(answer(offer), "none", "{offer}");
            assert_eq!(
                answer(&format!("{offer}, permessage-deflate")),
                "",
                "{offer}"
            );
        }
    }
}
