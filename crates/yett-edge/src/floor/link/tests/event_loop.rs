//! Workers with an event loop: how many requests they get, and when a request or the loop is given
//! up.

use super::*;
use crate::floor::{Comes, Runs, WorkerKind};

fn looped(capacity: usize) -> (Arc<Floor>, Told) {
    let (floor, told) = floor(EdgeSettings {
        request_timeout: Some(seconds(10)),
        ..EdgeSettings::default()
    });
    let kind = WorkerKind {
        runs: Runs::EventLoop,
        capacity,
    };
    floor.describe(1, kind);
    (floor, told)
}

/// Answers every ping that has come.
async fn answer_pings(worker: &mut FakeWorker) -> usize {
    let mut pings = 0;
    while !worker.hears_nothing().await {
        let frame = worker.next().await.unwrap();
        if frame.kind == Kind::Ping {
            pings += 1;
            worker.send(Kind::Pong, 0, 0, b"").await;
        }
    }
    pings
}

#[tokio::test(start_paused = true)]
async fn loop_gets_as_many_requests_as_its_generation_says() {
    let _clock = Clock::hold();
    let (floor, _) = looped(3);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _all = [ask(&floor).await, ask(&floor).await, ask(&floor).await];
    for _ in 0..3 {
        worker.request().await;
    }
    assert_eq!(floor.load(), (0, 3));
    // A generation of which nothing is said has the settings' one thread.
    floor.activate(2);
    let _other = FakeWorker::of_generation(&floor, 2, 2).await;
    let _one = ask(&floor).await;
    let waits = tokio::spawn({
        let floor = Arc::clone(&floor);
        async move {
            let place = floor.arrive();
            let acquired = floor.acquire_as(place, Comes::Back, seconds(0)).await;
            acquired.is_ok()
        }
    });
    settle().await;
    assert_eq!(floor.load(), (1, 4));
    waits.abort();
}

#[tokio::test(start_paused = true)]
async fn overdue_request_is_given_up_alone_and_its_worker_goes_on() {
    let clock = Clock::hold();
    let (floor, told) = looped(2);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    for _ in 0..11 {
        clock.pass(seconds(1)).await;
        if worker.hears_nothing().await {
            continue;
        }
        let frame = worker.next().await.unwrap();
        match frame.kind {
            Kind::Ping => worker.send(Kind::Pong, 0, 0, b"").await,
            kind => assert_eq!((kind, frame.exchange.get()), (Kind::Cancel, id)),
        }
    }
    assert_eq!(
        soon(exchange.head_or_lost()).await.err(),
        Some(Lost::Timeout)
    );
    drop(exchange);
    for _ in 0..40 {
        clock.pass(seconds(1)).await;
        answer_pings(&mut worker).await;
    }
    assert_eq!(told.count("stuck 1"), 0);
    assert_eq!(floor.load(), (0, 1), "the application has not ended it");
    worker.send(Kind::Failed, 0, id, b"").await;
    settle().await;
    assert_eq!(floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn answer_that_has_begun_may_take_as_long_as_it_likes() {
    let clock = Clock::hold();
    let (floor, told) = looped(2);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    for _ in 0..60 {
        clock.pass(seconds(1)).await;
        answer_pings(&mut worker).await;
    }
    worker.chunk(id, b"at last", LAST).await;
    assert_eq!(
        piece(&mut exchange, &mut pieces).await,
        Some(Ok(Bytes::from("at last")))
    );
    assert_eq!(told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn loop_that_answers_no_ping_is_stuck() {
    let clock = Clock::hold();
    let (floor, told) = looped(2);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _exchange = ask(&floor).await;
    worker.request().await;
    clock.pass(seconds(1)).await;
    worker.expect(Kind::Ping).await;
    clock.pass(seconds(9)).await;
    assert_eq!(told.count("stuck 1"), 0);
    clock.pass(seconds(2)).await;
    assert!(told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn cut_worker_is_rid_of_its_streams_so_that_it_can_stop_in_order() {
    let clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let kind = WorkerKind {
        runs: Runs::EventLoop,
        capacity: 2,
    };
    floor.describe(1, kind);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    clock.pass(seconds(100)).await;
    floor.drain(1);
    assert!(worker.hears_nothing().await);
    floor.cut(1);
    assert_eq!(worker.expect(Kind::Cancel).await.exchange.get(), id);
    assert_eq!(
        piece(&mut exchange, &mut pieces).await,
        Some(Err(Lost::Worker { begun: true }))
    );
    // Also to those that do not listen.
    assert_eq!(worker.expect(Kind::Drain).await.flags, CUT_SHORT);
    worker.send(Kind::Failed, 0, id, b"").await;
    assert_eq!(worker.expect(Kind::Drain).await.flags, 0);
}

#[tokio::test(start_paused = true)]
async fn loop_with_nothing_to_do_is_not_woken() {
    let clock = Clock::hold();
    let (floor, told) = looped(2);
    let mut worker = FakeWorker::ready(&floor, 1).await;
    for _ in 0..30 {
        clock.pass(seconds(1)).await;
    }
    assert!(worker.hears_nothing().await);
    assert_eq!(told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn worker_with_threads_that_answers_a_ping_loses_its_link() {
    let _clock = Clock::hold();
    let (_floor, told, worker, _, _exchange) = asked().await;
    worker.send(Kind::Pong, 0, 0, b"").await;
    settle().await;
    assert_eq!(told.count("lost 1"), 1);
}
