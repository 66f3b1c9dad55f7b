//! Who leaves when there are as many connections as there may be: of those on which nothing happens, the
//! one that has been so for longest.
//!
//! An acceptor that finds no room for a connection asks. A connection that has idled, or said nothing,
//! for [`A_MOMENT`] stands in a line here beside its client, and takes a question with it as it leaves:
//! so no more leave than are asked. An acceptor that has no room [`AGAIN`] later asks anew, since who took
//! its question may have been asked for something at the last moment, or goes slowly. Whoever has a
//! request, or the beginning of one, does not stand there; nor does one that is new, since what it sent may
//! not have been read yet.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a connection is quiet before it stands in the line: one with much to do does not step in and
/// out for each request.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(1);

/// After how long another connection is asked. Longer than one that leaves in order takes.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// First in, first out. That one is woken says nothing yet: the questions do.
    line: Notify,
    questions: Mutex<Questions>,
}

#[derive(Debug, Default)]
struct Questions {
    /// Acceptors that have a connection and no room for it.
    askers: usize,
    /// Questions that nobody has taken; one for each asker at most.
    open: usize,
}

/// Somebody wants room, until this is dropped.
#[derive(Debug)]
pub(crate) struct Asker(Arc<Crowd>);

impl Crowd {
    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room, and asks connections to leave until it is there.
    pub(crate) async fn make_room<T>(self: &Arc<Self>, room: impl Future<Output = T>) -> T {
        let asker = self.ask();
        let mut room = pin!(room);
        loop {
            if let Ok(room) = timeout(AGAIN, room.as_mut()).await {
                return room;
            }
            asker.ask_again();
        }
    }

    /// Asks one connection to leave.
    pub(crate) fn ask(self: &Arc<Self>) -> Asker {
        self.questions().askers += 1;
        let asker = Asker(Arc::clone(self));
        asker.ask_again();
        asker
    }

    /// Waits in line until there is need to leave. Its place is where it is first polled.
    pub(crate) async fn asked_to_leave(self: Arc<Self>) {
        loop {
            let mut turn = pin!(self.line.notified());
            // In line first: what is asked from here on is heard.
            turn.as_mut().enable();
            if self.take_question() {
                return;
            }
            turn.await;
        }
    }

    /// The same for who has been quiet since then.
    pub(crate) async fn quiet_since(self: Arc<Self>, since: Instant) {
        sleep_until(since + A_MOMENT).await;
        self.asked_to_leave().await;
    }

    fn take_question(&self) -> bool {
        let mut questions = self.questions();
        let left = questions.open.checked_sub(1);
        questions.open = left.unwrap_or_default();
        left.is_some()
    }
}

impl Asker {
    fn ask_again(&self) {
        let mut questions = self.0.questions();
        questions.open = questions.askers.min(questions.open + 1);
        drop(questions);
        self.0.line.notify_one();
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let mut questions = self.0.questions();
        questions.askers = questions.askers.saturating_sub(1);
        questions.open = questions.open.min(questions.askers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    /// One who stands in the line.
    fn idler(crowd: &Arc<Crowd>) -> futures_util::future::BoxFuture<'static, ()> {
        let mut idler = Arc::clone(crowd).asked_to_leave().boxed();
        assert!((&mut idler).now_or_never().is_none());
        idler
    }

    #[test]
    fn as_many_leave_as_are_asked_the_longest_in_line_first() {
        let crowd = Arc::<Crowd>::default();
        let [mut first, mut second, mut third] = [(); 3].map(|()| idler(&crowd));
        let _askers = [crowd.ask(), crowd.ask()];
        for one in [&mut first, &mut second] {
            one.now_or_never().unwrap();
        }
        assert!((&mut third).now_or_never().is_none());
    }

    #[test]
    fn nobody_else_leaves_before_the_room_that_one_left_is_taken() {
        let crowd = Arc::<Crowd>::default();
        let mut first = idler(&crowd);
        let _asker = crowd.ask();
        (&mut first).now_or_never().unwrap();
        drop(first);
        // These are quiet for as long as the first.
        for _ in 0..100 {
            assert!(Arc::clone(&crowd).asked_to_leave().now_or_never().is_none());
        }
    }

    #[test]
    fn what_is_asked_while_nobody_idles_is_heard_by_those_who_do_later() {
        let crowd = Arc::<Crowd>::default();
        let _askers = [crowd.ask(), crowd.ask()];
        let leaves = || Arc::clone(&crowd).asked_to_leave().now_or_never();
        assert_eq!([leaves(), leaves(), leaves()], [Some(()), Some(()), None]);
    }

    #[test]
    fn nobody_leaves_for_what_is_not_wanted_any_more() {
        let crowd = Arc::<Crowd>::default();
        drop(crowd.ask());
        let mut late = idler(&crowd);
        drop(crowd.ask());
        assert!((&mut late).now_or_never().is_none());
        let _asker = crowd.ask();
        assert!((&mut late).now_or_never().is_some());
    }

    #[test]
    fn question_of_one_is_left_when_another_has_room() {
        let crowd = Arc::<Crowd>::default();
        let mut second = idler(&crowd);
        let (asker, other) = (crowd.ask(), crowd.ask());
        assert!(Arc::clone(&crowd).asked_to_leave().now_or_never().is_some());
        // Of two questions one was taken, and one of the two has its room.
        drop(other);
        assert!((&mut second).now_or_never().is_some());
        drop(asker);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stays_after_all_is_passed_over_for_the_next() {
        let crowd = Arc::<Crowd>::default();
        let (staying, next) = (idler(&crowd), idler(&crowd));
        let (leave, room) = tokio::sync::oneshot::channel::<()>();
        let asking = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { crowd.make_room(room).await }
        });
        staying.await;
        let begun = Instant::now();
        next.await;
        assert_eq!(begun.elapsed(), AGAIN);
        leave.send(()).unwrap();
        asking.await.unwrap().unwrap();
        assert_eq!(begun.elapsed(), AGAIN);
    }
}
