//! A snapshot of everything, for `yett status` and the metrics. Plain data, the same in JSON.

use serde::{Deserialize, Serialize};

use crate::ids::{GenerationId, WorkerId};
use crate::memory;
use crate::outcome::Exit;

/// The whole picture at one moment. The default is what is true before [`run`](fn@crate::run) began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The generation that gets the requests.
    pub active: Option<GenerationId>,
    /// The generation that is being started, if one is.
    pub releasing: Option<GenerationId>,
    /// Workers that the active generation should have.
    pub workers_wanted: usize,
    /// Workers of the active generation that are ready.
    pub workers_ready: usize,
    /// Workers that died unexpectedly since the server started.
    pub workers_died: u64,
    /// Every generation with a process left, oldest first.
    pub generations: Vec<GenerationStatus>,
}

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationStatus {
    /// Which.
    pub generation: GenerationId,
    /// How far it is.
    pub state: GenerationState,
    /// Its zygote.
    pub zygote: ZygoteState,
    /// The zygote's process id, once it was started.
    pub zygote_pid: Option<u32>,
    /// Since its start, in milliseconds.
    pub age_millis: u64,
    /// Its workers, oldest first.
    pub workers: Vec<WorkerStatus>,
    /// Places without a worker, because those before died so soon that the next one has to wait.
    pub crash_looping: Vec<CrashLoop>,
}

/// A place whose workers die too soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashLoop {
    /// How many workers died in it.
    pub restarts: u32,
    /// How the last one left, once that is known.
    pub last_exit: Option<Exit>,
    /// Why it could not start, in one line, if it said so.
    pub last_words: Option<String>,
    /// Until the next one is started, in milliseconds.
    pub next_try_millis: u64,
}

/// How far a generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationState {
    /// Its zygote imports the app.
    Importing,
    /// The program reads its manifest.
    Preparing,
    /// Its workers are started.
    Starting,
    /// It serves.
    Active,
    /// It finishes and leaves.
    Retiring,
}

/// How a zygote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZygoteState {
    /// It can fork, or will be able to.
    Running,
    /// It was told to leave, or is leaving; it forks no more.
    Ending,
    /// It is gone; dead workers of its generation cannot be replaced.
    Gone,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Which.
    pub worker: WorkerId,
    /// Its process id, once the zygote has told it.
    pub pid: Option<u32>,
    /// What it does.
    pub state: WorkerState,
    /// Since its fork was asked for, in milliseconds.
    pub age_millis: u64,
    /// How many workers before it died unexpectedly in the same seat.
    pub restarts: u32,
    /// How the last of those left.
    pub last_exit: Option<Exit>,
    /// Why it could not start, in one line, if it said so.
    pub last_words: Option<String>,
    /// Its resident memory in bytes, as `ps` and `top` show it: together with what it shares with
    /// other processes. `None` if it is not known, for instance because it is gone.
    pub resident_bytes: Option<u64>,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// Forked, or about to be; not ready yet.
    Starting,
    /// Runs requests.
    Ready,
    /// Finishes its requests and gets no new ones.
    Draining,
    /// Was told by a signal to leave, or lost its link.
    Ending,
    /// Gone; how it left is not known yet.
    Gone,
}

impl Status {
    /// The same picture, seen `millis` later: ages grow, and what is due comes nearer.
    pub(crate) fn aged(mut self, millis: u64) -> Self {
        for generation in &mut self.generations {
            generation.age_millis = generation.age_millis.saturating_add(millis);
            for worker in &mut generation.workers {
                worker.age_millis = worker.age_millis.saturating_add(millis);
            }
            for seat in &mut generation.crash_looping {
                seat.next_try_millis = seat.next_try_millis.saturating_sub(millis);
            }
        }
        self
    }

    /// The same picture with each worker's memory as it is now.
    pub(crate) fn weighed(mut self) -> Self {
        let workers = self
            .generations
            .iter_mut()
            .flat_map(|generation| &mut generation.workers);
        for worker in workers.filter(|worker| worker.state != WorkerState::Gone) {
            worker.resident_bytes = worker.pid.and_then(memory::resident);
        }
        self
    }
}
