//! Processes, generations and reload.
//!
//! **What it is.** A release of the app is a *generation*: one zygote that imported the app, and the
//! workers that it forked. This crate starts generations, replaces workers that die, moves traffic
//! from one generation to the next only when every worker of the next is ready, and lets what is
//! left behind finish. Every decision is made by one pure function, `step(state, event, now) ->
//! actions`; a thin tokio loop carries the actions out and brings back what happened.
//!
//! **What it keeps out.** HTTP, Python, configuration text, and the signals of its own process: the
//! program turns those into calls of [`Supervisor`]. It never reads or writes a worker's link; it
//! makes the pair of sockets and hands one end to the [`Floor`].
//!
//! **Way in.** [`Supervisor::new`] gives the handle and its [`Inbox`]; [`run`](fn@run) takes the inbox, the
//! [`Settings`] and the three things that the program implements: [`Floor`] (the edge's side),
//! [`Releases`] (the manifest's reader) and [`Notices`] (who prints). To read the code, begin with
//! `machine/` and its table of scenarios.
//!
//! **How it is tested.** `step` by scenarios whose names are claims and by random events against
//! invariants; the loop against a small zygote in Python (`tests/fake/`) that speaks the real
//! control protocol and really forks, exits and is killed.
#![forbid(unsafe_code)]

pub mod control;
mod floor;
mod handle;
mod ids;
mod machine;
mod memory;
mod notice;
mod outcome;
mod run;
mod settings;
mod status;

pub use floor::{Floor, Releases};
pub use handle::{Inbox, ReloadAnswer, StopMode, Supervisor};
pub use ids::{GenerationId, WorkerId};
pub use notice::{Level, Notice, Notices, ReleaseCause};
pub use outcome::{Exit, ExitReason, Failure, FailureStage, ReloadError, Reloaded};
pub use run::run;
pub use settings::{Keyboard, MAX_WORKERS, Purpose, Settings, last_part};
pub use status::{
    CrashLoop, GenerationState, GenerationStatus, Status, WorkerState, WorkerStatus, ZygoteState,
};
