//! Requests that take too long, and what that says of their worker.

use std::sync::Arc;
use std::time::Duration;

use yett_link::frame::{ExchangeId, Kind, OVERDUE};
use yett_link::ring::Direction;

use super::Link;
use crate::floor::Runs;
use crate::floor::kind::{Appetite, Beat};
use crate::floor::pending::Overdue;

impl Link {
    /// Fails what is overdue, and says what that means for the worker itself.
    pub(super) fn overdue(self: &Arc<Self>, appetite: &mut Appetite, limit: Duration) -> Overdue {
        let overdue = self.fail_overdue(limit);
        if self.takes_nothing(appetite, limit) {
            return Overdue::All;
        }
        overdue
    }

    fn fail_overdue(self: &Arc<Self>, limit: Duration) -> Overdue {
        self.pending.fail_overdue_handshakes(limit);
        match self.runs {
            Runs::Threads => self.pending.fail_overdue(limit),
            Runs::EventLoop => {
                for id in self.pending.give_up_overdue(limit) {
                    self.send_small(Kind::Cancel, OVERDUE, id, &[]);
                }
                if self.pending.is_empty() && !self.pulse.is_asked() {
                    // Nothing runs: a loop that does nothing need not be woken to say so.
                    return Overdue::Nothing;
                }
                let beat = self.pulse.look(limit);
                if beat == Beat::Ask {
                    self.send_small(Kind::Ping, 0, ExchangeId::new(0), &[]);
                }
                match beat {
                    // Nothing of a loop goes on that does not turn.
                    Beat::Lost => Overdue::All,
                    _ => Overdue::Nothing,
                }
            }
        }
    }

    /// Whether the worker has begun nothing and read nothing for so long, although it was given requests
    /// whose clients have left meanwhile, and which hide that no longer.
    fn takes_nothing(&self, appetite: &mut Appetite, limit: Duration) -> bool {
        let Some(rings) = &self.wire.rings else {
            return false;
        };
        if rings.memory.unread(Direction::Requests) == 0 {
            self.pending.forget_withdrawn();
        }
        // Other frames may lie there while a worker is at something that nobody asked for.
        let refuses = self.pending.has_withdrawn() && self.pending.rests();
        appetite.look(refuses.then(|| rings.memory.read_to(Direction::Requests))) >= limit
    }
}
