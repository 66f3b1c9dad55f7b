//! The facts as a [`Status`].

use super::message::Millis;
use super::state::{Generation, Life, Phase, Seat, State, Zygote};
use crate::ids::GenerationId;
use crate::status::{
    CrashLoop, GenerationState, GenerationStatus, Status, WorkerState, WorkerStatus, ZygoteState,
};

impl State {
    pub(crate) fn picture(&self, now: Millis) -> Status {
        let ready = |worker: &WorkerStatus| worker.state == WorkerState::Ready;
        let generations: Vec<GenerationStatus> = self
            .generations
            .iter()
            .map(|(&id, generation)| self.generation_status(id, generation, now))
            .collect();
        let workers_ready = generations
            .iter()
            .filter(|generation| Some(generation.generation) == self.active)
            .flat_map(|generation| &generation.workers)
            .filter(|worker| ready(worker))
            .count();
        Status {
            active: self.active,
            releasing: self.release.as_ref().map(|release| release.generation),
            workers_wanted: self.wanted,
            workers_ready,
            workers_died: self.died,
            generations,
        }
    }

    fn generation_status(
        &self,
        id: GenerationId,
        generation: &Generation,
        now: Millis,
    ) -> GenerationStatus {
        let workers = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.generation == id);
        let waits = |seat: &&Seat| seat.occupant.is_none() && seat.due > now;
        let crash_looping = generation.seats.iter().filter(waits).map(|seat| CrashLoop {
            restarts: seat.restarts,
            last_exit: seat.last_exit,
            last_words: seat.last_words.clone(),
            next_try_millis: seat.due.since(now),
        });
        let seat_of = |id| {
            let seats = &generation.seats;
            seats
                .iter()
                .find(|seat| [seat.occupant, seat.heir].contains(&Some(id)))
        };
        GenerationStatus {
            generation: id,
            state: match generation.phase {
                Phase::Importing { .. } => GenerationState::Importing,
                Phase::Preparing => GenerationState::Preparing,
                Phase::Starting => GenerationState::Starting,
                Phase::Active => GenerationState::Active,
                Phase::Retiring => GenerationState::Retiring,
            },
            zygote: match generation.zygote {
                Zygote::Running => ZygoteState::Running,
                Zygote::Ending { .. } | Zygote::Killed => ZygoteState::Ending,
                Zygote::Gone => ZygoteState::Gone,
            },
            zygote_pid: generation.zygote_pid,
            age_millis: now.since(generation.born),
            workers: workers
                .map(|(&id, worker)| WorkerStatus {
                    worker: id,
                    pid: worker.pid,
                    state: match worker.life {
                        Life::Starting { .. } => WorkerState::Starting,
                        Life::Ready { .. } => WorkerState::Ready,
                        Life::Draining { .. } => WorkerState::Draining,
                        Life::Ending { .. } => WorkerState::Ending,
                        Life::Gone { .. } => WorkerState::Gone,
                    },
                    age_millis: now.since(worker.born),
                    restarts: worker.restarts,
                    last_exit: seat_of(id).and_then(|seat| seat.last_exit),
                    last_words: seat_of(id).and_then(|seat| seat.last_words.clone()),
                    resident_bytes: None,
                })
                .collect(),
            crash_looping: crash_looping.collect(),
        }
    }
}
