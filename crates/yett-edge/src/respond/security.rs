//! Headers that tell browsers to be careful with an answer.

use http::header::{
    HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Which answers get which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecurityHeaders {
    /// Yett's own answers and files get `X-Content-Type-Options: nosniff`; the application's are
    /// the application's.
    #[default]
    Own,
    /// Every answer gets all of them, but for those that it has already.
    All,
}

/// What [`SecurityHeaders::All`] adds: Django's `SecurityMiddleware` has the first three by default.
/// Frames of the same site are allowed, for a folder of files may well be shown in one.
const ALL: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (X_FRAME_OPTIONS, "SAMEORIGIN"),
];

impl SecurityHeaders {
    /// Adds to an answer what it does not say itself.
    pub(crate) fn add(self, headers: &mut HeaderMap) {
        match self {
            Self::Own => {}
            Self::All => {
                for (name, value) in ALL {
                    headers
                        .entry(name)
                        .or_insert(HeaderValue::from_static(value));
                }
            }
        }
    }
}
