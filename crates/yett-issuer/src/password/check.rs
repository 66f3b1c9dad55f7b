//! The check of a login, as `verify_password` of Django does it: the answer, whether the hash should
//! be made anew, and the same time for accounts that cannot log in as for those that can.

use super::error::HashError;
use super::scheme::Scheme;
use super::secret::Password;
use super::stored::Stored;

/// Least entropy of a salt, in bits; a salt with less is made anew (Django's `salt_entropy`).
pub const LEAST_SALT_BITS: u32 = 128;

/// Of a letter that Django draws for salts: one of 62.
const BITS_PER_LETTER: f64 = 5.954_196_310_386_875;

/// A salt for hashes that nobody keeps; it suits every algorithm.
const SPENT_SALT: [u8; 16] = *b"spent, not kept.";

/// Outcome of a login's check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Not the password, or no password can be.
    Wrong,
    /// The password.
    Right,
    /// The password; its hash is of other work than is preferred now. Hash it anew and store that.
    RightButOld,
}

/// The way in which new passwords are hashed, and to which old ones are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferred {
    scheme: Scheme,
}

impl Preferred {
    /// Prefers this algorithm with this work.
    pub fn new(scheme: Scheme) -> Self {
        Self { scheme }
    }

    /// Algorithm and work of new hashes.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Whether the hash should be made anew at the next chance (Django's `must_update`): another
    /// algorithm, other work, be it more or less, or too short a salt.
    ///
    /// As in Django, bcrypt and scrypt do not look at the salt.
    pub fn must_update(&self, stored: &Stored<'_>) -> bool {
        if stored.scheme() != &self.scheme {
            return true;
        }
        match self.scheme {
            Scheme::Pbkdf2(_) | Scheme::Argon2(_) => salt_is_short(stored.salt()),
            Scheme::Scrypt(_) | Scheme::Bcrypt(_) => false,
        }
    }

    /// Checks a password against what the database holds.
    ///
    /// An account that cannot log in, by Django's mark or because its algorithm is not known, costs
    /// one preferred hash. So does a text that is an error, before the error is returned: treat it
    /// as [`Checked::Wrong`] towards the client, and log it.
    pub fn check(&self, password: Password<'_>, stored: &str) -> Result<Checked, HashError> {
        let stored = match Stored::parse(stored) {
            Ok(stored) => stored,
            Err(error) => {
                self.spend(password)?;
                return match error {
                    HashError::Unusable | HashError::UnknownAlgorithm => Ok(Checked::Wrong),
                    error => Err(error),
                };
            }
        };
        let old = self.must_update(&stored);
        if stored.verify(password)? {
            return Ok(if old {
                Checked::RightButOld
            } else {
                Checked::Right
            });
        }
        if old {
            self.harden(password, &stored)?;
        }
        Ok(Checked::Wrong)
    }

    /// Takes the time of one hash: also for a user name that does not exist.
    pub fn spend(&self, password: Password<'_>) -> Result<(), HashError> {
        self.scheme.encode(password, &SPENT_SALT).map(drop)
    }

    /// Brings a wrong password's time from the work of an old hash up to the preferred one (Django's
    /// `harden_runtime`), for PBKDF2 and bcrypt; for the others there is no such sum.
    fn harden(&self, password: Password<'_>, stored: &Stored<'_>) -> Result<(), HashError> {
        if self.scheme.algorithm() != stored.scheme().algorithm() {
            return Ok(());
        }
        match (self.scheme, stored.scheme()) {
            (Scheme::Pbkdf2(wanted), Scheme::Pbkdf2(had)) => match had.short_of(&wanted) {
                Some(rest) => Scheme::from(rest).encode(password, stored.salt()).map(drop),
                None => Ok(()),
            },
            (Scheme::Bcrypt(wanted), Scheme::Bcrypt(had)) => {
                for _ in 0..had.short_of(&wanted) {
                    stored.scheme().encode(password, stored.salt())?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Django counts each character of a salt as one that it drew itself.
fn salt_is_short(salt: &[u8]) -> bool {
    // The salt of Argon2 is read as Latin-1 by Django: its characters are its bytes.
    let letters = std::str::from_utf8(salt).map_or(salt.len(), |text| text.chars().count());
    let letters = u32::try_from(letters).unwrap_or(u32::MAX);
    f64::from(letters) * BITS_PER_LETTER < f64::from(LEAST_SALT_BITS)
}
