//! Time: what happens when it is up, and when it is up next.

use super::message::Millis;
use super::state::{Generation, Life, Phase, State, Worker, Zygote};
use super::turn::Turn;

impl Turn<'_> {
    /// Does what is due for everything whose time is up.
    pub(super) fn expire(&mut self) {
        let overdue = |worker: &Worker| worker.until().is_some_and(|until| until <= self.now);
        let workers: Vec<_> = self
            .state
            .workers
            .iter()
            .filter(|(_, worker)| overdue(worker))
            .map(|(&id, _)| id)
            .collect();
        for worker in workers {
            self.worker_overdue(worker);
        }
        for id in self.generation_ids() {
            if let Some(Phase::Importing { until }) = self.phase(id) {
                self.import_overdue(id, until);
            }
            let zygote = self
                .state
                .generations
                .get(&id)
                .map(|generation| generation.zygote);
            if let Some(Zygote::Ending { until }) = zygote
                && until <= self.now
            {
                self.zygote_overstayed(id);
            }
        }
    }
}

impl State {
    /// When `step` must be called again although nothing happens. `None`: whenever something does.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        if self.exited {
            return None;
        }
        let workers = self.workers.values().filter_map(Worker::until);
        let generations = self.generations.values().flat_map(Generation::until);
        let seats = self
            .generations
            .values()
            .filter(|generation| self.forks(generation))
            .flat_map(|generation| &generation.seats)
            .filter_map(|seat| Some(Self::due(seat, self.vacancy(seat)?)));
        let revives = self.can_begin_release() && self.needs_revival();
        workers
            .chain(generations)
            .chain(seats)
            .chain(revives.then_some(self.revival_due))
            .chain(self.measures().then_some(self.measure_due))
            .min()
    }
}

impl Worker {
    fn until(&self) -> Option<Millis> {
        match self.life {
            Life::Starting { until } => Some(until),
            Life::Draining { until, cut } => Some(cut.unwrap_or(until)),
            Life::Ending { until, .. } => until,
            Life::Ready { .. } | Life::Gone { .. } => None,
        }
    }
}

impl Generation {
    fn until(&self) -> impl Iterator<Item = Millis> + use<> {
        let import = match self.phase {
            Phase::Importing { until } => Some(until),
            Phase::Preparing | Phase::Starting | Phase::Active | Phase::Retiring => None,
        };
        let zygote = match self.zygote {
            Zygote::Ending { until } => Some(until),
            Zygote::Running | Zygote::Killed | Zygote::Gone => None,
        };
        import.into_iter().chain(zygote)
    }
}
