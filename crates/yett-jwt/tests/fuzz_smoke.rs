//! The checks of the fuzz targets, run here with their seeds and some thousand changes of these:
//! the same ones in every run for texts that do not hold fresh keys.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test throughout: a panic is its failure"
)]

#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/checks.rs"]
mod checks;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/reference.rs"]
mod reference;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

/// What syntaxes turn on, so that changes hit more often.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u0061",
    "\\ud83d\\ude00",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "-",
    "-0",
    "e9",
    ".",
    "0",
    "null",
    "\n",
    " ",
    "\0",
    "é",
    "\"exp\":1",
    "\"alg\"",
    "=",
    "-----",
    "\x30\x00",
    "\u{feff}",
];

/// One to four small changes.
fn change(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let to = (at + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            4 => {
                let from = random.below(other.len() + 1);
                let end = (from + random.below(64)).min(other.len());
                bytes.splice(at..to, other[from..end].iter().copied());
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

fn run(seeds: &[Vec<u8>], changes: usize, check: fn(&[u8])) {
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for nth in 0..changes {
        let seed = &seeds[nth % seeds.len()];
        let other = &seeds[random.below(seeds.len())];
        check(&change(seed, other, &mut random));
    }
}

#[test]
fn any_token_is_judged_as_the_checks_say() {
    run(&seeds::token(), 30_000, checks::token);
}

#[test]
fn any_jwk_is_judged_as_the_checks_say() {
    run(&seeds::jwk(), 3000, checks::jwk);
}

#[test]
fn any_jwk_set_is_judged_as_the_checks_say() {
    run(&seeds::jwk_set(), 2500, checks::jwk_set);
}

#[test]
fn any_key_file_is_judged_as_the_checks_say() {
    run(&seeds::pem(), 1500, checks::pem);
}
