//! Header names that travel as one byte.
//!
//! Most requests carry a dozen well-known headers. Sent by number, the worker finds its ready
//! made, interned WSGI key in an array instead of building `HTTP_…` anew each time.
//! The table is part of the protocol: append to it, never reorder it. Both ends come from one
//! build, which the start of a zygote checks, so versions cannot mix.

/// The names, lower case. A name's number is its place in the table plus one; zero means that the
/// name follows as text.
pub const COMMON: [&str; 46] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "traceparent",
    "tracestate",
    "upgrade-insecure-requests",
    "via",
    "x-csrftoken",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "access-control-request-headers",
    "access-control-request-method",
];

/// The number of a name, zero for one that is not in the table. The name must be lower case.
#[must_use]
pub fn number(name: &str) -> u8 {
    // 46 comparisons of mostly different lengths: about as fast as a hash for such a table, and
    // nothing to keep in step with it.
    COMMON
        .iter()
        .position(|common| *common == name)
        .and_then(|place| u8::try_from(place + 1).ok())
        .unwrap_or(0)
}

/// The name of a number.
#[must_use]
pub fn name(number: u8) -> Option<&'static str> {
    COMMON.get(usize::from(number).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_name_finds_itself_again() {
        for common in COMMON {
            assert_eq!(name(number(common)), Some(common));
        }
        assert_eq!(number("x-unknown"), 0);
        assert_eq!(name(0), None);
        assert_eq!(name(255), None);
    }
}
