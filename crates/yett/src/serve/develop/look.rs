//! Looks at the watched folders again and again: for file systems whose changes come from another
//! machine, and for systems that give no more notices.
//!
//! notify has a watcher of this kind too, but that one compares whole seconds, so a second save
//! within the same one would be missed.

use super::watch::Watched;
use rustix::fs::statfs;
use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// How often.
const EVERY: Duration = Duration::from_millis(400);

/// File systems that another machine, or the host of a virtual one, changes without a notice here:
/// FUSE (virtiofs, Docker Desktop, sshfs), 9P (WSL), NFS, SMB, VirtualBox. Numbers of statfs(2).
const FOREIGN: [u64; 7] = [
    0x6573_5546,
    0x0102_1997,
    0x6969,
    0xff53_4d42,
    0xfe53_4d42,
    0x517b,
    0x786f_4256,
];

/// Whether changes of this folder may come without a notice.
pub(super) fn is_foreign(folder: &Path) -> bool {
    #[expect(
        clippy::allow_attributes,
        reason = "the type differs between machines, so the cast is not always needless"
    )]
    #[allow(
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "a number that is compared bit by bit"
    )]
    statfs(folder).is_ok_and(|found| FOREIGN.contains(&(found.f_type as u64 & 0xffff_ffff)))
}

/// Starts a thread that looks until nobody wants to know any more. What it returns is what was seen
/// so far.
pub(super) fn start(watched: &Arc<Watched>) -> Arc<Mutex<Sight>> {
    let sight = Arc::new(Mutex::new(Sight::default()));
    lock(&sight).compare(watched);
    let (watched, seen) = (Arc::downgrade(watched), Arc::clone(&sight));
    let looking = std::thread::Builder::new().name(String::from("yett-watch"));
    // Without the thread nothing is reloaded by itself; `yett reload` still works.
    let _ = looking.spawn(move || look(&watched, &seen));
    sight
}

/// Looks at a folder for the first time, so that the next look finds what changed since.
pub(super) fn remember(sight: &Mutex<Sight>, folder: &Path, watched: &Watched) {
    if let Some(entries) = entries(folder, watched) {
        lock(sight).folders.insert(folder.to_owned(), entries);
    }
}

fn look(watched: &Weak<Watched>, sight: &Mutex<Sight>) {
    while let Some(watched) = watched.upgrade() {
        lock(sight).compare(&watched);
        drop(watched);
        std::thread::sleep(EVERY);
    }
}

fn lock(sight: &Mutex<Sight>) -> MutexGuard<'_, Sight> {
    sight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What tells one state of a file from another. A file that was put back has an older time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    modified: (i64, i64),
    length: u64,
    inode: u64,
}

/// A folder's source files, and the folders in it.
type Entries = HashMap<PathBuf, Option<Mark>>;

/// What was seen of each folder.
#[derive(Debug, Default)]
pub(super) struct Sight {
    folders: HashMap<PathBuf, Entries>,
}

impl Sight {
    /// Looks once and tells of every difference. A folder that is new here is only remembered.
    fn compare(&mut self, watched: &Watched) {
        let folders: Vec<PathBuf> = watched.rules().folders().cloned().collect();
        for folder in &folders {
            let Some(now) = entries(folder, watched) else {
                self.folders.remove(folder);
                watched.went(folder);
                continue;
            };
            if let Some(before) = self.folders.get(folder) {
                tell(watched, before, &now);
            }
            self.folders.insert(folder.clone(), now);
        }
    }
}

/// `None`: there is no such folder any more.
fn entries(folder: &Path, watched: &Watched) -> Option<Entries> {
    let mut entries = HashMap::new();
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            entries.insert(path, None);
        } else if watched.rules().is_source(&path)
            && let Ok(found) = fs::metadata(&path)
        {
            let mark = Mark {
                modified: (found.mtime(), found.mtime_nsec()),
                length: found.len(),
                inode: found.ino(),
            };
            entries.insert(path, Some(mark));
        }
    }
    Some(entries)
}

fn tell(watched: &Watched, before: &Entries, now: &Entries) {
    for (path, mark) in now {
        match (mark, before.get(path)) {
            (None, Some(None)) => {}
            (None, _) => watched.changes.folder(path),
            (Some(mark), Some(Some(old))) if mark == old => {}
            (Some(_), _) => watched.touched(path),
        }
    }
    for path in before.keys().filter(|path| !now.contains_key(*path)) {
        watched.touched(path);
    }
}
