//! Content codings: which of them a client takes (RFC 9110 section 12.5.3).
//!
//! Pure. Files that lie there compressed and answers that are compressed on their way choose by the
//! same reading of `Accept-Encoding`.

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderValue};

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 8878, windows of at most 8 MiB (RFC 9659).
    Zstd,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    /// All of them, the one that makes text smallest last.
    pub(crate) const ALL: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Brotli];

    /// Its name in `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// What a file's name ends with if it lies there compressed.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Brotli => ".br",
        }
    }

    /// The value of `Content-Encoding`.
    pub(crate) const fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || (self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip"))
    }
}

/// What a client's `Accept-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Weights in thousandths, in the order of [`Coding::ALL`]; 0: not taken.
    weights: [u16; Coding::ALL.len()],
}

/// Members of the header that are read; what comes behind them is not taken into account.
const MOST_MEMBERS: usize = 32;

impl Accepted {
    /// Reads all `Accept-Encoding` fields. Without one nothing but the plain body is taken: a
    /// client that says nothing often cannot decode anything. A member that cannot be read is
    /// passed over.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut weights: [Option<u16>; Coding::ALL.len()] = [None; Coding::ALL.len()];
        let mut others = 0;
        let members = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .take(MOST_MEMBERS);
        for member in members {
            let mut parts = member.split(|byte| *byte == b';');
            let name = parts.next().unwrap_or_default().trim_ascii();
            let Some(weight) = weight(parts) else {
                continue;
            };
            if name == b"*" {
                others = weight;
            }
            for (coding, slot) in Coding::ALL.iter().zip(&mut weights) {
                if coding.is_named(name) {
                    *slot = Some(weight);
                }
            }
        }
        Self {
            weights: weights.map(|weight| weight.unwrap_or(others)),
        }
    }

    /// The one that the client likes best; of those that it likes equally, the first of these.
    pub(crate) fn first_best(self, order: [Coding; Coding::ALL.len()]) -> Option<Coding> {
        let mut best = None;
        for coding in order {
            let weight = self.weight(coding);
            if weight > best.map_or(0, |(most, _)| most) {
                best = Some((weight, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }

    fn weight(self, coding: Coding) -> u16 {
        let mut weights = Coding::ALL.into_iter().zip(self.weights);
        weights
            .find(|(of, _)| *of == coding)
            .map_or(0, |(_, weight)| weight)
    }

    /// The one of these that the client likes best; of those that it likes equally, the last of
    /// [`Coding::ALL`].
    pub(crate) fn best(self, offered: impl Fn(Coding) -> bool) -> Option<Coding> {
        Coding::ALL
            .into_iter()
            .zip(self.weights)
            .filter(|(coding, weight)| *weight > 0 && offered(*coding))
            .max_by_key(|(_, weight)| *weight)
            .map(|(coding, _)| coding)
    }
}

/// The weight behind a member's name, in thousandths: 1000 if there is none, `None` if it is not
/// written as RFC 9110 section 12.4.2 has it.
fn weight<'a>(parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    let mut weight = 1000;
    for parameter in parameters {
        let mut sides = parameter.splitn(2, |byte| *byte == b'=');
        let name = sides.next().unwrap_or_default().trim_ascii();
        if !name.eq_ignore_ascii_case(b"q") {
            continue;
        }
        let digits = std::str::from_utf8(sides.next()?.trim_ascii()).ok()?;
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths: u16 = format!("{rest:0<3}").parse().ok()?;
        weight = match whole {
            "0" => thousandths,
            "1" if thousandths == 0 => 1000,
            _ => return None,
        };
    }
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<Coding>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        assert_eq!(Accepted::read(&headers).best(|_| true), expected, "{value}");
    }

    #[test]
    fn best_coding_is_the_one_that_the_client_weighs_most() {
        check("gzip, deflate, br, zstd", Some(Coding::Brotli));
        check("gzip, deflate, zstd", Some(Coding::Zstd));
        check("GZIP", Some(Coding::Gzip));
        check("x-gzip", Some(Coding::Gzip));
        check("br;q=0.5, gzip", Some(Coding::Gzip));
        check("br ; q=0.501 , gzip;q=0.5", Some(Coding::Brotli));
        check("*", Some(Coding::Brotli));
        check("br;q=0, *", Some(Coding::Zstd));
        check("*;q=0, gzip;q=0.001", Some(Coding::Gzip));
    }

    #[test]
    fn what_is_not_taken_or_not_readable_is_not_offered() {
        check("", None);
        check("identity", None);
        check("deflate, compress", None);
        check("gzip;q=0, br;q=0.0, zstd;q=0.000", None);
        check("gzip;q=1.5", None);
        check("gzip;q=0.1234", None);
        check("gzip;q=x", None);
        check("gzip;q", None);
        let none = Accepted::read(&HeaderMap::new());
        assert_eq!(none.best(|_| true), None);
    }

    #[test]
    fn of_codings_that_the_client_likes_equally_the_first_is_taken() {
        let check = |value: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            let order = [Coding::Zstd, Coding::Brotli, Coding::Gzip];
            assert_eq!(Accepted::read(&headers).first_best(order), expected);
        };
        check("gzip, deflate, br, zstd", Some(Coding::Zstd));
        check("gzip, deflate, br", Some(Coding::Brotli));
        check("gzip, zstd;q=0.9", Some(Coding::Gzip));
        check("*;q=0.5", Some(Coding::Zstd));
        check("identity, zstd;q=0", None);
    }

    #[test]
    fn name_is_the_headers_value() {
        for coding in Coding::ALL {
            assert_eq!(coding.value(), coding.name());
        }
    }

    #[test]
    fn only_what_there_is_counts() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.2"));
        let accepted = Accepted::read(&headers);
        assert_eq!(
            accepted.best(|coding| coding == Coding::Gzip),
            Some(Coding::Gzip)
        );
        assert_eq!(accepted.best(|coding| coding == Coding::Zstd), None);
    }
}
