//! Ways to fail. None has room for a password, a salt or a hash, so none can show one.

use super::secret::LONGEST_PASSWORD;
use super::stored::LONGEST_STORED;

/// Why a hash could not be made or read. A wrong password is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The text begins with `!`: Django's mark of an account that no password opens.
    #[error("the account has no usable password")]
    Unusable,
    /// The text names an algorithm that is not one of this module's.
    #[error("the stored password hash is of no algorithm that is known here")]
    UnknownAlgorithm,
    /// The text is not of the form that its algorithm writes.
    #[error("the stored password hash is malformed")]
    Malformed,
    /// The text is longer than [`LONGEST_STORED`].
    #[error("the stored password hash is longer than {LONGEST_STORED} bytes")]
    StoredTooLong,
    /// The password is longer than [`LONGEST_PASSWORD`].
    #[error("the password is longer than {LONGEST_PASSWORD} bytes")]
    PasswordTooLong,
    /// A parameter would ask for no work, or for more than this module does.
    #[error("the password hash's {0}")]
    OutOfBounds(Bound),
    /// The salt is not one that this algorithm can write down.
    #[error("the salt does not suit the algorithm")]
    Salt,
    /// The memory that the algorithm needs was not to be had.
    #[error("there is not enough memory to compute the password hash")]
    OutOfMemory,
}

/// Which bound was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// Iterations of PBKDF2.
    Iterations,
    /// Work factor of scrypt, its `N`.
    WorkFactor,
    /// Block size of scrypt, its `r`.
    BlockSize,
    /// Lanes of Argon2, or the `p` of scrypt.
    Parallelism,
    /// Memory of Argon2 or scrypt.
    Memory,
    /// Passes of Argon2.
    TimeCost,
    /// All parameters of Argon2 or scrypt together.
    Work,
    /// Logarithmic cost of bcrypt.
    Cost,
    /// Length of Argon2's output.
    DigestLength,
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Iterations => "iterations must be 1 to 20,000,000",
            Self::WorkFactor => "work factor must be a power of two, 2 to 1,048,576",
            Self::BlockSize => "block size must be 1 to 64",
            Self::Parallelism => "parallelism must be 1 to 64",
            Self::Memory => "memory must be at most 1 GiB, and for Argon2 at least 8 KiB a lane",
            Self::TimeCost => "time cost must be 1 to 64",
            Self::Work => "parameters together ask for too much work",
            Self::Cost => "work factor must be 4 to 16",
            Self::DigestLength => "output must have 4 to 64 bytes",
        })
    }
}
