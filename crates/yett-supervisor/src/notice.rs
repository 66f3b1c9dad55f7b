//! What the supervisor has to say to people. The program decides where it is printed.

use std::fmt;

use crate::ids::{GenerationId, WorkerId};
use crate::outcome::{Exit, Failure};

/// Who prints. Called from the supervisor's loop; must not block.
pub trait Notices: Send + Sync {
    /// Something happened. The text is the notice's `Display`.
    fn notice(&self, notice: &Notice);
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Goes as it should.
    Info,
    /// Was put right without help.
    Warning,
    /// Someone should look.
    Error,
}

/// Why a release was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseCause {
    /// The server starts.
    Start,
    /// Someone asked for a reload.
    Reload,
    /// The serving generation has lost its zygote.
    LostZygote,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A generation is being started.
    ReleaseStarted {
        /// The new one.
        generation: GenerationId,
        /// Why.
        cause: ReleaseCause,
    },
    /// A generation got the traffic.
    ReleaseActive {
        /// Which.
        generation: GenerationId,
        /// How many workers it has.
        workers: usize,
        /// How long its start took, in milliseconds.
        millis: u64,
    },
    /// A generation could not be started.
    ReleaseFailed {
        /// Which.
        generation: GenerationId,
        /// Why.
        failure: Failure,
        /// The one that goes on serving, if there is one.
        serving: Option<GenerationId>,
    },
    /// A reload was asked for that will not be, since the server was told to stop.
    ReloadRefused {
        /// The generation that it was starting already.
        given_up: Option<GenerationId>,
    },
    /// The last process of a generation has left.
    GenerationEnded {
        /// Which.
        generation: GenerationId,
    },
    /// A worker died that should not have.
    WorkerDied {
        /// Which.
        worker: WorkerId,
        /// Its process id, if it got that far.
        pid: Option<u32>,
        /// How.
        exit: Exit,
    },
    /// A worker cannot start: importing the app, or starting it, failed in it. It leaves.
    WorkerUnfit {
        /// Which.
        worker: WorkerId,
        /// Its process id, if it got that far.
        pid: Option<u32>,
        /// One line for people.
        summary: String,
        /// The Python traceback; empty if there is none, or if it is the one that was told last.
        traceback: String,
    },
    /// A worker uses more memory than it may, and is replaced.
    WorkerTooLarge {
        /// Which.
        worker: WorkerId,
        /// Bytes that it uses.
        resident: u64,
        /// Bytes that it may use.
        limit: u64,
        /// How long its replacement has to wait, in milliseconds: more than 0 if it was too large
        /// soon after it got ready.
        delay: u64,
    },
    /// A worker could not be forked.
    WorkerNotForked {
        /// Which.
        worker: WorkerId,
        /// Why, as one phrase.
        reason: String,
    },
    /// Workers die so soon that the next one has to wait.
    WorkerHeldBack {
        /// Of which generation.
        generation: GenerationId,
        /// How long, in milliseconds.
        millis: u64,
    },
    /// A dead worker cannot be replaced, because the zygote of its generation is gone.
    WorkerNotReplaced {
        /// Which.
        worker: WorkerId,
        /// Of which generation.
        generation: GenerationId,
    },
    /// A worker did not report ready in time; it is made to print its traceback and die.
    WorkerNotReady {
        /// Which.
        worker: WorkerId,
    },
    /// A worker's request went over its time limit while others go on beside it; another worker takes
    /// its place.
    WorkerHampered {
        /// Which.
        worker: WorkerId,
    },
    /// A worker's request went over its time limit; it is made to print its traceback and die.
    WorkerStuck {
        /// Which.
        worker: WorkerId,
    },
    /// A drained worker did not finish in time and is ended by signals.
    WorkerOverstayed {
        /// Which.
        worker: WorkerId,
    },
    /// The link to a living worker broke.
    WorkerLinkLost {
        /// Which.
        worker: WorkerId,
    },
    /// The number of workers was changed.
    WorkersChanged {
        /// The new number.
        workers: usize,
    },
    /// The number of workers could not be changed.
    WorkersUnchanged {
        /// The number, still.
        workers: usize,
    },
    /// A zygote is gone that should not be.
    ZygoteDied {
        /// Of which generation.
        generation: GenerationId,
        /// How.
        exit: Exit,
    },
    /// A zygote is not to be trusted any more and is killed.
    ZygoteBroken {
        /// Of which generation.
        generation: GenerationId,
        /// Why, as one phrase.
        reason: String,
    },
    /// All workers are drained, then everything ends.
    Stopping,
    /// Everything is killed.
    Killing,
}

impl Notice {
    /// How much it matters.
    pub const fn level(&self) -> Level {
        match self {
            Self::ReleaseStarted {
                cause: ReleaseCause::LostZygote,
                ..
            } => Level::Warning,
            Self::ReleaseStarted { .. }
            | Self::ReleaseActive { .. }
            | Self::GenerationEnded { .. }
            | Self::WorkersChanged { .. }
            | Self::Stopping
            | Self::Killing => Level::Info,
            Self::WorkerTooLarge { delay: 0, .. }
            | Self::WorkerDied { .. }
            | Self::WorkerUnfit { .. }
            | Self::WorkerNotForked { .. }
            | Self::WorkerHeldBack { .. }
            | Self::WorkerNotReady { .. }
            | Self::WorkerHampered { .. }
            | Self::WorkerStuck { .. }
            | Self::WorkerOverstayed { .. }
            | Self::WorkerLinkLost { .. }
            | Self::WorkersUnchanged { .. }
            | Self::ReloadRefused { .. } => Level::Warning,
            Self::WorkerTooLarge { .. }
            | Self::ReleaseFailed { .. }
            | Self::WorkerNotReplaced { .. }
            | Self::ZygoteDied { .. }
            | Self::ZygoteBroken { .. } => Level::Error,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReleaseStarted { generation, cause } => match cause {
                ReleaseCause::Start => write!(f, "importing the app (generation {generation})"),
                ReleaseCause::Reload => {
                    write!(f, "reload: importing the app (generation {generation})")
                }
                ReleaseCause::LostZygote => {
                    write!(
                        f,
                        "importing the app again, as its zygote is gone (generation {generation})"
                    )
                }
            },
            Self::ReleaseActive {
                generation,
                workers,
                millis,
            } => {
                write!(
                    f,
                    "generation {generation} serves with {} after {millis} ms",
                    Workers(*workers)
                )
            }
            Self::ReleaseFailed {
                generation,
                failure,
                serving,
            } => {
                write!(
                    f,
                    "generation {generation} failed ({}): {failure}",
                    failure.stage
                )?;
                match serving {
                    Some(old) => write!(f, "; generation {old} goes on serving"),
                    None => Ok(()),
                }
            }
            Self::ReloadRefused { given_up: Some(id) } => {
                write!(
                    f,
                    "the reload is given up (generation {id}): the server is stopping"
                )
            }
            Self::ReloadRefused { given_up: None } => {
                f.write_str("a reload was refused: the server is stopping")
            }
            Self::GenerationEnded { generation } => write!(f, "generation {generation} has ended"),
            Self::WorkerDied {
                worker,
                pid: Some(pid),
                exit,
            } => {
                write!(f, "worker {worker} (process {pid}) {exit}")
            }
            Self::WorkerDied {
                worker,
                pid: None,
                exit,
            } => write!(f, "worker {worker} {exit}"),
            Self::WorkerUnfit {
                worker,
                pid,
                summary,
                ..
            } => {
                write!(f, "worker {worker}")?;
                if let Some(pid) = pid {
                    write!(f, " (process {pid})")?;
                }
                write!(f, " cannot start: {summary}")
            }
            Self::WorkerTooLarge {
                worker,
                resident,
                limit,
                delay,
            } => {
                let (resident, limit) = (MebiBytes(*resident), MebiBytes(*limit));
                write!(
                    f,
                    "worker {worker} uses {resident} of memory, more than max_rss ({limit}); "
                )?;
                match delay.div_ceil(1_000) {
                    0 => f.write_str("it is replaced"),
                    seconds => write!(
                        f,
                        "as it is so soon after its start, it goes on serving and is replaced in \
                         {seconds} s: the limit is too low for this app, or the app grows too fast"
                    ),
                }
            }
            Self::WorkerNotForked { worker, reason } => {
                write!(f, "worker {worker} could not be forked: {reason}")
            }
            Self::WorkerHeldBack { generation, millis } => {
                write!(
                    f,
                    "workers of generation {generation} die too soon; the next one in {millis} ms"
                )
            }
            Self::WorkerNotReplaced { worker, generation } => write!(
                f,
                "worker {worker} cannot be replaced before a new generation is ready: the zygote of \
                 generation {generation} is gone"
            ),
            Self::WorkerNotReady { worker } => {
                write!(
                    f,
                    "worker {worker} did not get ready in time; its traceback follows, then it is \
                     replaced"
                )
            }
            Self::WorkerHampered { worker } => {
                write!(
                    f,
                    "a thread of worker {worker} is stuck in a request; another worker takes its place, \
                     and it ends when its other requests are answered"
                )
            }
            Self::WorkerStuck { worker } => {
                write!(
                    f,
                    "worker {worker} is stuck in a request; its traceback follows, then it is replaced"
                )
            }
            Self::WorkerOverstayed { worker } => {
                write!(
                    f,
                    "worker {worker} did not finish within the graceful timeout; ended"
                )
            }
            Self::WorkerLinkLost { worker } => {
                write!(f, "the link to worker {worker} is gone; killed")
            }
            Self::WorkersChanged { workers } => write!(f, "from now on {}", Workers(*workers)),
            Self::WorkersUnchanged { workers } => {
                write!(f, "the number of workers stays {workers}")
            }
            Self::ZygoteDied { generation, exit } => write!(
                f,
                "the zygote of generation {generation} {exit}; its workers go on serving while a new \
                 generation is started"
            ),
            Self::ZygoteBroken { generation, reason } => {
                write!(
                    f,
                    "the zygote of generation {generation} is killed: {reason}"
                )
            }
            Self::Stopping => f.write_str("stopping: every worker finishes its requests"),
            Self::Killing => f.write_str("stopping now"),
        }
    }
}

/// A count with its noun.
struct Workers(usize);

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 worker"),
            many => write!(f, "{many} workers"),
        }
    }
}

/// Bytes in the unit in which people think of a process.
struct MebiBytes(u64);

impl fmt::Display for MebiBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = u128::from(self.0) * 10 / (1 << 20);
        write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests;
