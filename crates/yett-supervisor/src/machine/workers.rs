//! What befalls a worker, from ready to gone.

use std::time::Duration;

use super::message::{Action, Millis, WorkerSignal};
use super::state::{EndCause, Life, Unfit};
use super::turn::Turn;
use crate::ids::WorkerId;
use crate::notice::Notice;
use crate::outcome::Exit;
use crate::settings::last_part;

/// From SIGABRT or SIGTERM to SIGKILL.
const SIGNAL_GRACE: u64 = 1_000;
/// From the loss of a link to SIGKILL: long enough that a worker which is dying anyway tells its own
/// exit, short enough to replace one that is not.
const LINK_GRACE: u64 = 200;

impl Turn<'_> {
    pub(super) fn fork_failed(&mut self, worker: WorkerId, reason: String) {
        if self.state.workers.contains_key(&worker) {
            self.tell(Notice::WorkerNotForked { worker, reason });
            self.set_life(worker, ordered(None));
            self.exited(worker, Exit::Unknown);
        }
    }

    /// An heir that is ready takes the seat, and only then is the one before it drained.
    pub(super) fn ready(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get_mut(&id) else {
            return;
        };
        if !matches!(worker.life, Life::Starting { .. }) {
            return;
        }
        worker.life = Life::Ready { spent: false };
        worker.ready_at = Some(self.now);
        let generation = worker.generation;
        let Some(seat) = self.seat_where(generation, |seat| seat.heir == Some(id)) else {
            return;
        };
        let before = seat.occupant.take();
        seat.occupant = seat.heir.take();
        seat.leaver = before;
        if let Some(before) = before {
            self.dismiss(before);
        }
    }

    pub(super) fn spent(&mut self, id: WorkerId) {
        self.spend(id, self.now);
    }

    /// Some of its threads are stuck and others go on: it is replaced as if it were spent. One that leaves
    /// anyway has its heir already, or needs none.
    pub(super) fn hampered(&mut self, id: WorkerId) {
        let life = self.state.workers.get(&id).map(|worker| worker.life);
        if let Some(Life::Ready { .. }) = life {
            self.tell(Notice::WorkerHampered { worker: id });
            self.spend(id, self.now);
        }
    }

    /// The worker is to be replaced; its heir is not started before `due`.
    pub(super) fn spend(&mut self, id: WorkerId, due: Millis) {
        let Some(worker) = self.state.workers.get_mut(&id) else {
            return;
        };
        if let Life::Ready { .. } = worker.life {
            worker.life = Life::Ready { spent: true };
            let generation = worker.generation;
            if let Some(seat) = self.seat_where(generation, |seat| seat.occupant == Some(id)) {
                seat.heir_due = due;
            }
        }
    }

    pub(super) fn stuck(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get(&id) else {
            return;
        };
        if let Life::Starting { .. } | Life::Ready { .. } | Life::Draining { .. } = worker.life {
            self.set_life(id, ordered(Some(self.now + SIGNAL_GRACE)));
            self.tell(Notice::WorkerStuck { worker: id });
            self.signal(id, WorkerSignal::Abort);
        }
    }

    /// Without a link a worker is of no use. Most likely it is gone, and its exit is about to come:
    /// the seat is filled again then, so that a seat never has more processes than it may.
    pub(super) fn link_lost(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get(&id) else {
            return;
        };
        if let Life::Starting { .. } | Life::Ready { .. } = worker.life {
            let until = Some(self.now + LINK_GRACE);
            let cause = EndCause::LinkLost;
            self.set_life(id, Life::Ending { until, cause });
            self.detach(id);
        }
    }

    /// It cannot start. The traceback is told when it is another than the last one.
    pub(super) fn unfit(&mut self, id: WorkerId, unfit: Unfit) {
        let Some(worker) = self.state.workers.get_mut(&id) else {
            return;
        };
        if !worker.failed_to_start() {
            return;
        }
        worker.unfit = true;
        let pid = worker.pid;
        let generation = worker.generation;
        let Some(generation) = self.state.generations.get_mut(&generation) else {
            return;
        };
        let known = generation.unfit.as_ref() == Some(&unfit);
        generation.unfit = Some(unfit.clone());
        let Unfit { summary, traceback } = unfit;
        self.tell(Notice::WorkerUnfit {
            worker: id,
            pid,
            summary,
            traceback: if known { String::new() } else { traceback },
        });
    }

    /// The process is gone; its exit is still to come.
    ///
    /// Of one that was never ready nothing is concluded before its exit: the reason why it could
    /// not start may be on its way, and a release that fails for it must be able to say so.
    pub(super) fn gone(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get_mut(&id) else {
            return;
        };
        if worker.failed_to_start() {
            worker.life = Life::Gone { told: false };
            self.detach(id);
        } else {
            self.lose(id);
        }
    }

    /// The process is gone, and this is how.
    pub(super) fn exited(&mut self, id: WorkerId, exit: Exit) {
        self.lose(id);
        let Some(worker) = self.state.workers.remove(&id) else {
            return;
        };
        // Of one that was never ready, the seat is given up only now.
        self.vacate(worker.generation, id, None);
        let generation = self.state.generations.get(&worker.generation);
        let said = generation.and_then(|generation| generation.unfit.as_ref());
        let words = said.filter(|_| worker.unfit).map(|it| it.summary.clone());
        if let Some(seat) = self.seat_where(worker.generation, |seat| seat.last_lost == Some(id)) {
            seat.last_exit = Some(exit);
            seat.last_words = words;
        }
        if worker.life == (Life::Gone { told: false }) && !worker.unfit {
            self.tell(Notice::WorkerDied {
                worker: id,
                pid: worker.pid,
                exit,
            });
        }
    }

    fn lose(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get_mut(&id) else {
            return;
        };
        let told = match worker.life {
            Life::Gone { .. } => return,
            Life::Starting { .. } | Life::Ready { .. } => false,
            Life::Ending { cause, .. } => cause != EndCause::LinkLost,
            Life::Draining { .. } => true,
        };
        worker.life = Life::Gone { told };
        let generation = worker.generation;
        let life = worker.ready_at.map(|ready| self.now.since(ready));
        self.detach(id);
        self.vacate(generation, id, life);
    }

    /// Lets a worker go that is not needed any more: it finishes, or is killed if it has not begun. One
    /// that is finishing already may get less time for it, never more.
    pub(super) fn dismiss(&mut self, id: WorkerId) {
        let graceful = self.state.limits.graceful;
        let within = self.state.stop_within.unwrap_or(graceful);
        let last = Millis::from_duration(last_part(Duration::from_millis(graceful))).0;
        let until = self.now + within;
        let cut = self.now + within.saturating_sub(last);
        match self.state.workers.get(&id).map(|worker| worker.life) {
            Some(Life::Ready { .. }) => {
                self.act(Action::Drain { worker: id });
                self.drain(id, until, Some(cut));
            }
            Some(Life::Draining {
                until: before,
                cut: cut_before,
            }) => self.drain(
                id,
                until.min(before),
                cut_before.map(|before| cut.min(before)),
            ),
            Some(Life::Starting { .. }) => self.kill(id),
            None | Some(Life::Ending { .. } | Life::Gone { .. }) => {}
        }
    }

    /// Lets a worker finish until then. `cut`: when what is still open is cut; `None`: it was.
    fn drain(&mut self, id: WorkerId, until: Millis, cut: Option<Millis>) {
        let waits = cut.filter(|cut| *cut > self.now);
        if waits.is_none() && cut.is_some() {
            self.act(Action::Cut { worker: id });
        }
        self.set_life(id, Life::Draining { until, cut: waits });
    }

    /// SIGKILL, if it is not gone already.
    pub(super) fn kill(&mut self, id: WorkerId) {
        match self.state.workers.get(&id).map(|worker| worker.life) {
            None | Some(Life::Gone { .. }) => {}
            Some(_) => {
                self.set_life(id, ordered(None));
                self.signal(id, WorkerSignal::Kill);
            }
        }
    }

    /// A worker's own deadline is over.
    pub(super) fn worker_overdue(&mut self, id: WorkerId) {
        let Some(worker) = self.state.workers.get(&id) else {
            return;
        };
        let generation = worker.generation;
        match worker.life {
            Life::Starting { .. } if worker.pid.is_none() => {
                self.set_life(id, ordered(None));
                let reason = "it did not fork when it was asked to";
                self.break_zygote(generation, reason.to_owned());
            }
            Life::Starting { .. } => {
                self.tell(Notice::WorkerNotReady { worker: id });
                self.set_life(id, ordered(Some(self.now + SIGNAL_GRACE)));
                self.signal(id, WorkerSignal::Abort);
            }
            Life::Draining {
                until,
                cut: Some(_),
            } => {
                self.act(Action::Cut { worker: id });
                self.set_life(id, Life::Draining { until, cut: None });
                if until <= self.now {
                    self.worker_overdue(id);
                }
            }
            Life::Draining { cut: None, .. } => {
                self.tell(Notice::WorkerOverstayed { worker: id });
                self.set_life(id, ordered(Some(self.now + SIGNAL_GRACE)));
                self.signal(id, WorkerSignal::Term);
            }
            Life::Ending { cause, .. } => {
                if cause == EndCause::LinkLost {
                    self.tell(Notice::WorkerLinkLost { worker: id });
                }
                self.kill(id);
            }
            Life::Ready { .. } | Life::Gone { .. } => {}
        }
    }

    fn detach(&mut self, id: WorkerId) {
        if let Some(worker) = self.state.workers.get_mut(&id)
            && std::mem::take(&mut worker.attached)
        {
            self.act(Action::Detach { worker: id });
        }
    }

    fn set_life(&mut self, id: WorkerId, life: Life) {
        if let Some(worker) = self.state.workers.get_mut(&id) {
            worker.life = life;
        }
    }
}

fn ordered(until: Option<Millis>) -> Life {
    Life::Ending {
        until,
        cause: EndCause::Ordered,
    }
}
