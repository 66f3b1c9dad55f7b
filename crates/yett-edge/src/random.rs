//! Names that nobody can know before, and that no two things have: 128 random bits as hexadecimal
//! digits.
//!
//! Each thread takes random bytes from the system's generator for several names at a time: to ask
//! for a few costs as much as to ask for many.

use std::cell::RefCell;

const NAME: usize = size_of::<u128>();
/// Bytes that a thread has in store.
const STORE: usize = 32 * NAME;

struct Store {
    bytes: [u8; STORE],
    used: usize,
}

/// A new name, of 32 digits.
pub(crate) fn name() -> String {
    thread_local! {
        static RANDOM: RefCell<Store> = const { RefCell::new(Store { bytes: [0; STORE], used: STORE }) };
    }
    let stored = RANDOM.try_with(|store| store.try_borrow_mut().ok()?.take());
    // A thread that is ending has no store.
    let bytes = stored.ok().flatten().unwrap_or_else(|| {
        let mut bytes = [0; NAME];
        fill(&mut bytes);
        bytes
    });
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

impl Store {
    fn take(&mut self) -> Option<[u8; NAME]> {
        if self.used + NAME > STORE {
            fill(&mut self.bytes);
            self.used = 0;
        }
        let taken = self.bytes.get(self.used..)?.first_chunk().copied();
        self.used += NAME;
        taken
    }
}

fn fill(bytes: &mut [u8]) {
    // It fails only where the system has no random numbers at all; what is named guards nothing.
    let _no_random = aws_lc_rs::rand::fill(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_names_are_the_same_also_when_the_store_is_filled_again() {
        let names: BTreeSet<String> = (0..5 * STORE / NAME).map(|_| name()).collect();
        assert_eq!(names.len(), 5 * STORE / NAME);
        for name in names {
            assert_eq!(name.len(), 32);
            let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert!(name.bytes().all(digit), "{name}");
        }
    }
}
