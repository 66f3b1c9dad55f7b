//! A password on its way through: borrowed, never kept, never printed.

use super::error::HashError;

/// Longest password that [`Password::new`] takes, in bytes.
pub const LONGEST_PASSWORD: usize = 4096;

/// A password as it was typed, in UTF-8; Django hashes the same bytes.
#[derive(Clone, Copy)]
pub struct Password<'p>(&'p [u8]);

impl<'p> Password<'p> {
    /// A password of at most [`LONGEST_PASSWORD`] bytes, else [`HashError::PasswordTooLong`].
    ///
    /// Ask before the user is looked up, so that the answer is the same whether there is one.
    pub fn new(bytes: &'p [u8]) -> Result<Self, HashError> {
        if bytes.len() > LONGEST_PASSWORD {
            return Err(HashError::PasswordTooLong);
        }
        Ok(Self(bytes))
    }

    /// A password of any length.
    ///
    /// Every algorithm here reads it once or twice, so a long one costs no more than receiving it
    /// did. For callers that cannot refuse it early, as Django's hashers cannot: there the user was
    /// looked up before, and a refusal would tell those who exist from those who do not.
    pub fn danger_any_length(bytes: &'p [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(self) -> &'p [u8] {
        self.0
    }
}

impl std::fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password([secret])")
    }
}
