//! What a gate is made from: plain data, and everything that can be wrong with it.
//!
//! All errors of a set of settings come at once. Each says where it is and what to do; none repeats
//! a secret.

use std::error::Error as _;
use std::fmt;

use yett_jwt::KeyError;

use crate::guard::{AnswerSettings, SchemeHeaderSettings, TokenRuleSettings};
use crate::route::{MountSettings, UrlEntrySettings};

/// Settings of one gate. The default has no mounts and leaves every request to the application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateSettings {
    /// Files by URL prefix; a [`MountId`](crate::MountId) is a place in this list.
    pub mounts: Vec<MountSettings>,
    /// What is known about the application.
    pub app: AppGuardSettings,
    /// Headers that carry an identity to the application or an upstream, and that a client may
    /// therefore never send. Case does not matter, and `_` is the same as `-`.
    pub identity_headers: Vec<String>,
}

/// What is known about the application, and what the edge may answer for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppGuardSettings {
    /// Django's `ALLOWED_HOSTS`. The edge answers for no other host. Empty: for none.
    pub allowed_hosts: Vec<String>,
    /// The header that tells the application the scheme. `None`: the connection's counts.
    pub scheme_header: Option<SchemeHeaderSettings>,
    /// What makes a token good. `None`: no token is looked at, and the application decides alone.
    pub token_rules: Option<TokenRuleSettings>,
    /// The URL patterns in Django's order.
    pub url_table: Vec<UrlEntrySettings>,
    /// The answers that entries choose from.
    pub answers: Vec<AnswerSettings>,
}

/// Everything wrong with a set of settings; never empty.
#[derive(Debug, thiserror::Error)]
pub struct GateSettingsErrors(Vec<GateSettingsError>);

impl GateSettingsErrors {
    /// The errors, or `Ok` when there is none.
    pub(crate) fn none(errors: Vec<GateSettingsError>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(errors))
        }
    }

    /// The errors, in the order of the settings.
    #[must_use]
    pub fn errors(&self) -> &[GateSettingsError] {
        &self.0
    }
}

/// One line for each error.
impl fmt::Display for GateSettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
            // The caller prints the chain of this list, which has no single source.
            let mut source = error.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

/// One error in the settings, and where it is.
#[derive(Debug)]
pub struct GateSettingsError {
    at: String,
    fault: SettingsFault,
}

impl fmt::Display for GateSettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.fault)
    }
}

impl std::error::Error for GateSettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` above has said the fault already.
        self.fault.source()
    }
}

impl GateSettingsError {
    pub(crate) fn new(at: impl Into<String>, fault: SettingsFault) -> Self {
        Self {
            at: at.into(),
            fault,
        }
    }

    /// Where in the settings, for example `url table, entry 3 (api/notes/)`.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// What is wrong there.
    #[must_use]
    pub const fn fault(&self) -> &SettingsFault {
        &self.fault
    }
}

/// What can be wrong with one setting, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsFault {
    /// A mount's prefix that no canonical path begins with.
    #[error(
        "a mount's prefix begins and ends with a slash and has no empty or dotted part; write it like /static/"
    )]
    MountPrefix,
    /// Two mounts with the same prefix.
    #[error("this prefix is mounted twice; keep one")]
    MountTwice,
    /// A name that is not a header's.
    #[error("this is not a header name; write one like X-User")]
    IdentityHeader,
    /// A header that requests cannot do without.
    #[error("requests need this header; choose another one for the identity")]
    IdentityHeaderNeeded,
    /// A name that is not a header's, for the scheme.
    #[error(
        "this is not a header name; SECURE_PROXY_SSL_HEADER is written like HTTP_X_FORWARDED_PROTO"
    )]
    SchemeHeader,
    /// An algorithm that is not verified here.
    #[error(
        "{0:?} is no signature algorithm that is known here; use HS256, RS256, ES256 or EdDSA, or leave token rules out so that the application decides"
    )]
    Algorithm(String),
    /// A shared secret that is refused.
    #[error(
        "the key is refused; make SIGNING_KEY at least 32 random bytes (48 for HS384, 64 for HS512)"
    )]
    Key(#[source] KeyError),
    /// A public key that is refused.
    #[error(
        "the public key is refused; make VERIFYING_KEY the PEM text of a key for the algorithm"
    )]
    PublicKey(#[source] KeyError),
    /// Keys of HMAC that an issuer would have to publish.
    #[error("JWK_URL is not for HMAC, whose key is secret; choose an algorithm with a public key")]
    PublishedSecret,
    /// An empty list of audiences, which no token satisfies.
    #[error(
        "the list of audiences is empty, so that no token would be good; name one, or leave audience out"
    )]
    NoAudience,
    /// No scheme.
    #[error("no header type is given, so that no token would be found; name one like Bearer")]
    NoHeaderType,
    /// A scheme that no header can begin with.
    #[error("header type {0:?} is not one word of visible ASCII; write it like Bearer")]
    HeaderType(String),
    /// A number that is no status.
    #[error("{0} is no status; the answer must be valid HTTP")]
    AnswerStatus(u16),
    /// A header that cannot be sent.
    #[error("header {0:?} or its value cannot be sent; the answer must be valid HTTP")]
    AnswerHeader(String),
    /// An answer that is not in the list.
    #[error("it chooses answer {chosen}, and there are {answers}; answers count from 0")]
    NoSuchAnswer {
        /// The place that was chosen.
        chosen: usize,
        /// How many there are.
        answers: usize,
    },
    /// The manifest is not what borders say.
    #[error(
        "the manifest cannot be read; the Python package and the program must be of one release"
    )]
    Manifest(#[source] serde_json::Error),
    /// A method's name that is none.
    #[error("{0:?} is not a method's name")]
    Method(String),
    /// A key that is not base64.
    #[error("the key is not base64; the Python package and the program must be of one release")]
    KeyEncoding,
}
