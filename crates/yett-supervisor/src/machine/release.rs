//! The life of a generation: from import to traffic, and out again.

use super::message::{Action, Ticket};
use super::state::{Generation, Phase, Release, Seat, Zygote};
use super::turn::Turn;
use crate::ids::GenerationId;
use crate::notice::{Notice, ReleaseCause};
use crate::outcome::{ExitReason, Failure, FailureStage, ReloadError, Reloaded};
use crate::settings::Purpose;

/// What a zygote may take longer than its last worker, before it is killed.
const ZYGOTE_GRACE: u64 = 2_000;

impl Turn<'_> {
    pub(super) fn start(&mut self) {
        if self.state.can_begin_release() && self.state.active.is_none() {
            self.begin_release(ReleaseCause::Start, Vec::new());
        }
    }

    fn begin_release(&mut self, cause: ReleaseCause, asked: Vec<Ticket>) {
        let generation = self.state.next_generation();
        let born = Generation {
            phase: Phase::Importing {
                until: self.now + self.state.limits.import,
            },
            zygote: Zygote::Running,
            zygote_pid: None,
            born: self.now,
            active_since: None,
            imports: false,
            early_deaths: 0,
            unfit: None,
            seats: vec![Seat::default(); self.state.wanted],
        };
        self.state.generations.insert(generation, born);
        self.state.release = Some(Release {
            generation,
            cause,
            asked,
        });
        self.tell(Notice::ReleaseStarted { generation, cause });
        self.act(Action::StartZygote { generation });
    }

    /// One release at a time: first what was asked for, then what is needed.
    pub(super) fn begin_what_is_due(&mut self) {
        if !self.state.can_begin_release() {
            return;
        }
        if !self.state.queued.is_empty() {
            let asked = std::mem::take(&mut self.state.queued);
            self.begin_release(ReleaseCause::Reload, asked);
        } else if self.state.needs_revival() && self.state.revival_due <= self.now {
            self.begin_release(ReleaseCause::LostZygote, Vec::new());
        }
    }

    /// A generation is forgotten when the last process of it is gone.
    pub(super) fn forget_finished(&mut self) {
        for id in self.generation_ids() {
            let finished = self.state.generations.get(&id).is_some_and(|generation| {
                generation.phase == Phase::Retiring && generation.zygote == Zygote::Gone
            });
            if finished && self.state.workers_of(id).is_empty() {
                self.state.generations.remove(&id);
                if self.state.active == Some(id) {
                    self.state.active = None;
                }
                self.act(Action::Forget { generation: id });
                self.tell(Notice::GenerationEnded { generation: id });
            }
        }
    }

    pub(super) fn loaded(&mut self, generation: GenerationId) {
        let phase = self.phase(generation);
        if let Some(importing @ Phase::Importing { .. }) = phase {
            self.advance(generation, importing, Phase::Preparing);
            self.act(Action::Prepare { generation });
        }
    }

    /// Does nothing if the generation is elsewhere by now, for instance has failed.
    pub(super) fn advance(&mut self, generation: GenerationId, from: Phase, to: Phase) {
        if let Some(generation) = self.state.generations.get_mut(&generation)
            && generation.phase == from
        {
            generation.phase = to;
        }
    }

    /// Traffic moves when every seat of the new generation has a ready worker, never earlier.
    pub(super) fn move_traffic(&mut self) {
        let Some(id) = self
            .state
            .release
            .as_ref()
            .map(|release| release.generation)
        else {
            return;
        };
        let Some(generation) = self.state.generations.get(&id) else {
            return;
        };
        let ready = |seat: &Seat| {
            seat.occupant
                .is_some_and(|occupant| self.state.is_ready(occupant))
        };
        if generation.phase != Phase::Starting || !generation.seats.iter().all(ready) {
            return;
        }
        let workers = generation.seats.len();
        let millis = self.now.since(generation.born);
        let Some(release) = self.state.release.take() else {
            return;
        };
        self.act(Action::Commit { generation: id });
        self.act(Action::Activate { generation: id });
        self.advance(id, Phase::Starting, Phase::Active);
        if let Some(generation) = self.state.generations.get_mut(&id) {
            generation.active_since = Some(self.now);
        }
        self.tell(Notice::ReleaseActive {
            generation: id,
            workers,
            millis,
        });
        for ticket in release.asked {
            let outcome = Ok(Reloaded {
                generation: id,
                millis,
            });
            self.act(Action::Answer { ticket, outcome });
        }
        if let Some(old) = self.state.active.replace(id) {
            self.retire(old);
        }
    }

    /// Ends the release in progress, if it is this generation's. What serves goes on serving; if
    /// nothing did, everything ends, or waits for a reload.
    pub(super) fn fail_release(&mut self, generation: GenerationId, failure: Failure) {
        let Some(release) = self
            .state
            .release
            .take_if(|release| release.generation == generation)
        else {
            return;
        };
        self.kill_generation(generation);
        self.tell(Notice::ReleaseFailed {
            generation,
            failure: failure.clone(),
            serving: self.state.active,
        });
        for ticket in release.asked {
            let outcome = Err(ReloadError::Failed(failure.clone()));
            self.act(Action::Answer { ticket, outcome });
        }
        if release.cause == ReleaseCause::Start && self.state.limits.purpose == Purpose::Production
        {
            self.end(ExitReason::FirstReleaseFailed(failure));
        } else if self.state.needs_revival() {
            self.delay_revival(None);
        }
    }

    /// In development a reload does not wait for an import that is out of date, the zygote's or,
    /// without preload, that of a worker which starts.
    pub(super) fn supersede(&mut self) {
        let imports = |phase| matches!(phase, Phase::Importing { .. } | Phase::Starting);
        let importing = self
            .state
            .release
            .as_ref()
            .map(|release| release.generation)
            .filter(|id| self.phase(*id).is_some_and(imports));
        if self.state.limits.purpose == Purpose::Development
            && let Some(generation) = importing
        {
            let summary = "the next reload was asked for";
            self.fail_release(generation, Failure::new(FailureStage::Superseded, summary));
        }
    }

    /// From now on no reload begins: what a new release replaces would only have to be waited for.
    /// A dead zygote is still replaced, since what serves goes on for a while; that imports what is
    /// there, and a reload that does so already is kept.
    pub(super) fn refuse_reloads(&mut self) {
        self.state.refuses_reloads = true;
        let revives = self.state.needs_revival();
        if let Some(release) = &mut self.state.release
            && revives
        {
            release.cause = ReleaseCause::LostZygote;
        }
        let reloads = |release: &mut Release| release.cause == ReleaseCause::Reload;
        let release = self.state.release.take_if(reloads);
        let generation = release.as_ref().map(|release| release.generation);
        self.refuse_asked(release);
        if let Some(generation) = generation {
            self.kill_generation(generation);
        }
    }

    pub(super) fn delay_revival(&mut self, life: Option<u64>) {
        self.state.revival_due = self.now + self.state.revival.delay_after(life);
    }

    /// Lets a generation finish: every worker is drained, the zygote leaves after the last one.
    pub(super) fn retire(&mut self, id: GenerationId) {
        let graceful = self.state.stop_within;
        let graceful = graceful.unwrap_or(self.state.limits.graceful);
        let zygote_until = self.now + graceful + ZYGOTE_GRACE;
        let Some(generation) = self.state.generations.get_mut(&id) else {
            return;
        };
        generation.phase = Phase::Retiring;
        generation.seats.clear();
        let zygote = generation.zygote;
        for worker in self.state.workers_of(id) {
            self.dismiss(worker);
        }
        // Said at once, not when the last worker is gone: the zygote waits for them by itself, and
        // a worker that it is about to fork needs no one any more.
        let until = match zygote {
            Zygote::Running => {
                self.act(Action::EndZygote { generation: id });
                zygote_until
            }
            // It was told before: at a stop there may be less time than it had then.
            Zygote::Ending { until } => until.min(zygote_until),
            Zygote::Killed | Zygote::Gone => return,
        };
        self.set_zygote(id, Zygote::Ending { until });
    }

    /// Kills every process of a generation. Its exits are still awaited.
    pub(super) fn kill_generation(&mut self, id: GenerationId) {
        let Some(generation) = self.state.generations.get_mut(&id) else {
            return;
        };
        generation.phase = Phase::Retiring;
        generation.seats.clear();
        let zygote = generation.zygote;
        if matches!(zygote, Zygote::Running | Zygote::Ending { .. }) {
            self.act(Action::KillGroup { generation: id });
            self.set_zygote(id, Zygote::Killed);
        }
        for worker in self.state.workers_of(id) {
            self.kill(worker);
        }
    }
}
