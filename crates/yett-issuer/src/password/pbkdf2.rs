//! PBKDF2 (RFC 8018 section 5.2) as Django writes it:
//! `pbkdf2_sha256$<iterations>$<salt>$<base64 of the whole digest>`, and `pbkdf2_sha1` alike.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::{Bound, HashError};
use super::fields::{number, parts, plain_salt};
use super::secret::Password;

/// Thirteen times the iterations of Django 6.1; some seconds of one core.
const MOST_ITERATIONS: u32 = 20_000_000;

/// The hash under the HMAC that PBKDF2 repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prf {
    /// HMAC with SHA-256, 32 bytes out: Django's default.
    Sha256,
    /// HMAC with SHA-1, 20 bytes out: for hashes from elsewhere.
    Sha1,
}

impl Prf {
    pub(super) fn algorithm(self) -> &'static str {
        match self {
            Self::Sha256 => "pbkdf2_sha256",
            Self::Sha1 => "pbkdf2_sha1",
        }
    }
}

/// PBKDF2 with its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pbkdf2 {
    pub(super) prf: Prf,
    iterations: NonZeroU32,
}

impl Pbkdf2 {
    /// 1 to 20,000,000 iterations (Django 6.1: 1,500,000).
    pub fn new(prf: Prf, iterations: u32) -> Result<Self, HashError> {
        match NonZeroU32::new(iterations) {
            Some(iterations) if iterations.get() <= MOST_ITERATIONS => Ok(Self { prf, iterations }),
            _ => Err(HashError::OutOfBounds(Bound::Iterations)),
        }
    }

    /// How often the HMAC is repeated.
    pub fn iterations(&self) -> u32 {
        self.iterations.get()
    }

    /// The iterations that this lacks of `other`, if any.
    pub(super) fn short_of(&self, other: &Self) -> Option<Self> {
        let lacking = other.iterations().checked_sub(self.iterations())?;
        NonZeroU32::new(lacking).map(|iterations| Self {
            iterations,
            ..*self
        })
    }

    pub(super) fn encode(&self, password: Password<'_>, salt: &[u8]) -> Result<String, HashError> {
        let salt = plain_salt(salt)?;
        let digest = match self.prf {
            Prf::Sha256 => self.digest::<32>(pbkdf2::PBKDF2_HMAC_SHA256, password, salt),
            Prf::Sha1 => self.digest::<20>(pbkdf2::PBKDF2_HMAC_SHA1, password, salt),
        };
        let (algorithm, iterations) = (self.prf.algorithm(), self.iterations);
        Ok(format!("{algorithm}${iterations}${salt}${digest}"))
    }

    fn digest<const N: usize>(
        &self,
        algorithm: pbkdf2::Algorithm,
        password: Password<'_>,
        salt: &str,
    ) -> String {
        let mut out = Zeroizing::new([0; N]);
        pbkdf2::derive(
            algorithm,
            self.iterations,
            salt.as_bytes(),
            password.bytes(),
            &mut *out,
        );
        STANDARD.encode(*out)
    }

    pub(super) fn parse(prf: Prf, rest: &str) -> Result<(Self, Vec<u8>), HashError> {
        let [iterations, salt, _digest] = parts(rest, '$')?;
        let scheme = Self::new(prf, number(iterations)?)?;
        Ok((scheme, salt.as_bytes().to_vec()))
    }
}
