//! Room for open connections: the limit of open files, raised as far as the settings need it.
//!
//! Many systems give a process 1,024 files at first and let it ask for more. Workers inherit what is
//! asked for here. Without enough of them connections wait in the kernel's backlog although
//! `max_connections` has room.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside connections: workers' links, bodies that are kept, files that are sent.
const OTHERS: u64 = 1024;

/// Raises the limit if it is too low for so many connections. What is to be said if that is not
/// possible.
pub(super) fn make_room(connections: usize) -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    let (raised, warning) = raised(limit, connections as u64);
    if raised.current != limit.current && setrlimit(Resource::Nofile, raised).is_err() {
        return warning.or_else(|| self::warning(limit.current?, connections as u64));
    }
    warning
}

/// The limit as it should be, and what is wrong with it still.
fn raised(limit: Rlimit, connections: u64) -> (Rlimit, Option<String>) {
    let wanted = connections.saturating_add(OTHERS);
    let Some(current) = limit.current.filter(|current| *current < wanted) else {
        return (limit, None);
    };
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(wanted.min(most).max(current)),
        maximum: limit.maximum,
    };
    let warning = (most < wanted).then(|| warning(most, connections));
    (raised, warning.flatten())
}

fn warning(files: u64, connections: u64) -> Option<String> {
    // Some room for other files is enough to keep the promise of so many connections.
    (files < connections.saturating_add(OTHERS / 4)).then(|| {
        format!(
            "the system allows {files} open files, too few for max_connections = {connections}: \
             raise the limit (ulimit -n, LimitNOFILE=) or lower max_connections"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: (u64, Option<u64>), connections: u64, expected: (u64, bool)) {
        let limit = Rlimit {
            current: Some(limit.0),
            maximum: limit.1,
        };
        let (raised, warning) = raised(limit, connections);
        assert_eq!(
            (raised.current, warning.is_some()),
            (Some(expected.0), expected.1),
            "{limit:?} {connections}: {warning:?}"
        );
        assert_eq!(raised.maximum, limit.maximum);
    }

    #[test]
    fn limit_is_raised_as_far_as_needed_and_no_further() {
        check((1024, Some(524_288)), 10_000, (11_024, false));
        check((1024, None), 10_000, (11_024, false));
        check((65_536, Some(524_288)), 10_000, (65_536, false));
        check((1024, Some(524_288)), usize::MAX as u64, (524_288, true));
    }

    #[test]
    fn limit_that_stays_too_low_is_told() {
        check((1024, Some(4096)), 10_000, (4096, true));
        check((1024, Some(10_500)), 10_000, (10_500, false));
        check((1024, Some(1024)), 10_000, (1024, true));
    }
}
