//! How things end: a process, a release, a request for a reload, the supervisor itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::GenerationId;

/// How a process left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// It is gone, and whoever could have seen how is gone too.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "left with code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
            Self::Unknown => f.write_str("left, and nobody saw how"),
        }
    }
}

/// Where a release failed. The first four are the zygote's own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureStage {
    /// The interpreter or the worker package cannot be used.
    Python,
    /// Importing the app raised.
    Import,
    /// The module has no usable callable.
    App,
    /// The manifest could not be made.
    Manifest,
    /// The zygote's process could not be started.
    Spawn,
    /// Importing took longer than the import timeout.
    Timeout,
    /// The zygote died, or said something that is not the control protocol.
    Zygote,
    /// The program refused the manifest.
    Prepare,
    /// Workers kept dying before all of them were ready.
    Workers,
    /// In development: the next reload was asked for before it was ready.
    Superseded,
}

impl FailureStage {
    /// The word for it, as in the JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Import => "import",
            Self::App => "app",
            Self::Manifest => "manifest",
            Self::Spawn => "spawn",
            Self::Timeout => "timeout",
            Self::Zygote => "zygote",
            Self::Prepare => "prepare",
            Self::Workers => "workers",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for FailureStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a release failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{summary}")]
pub struct Failure {
    /// Where.
    pub stage: FailureStage,
    /// One line for people.
    pub summary: String,
    /// The Python traceback if there is one; lines end with a newline; empty otherwise.
    pub traceback: String,
}

impl Failure {
    pub(crate) fn new(stage: FailureStage, summary: impl Into<String>) -> Self {
        Self {
            stage,
            summary: summary.into(),
            traceback: String::new(),
        }
    }
}

/// A reload that worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The generation that serves now.
    pub generation: GenerationId,
    /// From the start of its zygote until traffic moved, in milliseconds.
    pub millis: u64,
}

/// A reload that did not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// The release failed; whatever served before still serves.
    #[error("the release failed at the stage `{}`", .0.stage)]
    Failed(#[source] Failure),
    /// The server is stopping, or has stopped.
    #[error("the server is stopping")]
    Stopping,
    /// Too many others wait for a reload already (32).
    #[error("too many reloads are waiting already")]
    Busy,
}

/// Why [`run`](fn@crate::run) returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// It was told to stop, and everything has ended.
    Stopped,
    /// The very first release failed, so there was nothing to serve with.
    FirstReleaseFailed(Failure),
}

impl ExitReason {
    /// The failure that caused it, if one did.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Stopped => None,
            Self::FirstReleaseFailed(failure) => Some(failure),
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::FirstReleaseFailed(failure) => write!(f, "the app did not start: {failure}"),
        }
    }
}
