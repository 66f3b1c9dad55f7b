//! Argon2 (RFC 9106) as Django writes it: `argon2` and the PHC text of argon2-cffi,
//! `argon2$argon2id$v=19$m=102400,t=2,p=8$<salt>$<digest>`, both in base64 without padding. Texts of
//! Argon2 1.2 have no `v=`; they are of edition 1.0.
//!
//! Lanes run one after another: the result is the same, and a login then takes one core, not eight.

use argon2::{Algorithm, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::error::{Bound, HashError};
use super::fields::{named, parts};
use super::scheme::MOST_MEMORY_KIB;
use super::secret::Password;

const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;
/// Passes times KiB; Django's default is 204,800, a twentieth of it.
const MOST_WORK: u64 = 1 << 22;
const SALT: std::ops::RangeInclusive<usize> = 8..=64;
const DIGEST: std::ops::RangeInclusive<usize> = 4..=LONGEST_DIGEST;
const LONGEST_DIGEST: usize = 64;

/// How Argon2 chooses the memory that it reads (RFC 9106 section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variety {
    /// By the password: Argon2d.
    D,
    /// Not by the password: Argon2i.
    I,
    /// The first half pass as Argon2i, then as Argon2d: Django's choice.
    Id,
}

/// Edition of Argon2, as the text tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// No `v=`: edition 1.0, from before the text told it.
    Untold,
    /// `v=16`: edition 1.0.
    V16,
    /// `v=19`: edition 1.3, that of RFC 9106.
    V19,
}

/// Argon2 with its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2 {
    variety: Variety,
    edition: Edition,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    digest_length: usize,
}

impl Argon2 {
    /// Argon2id of edition 1.3 with 32 bytes of output, as Django makes them.
    ///
    /// `memory_kib` is at least 8 for each lane and at most [`MOST_MEMORY_KIB`]; `passes` and
    /// `lanes` are 1 to 64; passes times memory is at most 4 GiB (Django: 102400, 2, 8).
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, HashError> {
        Self::of((Variety::Id, Edition::V19), (memory_kib, passes, lanes), 32)
    }

    /// Any Argon2 that may stand in a database; the output has 4 to 64 bytes.
    pub fn of(
        (variety, edition): (Variety, Edition),
        (memory_kib, passes, lanes): (u32, u32, u32),
        digest_length: usize,
    ) -> Result<Self, HashError> {
        if !(1..=MOST_LANES).contains(&lanes) {
            return Err(HashError::OutOfBounds(Bound::Parallelism));
        }
        if !(1..=MOST_PASSES).contains(&passes) {
            return Err(HashError::OutOfBounds(Bound::TimeCost));
        }
        if !(8 * lanes..=MOST_MEMORY_KIB).contains(&memory_kib) {
            return Err(HashError::OutOfBounds(Bound::Memory));
        }
        if u64::from(memory_kib) * u64::from(passes) > MOST_WORK {
            return Err(HashError::OutOfBounds(Bound::Work));
        }
        if !DIGEST.contains(&digest_length) {
            return Err(HashError::OutOfBounds(Bound::DigestLength));
        }
        Ok(Self {
            variety,
            edition,
            memory_kib,
            passes,
            lanes,
            digest_length,
        })
    }

    /// Memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes; they change the result, not the time.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    pub(super) fn encode(&self, password: Password<'_>, salt: &[u8]) -> Result<String, HashError> {
        if !SALT.contains(&salt.len()) {
            return Err(HashError::Salt);
        }
        let mut out = Zeroizing::new([0; LONGEST_DIGEST]);
        let out = out
            .get_mut(..self.digest_length)
            .ok_or(HashError::OutOfBounds(Bound::DigestLength))?;
        self.fill(password, salt, out)?;
        let variety = self.algorithm().as_str();
        let edition = match self.edition {
            Edition::Untold => "",
            Edition::V16 => "v=16$",
            Edition::V19 => "v=19$",
        };
        let (m, t, p) = (self.memory_kib, self.passes, self.lanes);
        let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(&*out));
        Ok(format!(
            "argon2${variety}${edition}m={m},t={t},p={p}${salt}${digest}"
        ))
    }

    fn algorithm(&self) -> Algorithm {
        match self.variety {
            Variety::D => Algorithm::Argon2d,
            Variety::I => Algorithm::Argon2i,
            Variety::Id => Algorithm::Argon2id,
        }
    }

    fn version(&self) -> Version {
        match self.edition {
            Edition::Untold | Edition::V16 => Version::V0x10,
            Edition::V19 => Version::V0x13,
        }
    }

    fn fill(&self, password: Password<'_>, salt: &[u8], out: &mut [u8]) -> Result<(), HashError> {
        let refused = HashError::OutOfBounds(Bound::Work);
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(out.len()))
            .map_err(|_| refused)?;
        let mut memory: Vec<Block> = Vec::new();
        // The one large allocation here: failing it must fail this login, not the process.
        memory
            .try_reserve_exact(params.block_count())
            .map_err(|_| HashError::OutOfMemory)?;
        memory.resize(params.block_count(), Block::new());
        argon2::Argon2::new(self.algorithm(), self.version(), params)
            .hash_password_into_with_memory(password.bytes(), salt, out, &mut memory)
            .map_err(|_| refused)
    }

    pub(super) fn parse(rest: &str) -> Result<(Self, Vec<u8>), HashError> {
        let (variety, rest) = rest.split_once('$').ok_or(HashError::Malformed)?;
        let variety = match variety {
            "argon2d" => Variety::D,
            "argon2i" => Variety::I,
            "argon2id" => Variety::Id,
            _ => return Err(HashError::Malformed),
        };
        let (edition, rest) = match rest.split_once('$') {
            Some(("v=16", rest)) => (Edition::V16, rest),
            Some(("v=19", rest)) => (Edition::V19, rest),
            _ => (Edition::Untold, rest),
        };
        let [numbers, salt, digest] = parts(rest, '$')?;
        let [m, t, p] = parts(numbers, ',')?;
        let work = (named(m, "m")?, named(t, "t")?, named(p, "p")?);
        let salt = STANDARD_NO_PAD
            .decode(salt)
            .map_err(|_| HashError::Malformed)?;
        if !SALT.contains(&salt.len()) {
            return Err(HashError::Malformed);
        }
        // What that many letters of base64 hold, whatever they are.
        let digest_length = digest.len() * 3 / 4;
        Ok((Self::of((variety, edition), work, digest_length)?, salt))
    }
}
