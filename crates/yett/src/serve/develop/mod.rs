//! `--reload`: loads the app anew when its source changes, and says what came of it, on the terminal
//! and to browsers. For development alone; without the flag nothing in here exists.
//!
//! The way of a change: `watch` or `look` hears of it, `changes` gathers it and lets requests wait,
//! [`Developer::run`] asks the supervisor for a reload, and the supervisor's notices tell the outcome.

mod changes;
mod look;
mod places;
mod sources;
mod terminal;
mod watch;

use crate::{
    config::{Reload, ServeSettings},
    print::{Failure, Screen, one_line},
};
use changes::{Changes, Pending};
use sources::{Rules, Sources};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use terminal::Terminal;
use watch::{Trouble, Watch, Watched};
use yett_edge::{Broken, Develop};
use yett_supervisor::{FailureStage, Keyboard, Notice, Purpose, ReleaseCause, Supervisor};

/// How long an import may take where it may stand in a debugger.
const IMPORT_WITH_DEBUGGER: Duration = Duration::from_secs(24 * 3_600);

/// What `--reload` adds to a server.
#[derive(Debug)]
pub(super) struct Developer {
    screen: Screen,
    project: PathBuf,
    python: PathBuf,
    /// Where it listens, for people.
    address: String,
    shown: Arc<Develop>,
    watched: Arc<Watched>,
    watch: Mutex<Watch>,
    terminal: Terminal,
    why: Mutex<Why>,
}

/// What changed, in words, on its way into a release. None where a reload was ordered by hand.
#[derive(Debug, Default)]
struct Why {
    /// The reload was asked for, and has not begun.
    asked: Option<String>,
    /// It is being loaded.
    loading: Option<String>,
}

impl Developer {
    /// Begins to watch the project, if the settings want it.
    pub(super) fn start(
        settings: &ServeSettings,
        python: &Path,
        addresses: &[String],
        screen: Screen,
    ) -> Option<Arc<Self>> {
        if settings.reload == Reload::Off {
            return None;
        }
        let shown = Develop::new();
        let mounts = settings.mounts.iter().chain(&settings.sendfile);
        let mounts = mounts.map(|mount| mount.folder.clone());
        let rules = Rules::new(settings.folder.clone(), mounts.collect());
        let changes = Changes::new(Arc::clone(&shown));
        let watched = Arc::new(Watched::new(rules, changes));
        let (mut watch, silent) = Watch::new(settings.reload, Arc::clone(&watched));
        // Whatever source is there now, the first import reads.
        let (_, trouble) = watch.add_tree(&settings.folder);
        let developer = Self {
            screen,
            project: settings.folder.clone(),
            python: python.to_owned(),
            address: addresses.first().cloned().unwrap_or_default(),
            shown,
            watched,
            watch: Mutex::new(watch),
            terminal: Terminal::of_process(),
            why: Mutex::default(),
        };
        for trouble in [silent, trouble].into_iter().flatten() {
            developer.warn(trouble);
        }
        Some(Arc::new(developer))
    }

    /// What the edge shows meanwhile.
    pub(super) fn shown(&self) -> Arc<Develop> {
        Arc::clone(&self.shown)
    }

    /// Whether what is typed may be for a debugger.
    pub(super) fn keyboard(&self) -> Keyboard {
        if self.terminal.is_there() {
            Keyboard::Shared
        } else {
            Keyboard::Apart
        }
    }

    /// What is different for the processes.
    pub(super) fn adapt(&self, settings: &mut yett_supervisor::Settings) {
        settings.purpose = Purpose::Development;
        settings
            .worker_args
            .insert(String::from("reload"), true.into());
        settings.keyboard = self.keyboard();
        if settings.keyboard == Keyboard::Shared {
            settings.import_timeout = settings.import_timeout.max(IMPORT_WITH_DEBUGGER);
        }
    }

    /// The banner's line.
    pub(super) fn banner(&self) -> String {
        let how = if self.watch().is_looking() {
            "looks again and again"
        } else {
            "watches"
        };
        let debugger = if self.terminal.is_there() {
            "; breakpoint() works here"
        } else {
            ""
        };
        format!("{how} {}{debugger}", self.project.display())
    }

    /// Takes in where the code of a release comes from.
    pub(super) fn learn(&self, manifest: &[u8]) {
        let (trees, folders) = self.watched.rules().learn(Sources::read(manifest));
        for tree in trees {
            let (_, trouble) = self.watch().add_tree(&tree);
            trouble.into_iter().for_each(|trouble| self.warn(trouble));
        }
        for folder in folders {
            self.watch_folder(&folder);
        }
    }

    /// Reloads on every change, for ever.
    pub(super) async fn run(&self, supervisor: &Supervisor) {
        loop {
            let mut changed = self.watched.changes.taken().await;
            self.follow(&mut changed);
            if changed.is_empty() {
                continue;
            }
            lock(&self.why).asked = Some(changed.words(&self.project));
            self.shown.load();
            // The outcome is told as a notice. Not waited for: the next change may have to end this
            // import. Refused it can only be when the server stops, and then nobody waits for it
            // (`Develop::leave`), or when others have asked, and the last of those is still to come.
            drop(supervisor.reload());
        }
    }

    /// Watches the folders that came, and counts the source in them as changed.
    fn follow(&self, changed: &mut Pending) {
        for folder in std::mem::take(&mut changed.folders) {
            let (found, trouble) = self.watch().add_tree(&folder);
            changed.files.extend(found);
            trouble.into_iter().for_each(|trouble| self.warn(trouble));
        }
    }

    /// Says what came of a release. `false`: it is nothing of ours, and is to be printed as always.
    pub(super) fn notice(&self, notice: &Notice) -> bool {
        match notice {
            Notice::ReleaseStarted { cause, .. } => {
                let mut why = lock(&self.why);
                why.loading = why.asked.take();
                *cause == ReleaseCause::Reload
            }
            Notice::ReleaseActive {
                generation, millis, ..
            } => {
                if generation.get() > 1 {
                    let why = lock(&self.why).loading.take();
                    let why = why.map_or_else(String::new, |why| format!(": {why}"));
                    self.say(&format!("reloaded in {millis} ms{why}"));
                }
                self.show(Develop::serve);
                true
            }
            Notice::ReleaseFailed { failure, .. } if failure.stage == FailureStage::Superseded => {
                true
            }
            Notice::ReleaseFailed { failure, .. } => {
                self.failed(failure);
                true
            }
            Notice::GenerationEnded { .. } => {
                self.terminal.restore();
                true
            }
            _ => false,
        }
    }

    fn failed(&self, failure: &yett_supervisor::Failure) {
        // An app that never imported has told nothing of its files; its traceback has.
        for (file, _) in places::places(&failure.traceback) {
            if places::is_own(file)
                && let Some(folder) = Path::new(file).parent()
            {
                self.watch_folder(folder);
            }
        }
        let text: Failure = super::not_started(&self.python, failure);
        self.screen.err(&text.text(self.screen.err_paint()));
        let why = lock(&self.why).loading.take();
        let why = why.map_or_else(String::new, |why| format!("{why}; "));
        self.say(&format!(
            "{why}{} shows this error until a change loads",
            self.address
        ));
        self.show(|shown| {
            shown.fail(Broken {
                summary: failure.summary.clone(),
                traceback: failure.traceback.clone(),
                place: places::first(&failure.traceback, &self.project),
            });
        });
    }

    /// Shows an outcome. Where it is out of date already requests wait for another one.
    fn show(&self, outcome: impl FnOnce(&Develop)) {
        outcome(&self.shown);
        if lock(&self.why).asked.is_none() {
            self.watched.changes.if_none(Develop::settle);
        }
    }

    fn watch_folder(&self, folder: &Path) {
        let trouble = self.watch().add(folder);
        trouble.into_iter().for_each(|trouble| self.warn(trouble));
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    fn say(&self, sentence: &str) {
        self.screen.err(&format!("yett: {}\n", one_line(sentence)));
    }

    fn warn(&self, trouble: Trouble) {
        self.screen.warn(trouble.sentence());
    }
}

impl Drop for Developer {
    fn drop(&mut self) {
        self.terminal.restore();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
