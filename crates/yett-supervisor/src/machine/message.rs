//! What goes into the machine and what comes out of it.

use std::ops::Add;
use std::time::Duration;

use crate::handle::StopMode;
use crate::ids::{GenerationId, WorkerId};
use crate::notice::Notice;
use crate::outcome::{Exit, ExitReason, Failure, ReloadError, Reloaded};

/// A moment: milliseconds since the supervisor began. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millis(pub(crate) u64);

impl Millis {
    pub(crate) fn from_duration(since_start: Duration) -> Self {
        Self(u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX))
    }

    /// Milliseconds from `earlier` to now; 0 if it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Millis {
    type Output = Self;

    fn add(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// Names one who waits for the answer to a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// Something that happened or was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Begin: start the first generation.
    Start,
    Reload {
        ticket: Ticket,
    },
    /// A stop is near: reloads are refused from here on, and one in progress is given up.
    RefuseReloads,
    Stop {
        mode: StopMode,
    },
    ChangeWorkers {
        difference: i32,
    },

    /// The zygote's process runs.
    ZygoteStarted {
        generation: GenerationId,
        pid: u32,
    },
    /// It could not be started; no process is left of it.
    SpawnFailed {
        generation: GenerationId,
        reason: String,
    },
    /// It is about to import the app, so the interpreter is in order.
    Importing {
        generation: GenerationId,
    },
    /// It has imported the app and handed over the manifest.
    Loaded {
        generation: GenerationId,
    },
    /// It cannot import the app, as it says itself.
    LoadFailed {
        generation: GenerationId,
        failure: Failure,
    },
    /// The program took the manifest.
    Prepared {
        generation: GenerationId,
    },
    /// The program refused it.
    Refused {
        generation: GenerationId,
        reason: String,
    },
    /// It closed its control socket: it leaves or has left.
    ControlEnded {
        generation: GenerationId,
    },
    /// It said something that is not the protocol, or cannot be spoken to.
    ControlBroken {
        generation: GenerationId,
        reason: String,
    },
    /// Its process is gone and reaped. Nothing more comes from it.
    ZygoteExited {
        generation: GenerationId,
        exit: Exit,
    },

    Forked {
        worker: WorkerId,
        pid: u32,
    },
    /// The fork could not even be asked for.
    ForkFailed {
        worker: WorkerId,
        reason: String,
    },
    Ready {
        worker: WorkerId,
    },
    Spent {
        worker: WorkerId,
    },
    Hampered {
        worker: WorkerId,
    },
    Stuck {
        worker: WorkerId,
    },
    LinkLost {
        worker: WorkerId,
    },
    /// So many bytes of memory it has, as asked by `Measure`.
    Measured {
        worker: WorkerId,
        resident: u64,
    },
    /// It says that it cannot start, and why; its exit follows.
    Unfit {
        worker: WorkerId,
        summary: String,
        traceback: String,
    },
    /// Its process is gone, while its zygote is there: that one tells how it left, by `Exited`. If
    /// it cannot any more, `ZygoteExited` ends the wait.
    Gone {
        worker: WorkerId,
    },
    /// Its process is gone and reaped.
    Exited {
        worker: WorkerId,
        exit: Exit,
    },

    /// Time has passed.
    Tick,
}

/// A signal to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerSignal {
    /// The worker's faulthandler prints every thread's traceback, then it dies.
    Abort,
    Term,
    Kill,
}

/// Something to do. The order within one step matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    StartZygote {
        generation: GenerationId,
    },
    /// Let the program read the manifest; answer `Prepared` or `Refused`.
    Prepare {
        generation: GenerationId,
    },
    Commit {
        generation: GenerationId,
    },
    Activate {
        generation: GenerationId,
    },
    /// Make a link, attach one end, ask the zygote to fork with the other.
    Fork {
        worker: WorkerId,
        generation: GenerationId,
    },
    Drain {
        worker: WorkerId,
    },
    /// End what is still open at a drained worker; its time is about over.
    Cut {
        worker: WorkerId,
    },
    Detach {
        worker: WorkerId,
    },
    /// Look how much memory it has; answer `Measured`, or nothing if it is gone.
    Measure {
        worker: WorkerId,
    },
    /// For a worker whose process is not known yet: as soon as it is.
    Signal {
        worker: WorkerId,
        signal: WorkerSignal,
    },
    /// Say `end`: leave when the last child is gone.
    EndZygote {
        generation: GenerationId,
    },
    /// SIGKILL to the zygote alone; its workers go on.
    KillZygote {
        generation: GenerationId,
    },
    /// SIGKILL to the zygote's whole process group, also to a worker that was forked this instant.
    KillGroup {
        generation: GenerationId,
    },
    /// Nothing is left of this generation.
    Forget {
        generation: GenerationId,
    },
    Answer {
        ticket: Ticket,
        outcome: Result<Reloaded, ReloadError>,
    },
    Notify(Notice),
    Exit(ExitReason),
}
