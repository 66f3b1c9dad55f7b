//! Shared secrets: the bytes of a file, or the value of a variable. Never a word of the command
//! line, which every user of the machine can read.

use super::read::read_file;
use crate::{config::Environment, print::Failure};
use anyhow::anyhow;
use std::{os::unix::ffi::OsStrExt as _, path::Path};
use yett_jwt::{Algorithm, KeyError, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// A secret has at most this many bytes.
const LONGEST_SECRET: usize = 64 * 1024;

/// A shared secret, and where it came from.
pub(crate) struct Secret {
    place: String,
    bytes: Zeroizing<Vec<u8>>,
}

/// Whether a secret may be shorter than its algorithm's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortness {
    /// No.
    Refused,
    /// Yes, if the user says that they know the danger.
    Endured,
}

impl Secret {
    /// The bytes of a file, without one line end (`\n` or `\r\n`) after them: editors and `echo` add
    /// one, and no secret is meant to have it.
    pub(crate) fn of_file(path: &Path) -> Result<Self, Failure> {
        let mut bytes = read_file(path, LONGEST_SECRET)?;
        if bytes.ends_with(b"\n") {
            bytes.pop();
            if bytes.ends_with(b"\r") {
                bytes.pop();
            }
        }
        Ok(Self {
            place: path.display().to_string(),
            bytes,
        })
    }

    /// The value of a variable, as it is.
    pub(crate) fn of_variable(name: &str, environment: &Environment) -> Result<Self, Failure> {
        let Some(value) = environment.value(name) else {
            let error = anyhow!("the variable {name:?} is not set, or empty");
            return Err(Failure::usage(error)
                .hint("--secret-env takes the name of a variable, never the secret itself"));
        };
        Ok(Self {
            place: format!("the variable {name}"),
            bytes: Zeroizing::new(value.as_bytes().to_vec()),
        })
    }

    /// The key that verifies.
    pub(crate) fn verifying(
        &self,
        algorithm: Option<Algorithm>,
        shortness: Shortness,
    ) -> Result<VerifyingKey, Failure> {
        let algorithm = self.algorithm(algorithm)?;
        let key = match shortness {
            Shortness::Refused => VerifyingKey::hmac(algorithm, &self.bytes),
            Shortness::Endured => VerifyingKey::danger_hmac_short(algorithm, &self.bytes),
        };
        key.map_err(|error| self.refused(error, "--danger-short-secret takes it all the same"))
    }

    /// The key that signs.
    pub(crate) fn signing(&self, algorithm: Option<Algorithm>) -> Result<SigningKey, Failure> {
        let algorithm = self.algorithm(algorithm)?;
        let make = format!("yett keys generate --alg {algorithm} makes a good one");
        SigningKey::hmac(algorithm, &self.bytes).map_err(|error| self.refused(error, &make))
    }

    fn algorithm(&self, algorithm: Option<Algorithm>) -> Result<Algorithm, Failure> {
        algorithm.ok_or_else(|| {
            let error = anyhow!("--alg is needed: a secret does not say what it is for");
            Failure::usage(error).hint("most are for HS256; others for HS384 or HS512")
        })
    }

    fn refused(&self, error: KeyError, if_short: &str) -> Failure {
        let hint = match error {
            KeyError::TooShort { .. } => Some(if_short),
            KeyError::OtherMaterial(_) | KeyError::NotForSecrets(_) => {
                Some("give a key in PEM, or a JWK, with --key")
            }
            _ => None,
        };
        let error =
            anyhow::Error::new(error).context(format!("{}: the secret is not taken", self.place));
        match hint {
            Some(hint) => Failure::usage(error).hint(hint),
            None => Failure::usage(error),
        }
    }
}
