//! A connection on which nothing happens: the stream, what the scanner knows, and one timer.
//!
//! hyper and its buffers exist only while it has something to do. Before a connection's first whole
//! head, and again when it has been quiet for [`QUIET`](super::active::QUIET), bytes are read and
//! scanned here; so a head that arrives slowly costs no more than the bytes of it that have come. What
//! the scanner let through is what hyper begins with.

use std::future::poll_fn;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, OptionFuture};
use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::io::ScannedIo;
use super::state::Due;
use super::{ConnState, Stop};
use crate::meters::Limit;
use crate::service::Services;

/// Why a connection idles no longer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// A whole head has come, and perhaps more.
    Request,
    /// What came is not HTTP as it must be, or came too slowly.
    Offence,
    /// The client has left, the server stops, or it has idled for too long.
    Over,
    /// Others need its place.
    Crowded,
}

/// Waits until hyper is needed, or the connection is over.
pub(super) async fn idle<S: AsyncRead + Unpin>(
    io: &mut ScannedIo<S>,
    state: &ConnState,
    services: &Services,
    stopping: &mut watch::Receiver<Stop>,
) -> Woken {
    io.release();
    loop {
        if io.has_passed() {
            return Woken::Request;
        }
        if state.offence().is_some() {
            return Woken::Offence;
        }
        let due = match state.due(services.settings()) {
            Due::At(at) => at,
            Due::Head => {
                state.offend(super::Offence::HeadTooSlow);
                continue;
            }
            Due::Silent => {
                services.meters().met(Limit::HeadTime);
                return Woken::Over;
            }
            Due::Idle => {
                // Without keep-alive it is no limit that ends it.
                if !services.settings().keep_alive.is_zero() {
                    services.meters().met(Limit::KeepAlive);
                }
                return Woken::Over;
            }
            Due::Stalled(_) => return Woken::Over,
        };
        tokio::select! {
            // A request that is already here when the server stops is answered.
            biased;
            filled = poll_fn(|cx| io.poll_fill(cx, None)) => {
                let ended = !matches!(filled, Ok(1..));
                if ended && state.offence().is_none() {
                    return Woken::Over;
                }
            }
            _stop_or_gone = stopping.wait_for(|stop| *stop != Stop::No) => return Woken::Over,
            Some(()) = place_in_line(state, services) => return Woken::Crowded,
            () = sleep_until(or_in_line(due, state)) => {}
        }
    }
}

/// The place of a connection that is quiet for long. Boxed, as most are not, or not for long.
fn place_in_line(state: &ConnState, services: &Services) -> OptionFuture<BoxFuture<'static, ()>> {
    let stands_there = state.leaves_from().is_some_and(|at| at <= Instant::now());
    let place = stands_there.then(|| Arc::clone(services.crowd()).asked_to_leave().boxed());
    OptionFuture::from(place)
}

/// The moment at which something is due, or the earlier one at which the connection steps into line.
fn or_in_line(due: Instant, state: &ConnState) -> Instant {
    let steps_in = state.leaves_from().filter(|at| *at > Instant::now());
    steps_in.map_or(due, |at| at.min(due))
}
