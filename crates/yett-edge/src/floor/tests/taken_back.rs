//! What becomes of a request that was taken back: its place, its wait, and what its worker may still do.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use yett_link::frame::Kind;

use super::{Waited, outcome, waiting};
use crate::floor::{Comes, Floor, Lost, NoHead, Place, QueueError, Runs, WorkerKind};
use crate::settings::EdgeSettings;
use crate::testing::{Clock, FakeWorker, ask, floor, open, seconds, settle, soon, ticket};

fn rings() -> EdgeSettings {
    EdgeSettings {
        worker_threads: 1,
        carrier: crate::floor::Carrier::Rings,
        queue_timeout: seconds(5),
        request_timeout: Some(seconds(10)),
        ..EdgeSettings::default()
    }
}

/// A request that comes back to the queue.
async fn coming_back(floor: &Arc<Floor>, place: Place, already: Duration) -> JoinHandle<Waited> {
    let floor = Arc::clone(floor);
    let waiter = tokio::spawn(async move { floor.acquire_as(place, Comes::Back, already).await });
    settle().await;
    waiter
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_back_stand_in_the_order_in_which_they_came() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let (first, second, third) = (floor.arrive(), floor.arrive(), floor.arrive());
    let fourth = waiting(&floor).await;
    let mut waiters = Vec::new();
    for place in [second, third, first] {
        waiters.push(coming_back(&floor, place, Duration::ZERO).await);
    }
    waiters.rotate_right(1);
    waiters.push(fourth);
    let _worker = FakeWorker::ready(&floor, 1).await;
    for waiter in waiters {
        settle().await;
        assert!(waiter.is_finished());
        assert_eq!(outcome(waiter).await, Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_comes_back_goes_on_waiting_where_it_was() {
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let waiter = coming_back(&floor, floor.arrive(), seconds(4)).await;
    clock.pass(Duration::from_millis(900)).await;
    assert!(!waiter.is_finished());
    clock.pass(Duration::from_millis(200)).await;
    assert_eq!(outcome(waiter).await, Err(QueueError::TooOld));
}

#[tokio::test(start_paused = true)]
async fn request_that_came_back_is_never_refused_for_a_full_queue() {
    let _clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        max_queue: 1,
        ..rings()
    });
    let place = floor.arrive();
    let _fills = waiting(&floor).await;
    let back = coming_back(&floor, place, Duration::ZERO).await;
    let _worker = FakeWorker::ready(&floor, 1).await;
    assert_eq!(outcome(back).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn free_worker_helps_whoever_has_something_not_begun_not_only_the_fullest() {
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut full = FakeWorker::ready(&floor, 1).await;
    full.says_it_works(Duration::from_micros(5));
    for _ in 0..3 {
        std::mem::forget(ask(&floor).await);
        full.request().await;
    }
    // It is late by now, and gets nothing more.
    clock.pass(seconds(1)).await;
    let mut other = FakeWorker::ready(&floor, 2).await;
    let (_begun, mut ahead) = (ask(&floor).await, ask(&floor).await);
    other.request().await;
    let two = other.unbegun_request().await;
    let _free = FakeWorker::ready(&floor, 3).await;
    let Err(NoHead::Moved(Some(ticket))) = soon(ahead.head()).await else {
        panic!("it was not moved")
    };
    assert_eq!(ticket.worker(), 3);
    assert!(!other.begin(two).await);
}

#[tokio::test(start_paused = true)]
async fn request_whose_client_leaves_is_withdrawn_also_from_a_worker_that_does_nothing() {
    let clock = Clock::hold();
    let (floor, told) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    drop(ask(&floor).await);
    assert_eq!(floor.load(), (0, 0));
    for _ in 0..9 {
        clock.pass(seconds(1)).await;
    }
    assert_eq!(told.count("stuck 1"), 0);
    for _ in 0..3 {
        clock.pass(seconds(1)).await;
    }
    assert!(
        told.count("stuck 1") > 0,
        "it takes nothing out of its ring"
    );
    let id = worker.unbegun_request().await;
    assert!(!worker.begin(id).await);
}

#[tokio::test(start_paused = true)]
async fn worker_that_read_over_a_withdrawn_request_is_not_stuck() {
    let clock = Clock::hold();
    let (floor, told) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let exchange = ask(&floor).await;
    worker.unbegun_request().await;
    drop(exchange);
    for _ in 0..30 {
        clock.pass(seconds(1)).await;
    }
    assert_eq!(told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn worker_that_leaves_a_late_word_unread_is_not_stuck() {
    let clock = Clock::hold();
    let (floor, told) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"first", 0).await;
    assert!(soon(exchange.head_or_lost()).await.is_ok());
    // Its `Cancel` lies there while the worker is at something after the answer's end.
    drop(exchange);
    worker.send(Kind::Failed, 0, id, b"").await;
    for _ in 0..30 {
        clock.pass(seconds(1)).await;
    }
    assert_eq!(floor.load(), (0, 0));
    assert_eq!(told.count("stuck 1"), 0);
    worker.expect(Kind::Cancel).await;
}

#[tokio::test(start_paused = true)]
async fn request_that_a_stuck_worker_has_not_begun_goes_elsewhere() {
    let clock = Clock::hold();
    for runs in [Runs::Threads, Runs::EventLoop] {
        let (floor, told) = floor(rings());
        floor.describe(1, WorkerKind { runs, capacity: 1 });
        let mut worker = FakeWorker::ready(&floor, 1).await;
        let mut exchange = ask(&floor).await;
        for _ in 0..13 {
            clock.pass(seconds(1)).await;
        }
        assert!(told.count("stuck 1") > 0);
        assert!(matches!(
            soon(exchange.head()).await,
            Err(NoHead::Moved(None))
        ));
        let id = worker.unbegun_request().await;
        assert!(!worker.begin(id).await);
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_a_frozen_worker_leaves_lying_goes_to_one_that_is_free() {
    let clock = Clock::hold();
    for runs in [Runs::Threads, Runs::EventLoop] {
        let (floor, told) = floor(rings());
        floor.describe(1, WorkerKind { runs, capacity: 4 });
        let mut frozen = FakeWorker::ready(&floor, 1).await;
        let mut exchange = ask(&floor).await;
        let _free = FakeWorker::ready(&floor, 2).await;
        for _ in 0..2 {
            clock.pass(seconds(1)).await;
        }
        assert!(matches!(
            soon(exchange.head()).await,
            Err(NoHead::Moved(None))
        ));
        // It has had fewer than the other one, and gets nothing all the same.
        let (next, _) = floor.acquire().await.unwrap();
        assert_eq!(next.worker(), 2);
        let id = frozen.unbegun_request().await;
        assert!(!frozen.begin(id).await);
        // It has read over all that lay there, so it listens again.
        let _rest = frozen.hears_nothing().await;
        clock.pass(seconds(1)).await;
        let (after, _) = floor.acquire().await.unwrap();
        assert_eq!(after.worker(), 1);
        assert_eq!(told.count("stuck 1"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_never_reads_what_was_taken_back_from_it_is_stuck() {
    let clock = Clock::hold();
    let (floor, told) = floor(rings());
    let _frozen = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let _free = FakeWorker::ready(&floor, 2).await;
    for _ in 0..14 {
        clock.pass(seconds(1)).await;
    }
    assert!(soon(exchange.head()).await.is_err());
    assert!(told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn only_worker_keeps_what_it_leaves_lying() {
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut slow = FakeWorker::ready(&floor, 1).await;
    let exchange = ask(&floor).await;
    for _ in 0..3 {
        clock.pass(seconds(1)).await;
    }
    let id = slow.unbegun_request().await;
    assert!(slow.begin(id).await);
    drop(exchange);
}

#[tokio::test(start_paused = true)]
async fn request_that_a_cut_worker_has_not_begun_goes_elsewhere() {
    let _clock = Clock::hold();
    for runs in [Runs::Threads, Runs::EventLoop] {
        let (floor, _) = floor(rings());
        floor.describe(1, WorkerKind { runs, capacity: 1 });
        let mut worker = FakeWorker::ready(&floor, 1).await;
        let mut exchange = ask(&floor).await;
        let id = worker.unbegun_request().await;
        floor.drain(1);
        floor.cut(1);
        assert!(matches!(
            soon(exchange.head()).await,
            Err(NoHead::Moved(None))
        ));
        assert!(!worker.begin(id).await);
        worker.expect(Kind::Drain).await;
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_loses_its_link_and_lives_cannot_begin_what_goes_elsewhere() {
    let _clock = Clock::hold();
    let (floor, told) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let (mut one, mut two) = (ask(&floor).await, ask(&floor).await);
    let begun = worker.request().await;
    let unbegun = worker.unbegun_request().await;
    worker.send(Kind::Drain, 0, 0, b"").await;
    let lost = |begun| Some(Lost::Worker { begun });
    assert_eq!(soon(one.head_or_lost()).await.err(), lost(true));
    assert_eq!(soon(two.head_or_lost()).await.err(), lost(false));
    assert_eq!(told.count("lost 1"), 1);
    assert!(worker.begin(begun).await && !worker.begin(unbegun).await);
}

#[tokio::test(start_paused = true)]
async fn clients_that_come_and_leave_do_not_fill_a_ring() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    worker.says_it_works(Duration::from_micros(5));
    std::mem::forget(ask(&floor).await);
    let running = worker.request().await;
    let mut came = 0;
    loop {
        let waiter = waiting(&floor).await;
        if !waiter.is_finished() {
            break waiter.abort();
        }
        let (ticket, _) = soon(waiter).await.unwrap().unwrap();
        drop(open(ticket, &[0; 20_000], None));
        came += 1;
        assert!(came < 10, "the ring is full");
    }
    settle().await;
    assert_eq!(floor.load(), (0, 1));
    worker.answer(running, "").await;
    settle().await;
    // Who gets the free place finds room behind what was withdrawn.
    let exchange = open(ticket(&floor).await, &[1; 20_000], None);
    for _ in 0..came {
        worker.unbegun_request().await;
    }
    worker.request().await;
    drop(exchange);
}
