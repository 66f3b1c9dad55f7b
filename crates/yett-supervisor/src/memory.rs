//! How much memory a process has.
//!
//! Resident memory as `ps` and `top` show it (`RSS`, `RES`): uWSGI's `reload-on-rss` and Granian's
//! `workers-max-rss` compare the same figure. It counts what a worker shares with its zygote as
//! well, so the figures of several workers do not add up.

use std::fs::File;
use std::io::Read as _;

/// Resident bytes of a process; `None` if it is gone, or is a zombie. From `/proc/PID/statm`,
/// proc(5): the second number, in pages.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    // Seven numbers; whatever is longer is not that file.
    let mut text = String::with_capacity(128);
    let file = File::open(format!("/proc/{pid}/statm")).ok()?;
    file.take(256).read_to_string(&mut text).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    pages.checked_mul(page).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_grows_is_seen_to_grow() {
        const GROWTH: usize = 64 << 20;
        let before = resident(std::process::id()).unwrap();
        let ballast = std::hint::black_box(vec![1_u8; GROWTH]);
        let after = resident(std::process::id()).unwrap();
        // Other tests of this process free some meanwhile.
        assert!(after > before + (GROWTH as u64) / 2, "{before} {after}");
        drop(ballast);
    }

    #[test]
    fn a_process_that_is_not_there_has_no_memory() {
        assert_eq!(resident(u32::MAX), None);
    }
}
