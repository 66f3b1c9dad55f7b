//! Who leaves when there are as many connections as there may be: of those on which nothing happens, the
//! one that has been so for longest.
//!
//! An acceptor that finds no room for a connection says that it wants some, for as long as that is so. A
//! connection that has idled, or said nothing, for [`A_MOMENT`] stands in a line here beside its client,
//! and leaves when more acceptors want room than connections are leaving. Whoever has a request, or the
//! beginning of one, does not stand there; nor does one that is new, since what it sent may not have been
//! read yet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long a connection is quiet before it stands in the line: one with much to do does not step in and
/// out for each request.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// First in, first out. That one is woken says nothing yet: the counts do.
    line: Notify,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Acceptors that have a connection and no room for it.
    wanted: usize,
    /// Connections that leave for them, and still have their places.
    leaving: usize,
}

impl Counts {
    const fn is_too_few(&self) -> bool {
        self.wanted > self.leaving
    }
}

/// Somebody wants room, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wanted(Arc<Crowd>);

/// A connection leaves. To be kept as long as its place.
#[derive(Debug)]
pub(crate) struct Leaving(Arc<Crowd>);

impl Crowd {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks one connection to leave.
    pub(crate) fn want(self: &Arc<Self>) -> Wanted {
        self.counts().wanted += 1;
        self.line.notify_one();
        Wanted(Arc::clone(self))
    }

    /// Waits in line until there is need to leave. Its place is where it is first polled.
    pub(crate) async fn asked_to_leave(self: Arc<Self>) -> Leaving {
        loop {
            let mut turn = std::pin::pin!(self.line.notified());
            // In line first: what is wanted from here on is heard.
            turn.as_mut().enable();
            {
                let mut counts = self.counts();
                if counts.is_too_few() {
                    counts.leaving += 1;
                    return Leaving(Arc::clone(&self));
                }
            }
            turn.await;
        }
    }

    /// The same for who has been quiet since then.
    pub(crate) async fn quiet_since(self: Arc<Self>, since: Instant) -> Leaving {
        sleep_until(since + A_MOMENT).await;
        self.asked_to_leave().await
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        counts.wanted = counts.wanted.saturating_sub(1);
        // The room may be one that a connection left for another acceptor.
        if counts.is_too_few() {
            self.0.line.notify_one();
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        counts.leaving = counts.leaving.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    /// One who stands in the line.
    fn idler(crowd: &Arc<Crowd>) -> futures_util::future::BoxFuture<'static, Leaving> {
        let mut idler = Arc::clone(crowd).asked_to_leave().boxed();
        assert!((&mut idler).now_or_never().is_none());
        idler
    }

    #[test]
    fn as_many_leave_as_are_wanted_the_longest_in_line_first() {
        let crowd = Arc::<Crowd>::default();
        let [mut first, mut second, mut third] = [(); 3].map(|()| idler(&crowd));
        let _wanted = [crowd.want(), crowd.want()];
        let _left = [&mut first, &mut second].map(|one| one.now_or_never().unwrap());
        assert!((&mut third).now_or_never().is_none());
    }

    #[test]
    fn what_is_wanted_while_nobody_idles_is_heard_by_those_who_do_later() {
        let crowd = Arc::<Crowd>::default();
        let _wanted = [crowd.want(), crowd.want()];
        let ask = || Arc::clone(&crowd).asked_to_leave().now_or_never();
        let _left = [ask().unwrap(), ask().unwrap()];
        assert!(ask().is_none());
    }

    #[test]
    fn nobody_leaves_for_what_is_not_wanted_any_more() {
        let crowd = Arc::<Crowd>::default();
        drop(crowd.want());
        let mut late = idler(&crowd);
        drop(crowd.want());
        assert!((&mut late).now_or_never().is_none());
        let _wanted = crowd.want();
        assert!((&mut late).now_or_never().is_some());
    }

    #[test]
    fn another_one_leaves_when_the_room_went_to_somebody_else() {
        let crowd = Arc::<Crowd>::default();
        let [mut first, mut second] = [(); 2].map(|()| idler(&crowd));
        let (wanted, other) = (crowd.want(), crowd.want());
        let left = (&mut first).now_or_never().unwrap();
        // Who comes next in line is busy in this moment, and hears of it when the other has its room.
        drop((left, other));
        assert!((&mut second).now_or_never().is_some());
        drop(wanted);
    }
}
