//! Seats: filled, vacated, added and removed.

use super::message::Action;
use super::state::{Life, Phase, Seat, State, Unfit, Vacancy, Worker, Zygote};
use super::turn::Turn;
use crate::ids::{GenerationId, WorkerId};
use crate::notice::Notice;
use crate::outcome::{Failure, FailureStage};

/// A generation that loses as many workers before it was ever active has failed.
const MOST_EARLY_DEATHS: u32 = 3;

impl Turn<'_> {
    /// Asks for a worker wherever a seat needs one and may have it now.
    pub(super) fn fill_seats(&mut self) {
        for id in self.generation_ids() {
            let Some(generation) = self.state.generations.get(&id) else {
                continue;
            };
            if !self.state.forks(generation) {
                continue;
            }
            let vacancies: Vec<Option<Vacancy>> = generation
                .seats
                .iter()
                .map(|seat| {
                    let vacancy = self.state.vacancy(seat)?;
                    (State::due(seat, vacancy) <= self.now).then_some(vacancy)
                })
                .collect();
            for (index, vacancy) in vacancies.into_iter().enumerate() {
                if let Some(vacancy) = vacancy {
                    self.fork(id, index, vacancy);
                }
            }
        }
    }

    fn fork(&mut self, generation: GenerationId, seat: usize, vacancy: Vacancy) {
        let worker = self.state.next_worker();
        let until = self.now + self.state.limits.import;
        let Some(seat) = self
            .state
            .generations
            .get_mut(&generation)
            .and_then(|generation| generation.seats.get_mut(seat))
        else {
            return;
        };
        match vacancy {
            Vacancy::Occupant => seat.occupant = Some(worker),
            Vacancy::Heir => seat.heir = Some(worker),
        }
        let born = Worker {
            generation,
            pid: None,
            life: Life::Starting { until },
            born: self.now,
            ready_at: None,
            attached: true,
            restarts: seat.restarts,
            unfit: false,
        };
        self.state.workers.insert(worker, born);
        self.act(Action::Fork { worker, generation });
    }

    /// Takes a lost worker out of its seat. Losing one that was needed has consequences.
    pub(super) fn vacate(&mut self, generation: GenerationId, id: WorkerId, life: Option<u64>) {
        let now = self.now;
        let holds = |seat: &Seat| [seat.occupant, seat.heir, seat.leaver].contains(&Some(id));
        let Some(seat) = self.seat_where(generation, holds) else {
            return;
        };
        if seat.leaver == Some(id) {
            seat.leaver = None;
            return;
        }
        if seat.heir == Some(id) {
            seat.heir = None;
        } else {
            seat.occupant = seat.heir.take();
        }
        let delay = seat.backoff.delay_after(life);
        seat.due = now + delay;
        seat.restarts = seat.restarts.saturating_add(1);
        seat.last_lost = Some(id);
        seat.last_exit = None;
        seat.last_words = None;
        self.state.died += 1;
        self.lost_needed(generation, id, delay);
    }

    fn lost_needed(&mut self, id: GenerationId, worker: WorkerId, delay: u64) {
        let Some(generation) = self.state.generations.get_mut(&id) else {
            return;
        };
        match generation.phase {
            Phase::Active if generation.zygote != Zygote::Running => {
                self.tell(Notice::WorkerNotReplaced {
                    worker,
                    generation: id,
                });
                return;
            }
            Phase::Active => {}
            _ => {
                generation.early_deaths += 1;
                if generation.early_deaths >= MOST_EARLY_DEATHS {
                    let failure = too_many_died(generation.unfit.as_ref());
                    self.fail_release(id, failure);
                    return;
                }
            }
        }
        if delay > 0 {
            self.tell(Notice::WorkerHeldBack {
                generation: id,
                millis: delay,
            });
        }
    }

    pub(super) fn change_workers(&mut self, difference: i32) {
        let most = self.state.limits.most_workers;
        let difference = isize::try_from(difference).unwrap_or(0);
        let wanted = self
            .state
            .wanted
            .saturating_add_signed(difference)
            .clamp(1, most.max(1));
        // Those that were asked away may take their time; asking for new ones meanwhile has a bound.
        let crowded =
            wanted > self.state.wanted && self.state.workers.len() >= most.saturating_mul(4);
        if wanted == self.state.wanted || crowded || self.state.ending.is_some() {
            self.tell(Notice::WorkersUnchanged {
                workers: self.state.wanted,
            });
            return;
        }
        self.state.wanted = wanted;
        self.tell(Notice::WorkersChanged { workers: wanted });
        for generation in self.generation_ids() {
            if self.phase(generation) != Some(Phase::Retiring) {
                self.resize(generation, wanted);
            }
        }
    }

    fn resize(&mut self, id: GenerationId, wanted: usize) {
        while let Some(index) = self.superfluous_seat(id, wanted) {
            let generation = self.state.generations.get_mut(&id);
            let seat = generation.map(|generation| generation.seats.remove(index));
            let workers = seat.into_iter().flat_map(|seat| [seat.heir, seat.occupant]);
            for worker in workers.flatten() {
                self.dismiss(worker);
            }
        }
        if let Some(generation) = self.state.generations.get_mut(&id) {
            generation.seats.resize_with(wanted, Seat::default);
        }
    }

    /// A seat without a ready worker goes first: the last ready one is never sent away.
    fn superfluous_seat(&self, id: GenerationId, wanted: usize) -> Option<usize> {
        let seats = &self.state.generations.get(&id)?.seats;
        let last = seats
            .len()
            .checked_sub(1)
            .filter(|_| seats.len() > wanted)?;
        let idle = |seat: &Seat| !seat.occupant.is_some_and(|id| self.state.is_ready(id));
        Some(seats.iter().rposition(idle).unwrap_or(last))
    }

    pub(super) fn seat_where(
        &mut self,
        generation: GenerationId,
        claim: impl Fn(&Seat) -> bool,
    ) -> Option<&mut Seat> {
        let generation = self.state.generations.get_mut(&generation)?;
        generation.seats.iter_mut().find(|seat| claim(seat))
    }
}

/// Why a release whose workers died has failed: in the words of the last that had any.
fn too_many_died(unfit: Option<&Unfit>) -> Failure {
    let died = format!("{MOST_EARLY_DEATHS} workers died before every worker was ready");
    match unfit {
        Some(Unfit { summary, traceback }) => Failure {
            stage: FailureStage::Workers,
            summary: format!("{died}: {summary}"),
            traceback: traceback.clone(),
        },
        None => {
            let summary = format!("{died}; what they wrote is in the log");
            Failure::new(FailureStage::Workers, summary)
        }
    }
}
