//! scrypt (RFC 7914) as Django writes it:
//! `scrypt$<N>$<salt>$<r>$<p>$<base64 of 64 bytes>`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::{Bound, HashError};
use super::fields::{number, parts, plain_salt};
use super::scheme::MOST_MEMORY_KIB;
use super::secret::Password;

const MOST_LOG_N: u32 = 20;
const MOST_R: u32 = 64;
const MOST_P: u32 = 64;
/// `N * r * p`; Django's default is 655,360, a twenty-fifth of it.
const MOST_WORK: u64 = 1 << 24;
const DIGEST: usize = 64;

/// scrypt with its work. The `p` rounds run one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrypt {
    n: u32,
    r: u32,
    p: u32,
}

impl Scrypt {
    /// `n` is a power of two, 2 to 2^20; `r` and `p` are 1 to 64; memory (`128 * n * r` bytes) is at
    /// most [`MOST_MEMORY_KIB`], `n * r * p` at most 2^24 (Django: 16384, 8, 5, so 16 MiB).
    pub fn new(n: u32, r: u32, p: u32) -> Result<Self, HashError> {
        if !n.is_power_of_two() || !(1..=MOST_LOG_N).contains(&n.trailing_zeros()) {
            return Err(HashError::OutOfBounds(Bound::WorkFactor));
        }
        if !(1..=MOST_R).contains(&r) {
            return Err(HashError::OutOfBounds(Bound::BlockSize));
        }
        if !(1..=MOST_P).contains(&p) {
            return Err(HashError::OutOfBounds(Bound::Parallelism));
        }
        let blocks = u64::from(n) * u64::from(r);
        if blocks / 8 > u64::from(MOST_MEMORY_KIB) {
            return Err(HashError::OutOfBounds(Bound::Memory));
        }
        if blocks * u64::from(p) > MOST_WORK {
            return Err(HashError::OutOfBounds(Bound::Work));
        }
        Ok(Self { n, r, p })
    }

    /// `N`, `r` and `p`.
    pub fn costs(&self) -> (u32, u32, u32) {
        (self.n, self.r, self.p)
    }

    /// `128 * r` bytes for each of `N` steps, `p` rounds, and one for work.
    pub(super) fn memory_kib(&self) -> u32 {
        self.r * (self.n + self.p + 1) / 8
    }

    pub(super) fn encode(&self, password: Password<'_>, salt: &[u8]) -> Result<String, HashError> {
        let salt = plain_salt(salt)?;
        let Self { n, r, p } = *self;
        let refused = HashError::OutOfBounds(Bound::Work);
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| refused)?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| refused)?;
        let mut out = Zeroizing::new([0; DIGEST]);
        scrypt::scrypt(password.bytes(), salt.as_bytes(), &params, &mut *out)
            .map_err(|_| refused)?;
        let digest = STANDARD.encode(*out);
        Ok(format!("scrypt${n}${salt}${r}${p}${digest}"))
    }

    pub(super) fn parse(rest: &str) -> Result<(Self, Vec<u8>), HashError> {
        let [n, salt, r, p, _digest] = parts(rest, '$')?;
        let scheme = Self::new(number(n)?, number(r)?, number(p)?)?;
        Ok((scheme, salt.as_bytes().to_vec()))
    }
}
