//! Watches folders: by the system's word, or by looking again and again where that word does not
//! come. Each folder is watched by itself, so that what need not be watched (a virtual environment,
//! `.git`) costs nothing.

use super::{
    changes::Changes,
    look::{self, Sight},
    sources::Rules,
};
use crate::config::Reload;
use notify::{
    Event, EventKind, INotifyWatcher, RecursiveMode, Watcher as _,
    event::{ModifyKind, RenameMode},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What watching threads share with the program.
#[derive(Debug)]
pub(super) struct Watched {
    /// Never held while a watcher is spoken to: it may wait for it.
    rules: Mutex<Rules>,
    pub(super) changes: Changes,
}

impl Watched {
    pub(super) const fn new(rules: Rules, changes: Changes) -> Self {
        Self {
            rules: Mutex::new(rules),
            changes,
        }
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path changed, came or went.
    pub(super) fn touched(&self, path: &Path) {
        if self.rules().is_source(path) {
            self.changes.file(path);
        }
    }

    /// A path came into being, or was moved here.
    fn came(&self, path: &Path) {
        if path.is_dir() {
            self.changes.folder(path);
        }
    }

    /// A path went away, or was moved.
    pub(super) fn went(&self, path: &Path) {
        if self.rules().forget(path) {
            self.changes.file(path);
        }
    }

    fn hear(&self, event: &Event) {
        if event.need_rescan() {
            return self.changes.unknown();
        }
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in &event.paths {
            self.touched(path);
            match event.kind {
                EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                    self.came(path);
                }
                EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                    self.went(path);
                }
                _ => {}
            }
        }
    }
}

/// Who watches.
#[derive(Debug)]
enum Eyes {
    /// The system tells.
    System(INotifyWatcher),
    /// A thread looks.
    Looking(Arc<Mutex<Sight>>),
}

/// The folders that are watched.
#[derive(Debug)]
pub(super) struct Watch {
    watched: Arc<Watched>,
    eyes: Eyes,
    is_full: bool,
}

/// What happened to the watch, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The system does not tell of changes, or not of more.
    SystemSilent,
    /// There are more folders than are watched.
    TooManyFolders,
}

impl Trouble {
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::SystemSilent => {
                "the system tells of no more changes (see fs.inotify.max_user_watches), so --reload \
                 looks at the files again and again instead"
            }
            Self::TooManyFolders => {
                "the project has more than 8192 folders, so --reload watches only some of them; \
                 name the project's own folder with --chdir"
            }
        }
    }
}

impl Watch {
    /// Begins to watch nothing yet.
    pub(super) fn new(how: Reload, watched: Arc<Watched>) -> (Self, Option<Trouble>) {
        let elsewhere = how == Reload::Poll || look::is_foreign(watched.rules().project());
        let hearing = Arc::clone(&watched);
        let system = (!elsewhere).then(|| {
            INotifyWatcher::new(
                move |event: notify::Result<Event>| {
                    // An error names a folder that is gone, which is heard of as an event too.
                    if let Ok(event) = event {
                        hearing.hear(&event);
                    }
                },
                notify::Config::default(),
            )
        });
        let mut watch = Self {
            watched,
            eyes: Eyes::Looking(Arc::default()),
            is_full: false,
        };
        let trouble = match system {
            Some(Ok(system)) => {
                watch.eyes = Eyes::System(system);
                None
            }
            Some(Err(_)) => watch.look(Some(Trouble::SystemSilent)),
            None => watch.look(None),
        };
        (watch, trouble)
    }

    fn look(&mut self, why: Option<Trouble>) -> Option<Trouble> {
        self.eyes = Eyes::Looking(look::start(&self.watched));
        why
    }

    /// Whether files are looked at again and again.
    pub(super) const fn is_looking(&self) -> bool {
        matches!(self.eyes, Eyes::Looking(_))
    }

    /// Watches a folder, without those in it.
    pub(super) fn add(&mut self, folder: &Path) -> Option<Trouble> {
        let is_new = self.watched.rules().watch(folder);
        match (is_new, &mut self.eyes) {
            (Some(false), _) => None,
            (Some(true), Eyes::Looking(sight)) => {
                look::remember(sight, folder, &self.watched);
                None
            }
            (None, _) if self.is_full => None,
            (None, _) => {
                self.is_full = true;
                Some(Trouble::TooManyFolders)
            }
            (Some(true), Eyes::System(system)) => {
                match system.watch(folder, RecursiveMode::NonRecursive) {
                    Ok(()) => None,
                    Err(error) if is_vanished(&error) => {
                        self.watched.rules().forget(folder);
                        None
                    }
                    Err(_) => self.look(Some(Trouble::SystemSilent)),
                }
            }
        }
    }

    /// Watches a folder and those in it. Returns the source in it, so that what was written before
    /// the watch began is not missed.
    pub(super) fn add_tree(&mut self, root: &Path) -> (Vec<PathBuf>, Option<Trouble>) {
        let mut found = Vec::new();
        let mut trouble = None;
        let mut left = vec![root.to_owned()];
        while let Some(folder) = left.pop() {
            let holds = |name: &str| folder.join(name).exists();
            let enters = folder.as_path() == self.watched.rules().project()
                || self.watched.rules().enters(&folder, holds);
            if !enters || self.is_full {
                continue;
            }
            trouble = trouble.or(self.add(&folder));
            // Watched first, read then: what comes in between is seen twice, never missed. A folder
            // that went away again has nothing to be read.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    // A link to a folder may lead round in a circle.
                    Ok(kind) if kind.is_dir() => left.push(entry.path()),
                    _ if self.watched.rules().is_source(&entry.path()) => found.push(entry.path()),
                    _ => {}
                }
            }
        }
        (found, trouble)
    }
}

fn is_vanished(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => matches!(
            error.kind(),
            std::io::ErrorKind::NotFound
                | std::io::ErrorKind::PermissionDenied
                | std::io::ErrorKind::NotADirectory
        ),
        _ => false,
    }
}
