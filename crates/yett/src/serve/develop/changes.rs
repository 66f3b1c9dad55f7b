//! Changes that were heard of and not yet loaded. Editors save in several steps, so a change is
//! taken only after a moment without another.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use yett_edge::Develop;

/// How long nothing must change before what changed is taken.
const QUIET: Duration = Duration::from_millis(100);
/// How long a series of changes is waited for.
const LONGEST: Duration = Duration::from_secs(1);
/// Files and folders that are remembered by name; of others that there are more.
const MOST_NAMES: usize = 256;

/// What changed since the last load.
#[derive(Debug)]
pub(super) struct Changes {
    pending: Mutex<Pending>,
    news: Notify,
    /// Requests wait from the first change on, not from the end of the quiet moment.
    shown: Arc<Develop>,
}

/// The names of what changed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Source files.
    pub(super) files: BTreeSet<PathBuf>,
    /// Files beyond the bound, or of which not even the name is known.
    pub(super) more: bool,
    /// Folders that came into being, with whatever is in them.
    pub(super) folders: BTreeSet<PathBuf>,
}

impl Changes {
    pub(super) fn new(shown: Arc<Develop>) -> Self {
        Self {
            pending: Mutex::default(),
            news: Notify::new(),
            shown,
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A source file changed, came or went.
    pub(super) fn file(&self, file: &Path) {
        let mut pending = self.pending();
        if pending.files.len() < MOST_NAMES {
            pending.files.insert(file.to_owned());
        } else {
            pending.more = true;
        }
        self.shown.load();
        drop(pending);
        self.news.notify_one();
    }

    /// Something changed, nobody knows what.
    pub(super) fn unknown(&self) {
        let mut pending = self.pending();
        pending.more = true;
        self.shown.load();
        drop(pending);
        self.news.notify_one();
    }

    /// A folder came, perhaps with source in it.
    pub(super) fn folder(&self, folder: &Path) {
        let mut pending = self.pending();
        if pending.folders.len() < MOST_NAMES {
            pending.folders.insert(folder.to_owned());
            drop(pending);
            self.news.notify_one();
        } else {
            drop(pending);
            self.unknown();
        }
    }

    /// Does this while it is sure that no change waits; otherwise not at all.
    pub(super) fn if_none(&self, act: impl FnOnce(&Develop)) {
        let pending = self.pending();
        if pending.files.is_empty() && !pending.more {
            act(&self.shown);
        }
    }

    /// Waits for changes and for the quiet after them.
    pub(super) async fn taken(&self) -> Pending {
        self.news.notified().await;
        let latest = Instant::now() + LONGEST;
        loop {
            let quiet = Instant::now() + QUIET;
            let more = timeout_at(quiet.min(latest), self.news.notified()).await;
            if more.is_err() || Instant::now() >= latest {
                return std::mem::take(&mut *self.pending());
            }
        }
    }
}

impl Pending {
    /// What changed, in a few words; paths below the project are shortened.
    pub(super) fn words(&self, project: &Path) -> String {
        const NAMED: usize = 3;
        let names: Vec<String> = self
            .files
            .iter()
            .take(NAMED)
            .map(|file| {
                let short = file.strip_prefix(project).unwrap_or(file);
                short.display().to_string()
            })
            .collect();
        let others = self.files.len().saturating_sub(NAMED);
        match (names.as_slice(), others, self.more) {
            ([], _, _) => String::from("files changed"),
            (names, 0, false) => format!("{} changed", names.join(", ")),
            (names, others, false) => format!("{} and {others} more changed", names.join(", ")),
            (names, _, true) => format!("{} and more changed", names.join(", ")),
        }
    }

    /// Whether nothing is to be loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_taken_together_after_a_moment_without_another() {
        let changes = Arc::new(Changes::new(Develop::new()));
        let began = Instant::now();
        let saving = Arc::clone(&changes);
        tokio::spawn(async move {
            for name in ["a.py", "b.py", "a.py"] {
                saving.file(Path::new(name));
                tokio::time::sleep(millis(60)).await;
            }
        });
        let taken = changes.taken().await;
        assert_eq!(taken.files.len(), 2);
        assert_eq!(began.elapsed(), millis(220));
    }

    #[tokio::test(start_paused = true)]
    async fn changes_without_end_are_taken_after_a_second() {
        let changes = Arc::new(Changes::new(Develop::new()));
        let began = Instant::now();
        let saving = Arc::clone(&changes);
        tokio::spawn(async move {
            loop {
                saving.file(Path::new("a.py"));
                tokio::time::sleep(millis(30)).await;
            }
        });
        assert!(!changes.taken().await.is_empty());
        assert_eq!(began.elapsed(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn names_have_a_bound_and_are_told_in_a_few_words() {
        let changes = Changes::new(Develop::new());
        let words = |pending: &Pending| pending.words(Path::new("/srv"));
        changes.file(Path::new("/srv/a.py"));
        assert_eq!(words(&changes.taken().await), "a.py changed");
        for number in 0..5 {
            changes.file(Path::new(&format!("/srv/{number}.py")));
        }
        assert_eq!(
            words(&changes.taken().await),
            "0.py, 1.py, 2.py and 2 more changed"
        );
        for number in 0..1_000 {
            changes.file(Path::new(&format!("/other/{number:03}")));
        }
        let many = changes.taken().await;
        assert_eq!(many.files.len(), MOST_NAMES);
        assert_eq!(
            words(&many),
            "/other/000, /other/001, /other/002 and more changed"
        );
        changes.unknown();
        assert_eq!(words(&changes.taken().await), "files changed");
    }

    #[tokio::test(start_paused = true)]
    async fn outcome_is_not_told_while_a_change_waits() {
        let changes = Changes::new(Develop::new());
        let told = || {
            let mut told = false;
            changes.if_none(|_| told = true);
            told
        };
        assert!(told());
        changes.file(Path::new("a.py"));
        assert!(!told());
        changes.taken().await;
        assert!(told());
    }
}
