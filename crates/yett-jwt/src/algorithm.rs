//! The signature algorithms by their JOSE names (RFC 7518 section 3.1). Never `none`, and never a
//! family: a key has one of these, and a token's header must name that very one.

use std::fmt;

/// A signature algorithm that Yett verifies and signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 section 3.2).
    Hs256,
}

impl Algorithm {
    /// The name in a token's header. Names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
        }
    }

    /// The algorithm of that exact name, if it is one of ours.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    /// The header of the tokens we sign, already encoded: `{"alg":"HS256","typ":"JWT"}`.
    pub(crate) const fn encoded_header(self) -> &'static str {
        match self {
            Self::Hs256 => "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
