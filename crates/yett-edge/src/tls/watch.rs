//! Whether files have changed, and what follows from it.
//!
//! Files are looked at, not watched: a look is one `stat` for each, it sees through symbolic links
//! as Kubernetes swaps them, and it works where the system tells nothing (NFS, FUSE, overlays).

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{CertificateFacts, FailedHandshakes, Tls, TlsErrors};
use crate::clock;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often failed handshakes are told of, in looks: ten minutes.
const TELL: u64 = 120;
/// How often certificates that run out soon are told of, in looks.
const DAY: u64 = 24 * 60 * 60 / LOOK.as_secs();

/// What is worth a line in the log.
#[derive(Debug)]
pub enum TlsNews {
    /// Files have changed, and what is in them is used from now on.
    Reloaded(Vec<CertificateFacts>),
    /// Files have changed, and cannot be used: the certificates from before go on being used.
    Kept(TlsErrors),
    /// Handshakes have failed in the last ten minutes.
    Failed(FailedHandshakes),
    /// A certificate in use runs out soon, or has: a sentence, once a day.
    Ending(String),
    /// A look at the files has failed in itself, for this reason; further ones follow.
    Broken(String),
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
        let changes = Mutex::new(Changes::new(look(&files)));
        let tls = Arc::clone(&self);
        let mut looks = Looks::new(move || {
            let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
            changes.settled(look(&files)).then(|| tls.renew())
        });
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for count in 1_u64.. {
            ticks.tick().await;
            looks.next().await.into_iter().for_each(&tell);
            if count.is_multiple_of(TELL)
                && let Some(failed) = self.counters.take_untold()
            {
                tell(TlsNews::Failed(failed));
            }
            if count.is_multiple_of(DAY) {
                let ending = self.ending(clock::unix_seconds());
                ending.into_iter().map(TlsNews::Ending).for_each(&tell);
            }
        }
    }
}

/// Looks, one after the other.
pub(super) struct Looks {
    look: Arc<dyn Fn() -> Option<TlsNews> + Send + Sync>,
    /// The last one failed in itself.
    broken: bool,
}

impl Looks {
    pub(super) fn new(look: impl Fn() -> Option<TlsNews> + Send + Sync + 'static) -> Self {
        Self {
            look: Arc::new(look),
            broken: false,
        }
    }

    /// Looks once, elsewhere: a file system that hangs must not hold the caller. A look that panics
    /// costs no further one, and many in a row are told of once.
    pub(super) async fn next(&mut self) -> Option<TlsNews> {
        let look = Arc::clone(&self.look);
        match tokio::task::spawn_blocking(move || look()).await {
            Ok(news) => {
                self.broken = false;
                news
            }
            Err(panicked) => {
                let told = std::mem::replace(&mut self.broken, true);
                (!told).then(|| TlsNews::Broken(panicked.to_string()))
            }
        }
    }
}
