//! How many CPUs this process may use: what `workers = "auto"` means.
//!
//! The standard library goes by the affinity mask and by the quotas of the process's cgroup and of
//! all above it, v1 and v2, rounded down (at least 1). A container that sees only its own part of
//! the hierarchy under a path of the host's escapes it: there the quota stands at the top of what is
//! visible, which is looked at here as well.

use std::{fs, num::NonZeroUsize, thread::available_parallelism};

/// The quota of the cgroup (v2) at the top of what is visible. The machine's own top has no such
/// file, so whatever is here is a limit of ours.
const TOP: &str = "/sys/fs/cgroup/cpu.max";

/// CPUs that this process may use. A part of a CPU beyond a whole number is left to the edge.
pub(super) fn cpus() -> NonZeroUsize {
    let known = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match fs::read_to_string(TOP).ok().as_deref().and_then(quota) {
        Some(quota) => known.min(quota),
        None => known,
    }
}

/// Whole CPUs of a `cpu.max` (kernel documentation, cgroup-v2: "$MAX $PERIOD"), at least one;
/// `None` without a limit.
fn quota(text: &str) -> Option<NonZeroUsize> {
    let mut numbers = text.split_ascii_whitespace();
    let limit: usize = numbers.next()?.parse().ok()?;
    let period: usize = numbers.next()?.parse().ok()?;
    let whole = limit.checked_div(period)?;
    Some(NonZeroUsize::new(whole).unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_cpus_is_at_least_one() {
        assert!(cpus().get() >= 1);
    }

    #[test]
    fn a_quota_is_rounded_down_to_whole_cpus_but_never_to_none() {
        let check = |text: &str, cpus: Option<usize>| {
            assert_eq!(quota(text).map(NonZeroUsize::get), cpus, "{text:?}");
        };
        check("400000 100000\n", Some(4));
        check("290000 100000\n", Some(2));
        check("50000 100000\n", Some(1));
        check("max 100000\n", None);
        check("100000 0\n", None);
        check("100000", None);
        check("", None);
    }
}
