//! The loop: events in, actions out. Everything that waits or touches the system is here.

mod crew;
mod hearing;
mod process;
mod zygote;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::floor::{Floor, Releases};
use crate::handle::Inbox;
use crate::ids::{GenerationId, WorkerId};
use crate::machine::{Event, Limits, Millis, State, step};
use crate::notice::Notices;
use crate::outcome::ExitReason;
use crate::settings::Settings;
use crew::Crew;
use zygote::Heard;

/// What the program implements.
struct Program {
    floor: Arc<dyn Floor>,
    releases: Arc<dyn Releases>,
    notices: Arc<dyn Notices>,
}

/// What the tasks that wait for processes bring to the loop.
enum News {
    Zygote(GenerationId, Heard),
    WorkerLeft(WorkerId),
}

/// Starts the first generation and keeps the server's processes until they have all ended.
///
/// Wants a tokio runtime with I/O and time enabled, best a current-thread one on a thread of its
/// own: the program's [`Releases::prepare`] runs on it. Makes the process a child subreaper, so that
/// workers whose zygote died become its children, and reaps those; other orphans stay zombies until
/// the server leaves. When the future is dropped instead, zygotes see the end of their control
/// socket, end their workers and leave.
pub async fn run(
    inbox: Inbox,
    settings: Settings,
    floor: Arc<dyn Floor>,
    releases: Arc<dyn Releases>,
    notices: Arc<dyn Notices>,
) -> ExitReason {
    // Any number but 0 means yes. If the kernel refuses, an orphan's exit is seen all the same, only
    // not how it left.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let start = Instant::now();
    let now = || Millis::from_duration(start.elapsed());
    let mut state = State::new(Limits::of(&settings));
    let program = Program {
        floor,
        releases,
        notices,
    };
    let mut crew = Crew::new(inbox, settings, program);
    crew.events.push_back(Event::Start);
    loop {
        while let Some(event) = crew.events.pop_front() {
            let actions = step(&mut state, event, now());
            crew.inbox().publish(state.picture(now()));
            for action in actions {
                if let ControlFlow::Break(reason) = crew.perform(action) {
                    return reason;
                }
            }
        }
        match state.next_deadline() {
            None => crew.listen().await,
            Some(deadline) => {
                let wait = Duration::from_millis(deadline.since(now()));
                if tokio::time::timeout(wait, crew.listen()).await.is_err() {
                    crew.events.push_back(Event::Tick);
                }
            }
        }
    }
}
