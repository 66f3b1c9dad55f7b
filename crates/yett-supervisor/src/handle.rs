//! The handle: what the program and the edge may ask of a running supervisor.
//!
//! No call blocks, waits for the loop or is lost. There is no queue that could be full: each kind of
//! call only sets a mark that the loop picks up, so a thousand `worker_stuck` for one worker are
//! one. The marks are bounded by the workers that are attached, and the reloads that wait for an
//! answer by 32.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::ids::WorkerId;
use crate::machine::{Event, Ticket};
use crate::outcome::{ReloadError, Reloaded};
use crate::status::Status;

/// Reloads that may wait for their answer at the same time.
const MAX_WAITING: usize = 32;

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopMode {
    /// Workers finish their requests.
    Graceful {
        /// For at most so long. What is still streamed is cut as long before as at a reload, which is
        /// at once when no more than that is left.
        within: Duration,
    },
    /// Everything is killed at once.
    Quick,
}

/// A handle to the supervisor; clones are cheap and all mean the same one.
#[derive(Clone, Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
}

/// The loop's end of the handle: [`run`](fn@crate::run) takes it. When it is dropped, everyone who
/// still waits for a reload is told that the server is stopping.
#[derive(Debug)]
pub struct Inbox {
    shared: Arc<Shared>,
}

/// The answer to [`Supervisor::reload`], which was asked for already. Dropping it changes nothing.
#[derive(Debug)]
pub struct ReloadAnswer(Waiting);

#[derive(Debug)]
enum Waiting {
    Refused(ReloadError),
    For(oneshot::Receiver<Result<Reloaded, ReloadError>>),
}

#[derive(Debug)]
struct Shared {
    post: Mutex<Post>,
    news: Notify,
    picture: Mutex<Picture>,
}

#[derive(Debug, Default)]
struct Post {
    closed: bool,
    refuse_reloads: bool,
    stop: Option<StopMode>,
    /// Workers asked for minus workers asked away since the loop last looked.
    difference: i32,
    last_ticket: u64,
    fresh: Vec<Ticket>,
    waiting: BTreeMap<Ticket, oneshot::Sender<Result<Reloaded, ReloadError>>>,
    /// Exactly the attached workers.
    workers: BTreeMap<WorkerId, Marks>,
}

/// What the edge said about one worker since the loop last looked.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    ready: bool,
    spent: bool,
    hampered: bool,
    stuck: bool,
    link_lost: bool,
}

#[derive(Debug)]
struct Picture {
    taken: Instant,
    status: Status,
}

impl Supervisor {
    /// A handle, and the inbox to give to [`run`](fn@crate::run). What is asked before that waits.
    pub fn new() -> (Self, Inbox) {
        let picture = Picture {
            taken: Instant::now(),
            status: Status::default(),
        };
        let shared = Arc::new(Shared {
            post: Mutex::default(),
            news: Notify::new(),
            picture: Mutex::new(picture),
        });
        let inbox = Inbox {
            shared: Arc::clone(&shared),
        };
        (Self { shared }, inbox)
    }

    /// Asks for a new release. While one is being started, this one is remembered and started
    /// afterwards; several that are remembered become one, and all who asked get its answer.
    pub fn reload(&self) -> ReloadAnswer {
        let mut post = lock(&self.shared.post);
        if post.closed {
            return ReloadAnswer(Waiting::Refused(ReloadError::Stopping));
        }
        if post.waiting.len() >= MAX_WAITING {
            return ReloadAnswer(Waiting::Refused(ReloadError::Busy));
        }
        let (answer, question) = oneshot::channel();
        post.last_ticket += 1;
        let ticket = Ticket(post.last_ticket);
        post.fresh.push(ticket);
        post.waiting.insert(ticket, answer);
        drop(post);
        self.shared.news.notify_one();
        ReloadAnswer(Waiting::For(question))
    }

    /// Refuses reloads from here on, and gives up the one in progress: a stop will follow when clients have
    /// had their time. What serves goes on, and workers that die are replaced.
    pub fn refuse_reloads(&self) {
        self.tell(|post| post.refuse_reloads = true);
    }

    /// Stops everything; [`run`](fn@crate::run) returns when it is done. A quick stop overrules a
    /// graceful one that has begun, never the other way round.
    pub fn stop(&self, mode: StopMode) {
        self.tell(|post| post.stop = post.stop.max(Some(mode)));
    }

    /// One worker more, up to [`MAX_WORKERS`](crate::MAX_WORKERS).
    pub fn add_worker(&self) {
        self.tell(|post| post.difference = post.difference.saturating_add(1));
    }

    /// One worker less, down to one.
    pub fn remove_worker(&self) {
        self.tell(|post| post.difference = post.difference.saturating_sub(1));
    }

    /// How things stood when the loop last did something; ages and memory are as of now. Reads a
    /// small file of `/proc` for each worker.
    pub fn status(&self) -> Status {
        let picture = lock(&self.shared.picture);
        let since = u64::try_from(picture.taken.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = picture.status.clone();
        drop(picture);
        status.aged(since).weighed()
    }

    /// The worker's READY frame arrived.
    pub fn worker_ready(&self, worker: WorkerId) {
        self.mark(worker, |marks| marks.ready = true);
    }

    /// One of the worker's requests went over its time limit. The worker is made to print its
    /// traceback, dies and is replaced.
    pub fn worker_stuck(&self, worker: WorkerId) {
        self.mark(worker, |marks| marks.stuck = true);
    }

    /// One of the worker's requests went over its time limit while others go on. The worker is replaced
    /// as one that is spent.
    pub fn worker_hampered(&self, worker: WorkerId) {
        self.mark(worker, |marks| marks.hampered = true);
    }

    /// The worker has run as many requests as it should. It goes on until its replacement is ready, then
    /// it is drained.
    pub fn worker_spent(&self, worker: WorkerId) {
        self.mark(worker, |marks| marks.spent = true);
    }

    /// The link ended or broke. Harmless to say of a worker that is leaving anyway.
    pub fn link_lost(&self, worker: WorkerId) {
        self.mark(worker, |marks| marks.link_lost = true);
    }

    fn tell(&self, change: impl FnOnce(&mut Post)) {
        change(&mut lock(&self.shared.post));
        self.shared.news.notify_one();
    }

    /// Says nothing about a worker that is not attached: it is gone, and nobody needs to know.
    fn mark(&self, worker: WorkerId, change: impl FnOnce(&mut Marks)) {
        let mut post = lock(&self.shared.post);
        let Some(marks) = post.workers.get_mut(&worker) else {
            return;
        };
        change(marks);
        drop(post);
        self.shared.news.notify_one();
    }
}

impl ReloadAnswer {
    /// Waits until the release serves or has failed.
    pub async fn wait(self) -> Result<Reloaded, ReloadError> {
        match self.0 {
            Waiting::Refused(error) => Err(error),
            Waiting::For(question) => question.await.unwrap_or(Err(ReloadError::Stopping)),
        }
    }
}

impl Inbox {
    /// Returns when something may have been asked since the last [`take`](Self::take).
    pub(crate) async fn changed(&self) {
        self.shared.news.notified().await;
    }

    /// Everything that was asked since the last time. What is said of workers comes first, and of
    /// each worker in the order of a worker's life.
    pub(crate) fn take(&self) -> Vec<Event> {
        let mut post = lock(&self.shared.post);
        let mut events = Vec::new();
        for (&worker, marks) in &mut post.workers {
            let marks = std::mem::take(marks);
            let said = [
                (marks.ready, Event::Ready { worker }),
                (marks.spent, Event::Spent { worker }),
                (marks.hampered, Event::Hampered { worker }),
                (marks.stuck, Event::Stuck { worker }),
                (marks.link_lost, Event::LinkLost { worker }),
            ];
            events.extend(
                said.into_iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, event)| event),
            );
        }
        match std::mem::take(&mut post.difference) {
            0 => {}
            difference => events.push(Event::ChangeWorkers { difference }),
        }
        events.extend(post.fresh.drain(..).map(|ticket| Event::Reload { ticket }));
        events.extend(std::mem::take(&mut post.refuse_reloads).then_some(Event::RefuseReloads));
        events.extend(post.stop.take().map(|mode| Event::Stop { mode }));
        events
    }

    pub(crate) fn answer(&self, ticket: Ticket, outcome: Result<Reloaded, ReloadError>) {
        if let Some(answer) = lock(&self.shared.post).waiting.remove(&ticket) {
            // Who asked may have stopped waiting.
            let _ = answer.send(outcome);
        }
    }

    pub(crate) fn attached(&self, worker: WorkerId) {
        lock(&self.shared.post)
            .workers
            .insert(worker, Marks::default());
    }

    /// Whether it was attached.
    pub(crate) fn detached(&self, worker: WorkerId) -> bool {
        lock(&self.shared.post).workers.remove(&worker).is_some()
    }

    pub(crate) fn publish(&self, status: Status) {
        *lock(&self.shared.picture) = Picture {
            taken: Instant::now(),
            status,
        };
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut post = lock(&self.shared.post);
        post.closed = true;
        post.fresh.clear();
        post.waiting.clear();
        post.workers.clear();
    }
}

/// What a mutex guards here is whole between any two statements, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerId = WorkerId::new(7);

    fn watched() -> (Supervisor, Inbox) {
        let (supervisor, inbox) = Supervisor::new();
        inbox.attached(WORKER);
        (supervisor, inbox)
    }

    #[test]
    fn what_is_said_twice_is_heard_once_and_in_the_order_of_a_life() {
        let (supervisor, inbox) = watched();
        for _ in 0..1_000 {
            supervisor.link_lost(WORKER);
            supervisor.worker_stuck(WORKER);
            supervisor.worker_spent(WORKER);
            supervisor.worker_ready(WORKER);
        }
        let worker = WORKER;
        let life = [
            Event::Ready { worker },
            Event::Spent { worker },
            Event::Stuck { worker },
            Event::LinkLost { worker },
        ];
        assert_eq!(inbox.take(), life);
        assert_eq!(inbox.take(), []);
    }

    #[test]
    fn nothing_is_kept_of_a_worker_that_is_not_attached() {
        let (supervisor, inbox) = watched();
        supervisor.worker_ready(WorkerId::new(8));
        supervisor.worker_ready(WORKER);
        assert!(inbox.detached(WORKER) && !inbox.detached(WORKER));
        supervisor.link_lost(WORKER);
        assert_eq!(inbox.take(), []);
    }

    #[test]
    fn workers_asked_for_and_asked_away_add_up() {
        let (supervisor, inbox) = watched();
        supervisor.add_worker();
        supervisor.add_worker();
        supervisor.remove_worker();
        assert_eq!(inbox.take(), [Event::ChangeWorkers { difference: 1 }]);
        supervisor.add_worker();
        supervisor.remove_worker();
        assert_eq!(inbox.take(), []);
    }

    #[test]
    fn quick_stop_wins_whichever_came_last() {
        let (supervisor, inbox) = watched();
        supervisor.stop(StopMode::Quick);
        let within = Duration::from_secs(30);
        supervisor.stop(StopMode::Graceful { within });
        let mode = StopMode::Quick;
        assert_eq!(inbox.take(), [Event::Stop { mode }]);
    }

    #[tokio::test]
    async fn one_reload_too_many_is_refused_and_asks_for_nothing() {
        let (supervisor, inbox) = watched();
        let answers: Vec<ReloadAnswer> = (0..MAX_WAITING).map(|_| supervisor.reload()).collect();
        assert_eq!(supervisor.reload().wait().await, Err(ReloadError::Busy));
        assert_eq!(inbox.take().len(), MAX_WAITING);
        // Looking does not make room, an answer does.
        assert_eq!(supervisor.reload().wait().await, Err(ReloadError::Busy));
        inbox.answer(Ticket(1), Err(ReloadError::Stopping));
        let late = supervisor.reload();
        drop(inbox);
        for answer in answers.into_iter().chain([late]) {
            assert_eq!(answer.wait().await, Err(ReloadError::Stopping));
        }
    }

    #[tokio::test]
    async fn what_is_asked_before_the_loop_looks_wakes_it() {
        let (supervisor, inbox) = watched();
        supervisor.add_worker();
        inbox.changed().await;
        assert_eq!(inbox.take().len(), 1);
    }

    #[test]
    fn status_before_the_loop_is_empty() {
        let (supervisor, _inbox) = watched();
        assert_eq!(supervisor.status(), Status::default());
    }
}
