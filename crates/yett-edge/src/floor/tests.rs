//! Who gets a request, who waits, and who is turned away; workers that come and go.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use yett_link::frame::{Kind, LAST};

use super::{Carrier, Floor, Lost, NoHead, QueueError, Ticket};
use crate::settings::EdgeSettings;
use crate::testing::{Clock, FakeWorker, ask, floor, seconds, settle, soon, ticket};

mod ahead;
mod taken_back;

type Waited = Result<(Ticket, Duration), QueueError>;

/// A request that waits in the queue.
async fn waiting(floor: &Arc<Floor>) -> JoinHandle<Waited> {
    let floor = Arc::clone(floor);
    let waiter = tokio::spawn(async move { floor.acquire().await });
    settle().await;
    waiter
}

async fn outcome(waiter: JoinHandle<Waited>) -> Result<u32, QueueError> {
    let waited = soon(waiter).await.unwrap();
    waited.map(|(ticket, _)| ticket.worker())
}

fn threads(worker_threads: usize) -> EdgeSettings {
    EdgeSettings {
        worker_threads,
        // Over a socket nothing is sent ahead; what rings change is in `tests/ahead.rs`.
        carrier: Carrier::Socket,
        ..EdgeSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn request_goes_to_the_worker_with_the_fewest_in_flight() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(3));
    let _one = FakeWorker::ready(&floor, 1).await;
    let _two = FakeWorker::ready(&floor, 2).await;
    let first = ticket(&floor).await;
    let second = ticket(&floor).await;
    assert_ne!(first.worker(), second.worker());
    let third = ticket(&floor).await;
    let fourth = ticket(&floor).await;
    assert_ne!(third.worker(), fourth.worker());
    let freed = third.worker();
    drop(third);
    // The other worker holds two, this one one.
    assert_eq!(ticket(&floor).await.worker(), freed);
}

#[tokio::test(start_paused = true)]
async fn worker_never_gets_more_than_its_threads() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(2));
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _first = ask(&floor).await;
    let _second = ask(&floor).await;
    let third = waiting(&floor).await;
    let id = worker.request().await;
    worker.request().await;
    assert!(worker.hears_nothing().await);
    assert_eq!(floor.load(), (1, 2));
    worker.answer(id, "").await;
    assert_eq!(outcome(third).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn request_waits_until_a_worker_of_the_active_generation_is_ready() {
    let _clock = Clock::hold();
    let (floor, told) = floor(threads(1));
    let waiter = waiting(&floor).await;
    let _next = FakeWorker::of_generation(&floor, 1, 2).await;
    let starting = FakeWorker::starting(&floor, 2, 1);
    settle().await;
    assert!(!waiter.is_finished());
    starting.send(Kind::Ready, 0, 0, b"").await;
    assert_eq!(outcome(waiter).await, Ok(2));
    assert_eq!((told.count("ready 1"), told.count("ready 2")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn queue_is_first_come_first_served() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(1));
    let _worker = FakeWorker::ready(&floor, 1).await;
    let mut holder = ticket(&floor).await;
    let mut waiters = Vec::new();
    for _ in 0..5 {
        waiters.push(waiting(&floor).await);
    }
    while !waiters.is_empty() {
        drop(holder);
        settle().await;
        let served: Vec<bool> = waiters.iter().map(JoinHandle::is_finished).collect();
        assert_eq!(served.iter().filter(|served| **served).count(), 1);
        assert_eq!(served.first(), Some(&true));
        let first = waiters.remove(0);
        holder = soon(first).await.unwrap().unwrap().0;
    }
}

#[tokio::test(start_paused = true)]
async fn full_queue_refuses_at_once_and_who_left_makes_room() {
    let _clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        max_queue: 2,
        ..threads(1)
    });
    let first = waiting(&floor).await;
    let second = waiting(&floor).await;
    assert_eq!(outcome(waiting(&floor).await).await, Err(QueueError::Full));
    first.abort();
    settle().await;
    assert_eq!(floor.load().0, 1, "who left does not wait");
    let third = waiting(&floor).await;
    assert_eq!(outcome(waiting(&floor).await).await, Err(QueueError::Full));
    let _one = FakeWorker::ready(&floor, 1).await;
    assert_eq!(outcome(second).await, Ok(1));
    assert_eq!(outcome(third).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn request_that_waited_too_long_is_refused_at_its_time() {
    let clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        queue_timeout: seconds(5),
        ..threads(1)
    });
    let waiter = waiting(&floor).await;
    clock.pass(Duration::from_millis(4_990)).await;
    assert!(!waiter.is_finished());
    clock.pass(Duration::from_millis(20)).await;
    assert_eq!(outcome(waiter).await, Err(QueueError::TooOld));
    assert_eq!(floor.load().0, 0);
}

#[tokio::test(start_paused = true)]
async fn wait_is_measured() {
    let clock = Clock::hold();
    let (floor, _) = floor(threads(1));
    let waiter = waiting(&floor).await;
    clock.pass(seconds(2)).await;
    let _worker = FakeWorker::ready(&floor, 1).await;
    let (_ticket, waited) = soon(waiter).await.unwrap().unwrap();
    assert_eq!(waited, seconds(2));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_with_a_ticket_gives_the_place_back() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(1));
    let _worker = FakeWorker::ready(&floor, 1).await;
    let holder = ticket(&floor).await;
    let leaving = waiting(&floor).await;
    let staying = waiting(&floor).await;
    // The ticket is on its way to the first when that one leaves.
    drop(holder);
    leaving.abort();
    assert_eq!(outcome(staying).await, Ok(1));
    settle().await;
    assert_eq!(floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn draining_worker_gets_nothing_new_and_leaves_after_its_last_response() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(2));
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let (mut first, mut second) = (ask(&floor).await, ask(&floor).await);
    let (one, two) = (worker.request().await, worker.request().await);
    floor.drain(1);
    let waiter = waiting(&floor).await;
    worker.answer(one, "1").await;
    assert_eq!(soon(first.head_or_lost()).await.ok().unwrap().first, "1");
    assert!(
        worker.hears_nothing().await,
        "one response is still to come"
    );
    worker.head(two, "200", &[], b"2", 0).await;
    assert_eq!(soon(second.head_or_lost()).await.ok().unwrap().first, "2");
    assert!(worker.hears_nothing().await, "its body is still to come");
    worker.chunk(two, b"", LAST).await;
    worker.expect(Kind::Drain).await;
    assert!(worker.hears_nothing().await);
    assert!(!waiter.is_finished());
}

#[tokio::test(start_paused = true)]
async fn idle_worker_is_told_to_leave_at_once() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(1));
    let mut worker = FakeWorker::ready(&floor, 1).await;
    floor.drain(1);
    worker.expect(Kind::Drain).await;
}

#[tokio::test(start_paused = true)]
async fn activation_moves_traffic_and_what_runs_ends_where_it_is() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(2));
    let mut old = FakeWorker::ready(&floor, 1).await;
    let mut running = ask(&floor).await;
    let id = old.request().await;
    let _new = FakeWorker::of_generation(&floor, 2, 2).await;
    assert_eq!(ticket(&floor).await.worker(), 1, "not active yet");
    floor.activate(2);
    assert_eq!(ticket(&floor).await.worker(), 2);
    assert!(old.hears_nothing().await, "nobody told it to stop");
    old.answer(id, "old").await;
    assert_eq!(
        soon(running.head_or_lost()).await.ok().unwrap().first,
        "old"
    );
    settle().await;
    assert_eq!(floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn activation_serves_those_who_wait() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(1));
    let _next = FakeWorker::of_generation(&floor, 7, 2).await;
    let waiter = waiting(&floor).await;
    floor.activate(2);
    assert_eq!(outcome(waiter).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn detaching_fails_the_exchanges_of_the_worker() {
    let _clock = Clock::hold();
    let (floor, _) = floor(threads(2));
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let (mut begun, mut waiting) = (ask(&floor).await, ask(&floor).await);
    let id = worker.request().await;
    assert!(worker.begin(id).await);
    settle().await;
    floor.detach(1);
    let lost = |begun| Some(Lost::Worker { begun });
    assert_eq!(soon(begun.head_or_lost()).await.err(), lost(true));
    assert_eq!(soon(waiting.head_or_lost()).await.err(), lost(false));
    assert_eq!(floor.load(), (0, 0));
    worker.request().await;
    assert!(worker.next().await.is_none(), "the link is closed");
}

#[tokio::test(start_paused = true)]
async fn worker_is_spent_exactly_once() {
    let _clock = Clock::hold();
    let (floor, told) = floor(EdgeSettings {
        max_requests: Some(3),
        ..threads(1)
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    for (requests, spent) in [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1)] {
        let _exchange = ask(&floor).await;
        let id = worker.request().await;
        worker.answer(id, "").await;
        settle().await;
        assert_eq!(told.count("spent 1"), spent, "after {requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_is_taken_back_counts_for_who_begins_it() {
    let _clock = Clock::hold();
    let (floor, told) = floor(EdgeSettings {
        max_requests: Some(2),
        carrier: Carrier::Rings,
        ..threads(1)
    });
    let mut slow = FakeWorker::ready(&floor, 1).await;
    let (_begun, mut ahead) = (ask(&floor).await, ask(&floor).await);
    let one = slow.request().await;
    let _free = FakeWorker::ready(&floor, 2).await;
    assert!(matches!(
        soon(ahead.head()).await,
        Err(NoHead::Moved(Some(_)))
    ));
    slow.answer(one, "").await;
    settle().await;
    assert_eq!(told.count("spent 1"), 0, "it has begun one");
    floor.detach(2);
    let _next = ask(&floor).await;
    slow.unbegun_request().await;
    let two = slow.request().await;
    slow.answer(two, "").await;
    settle().await;
    assert_eq!(told.count("spent 1"), 1);
}

#[tokio::test(start_paused = true)]
async fn jitter_stays_in_its_bounds_and_spreads() {
    let _clock = Clock::hold();
    for (limit, jitter) in [(10, 0), (10, 5), (1, 100), (7, u64::MAX), (u64::MAX, 3)] {
        let (floor, _) = floor(EdgeSettings {
            max_requests: Some(limit),
            max_requests_jitter: jitter,
            ..threads(1)
        });
        let mut workers = Vec::new();
        for number in 0..40 {
            workers.push(FakeWorker::starting(&floor, number, 1));
        }
        let limits: Vec<u64> = floor
            .state()
            .seats
            .iter()
            .filter_map(|seat| seat.limit)
            .collect();
        let most = limit.saturating_add(jitter);
        assert!(
            limits.iter().all(|spread| (limit..=most).contains(spread)),
            "{limits:?}"
        );
        let mut different = limits;
        different.sort_unstable();
        different.dedup();
        assert!(jitter < 5 || different.len() > 4, "{different:?}");
    }
}
