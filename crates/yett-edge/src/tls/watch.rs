//! Whether files have changed, and what follows from it.
//!
//! Files are looked at, not watched: a look is one `stat` for each, it sees through symbolic links
//! as Kubernetes swaps them, and it works where the system tells nothing (NFS, FUSE, overlays).

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{CertificateFacts, FailedHandshakes, Tls, TlsErrors};

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often failed handshakes are told of, in looks: ten minutes.
const TELL: u64 = 120;

/// What is worth a line in the log.
#[derive(Debug)]
pub enum TlsNews {
    /// Files have changed, and what is in them is used from now on.
    Reloaded(Vec<CertificateFacts>),
    /// Files have changed, and cannot be used: the certificates from before go on being used.
    Kept(TlsErrors),
    /// Handshakes have failed in the last ten minutes.
    Failed(FailedHandshakes),
}

/// What is known of each file: enough to see that it was replaced or written.
pub(super) type Seen = Vec<Option<(u64, u64, u64, i64, i64)>>;

pub(super) fn look(files: &[PathBuf]) -> Seen {
    let one = |file: &PathBuf| {
        let known = std::fs::metadata(file).ok()?;
        Some((
            known.dev(),
            known.ino(),
            known.size(),
            known.mtime(),
            known.mtime_nsec(),
        ))
    };
    files.iter().map(one).collect()
}

/// Decides when files are to be loaded: two looks after a change must see the same, so that a pair
/// is not read while its second half is still being written.
#[derive(Debug)]
pub(super) struct Changes {
    /// What was seen when files were last loaded, or tried.
    loaded: Seen,
    /// What the last look saw.
    last: Seen,
}

impl Changes {
    pub(super) fn new(seen: Seen) -> Self {
        Self {
            loaded: seen.clone(),
            last: seen,
        }
    }

    /// Whether to load now.
    pub(super) fn settled(&mut self, seen: Seen) -> bool {
        let quiet = seen == self.last;
        self.last = seen;
        if !quiet || self.last == self.loaded {
            return false;
        }
        self.loaded = self.last.clone();
        true
    }
}

impl Tls {
    /// Looks at the files for ever, loads them when they change, and tells what is worth it.
    pub async fn watch(self: Arc<Self>, tell: impl Fn(TlsNews)) {
        let files = super::load::files(&self.settings);
        let mut changes = Changes::new(look(&files));
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks: u64 = 0;
        loop {
            ticks.tick().await;
            looks += 1;
            // Elsewhere: a file system that hangs must not hold the caller.
            let (tls, named) = (Arc::clone(&self), files.clone());
            let work = tokio::task::spawn_blocking(move || {
                let due = changes.settled(look(&named));
                let news = due.then(|| match tls.reload() {
                    Ok(certificates) => TlsNews::Reloaded(certificates),
                    Err(errors) => TlsNews::Kept(errors),
                });
                (changes, news)
            });
            let Ok((back, news)) = work.await else {
                return;
            };
            changes = back;
            news.into_iter().for_each(&tell);
            if looks.is_multiple_of(TELL)
                && let Some(failed) = self.counters.take_untold()
            {
                tell(TlsNews::Failed(failed));
            }
        }
    }
}
