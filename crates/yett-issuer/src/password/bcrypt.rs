//! bcrypt (Provos and Mazières, 1999) as Django writes it: the algorithm's name and the modular
//! text, `bcrypt_sha256$$2b$12$<22 letters of salt><31 letters of digest>`, or `bcrypt$$2b$…`.
//!
//! bcrypt reads 72 bytes. `bcrypt_sha256` gives it the password's SHA-256 in hexadecimal; `bcrypt`
//! gives it the first 72 bytes of the password, which is why Django does not recommend it.

use aws_lc_rs::digest;
use base64::Engine as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::{Bound, HashError};
use super::secret::Password;

const COSTS: std::ops::RangeInclusive<u32> = 4..=16;
const READS: usize = 72;
const SALT: usize = 16;
const SALT_LETTERS: usize = 22;
/// The cipher gives 24 bytes; the text has always had 23 of them.
const DIGEST: usize = 23;

/// What bcrypt gets to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The password's SHA-256, in hexadecimal: `bcrypt_sha256`.
    Sha256,
    /// The password itself, and of that 72 bytes: `bcrypt`.
    Plain,
}

impl Input {
    pub(super) fn algorithm(self) -> &'static str {
        match self {
            Self::Sha256 => "bcrypt_sha256",
            Self::Plain => "bcrypt",
        }
    }
}

/// bcrypt with its work.
#[derive(Clone, Copy, Debug)]
pub struct Bcrypt {
    pub(super) input: Input,
    cost: u32,
    version: &'static str,
}

/// The letter of the version changes no digest, so it is not compared.
impl PartialEq for Bcrypt {
    fn eq(&self, other: &Self) -> bool {
        (self.input, self.cost) == (other.input, other.cost)
    }
}

impl Eq for Bcrypt {}

impl Bcrypt {
    /// `cost` is 4 to 16, one more being twice the work (Django: 12).
    pub fn new(input: Input, cost: u32) -> Result<Self, HashError> {
        if !COSTS.contains(&cost) {
            return Err(HashError::OutOfBounds(Bound::Cost));
        }
        Ok(Self {
            input,
            cost,
            version: "2b",
        })
    }

    /// The binary logarithm of the rounds.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Settings and salt from a modular text (`$2b$12$` and 22 letters; what follows is not read),
    /// which is what Django calls the salt of bcrypt.
    pub fn from_setting(input: Input, setting: &str) -> Result<(Self, Vec<u8>), HashError> {
        let mut fields = setting
            .strip_prefix('$')
            .ok_or(HashError::Malformed)?
            .splitn(3, '$');
        let (Some(version), Some(cost), Some(rest)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(HashError::Malformed);
        };
        // The letters tell apart mistakes of old C libraries; the digest of each is the same here.
        let version = ["2a", "2b", "2x", "2y"]
            .into_iter()
            .find(|known| *known == version)
            .ok_or(HashError::Malformed)?;
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = cost.as_bytes() else {
            return Err(HashError::Malformed);
        };
        let cost = u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        let salt = rest.get(..SALT_LETTERS).ok_or(HashError::Malformed)?;
        let salt = bcrypt::BASE_64
            .decode(salt)
            .map_err(|_| HashError::Malformed)?;
        Ok((
            Self {
                version,
                ..Self::new(input, cost)?
            },
            salt,
        ))
    }

    pub(super) fn encode(&self, password: Password<'_>, salt: &[u8]) -> Result<String, HashError> {
        let salt: [u8; SALT] = salt.try_into().map_err(|_| HashError::Salt)?;
        let mut out = match self.input {
            Input::Plain => self.run(password.bytes(), salt),
            Input::Sha256 => self.run(&*hexadecimal(password.bytes()), salt),
        };
        let digest = bcrypt::BASE_64.encode(out.get(..DIGEST).unwrap_or_default());
        out.zeroize();
        let salt = bcrypt::BASE_64.encode(salt);
        let (algorithm, version, cost) = (self.input.algorithm(), self.version, self.cost);
        Ok(format!("{algorithm}$${version}${cost:02}${salt}{digest}"))
    }

    /// The bytes that bcrypt reads end with a zero, if there is room for it.
    fn run(&self, bytes: &[u8], salt: [u8; SALT]) -> [u8; 24] {
        let mut key = Zeroizing::new([0; READS]);
        for (to, from) in key.iter_mut().zip(bytes) {
            *to = *from;
        }
        let used = key.get(..=bytes.len()).unwrap_or(&*key);
        bcrypt::bcrypt(self.cost, salt, used)
    }

    /// How often the whole must be repeated at this cost to come to the work of `other`, less one.
    pub(super) fn short_of(&self, other: &Self) -> u32 {
        (1 << other.cost.saturating_sub(self.cost)) - 1
    }
}

fn hexadecimal(bytes: &[u8]) -> Zeroizing<[u8; 64]> {
    const LETTERS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new([0; 64]);
    let digest = digest::digest(&digest::SHA256, bytes);
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest.as_ref()) {
        for (to, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *to = LETTERS
                .get(usize::from(nibble))
                .copied()
                .unwrap_or_default();
        }
    }
    text
}
