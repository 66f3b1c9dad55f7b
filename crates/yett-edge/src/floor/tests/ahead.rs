//! What is sent ahead to a busy worker, and taken back from it.

use std::time::Duration;

use super::{outcome, waiting};
use crate::floor::{Floor, Lost, NoHead};
use crate::settings::EdgeSettings;
use crate::testing::{Clock, FakeWorker, ask, floor, settle, soon};
use std::sync::Arc;

fn rings() -> EdgeSettings {
    EdgeSettings {
        worker_threads: 1,
        carrier: crate::floor::Carrier::Rings,
        ..EdgeSettings::default()
    }
}

/// A worker that has begun one request, and has another before it.
async fn busy(floor: &Arc<Floor>) -> (FakeWorker, u64, u64) {
    let mut worker = FakeWorker::ready(floor, 1).await;
    for _ in 0..2 {
        // Their exchanges live on in the table; nobody waits for their answers here.
        std::mem::forget(ask(floor).await);
    }
    let (one, two) = (
        worker.unbegun_request().await,
        worker.unbegun_request().await,
    );
    assert!(worker.begin(one).await);
    (worker, one, two)
}

#[tokio::test(start_paused = true)]
async fn slow_worker_gets_one_request_ahead_and_the_next_waits_in_the_queue() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let (worker, one, two) = busy(&floor).await;
    let third = waiting(&floor).await;
    assert_eq!(floor.load(), (1, 2));
    worker.answer(one, "").await;
    // It takes the place ahead that the second one leaves as it is begun.
    assert_eq!(outcome(third).await, Ok(1));
    worker.answer(two, "").await;
}

#[tokio::test(start_paused = true)]
async fn request_sent_ahead_goes_to_the_worker_that_is_free_first() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut slow = FakeWorker::ready(&floor, 1).await;
    let mut exchanges = [ask(&floor).await, ask(&floor).await];
    let (one, two) = (slow.unbegun_request().await, slow.unbegun_request().await);
    assert!(slow.begin(one).await);
    let _free = FakeWorker::ready(&floor, 2).await;
    let moved = soon(exchanges[1].head()).await;
    let Err(NoHead::Moved(Some(ticket))) = moved else {
        panic!("it was not moved")
    };
    assert_eq!(ticket.worker(), 2);
    assert!(!slow.begin(two).await, "the slow worker must not begin it");
    assert_eq!(floor.load(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn begun_request_stays_where_it_is() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let (worker, _one, two) = busy(&floor).await;
    assert!(worker.begin(two).await);
    let _free = FakeWorker::ready(&floor, 2).await;
    settle().await;
    assert_eq!(floor.load(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn request_whose_client_left_is_never_begun_and_makes_room() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _running = ask(&floor).await;
    let ahead = ask(&floor).await;
    let (one, two) = (
        worker.unbegun_request().await,
        worker.unbegun_request().await,
    );
    assert!(worker.begin(one).await);
    let waiter = waiting(&floor).await;
    drop(ahead);
    assert!(!worker.begin(two).await);
    assert!(worker.hears_nothing().await, "there is nothing to cancel");
    assert_eq!(outcome(waiter).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn request_that_stands_behind_a_long_one_goes_back_into_the_queue() {
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let (_running, mut ahead) = (ask(&floor).await, ask(&floor).await);
    let (one, two) = (
        worker.unbegun_request().await,
        worker.unbegun_request().await,
    );
    assert!(worker.begin(one).await);
    clock.pass(Duration::from_secs(2)).await;
    assert!(matches!(soon(ahead.head()).await, Err(NoHead::Moved(None))));
    assert!(!worker.begin(two).await);
}

#[tokio::test(start_paused = true)]
async fn death_of_a_worker_tells_begun_from_unbegun_without_a_word() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let (mut begun, mut ahead) = (ask(&floor).await, ask(&floor).await);
    let (one, _two) = (
        worker.unbegun_request().await,
        worker.unbegun_request().await,
    );
    assert!(worker.begin(one).await);
    drop(worker);
    let lost = |begun| Some(Lost::Worker { begun });
    assert_eq!(soon(begun.head_or_lost()).await.err(), lost(true));
    assert_eq!(soon(ahead.head_or_lost()).await.err(), lost(false));
}

#[tokio::test(start_paused = true)]
async fn worker_that_says_that_it_is_fast_gets_more_ahead() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let worker = FakeWorker::ready(&floor, 1).await;
    worker.says_it_works(Duration::from_micros(5));
    for _ in 0..17 {
        std::mem::forget(ask(&floor).await);
    }
    assert_eq!(floor.load(), (0, 17));
    let over = waiting(&floor).await;
    assert!(!over.is_finished());
}

#[tokio::test(start_paused = true)]
async fn short_requests_go_to_the_worker_that_is_awake() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut awake = FakeWorker::ready(&floor, 1).await;
    let mut asleep = FakeWorker::ready(&floor, 2).await;
    for worker in [&awake, &asleep] {
        worker.says_it_works(Duration::from_micros(5));
    }
    for _ in 0..3 {
        std::mem::forget(ask(&floor).await);
    }
    for _ in 0..3 {
        awake.unbegun_request().await;
    }
    assert!(asleep.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_ahead_to_a_worker_that_is_silent_for_long() {
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _running = ask(&floor).await;
    let one = worker.unbegun_request().await;
    assert!(worker.begin(one).await);
    clock.pass(Duration::from_secs(1)).await;
    let waiter = waiting(&floor).await;
    assert_eq!(floor.load(), (1, 1));
    worker.answer(one, "").await;
    assert_eq!(outcome(waiter).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn short_answers_alone_are_looked_for_by_the_clock() {
    let short = Duration::from_micros(100);
    let clock = Clock::hold();
    let (floor, _) = floor(rings());
    let worker = FakeWorker::ready(&floor, 1).await;
    worker.says_it_works(Duration::from_millis(2));
    for _ in 0..2 {
        std::mem::forget(ask(&floor).await);
    }
    settle().await;
    // Of no answer: the edge does not look by the clock.
    assert!(!worker.may_defer(0));
    for _ in 0..100 {
        worker.says_it_works(short);
    }
    assert!(!worker.may_defer(1));
    clock.pass(Duration::from_millis(6)).await;
    assert!(worker.may_defer(1), "another stands behind it still");
    worker.says_it_works(Duration::from_millis(100));
    clock.pass(Duration::from_millis(2)).await;
    for _ in 0..100 {
        worker.says_it_works(short);
    }
    assert!(!worker.may_defer(1), "it was slow when the edge looked");
}
