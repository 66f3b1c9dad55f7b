//! An algorithm together with its work: all that making a hash needs beside password and salt.

use super::argon2::Argon2;
use super::bcrypt::Bcrypt;
use super::error::HashError;
use super::pbkdf2::Pbkdf2;
use super::scrypt::Scrypt;
use super::secret::Password;

/// Most memory that one hash may take, in KiB: 1 GiB, ten times that of Django's Argon2.
pub const MOST_MEMORY_KIB: u32 = 1 << 20;

/// One way of hashing, with its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `pbkdf2_sha256` and `pbkdf2_sha1`.
    Pbkdf2(Pbkdf2),
    /// `scrypt`.
    Scrypt(Scrypt),
    /// `argon2`.
    Argon2(Argon2),
    /// `bcrypt_sha256` and `bcrypt`.
    Bcrypt(Bcrypt),
}

impl Scheme {
    /// Django's name of the algorithm: what a stored hash begins with.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Pbkdf2(pbkdf2) => pbkdf2.prf.algorithm(),
            Self::Scrypt(_) => "scrypt",
            Self::Argon2(_) => "argon2",
            Self::Bcrypt(bcrypt) => bcrypt.input.algorithm(),
        }
    }

    /// Memory that one hash takes while it is made, in KiB, rounded down: what a bound on logins at
    /// once should count. PBKDF2 and bcrypt take next to none.
    pub fn memory_kib(&self) -> u32 {
        match self {
            Self::Pbkdf2(_) | Self::Bcrypt(_) => 0,
            Self::Scrypt(scrypt) => scrypt.memory_kib(),
            Self::Argon2(argon2) => argon2.memory_kib(),
        }
    }

    /// Hashes a password; the text is what Django stores, and at most 128 characters long if the
    /// salt is one of Django's.
    ///
    /// The salt of PBKDF2 and scrypt is text without `$`, not empty; that of Argon2 8 to 64 bytes;
    /// that of bcrypt 16 bytes. Another is [`HashError::Salt`]. The caller draws it at random.
    pub fn encode(&self, password: Password<'_>, salt: &[u8]) -> Result<String, HashError> {
        #[cfg(test)]
        super::tests::note_work(*self);
        match self {
            Self::Pbkdf2(pbkdf2) => pbkdf2.encode(password, salt),
            Self::Scrypt(scrypt) => scrypt.encode(password, salt),
            Self::Argon2(argon2) => argon2.encode(password, salt),
            Self::Bcrypt(bcrypt) => bcrypt.encode(password, salt),
        }
    }
}

impl From<Pbkdf2> for Scheme {
    fn from(pbkdf2: Pbkdf2) -> Self {
        Self::Pbkdf2(pbkdf2)
    }
}

impl From<Scrypt> for Scheme {
    fn from(scrypt: Scrypt) -> Self {
        Self::Scrypt(scrypt)
    }
}

impl From<Argon2> for Scheme {
    fn from(argon2: Argon2) -> Self {
        Self::Argon2(argon2)
    }
}

impl From<Bcrypt> for Scheme {
    fn from(bcrypt: Bcrypt) -> Self {
        Self::Bcrypt(bcrypt)
    }
}
