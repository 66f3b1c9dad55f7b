//! A hash as it stands in the database, read with care: it may be anything.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::argon2::Argon2;
use super::bcrypt::{Bcrypt, Input};
use super::error::HashError;
use super::pbkdf2::{Pbkdf2, Prf};
use super::scheme::Scheme;
use super::scrypt::Scrypt;
use super::secret::Password;

/// Longest stored hash that is read, in bytes. Django's column has 128 characters.
pub const LONGEST_STORED: usize = 1024;

/// What stands before the random letters of an account that has no password.
const UNUSABLE: char = '!';

/// A stored hash whose form and work are acceptable; it may still be a hash of nothing.
pub struct Stored<'t> {
    scheme: Scheme,
    salt: Vec<u8>,
    text: &'t str,
}

impl<'t> Stored<'t> {
    /// Reads the text without computing anything; refuses work beyond the bounds.
    pub fn parse(text: &'t str) -> Result<Self, HashError> {
        if text.starts_with(UNUSABLE) {
            return Err(HashError::Unusable);
        }
        if text.len() > LONGEST_STORED {
            return Err(HashError::StoredTooLong);
        }
        let (algorithm, rest) = text.split_once('$').ok_or(HashError::UnknownAlgorithm)?;
        let (scheme, salt) = match algorithm {
            "pbkdf2_sha256" => of(Pbkdf2::parse(Prf::Sha256, rest)?),
            "pbkdf2_sha1" => of(Pbkdf2::parse(Prf::Sha1, rest)?),
            "scrypt" => of(Scrypt::parse(rest)?),
            "argon2" => of(Argon2::parse(rest)?),
            "bcrypt_sha256" => of(Bcrypt::from_setting(Input::Sha256, rest)?),
            "bcrypt" => of(Bcrypt::from_setting(Input::Plain, rest)?),
            _ => return Err(HashError::UnknownAlgorithm),
        };
        Ok(Self { scheme, salt, text })
    }

    /// Algorithm and work of this hash.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The salt; for PBKDF2 and scrypt the bytes of its text.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Whether the password is this hash's: it is hashed again, and the texts are compared whole, in
    /// constant time. A text in another spelling than Django's is therefore no password's hash, as
    /// in Django.
    pub fn verify(&self, password: Password<'_>) -> Result<bool, HashError> {
        let again = self.scheme.encode(password, &self.salt)?;
        Ok(verify_slices_are_equal(again.as_bytes(), self.text.as_bytes()).is_ok())
    }
}

/// Shows algorithm and work, never salt or digest.
impl std::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

fn of<S: Into<Scheme>>((scheme, salt): (S, Vec<u8>)) -> (Scheme, Vec<u8>) {
    (scheme.into(), salt)
}
