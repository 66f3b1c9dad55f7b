//! Content codings: which of them a client takes (RFC 9110 section 12.5.3).
//!
//! Pure. Files that lie there compressed and answers that are compressed on their way choose by the
//! same reading of `Accept-Encoding`.

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderValue};

use crate::header_list::weighed;

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

/// Which of the codings that are offered a client likes best; of those that it likes equally, the one
/// that is offered first. `None`: the plain body. A client that sends no `Accept-Encoding` often
/// cannot decode anything, so it gets that too.
pub(crate) fn accepted(
    headers: &HeaderMap,
    offered: impl IntoIterator<Item = Coding>,
) -> Option<Coding> {
    let mut weights = [None; Coding::ALL.len()];
    let mut others = 0;
    for (name, weight) in weighed(headers, &ACCEPT_ENCODING) {
        if name == b"*" {
            others = weight;
        }
        for (coding, slot) in Coding::ALL.iter().zip(&mut weights) {
            if coding.is_named(name) {
                *slot = Some(weight);
            }
        }
    }
    let weight = |coding: Coding| {
        let mut weights = Coding::ALL.into_iter().zip(weights);
        let named = weights.find(|(of, _)| *of == coding);
        named.and_then(|(_, weight)| weight).unwrap_or(others)
    };
    let (mut most, mut best) = (0, None);
    for coding in offered {
        if weight(coding) > most {
            (most, best) = (weight(coding), Some(coding));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &'static str, expected: Option<Coding>) {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        let smallest_first = Coding::ALL.into_iter().rev();
        assert_eq!(accepted(&headers, smallest_first), expected, "{value}");
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
        assert_eq!(accepted(&HeaderMap::new(), Coding::ALL), None);
    }

    #[test]
    fn of_codings_that_the_client_likes_equally_the_first_is_taken() {
        let check = |value: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            let order = [Coding::Zstd, Coding::Brotli, Coding::Gzip];
            assert_eq!(accepted(&headers, order), expected);
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
        assert_eq!(accepted(&headers, [Coding::Gzip]), Some(Coding::Gzip));
        assert_eq!(accepted(&headers, [Coding::Zstd]), None);
    }
}
