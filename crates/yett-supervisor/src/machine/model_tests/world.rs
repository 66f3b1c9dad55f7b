//! The world of the model: processes that obey the machine, and every check of what it does.

use std::collections::{BTreeMap, BTreeSet};

use super::Chance;
use crate::ids::{GenerationId, WorkerId};
use crate::machine::*;
use crate::notice::ReleaseCause;
use crate::outcome::{Exit, Failure, FailureStage};
use crate::settings::Purpose;
use crate::status::Status;

pub(super) const LIMITS: Limits = Limits {
    workers: 2,
    most_workers: 3,
    graceful: 5_000,
    import: 9_000,
    max_rss: Some(1_000),
    purpose: Purpose::Production,
};

#[derive(Debug, Default)]
struct Zygote {
    loaded: bool,
    ending: bool,
    doomed: bool,
}

#[derive(Debug)]
struct Worker {
    generation: GenerationId,
    /// The zygote has told of it.
    told: bool,
    ready: bool,
    draining: bool,
    cut: bool,
    doomed: bool,
    attached: bool,
    /// Dead, and `Gone` was said; only how it left is to come.
    gone: bool,
}

#[derive(Debug)]
pub(super) struct World {
    state: State,
    now: Millis,
    zygotes: BTreeMap<GenerationId, Zygote>,
    workers: BTreeMap<WorkerId, Worker>,
    to_prepare: BTreeSet<GenerationId>,
    started: BTreeSet<GenerationId>,
    forgotten: BTreeSet<GenerationId>,
    activated: Vec<GenerationId>,
    committed: Option<GenerationId>,
    pub(super) tickets: BTreeSet<Ticket>,
    last_ticket: u64,
    refusing: bool,
    stopping: bool,
    pub(super) exited: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            state: State::new(LIMITS),
            now: Millis(0),
            zygotes: BTreeMap::new(),
            workers: BTreeMap::new(),
            to_prepare: BTreeSet::new(),
            started: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            activated: Vec::new(),
            committed: None,
            tickets: BTreeSet::new(),
            last_ticket: 0,
            refusing: false,
            stopping: false,
            exited: false,
        };
        world.feed(Event::Start);
        world
    }

    pub(super) fn picture(&self) -> Status {
        self.state.picture(self.now)
    }

    fn feed(&mut self, event: Event) {
        let actions = step(&mut self.state, event, self.now);
        assert!(!self.exited || actions.is_empty(), "acts after its exit");
        for action in actions {
            self.obey(action);
        }
        let spins = self
            .state
            .next_deadline()
            .is_some_and(|due| due <= self.now);
        assert!(!spins, "a deadline that has passed is still there");
        let release = self.state.release.as_ref();
        let reloads = release.is_some_and(|release| release.cause == ReleaseCause::Reload);
        assert!(
            !(self.refusing && reloads),
            "goes on with a reload though a stop is near"
        );
        // Four generations; two processes a seat, and those that were asked away.
        assert!(self.workers.len() <= 4 * 3 * LIMITS.most_workers);
        assert!(self.zygotes.len() <= 4);
    }

    fn obey(&mut self, action: Action) {
        match action {
            Action::StartZygote { generation } => {
                assert!(!self.stopping && self.started.insert(generation));
                self.zygotes.insert(generation, Zygote::default());
            }
            Action::Prepare { generation } => {
                assert!(self.zygotes[&generation].loaded);
                self.to_prepare.insert(generation);
            }
            Action::Commit { generation } => self.committed = Some(generation),
            Action::Activate { generation } => self.activate(generation),
            Action::Fork { worker, generation } => self.fork(worker, generation),
            Action::Drain { worker } => self.drain(worker),
            Action::Cut { worker } => {
                let worker = self.workers.get_mut(&worker).expect("cuts a stranger");
                assert!(worker.draining && worker.attached && !worker.gone);
                assert!(!std::mem::replace(&mut worker.cut, true), "cuts twice");
            }
            Action::Measure { worker } => {
                let worker = self.workers.get(&worker).expect("measures a stranger");
                assert!(worker.ready && worker.attached && !worker.draining && !worker.gone);
                assert!(!self.stopping && self.activated.last() == Some(&worker.generation));
            }
            Action::Detach { worker } => {
                let worker = self.workers.get_mut(&worker).expect("detaches a stranger");
                assert!(std::mem::take(&mut worker.attached), "detaches twice");
            }
            Action::Signal { worker, signal } => {
                let worker = self.workers.get_mut(&worker).expect("signals a stranger");
                assert!(!worker.gone, "signals the dead");
                let in_time = signal != WorkerSignal::Term || worker.cut;
                assert!(in_time, "ends a drained worker whose streams were not cut");
                worker.doomed |= signal == WorkerSignal::Kill;
            }
            Action::EndZygote { generation } => {
                self.zygotes
                    .get_mut(&generation)
                    .expect("ends a stranger")
                    .ending = true;
            }
            Action::KillZygote { generation } => {
                self.zygotes
                    .get_mut(&generation)
                    .expect("kills a stranger")
                    .doomed = true;
            }
            Action::KillGroup { generation } => {
                self.zygotes
                    .get_mut(&generation)
                    .expect("kills a stranger")
                    .doomed = true;
                for worker in self.workers.values_mut() {
                    worker.doomed |= worker.generation == generation;
                }
            }
            Action::Forget { generation } => {
                assert!(!self.zygotes.contains_key(&generation));
                assert!(
                    self.workers
                        .values()
                        .all(|worker| worker.generation != generation)
                );
                assert!(self.forgotten.insert(generation), "forgets twice");
            }
            Action::Answer { ticket, .. } => assert!(self.tickets.remove(&ticket), "answers twice"),
            Action::Notify(_) => {}
            Action::Exit(_) => {
                assert!(
                    self.zygotes.is_empty() && self.workers.is_empty() && self.tickets.is_empty()
                );
                assert_eq!(self.started, self.forgotten);
                self.exited = true;
            }
        }
    }

    fn activate(&mut self, generation: GenerationId) {
        assert_eq!(
            self.committed.take(),
            Some(generation),
            "not committed first"
        );
        assert!(!self.stopping);
        assert!(
            self.activated.last() < Some(&generation),
            "goes back to an old generation"
        );
        let serves = |worker: &&Worker| {
            worker.generation == generation && worker.ready && worker.attached && !worker.doomed
        };
        let serving = self.workers.values().filter(serves).count();
        assert!(
            serving >= self.state.wanted,
            "moves traffic to {serving} workers"
        );
        self.activated.push(generation);
    }

    fn fork(&mut self, id: WorkerId, generation: GenerationId) {
        let zygote = &self.zygotes[&generation];
        assert!(zygote.loaded && !zygote.ending && !zygote.doomed && !self.stopping);
        let superseded =
            self.activated.contains(&generation) && self.activated.last() != Some(&generation);
        assert!(!superseded, "forks for a generation that is over");
        let worker = Worker {
            generation,
            told: false,
            ready: false,
            draining: false,
            cut: false,
            doomed: false,
            attached: true,
            gone: false,
        };
        assert!(self.workers.insert(id, worker).is_none(), "forks twice");
    }

    fn drain(&mut self, id: WorkerId) {
        let worker = self.workers.get_mut(&id).expect("drains a stranger");
        assert!(
            worker.attached && !worker.draining,
            "drains twice, or without a link"
        );
        worker.draining = true;
        let generation = worker.generation;
        if self.activated.last() == Some(&generation) && !self.stopping {
            let serves = |worker: &&Worker| {
                worker.generation == generation
                    && worker.ready
                    && worker.attached
                    && !worker.draining
            };
            assert!(
                self.workers.values().any(|worker| serves(&worker)),
                "drains the last one"
            );
        }
    }

    /// One of those for whom `claim` holds.
    fn worker(&self, pick: usize, claim: impl Fn(&Worker) -> bool) -> Option<WorkerId> {
        let mut fit = self
            .workers
            .iter()
            .filter(|(_, worker)| claim(worker))
            .map(|(&id, _)| id);
        let count = fit.clone().count();
        fit.nth(pick.checked_rem(count)?)
    }

    fn zygote(&self, pick: usize, claim: impl Fn(&Zygote) -> bool) -> Option<GenerationId> {
        let mut fit = self
            .zygotes
            .iter()
            .filter(|(_, zygote)| claim(zygote))
            .map(|(&id, _)| id);
        let count = fit.clone().count();
        fit.nth(pick.checked_rem(count)?)
    }

    fn forks(&self, worker: &Worker) -> bool {
        !worker.told
            && self
                .zygotes
                .get(&worker.generation)
                .is_some_and(|zygote| !zygote.doomed)
    }

    /// `None` if there is nobody to whom it could happen.
    pub(super) fn happen(&mut self, chance: Chance, pick: usize) -> Option<()> {
        let live = |worker: &Worker| !worker.gone;
        match chance {
            Chance::Wait(millis) => self.wait(u64::from(millis)),
            Chance::Load => {
                let generation = self.zygote(pick, |zygote| !zygote.loaded && !zygote.doomed)?;
                self.zygotes.get_mut(&generation)?.loaded = true;
                self.feed(Event::Loaded { generation });
            }
            Chance::LoadFails => {
                let generation = self.zygote(pick, |zygote| !zygote.loaded && !zygote.doomed)?;
                let failure = Failure::new(FailureStage::Import, "no");
                self.feed(Event::LoadFailed {
                    generation,
                    failure,
                });
            }
            Chance::Prepare => {
                let generation = self.to_prepare.pop_first()?;
                self.feed(Event::Prepared { generation });
            }
            Chance::Refuse => {
                let generation = self.to_prepare.pop_first()?;
                let reason = "no".to_owned();
                self.feed(Event::Refused { generation, reason });
            }
            Chance::Fork => {
                let worker = self.worker(pick, |worker| self.forks(worker))?;
                self.workers.get_mut(&worker)?.told = true;
                self.feed(Event::Forked { worker, pid: 1 });
            }
            Chance::ForkFails => {
                let worker = self.worker(pick, |worker| self.forks(worker))?;
                let reason = "no".to_owned();
                self.feed(Event::ForkFailed { worker, reason });
                self.bury(worker);
            }
            Chance::Ready => {
                let worker = self.worker(pick, |worker| live(worker) && !worker.ready)?;
                self.workers.get_mut(&worker)?.ready = true;
                self.feed(Event::Ready { worker });
            }
            Chance::Dies => {
                let worker = self.worker(pick, |worker| worker.told)?;
                self.die(worker);
            }
            Chance::DeathIsSeen => {
                let worker = self.worker(pick, |worker| worker.told && live(worker))?;
                let facts = self.workers.get_mut(&worker)?;
                // Without its zygote it is our child, and how it left is known at once.
                if self.zygotes.contains_key(&facts.generation) {
                    facts.gone = true;
                    self.feed(Event::Gone { worker });
                } else {
                    self.die(worker);
                }
            }
            Chance::Spent => {
                let worker = self.worker(pick, live)?;
                self.feed(Event::Spent { worker });
            }
            Chance::Hampered => {
                let worker = self.worker(pick, live)?;
                self.feed(Event::Hampered { worker });
            }
            Chance::Stuck => {
                let worker = self.worker(pick, live)?;
                self.feed(Event::Stuck { worker });
            }
            Chance::Measured(over) => {
                let worker = self.worker(pick, live)?;
                let resident = if over { 1_001 } else { 1_000 };
                self.feed(Event::Measured { worker, resident });
            }
            Chance::CannotStart => {
                let worker =
                    self.worker(pick, |worker| worker.told && !worker.ready && live(worker))?;
                let (summary, traceback) = ("no".to_owned(), String::new());
                self.feed(Event::Unfit {
                    worker,
                    summary,
                    traceback,
                });
                self.die(worker);
            }
            Chance::LinkLost => {
                let worker = self.worker(pick, live)?;
                self.feed(Event::LinkLost { worker });
            }
            Chance::ZygoteDies => {
                let generation = self.zygote(pick, |_| true)?;
                self.zygote_dies(generation);
            }
            Chance::ControlEnds => {
                let generation = self.zygote(pick, |_| true)?;
                self.feed(Event::ControlEnded { generation });
            }
            Chance::ControlBreaks => {
                let generation = self.zygote(pick, |_| true)?;
                let reason = "no".to_owned();
                self.feed(Event::ControlBroken { generation, reason });
            }
            // Whoever asks later is refused at the handle.
            Chance::Reload if self.exited => return None,
            Chance::Reload => {
                self.last_ticket += 1;
                let ticket = Ticket(self.last_ticket);
                self.tickets.insert(ticket);
                self.feed(Event::Reload { ticket });
            }
            Chance::RefuseReloads => {
                self.refusing = true;
                self.feed(Event::RefuseReloads);
            }
            Chance::ChangeWorkers(difference) => self.feed(Event::ChangeWorkers {
                difference: i32::from(difference),
            }),
            Chance::Strangers(which) => self.strangers(which),
            Chance::Stop(mode) => {
                self.stopping = true;
                self.feed(Event::Stop { mode });
            }
        }
        Some(())
    }

    /// News of those who never were, and old news: nothing may come of it.
    fn strangers(&mut self, which: u8) {
        let worker = WorkerId::new(1_000_000);
        let generation = GenerationId::new(1_000_000);
        let exit = Exit::Code(0);
        self.feed(match which % 10 {
            8 => Event::Measured {
                worker,
                resident: u64::MAX,
            },
            9 => Event::Unfit {
                worker,
                summary: String::new(),
                traceback: String::new(),
            },
            0 => Event::Ready { worker },
            1 => Event::Stuck { worker },
            2 => Event::LinkLost { worker },
            3 => Event::Exited { worker, exit },
            4 => Event::Forked { worker, pid: 1 },
            5 => Event::Loaded { generation },
            6 => Event::ZygoteExited { generation, exit },
            _ => Event::Start,
        });
    }

    pub(super) fn wait(&mut self, millis: u64) {
        let end = self.now + millis;
        while let Some(due) = self.state.next_deadline().filter(|due| *due <= end) {
            self.now = due;
            self.feed(Event::Tick);
        }
        self.now = end;
    }

    fn die(&mut self, worker: WorkerId) {
        let exit = Exit::Signal(9);
        // Detached within this step, so it is buried after it.
        self.feed_last(worker, Event::Exited { worker, exit });
    }

    /// A step after which nobody may speak of this worker again. A `Forget` or `Exit` in the same
    /// step finds it buried.
    fn feed_last(&mut self, id: WorkerId, event: Event) {
        let mut actions = step(&mut self.state, event, self.now);
        if actions.first() == Some(&Action::Detach { worker: id }) {
            actions.remove(0);
            self.workers
                .get_mut(&id)
                .expect("detaches a stranger")
                .attached = false;
        }
        self.bury(id);
        for action in actions {
            self.obey(action);
        }
    }

    fn bury(&mut self, id: WorkerId) {
        let worker = self.workers.remove(&id).expect("dies twice");
        assert!(!worker.attached, "is never detached");
    }

    fn zygote_dies(&mut self, generation: GenerationId) {
        self.zygotes.remove(&generation);
        self.to_prepare.remove(&generation);
        let actions = step(
            &mut self.state,
            Event::ZygoteExited {
                generation,
                exit: Exit::Signal(9),
            },
            self.now,
        );
        // Those of which only the zygote knew are given up in this very step.
        let lost: Vec<WorkerId> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.generation == generation && (!worker.told || worker.gone))
            .map(|(&id, _)| id)
            .collect();
        let (theirs, others): (Vec<_>, Vec<_>) = actions.into_iter().partition(|action| {
            matches!(action, Action::Detach { worker } | Action::Signal { worker, .. } if lost.contains(worker))
        });
        for action in theirs {
            self.obey(action);
        }
        for worker in lost {
            self.bury(worker);
        }
        for action in others {
            self.obey(action);
        }
    }

    /// What is doomed dies; what was told to leave and can, leaves. `false` if there was nothing.
    fn reap_one(&mut self) -> bool {
        if let Some(worker) = self.worker(0, |worker| worker.told && (worker.doomed || worker.gone))
        {
            self.die(worker);
            return true;
        }
        let childless = |generation: &GenerationId| {
            self.workers
                .values()
                .all(|worker| worker.generation != *generation)
        };
        let leaves = self
            .zygotes
            .iter()
            .find(|(id, zygote)| zygote.doomed || (zygote.ending && childless(id)))
            .map(|(&id, _)| id);
        if let Some(generation) = leaves {
            self.zygote_dies(generation);
        }
        leaves.is_some()
    }

    pub(super) fn reap_all(&mut self) {
        while self.reap_one() {}
    }

    /// From now on everything works, and time goes by.
    pub(super) fn luck(&mut self) {
        for _ in 0..200 {
            self.reap_all();
            while let Some(worker) = self.worker(0, |worker| worker.draining && worker.told) {
                self.die(worker);
            }
            for good in [Chance::Load, Chance::Prepare, Chance::Fork, Chance::Ready] {
                while self.happen(good, 0).is_some() {}
            }
            self.wait(200);
        }
    }
}
