//! What the supervisor obeys. Plain data; the program fills it in and has checked it.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

/// The most workers of one generation. A bound on processes and descriptors, far above what a
/// machine can use.
pub const MAX_WORKERS: usize = 256;

/// How to start zygotes, and how long to wait for what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The interpreter: an absolute path, or a name to be found on `PATH`.
    pub python: PathBuf,
    /// The JSON object that the zygote gets as its one argument. `"control"` is added to it (and
    /// replaced, if it is there).
    pub worker_args: Map<String, Value>,
    /// Workers of a generation at the start. Below 1 counts as 1, above [`MAX_WORKERS`] as
    /// [`MAX_WORKERS`].
    pub workers: usize,
    /// How long a drained worker may take to finish before it is sent SIGTERM, and a second later
    /// SIGKILL. Its zygote gets two seconds more. For the last tenth of it, at least a second,
    /// nothing is streamed any more: see [`Floor::cut`](crate::Floor::cut).
    pub graceful_timeout: Duration,
    /// Bytes of resident memory, as `ps` and `top` show them, above which a ready worker is
    /// replaced; it serves until its replacement is ready. Looked at every two seconds. `None`:
    /// never.
    pub max_rss: Option<NonZeroU64>,
    /// How long importing the app may take, and after that how long a forked worker may take to
    /// report ready. Past it the release fails, or the worker is killed and counts as dead before
    /// it was ready.
    pub import_timeout: Duration,
    /// The working directory of zygotes and workers.
    pub chdir: PathBuf,
    /// Added to, or replacing in, the environment of the server.
    pub env: Vec<(OsString, OsString)>,
    /// What the server is for.
    pub purpose: Purpose,
    /// Whether zygotes and workers may read what is typed.
    pub keyboard: Keyboard,
}

/// What the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// When the very first release fails, everything ends. A reload waits for the one in progress.
    Production,
    /// When the very first release fails, the next reload is awaited. A reload ends a release in
    /// progress: what it imports has changed, and the import may never end by itself.
    Development,
}

/// Whether zygotes and workers may read what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// Their standard input is empty, and each zygote has a process group of its own, so that
    /// Ctrl-C in a terminal reaches the server alone.
    Apart,
    /// They have the server's standard input, for a debugger. A terminal lets only its foreground
    /// group read, so they stay in the server's group; Ctrl-C, which they ignore, reaches them as
    /// well. What the app starts besides its workers then outlives a generation that is killed.
    Shared,
}

/// The part of a grace period that is left when what is still open is cut: time for the app to see the
/// end of it and to clean up. A tenth, at least a second; a period that is not longer is cut into at once.
#[must_use]
pub fn last_part(graceful: Duration) -> Duration {
    (graceful / 10).max(Duration::from_secs(1))
}

impl Settings {
    /// Settings with the usual times: 30 s to drain, 120 s to import.
    pub fn new(python: PathBuf, chdir: PathBuf, workers: usize) -> Self {
        Self {
            python,
            worker_args: Map::new(),
            workers,
            graceful_timeout: Duration::from_secs(30),
            max_rss: None,
            import_timeout: Duration::from_secs(120),
            chdir,
            env: Vec::new(),
            purpose: Purpose::Production,
            keyboard: Keyboard::Apart,
        }
    }
}
