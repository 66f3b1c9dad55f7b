//! One step: the event changes the facts, time runs out for some, then conclusions are drawn.

use super::message::{Action, Event, Millis, Ticket, WorkerSignal};
use super::state::{Phase, Release, State, Unfit, Zygote};
use crate::handle::StopMode;
use crate::ids::{GenerationId, WorkerId};
use crate::notice::Notice;
use crate::outcome::{ExitReason, Failure, FailureStage, ReloadError};

/// Takes in one event and says what to do. `now` never goes back.
pub(crate) fn step(state: &mut State, event: Event, now: Millis) -> Vec<Action> {
    let mut turn = Turn {
        state,
        now,
        actions: Vec::new(),
    };
    if !turn.state.exited {
        turn.note(event);
        turn.expire();
        turn.settle();
    }
    turn.actions
}

/// One step in progress.
pub(super) struct Turn<'a> {
    pub(super) state: &'a mut State,
    pub(super) now: Millis,
    pub(super) actions: Vec<Action>,
}

impl Turn<'_> {
    fn note(&mut self, event: Event) {
        match event {
            Event::Start => self.start(),
            Event::Reload { ticket } => {
                if self.state.refuses_reloads || self.state.ending.is_some() {
                    self.refuse(ticket);
                    self.tell(Notice::ReloadRefused { given_up: None });
                } else {
                    self.state.queued.push(ticket);
                    self.supersede();
                }
            }
            Event::RefuseReloads => self.refuse_reloads(),
            Event::Stop { mode } => self.stop(mode),
            Event::ChangeWorkers { difference } => self.change_workers(difference),

            Event::ZygoteStarted { generation, pid } => {
                if let Some(generation) = self.state.generations.get_mut(&generation) {
                    generation.zygote_pid = Some(pid);
                }
            }
            Event::SpawnFailed { generation, reason } => {
                self.set_zygote(generation, Zygote::Gone);
                self.fail_release(generation, Failure::new(FailureStage::Spawn, reason));
            }
            Event::Loaded { generation } => self.loaded(generation),
            Event::LoadFailed {
                generation,
                failure,
            } => self.fail_release(generation, failure),
            Event::Prepared { generation } => {
                self.advance(generation, Phase::Preparing, Phase::Starting);
            }
            Event::Refused { generation, reason } => {
                self.fail_release(generation, Failure::new(FailureStage::Prepare, reason));
            }
            Event::Importing { generation } => {
                if let Some(generation) = self.state.generations.get_mut(&generation) {
                    generation.imports = true;
                }
            }
            Event::ControlEnded { generation } => self.control_ended(generation),
            Event::ControlBroken { generation, reason } => self.break_zygote(generation, reason),
            Event::ZygoteExited { generation, exit } => self.zygote_exited(generation, exit),

            Event::Forked { worker, pid } => {
                if let Some(worker) = self.state.workers.get_mut(&worker) {
                    worker.pid = Some(pid);
                }
            }
            Event::ForkFailed { worker, reason } => self.fork_failed(worker, reason),
            Event::Ready { worker } => self.ready(worker),
            Event::Spent { worker } => self.spent(worker),
            Event::Hampered { worker } => self.hampered(worker),
            Event::Stuck { worker } => self.stuck(worker),
            Event::LinkLost { worker } => self.link_lost(worker),
            Event::Measured { worker, resident } => self.measured(worker, resident),
            Event::Unfit {
                worker,
                summary,
                traceback,
            } => self.unfit(worker, Unfit { summary, traceback }),
            Event::Gone { worker } => self.gone(worker),
            Event::Exited { worker, exit } => self.exited(worker, exit),

            Event::Tick => {}
        }
    }

    /// Every conclusion from the facts as they are.
    fn settle(&mut self) {
        self.fill_seats();
        self.move_traffic();
        self.forget_finished();
        self.begin_what_is_due();
        self.measure();
        self.leave();
    }

    fn stop(&mut self, mode: StopMode) {
        if self.state.ending.is_none() {
            self.end(ExitReason::Stopped);
            if let StopMode::Graceful { within } = mode {
                self.state.stop_within = Some(Millis::from_duration(within).0);
                self.tell(Notice::Stopping);
                for generation in self.generation_ids() {
                    match self.phase(generation) {
                        Some(Phase::Active | Phase::Retiring) => self.retire(generation),
                        // Its workers run nothing yet.
                        _ => self.kill_generation(generation),
                    }
                }
            }
        }
        if mode == StopMode::Quick {
            self.tell(Notice::Killing);
            for generation in self.generation_ids() {
                self.kill_generation(generation);
            }
        }
    }

    /// From now on nothing is started. Who waits for a reload is told so.
    pub(super) fn end(&mut self, reason: ExitReason) {
        self.state.ending = Some(reason);
        let release = self.state.release.take();
        self.refuse_asked(release);
    }

    /// Tells all who wait for a reload, also for this release, that there will be none.
    pub(super) fn refuse_asked(&mut self, release: Option<Release>) {
        let release = release.filter(|release| !release.asked.is_empty());
        let given_up = release.as_ref().map(|release| release.generation);
        let asked = release.map(|release| release.asked).unwrap_or_default();
        let queued = std::mem::take(&mut self.state.queued);
        if given_up.is_some() || !queued.is_empty() {
            self.tell(Notice::ReloadRefused { given_up });
        }
        for ticket in asked.into_iter().chain(queued) {
            self.refuse(ticket);
        }
    }

    /// Tells who waits for a reload that there will be none.
    pub(super) fn refuse(&mut self, ticket: Ticket) {
        self.act(Action::Answer {
            ticket,
            outcome: Err(ReloadError::Stopping),
        });
    }

    /// The last one out.
    fn leave(&mut self) {
        if self.state.generations.is_empty()
            && let Some(reason) = self.state.ending.clone()
        {
            self.state.exited = true;
            self.act(Action::Exit(reason));
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.act(Action::Notify(notice));
    }

    pub(super) fn signal(&mut self, worker: WorkerId, signal: WorkerSignal) {
        self.act(Action::Signal { worker, signal });
    }

    pub(super) fn generation_ids(&self) -> Vec<GenerationId> {
        self.state.generations.keys().copied().collect()
    }

    pub(super) fn phase(&self, generation: GenerationId) -> Option<Phase> {
        self.state
            .generations
            .get(&generation)
            .map(|generation| generation.phase)
    }

    pub(super) fn set_zygote(&mut self, generation: GenerationId, zygote: Zygote) {
        if let Some(generation) = self.state.generations.get_mut(&generation) {
            generation.zygote = zygote;
        }
    }
}
