//! Fields that must not stand behind a request's body, whichever protocol brought it.

/// Whether this is such a field (RFC 9110 section 6.5.1): a server that merges trailers into the head
/// would read another message, another client or another origin.
pub(super) fn is_forbidden(name: &str) -> bool {
    const FORBIDDEN: [&str; 14] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is = |forbidden: &&str| name.eq_ignore_ascii_case(forbidden);
    FORBIDDEN.iter().any(is) || yett_gate::speaks_of_origin(name)
}
