//! Decisions. No clock, no I/O, no process: `step(state, event, now)` says what to do.
//!
//! An event changes facts only; `settle` then draws every conclusion from the facts: which seats to
//! fill, whether traffic may move, what is finished. So no order of events can leave something
//! undone that the facts call for.
//!
//! | file | holds |
//! | --- | --- |
//! | `state.rs` | the facts |
//! | `message.rs` | events and actions |
//! | `turn.rs` | one step: which event does what, then `settle` |
//! | `release.rs` | the life of a generation |
//! | `zygotes.rs` | a zygote that leaves, breaks or dies |
//! | `seats.rs` | places for workers: filled, vacated, added, removed |
//! | `workers.rs` | what befalls a worker, from ready to gone |
//! | `deadlines.rs` | what happens when time is up, and when that is |
//! | `backoff.rs` | how long to wait after a quick death |
//! | `memory.rs` | workers that use more memory than they may |
//! | `picture.rs` | the facts as a `Status` |

mod backoff;
mod deadlines;
mod memory;
mod message;
mod picture;
mod release;
mod seats;
mod state;
mod turn;
mod workers;
mod zygotes;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub(crate) use message::{Action, Event, Millis, Ticket, WorkerSignal};
pub(crate) use state::{Limits, State};
pub(crate) use turn::step;
