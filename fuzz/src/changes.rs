//! Random changes of seeds: what the tests of each crate run the checks over, on any compiler. The same
//! changes in every run; `YETT_FUZZ_SECONDS=60` goes on for so long, from `YETT_FUZZ_SEED` or the clock.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

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
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }
}

/// One to four small changes; `pieces` are what the syntax turns on.
fn change(seed: &[u8], other: &[u8], pieces: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let to = (at + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 => {
                let bit = 1 << random.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again: Vec<u8> = bytes.drain(at..to).collect();
                let twice = again.repeat(2);
                drop(bytes.splice(at..at, twice));
            }
            3 => bytes.truncate(at),
            4 => {
                let from = random.below(other.len() + 1);
                let end = (from + random.below(64)).min(other.len());
                let theirs = other.get(from..end).unwrap_or_default().to_vec();
                drop(bytes.splice(at..to, theirs));
            }
            _ => {
                let piece = pieces.get(random.below(pieces.len()));
                let piece = piece.copied().unwrap_or_default();
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
        }
    }
    bytes
}

/// Checks the seeds, then `changes` changes of them, or as many as the time has room for.
pub fn run(seeds: &[Vec<u8>], pieces: &[&[u8]], changes: usize, check: fn(&[u8])) {
    seeds.iter().for_each(|seed| check(seed));
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seconds = number("YETT_FUZZ_SECONDS");
    let mut start = 0x9E37_79B9_7F4A_7C15;
    if seconds.is_some() {
        let clock = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(1, |age| age.as_secs());
        start = number("YETT_FUZZ_SEED").unwrap_or(clock).max(1);
        let _told = writeln!(std::io::stderr(), "YETT_FUZZ_SEED={start}");
    }
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut random = Random(start);
    let mut found: Vec<Vec<u8>> = Vec::new();
    for nth in 0.. {
        let over = match end {
            Some(end) => nth % 64 == 0 && Instant::now() >= end,
            None => nth >= changes,
        };
        if over {
            break;
        }
        let pick = |at: usize| found.get(at).or_else(|| seeds.get(at % seeds.len().max(1)));
        let (one, two) = (random.below(seeds.len() * 4), random.below(seeds.len()));
        let (Some(seed), Some(other)) = (pick(one), pick(two)) else {
            break;
        };
        let input = change(seed, other, pieces, &mut random);
        check(&input);
        // What was changed once is changed further now and then.
        if input.len() < 8192 && random.below(8) == 0 {
            let at = random.below(seeds.len() * 2);
            match found.get_mut(at) {
                Some(old) => *old = input,
                None => found.push(input),
            }
        }
    }
}
