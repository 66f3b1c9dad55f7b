//! Room for open connections: the limit of open files, raised as far as the settings need it.
//!
//! Many systems give a process 1,024 files at first and let it ask for more. Workers inherit what is
//! asked for here. Without enough of them connections wait in the kernel's backlog although
//! `max_connections` has room.

use crate::config::ServeSettings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside connections, bodies that are kept and files that are kept open to be sent again: workers'
/// links, files that are sent once.
const OTHERS: u64 = 1024;

/// Files that the settings promise.
#[derive(Clone, Copy)]
struct Promised {
    connections: u64,
    kept: u64,
    bodies: u64,
}

impl Promised {
    const fn with(self, others: u64) -> u64 {
        self.connections
            .saturating_add(self.kept)
            .saturating_add(self.bodies)
            .saturating_add(others)
    }
}

/// Raises the limit if it is too low for the settings. What is to be said if that is not possible.
pub(super) fn make_room(settings: &ServeSettings) -> Option<String> {
    let promised = Promised {
        connections: settings.limits.max_connections.get() as u64,
        kept: settings.files.open.get() as u64,
        bodies: settings.limits.max_spool_files,
    };
    let limit = getrlimit(Resource::Nofile);
    let (raised, warning) = raised(limit, promised);
    if raised.current != limit.current && setrlimit(Resource::Nofile, raised).is_err() {
        return warning.or_else(|| self::warning(limit.current?, promised));
    }
    warning
}

/// The limit as it should be, and what is wrong with it still.
fn raised(limit: Rlimit, promised: Promised) -> (Rlimit, Option<String>) {
    let wanted = promised.with(OTHERS);
    let Some(current) = limit.current.filter(|current| *current < wanted) else {
        return (limit, None);
    };
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(wanted.min(most).max(current)),
        maximum: limit.maximum,
    };
    let warning = (most < wanted).then(|| warning(most, promised));
    (raised, warning.flatten())
}

fn warning(files: u64, promised: Promised) -> Option<String> {
    let Promised {
        connections,
        kept,
        bodies,
    } = promised;
    // Some room for other files is enough to keep the promise.
    (files < promised.with(OTHERS / 4)).then(|| {
        format!(
            "the system allows {files} open files, too few for max_connections = {connections}, \
             {kept} open static files and {bodies} of bodies: raise the limit (ulimit -n, LimitNOFILE=), or lower \
             max_connections, max_spool_files or open of [static]"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: (u64, Option<u64>), promised: (u64, u64), expected: (u64, bool)) {
        let limit = Rlimit {
            current: Some(limit.0),
            maximum: limit.1,
        };
        let (connections, kept) = promised;
        let (raised, warning) = raised(
            limit,
            Promised {
                connections,
                kept,
                bodies: 4096,
            },
        );
        assert_eq!(
            (raised.current, warning.is_some()),
            (Some(expected.0), expected.1),
            "{limit:?} {promised:?}: {warning:?}"
        );
        assert_eq!(raised.maximum, limit.maximum);
    }

    #[test]
    fn limit_is_raised_as_far_as_needed_and_no_further() {
        check((1024, Some(524_288)), (10_000, 1024), (16_144, false));
        check((1024, None), (10_000, 0), (15_120, false));
        check((65_536, Some(524_288)), (10_000, 1024), (65_536, false));
        check((1024, Some(524_288)), (u64::MAX, 1024), (524_288, true));
    }

    #[test]
    fn limit_that_stays_too_low_is_told() {
        check((1024, Some(4096)), (10_000, 0), (4096, true));
        check((1024, Some(14_500)), (10_000, 0), (14_500, false));
        check((1024, Some(14_500)), (10_000, 1024), (14_500, true));
        check((1024, Some(1024)), (10_000, 0), (1024, true));
    }
}
