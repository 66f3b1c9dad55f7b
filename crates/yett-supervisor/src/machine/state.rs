//! The facts that the machine knows, and questions about them.

use std::collections::BTreeMap;

use super::backoff::Backoff;
use super::memory::Recycling;
use super::message::{Millis, Ticket};
use crate::ids::{GenerationId, WorkerId};
use crate::notice::ReleaseCause;
use crate::outcome::{Exit, ExitReason};
use crate::settings::{MAX_WORKERS, Purpose, Settings};

/// What the machine obeys; times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) most_workers: usize,
    pub(crate) graceful: u64,
    pub(crate) import: u64,
    /// Bytes of resident memory that a worker may have.
    pub(crate) max_rss: Option<u64>,
    pub(crate) purpose: Purpose,
}

impl Limits {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            workers: settings.workers.clamp(1, MAX_WORKERS),
            most_workers: MAX_WORKERS,
            graceful: Millis::from_duration(settings.graceful_timeout).0,
            import: Millis::from_duration(settings.import_timeout).0,
            max_rss: settings.max_rss.map(std::num::NonZero::get),
            purpose: settings.purpose,
        }
    }
}

/// Everything the machine knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) limits: Limits,
    /// Seats that each generation should have.
    pub(super) wanted: usize,
    pub(super) generations: BTreeMap<GenerationId, Generation>,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    /// The generation with the traffic. Stays until the next one takes over, even when nothing of
    /// it is left alive.
    pub(super) active: Option<GenerationId>,
    /// The release in progress; there is never more than one.
    pub(super) release: Option<Release>,
    /// Who asked for a reload that has not begun; it begins after the one in progress.
    pub(super) queued: Vec<Ticket>,
    /// For starting anew when the active zygote died.
    pub(super) revival: Backoff,
    pub(super) revival_due: Millis,
    /// Set once, when a stop is near.
    pub(super) refuses_reloads: bool,
    /// Set once, when everything is to end; nothing is started any more.
    pub(super) ending: Option<ExitReason>,
    /// How long workers that end with everything else may take, in milliseconds.
    pub(super) stop_within: Option<u64>,
    /// `Exit` has been said; nothing is done any more.
    pub(super) exited: bool,
    /// Workers lost while they were needed.
    pub(super) died: u64,
    /// When the workers' memory is looked at next.
    pub(super) measure_due: Millis,
    last_generation: u64,
    last_worker: u32,
}

/// A generation on its way to the traffic.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) generation: GenerationId,
    pub(super) cause: ReleaseCause,
    pub(super) asked: Vec<Ticket>,
}

#[derive(Debug)]
pub(super) struct Generation {
    pub(super) phase: Phase,
    pub(super) zygote: Zygote,
    pub(super) zygote_pid: Option<u32>,
    pub(super) born: Millis,
    pub(super) active_since: Option<Millis>,
    /// Its zygote has begun to import the app.
    pub(super) imports: bool,
    /// Workers lost before the generation was active.
    pub(super) early_deaths: u32,
    /// Why a worker of it could not start, as the last one said.
    pub(super) unfit: Option<Unfit>,
    /// One for each worker that the generation should have. Empty once it retires.
    pub(super) seats: Vec<Seat>,
}

/// Why a worker could not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) summary: String,
    pub(super) traceback: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Importing { until: Millis },
    Preparing,
    Starting,
    Active,
    Retiring,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zygote {
    Running,
    /// Told to leave, or has closed its control socket. Killed at the deadline.
    Ending {
        until: Millis,
    },
    Killed,
    Gone,
}

/// A place for one worker, which outlives the workers in it.
///
/// At most two processes belong to a seat: the occupant, and either its heir or its predecessor.
/// That bounds the processes of a generation, however fast its workers are spent.
#[derive(Clone, Debug, Default)]
pub(super) struct Seat {
    pub(super) occupant: Option<WorkerId>,
    /// Is being started to take the place of a spent occupant.
    pub(super) heir: Option<WorkerId>,
    /// The occupant before, still draining.
    pub(super) leaver: Option<WorkerId>,
    pub(super) backoff: Backoff,
    /// No fork for this seat before then.
    pub(super) due: Millis,
    /// No heir of an occupant that is spent before then.
    pub(super) heir_due: Millis,
    pub(super) recycling: Recycling,
    pub(super) restarts: u32,
    /// The last one that died here, and how, once that is known.
    pub(super) last_lost: Option<WorkerId>,
    pub(super) last_exit: Option<Exit>,
    /// Why it could not start, if it said so.
    pub(super) last_words: Option<String>,
}

/// As whom a new worker would take a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vacancy {
    Occupant,
    Heir,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) generation: GenerationId,
    /// `None` until the zygote has said that it forked.
    pub(super) pid: Option<u32>,
    pub(super) life: Life,
    pub(super) born: Millis,
    pub(super) ready_at: Option<Millis>,
    pub(super) attached: bool,
    /// Its predecessors in the seat that died.
    pub(super) restarts: u32,
    /// It said why it cannot start; so its exit needs no telling.
    pub(super) unfit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Starting {
        until: Millis,
    },
    Ready {
        spent: bool,
    },
    Draining {
        until: Millis,
        /// When what is still open at it is to be cut; `None`: it was.
        cut: Option<Millis>,
    },
    /// On its way out, and not by finishing its requests. SIGKILL at the deadline; `None`: it was
    /// sent, or needs no sending.
    Ending {
        until: Option<Millis>,
        cause: EndCause,
    },
    /// The process is gone, how it left is still to come.
    Gone {
        told: bool,
    },
}

/// Whether people know already why a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndCause {
    /// Its link is gone; most likely so is the process, which its exit will tell.
    LinkLost,
    /// The machine ended it, and said so where that matters.
    Ordered,
}

impl Worker {
    /// Whether it was never ready, and will not be: now that it is known to be gone, or to leave by
    /// itself.
    pub(super) fn failed_to_start(&self) -> bool {
        let by_itself = match self.life {
            Life::Starting { .. } | Life::Gone { told: false } => true,
            Life::Ending { cause, .. } => cause == EndCause::LinkLost,
            Life::Ready { .. } | Life::Draining { .. } | Life::Gone { told: true } => false,
        };
        by_itself && self.ready_at.is_none()
    }
}

impl State {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            wanted: limits.workers.clamp(1, limits.most_workers.max(1)),
            generations: BTreeMap::new(),
            workers: BTreeMap::new(),
            active: None,
            release: None,
            queued: Vec::new(),
            revival: Backoff::default(),
            revival_due: Millis::default(),
            refuses_reloads: false,
            ending: None,
            stop_within: None,
            exited: false,
            died: 0,
            measure_due: Millis::default(),
            last_generation: 0,
            last_worker: 0,
        }
    }

    pub(super) fn next_generation(&mut self) -> GenerationId {
        self.last_generation += 1;
        GenerationId::new(self.last_generation)
    }

    pub(super) fn next_worker(&mut self) -> WorkerId {
        // Four thousand million workers later a number may come again, when nobody remembers it.
        self.last_worker = self.last_worker.wrapping_add(1);
        WorkerId::new(self.last_worker)
    }

    pub(super) fn workers_of(&self, generation: GenerationId) -> Vec<WorkerId> {
        let of_generation = |(_, worker): &(&WorkerId, &Worker)| worker.generation == generation;
        self.workers
            .iter()
            .filter(of_generation)
            .map(|(&id, _)| id)
            .collect()
    }

    pub(super) fn is_ready(&self, worker: WorkerId) -> bool {
        self.workers
            .get(&worker)
            .is_some_and(|worker| matches!(worker.life, Life::Ready { .. }))
    }

    /// Whether this generation's zygote is to fork when a seat needs someone.
    pub(super) fn forks(&self, generation: &Generation) -> bool {
        self.ending.is_none()
            && generation.zygote == Zygote::Running
            && matches!(generation.phase, Phase::Starting | Phase::Active)
    }

    /// What the seat needs, regardless of when.
    pub(super) fn vacancy(&self, seat: &Seat) -> Option<Vacancy> {
        let Some(occupant) = seat.occupant else {
            return Some(Vacancy::Occupant);
        };
        let spent = self
            .workers
            .get(&occupant)
            .is_some_and(|worker| worker.life == Life::Ready { spent: true });
        (spent && seat.heir.is_none() && seat.leaver.is_none()).then_some(Vacancy::Heir)
    }

    /// When a vacancy of this seat may be filled.
    pub(super) fn due(seat: &Seat, vacancy: Vacancy) -> Millis {
        match vacancy {
            Vacancy::Occupant => seat.due,
            Vacancy::Heir => seat.due.max(seat.heir_due),
        }
    }

    /// Whether another generation may be begun; at most four have processes at the same time.
    pub(super) fn can_begin_release(&self) -> bool {
        const MOST_GENERATIONS: usize = 4;
        self.ending.is_none() && self.release.is_none() && self.generations.len() < MOST_GENERATIONS
    }

    /// Whether the active generation has lost its zygote, so that a new one must be started.
    pub(super) fn needs_revival(&self) -> bool {
        self.active
            .and_then(|active| self.generations.get(&active))
            .is_some_and(|active| active.zygote == Zygote::Gone)
    }
}
