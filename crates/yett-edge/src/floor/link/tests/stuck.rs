//! When a worker counts as stuck: it shows nothing for too long, and nobody but itself is to blame.

use super::*;
use crate::floor::Carrier;

#[tokio::test(start_paused = true)]
async fn overdue_exchange_times_out_and_its_worker_gets_nothing_new() {
    let clock = Clock::hold();
    let (floor, told, mut worker, id, mut exchange) = asked().await;
    clock.pass(seconds(9)).await;
    assert_eq!(told.count("stuck 1"), 0);
    clock.pass(seconds(2)).await;
    assert_eq!(
        soon(exchange.head_or_lost()).await.err(),
        Some(Lost::Timeout)
    );
    assert!(told.count("stuck 1") > 0);
    assert_eq!(floor.load(), (0, 1), "the worker still runs it");
    worker.answer(id, "late").await;
    worker.expect(Kind::Drain).await;
    assert_eq!(floor.load(), (0, 0));
    assert_eq!(told.count("lost 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn every_sign_of_life_counts_anew() {
    let clock = Clock::hold();
    let (_floor, told, worker, id, mut exchange) = asked().await;
    if Carrier::default() == Carrier::Socket {
        // Over rings the worker begins without a word.
        clock.pass(seconds(9)).await;
        assert!(worker.begin(id).await);
    }
    clock.pass(seconds(9)).await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    clock.pass(seconds(9)).await;
    worker.chunk(id, b"x", 0).await;
    piece(&mut exchange, &mut pieces).await.unwrap().unwrap();
    assert_eq!(told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn worker_that_stops_in_the_middle_of_its_answer_is_stuck() {
    let clock = Clock::hold();
    let (_floor, told, worker, id, mut exchange) = asked().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    clock.pass(seconds(11)).await;
    assert_eq!(
        piece(&mut exchange, &mut pieces).await,
        Some(Err(Lost::Timeout))
    );
    assert!(told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn client_that_is_slow_to_take_makes_no_worker_stuck() {
    let clock = Clock::hold();
    let (_floor, told, worker, id, mut exchange) = asked().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    worker.chunk(id, &vec![0; MAX_CHUNK], 0).await;
    for _ in 0..6 {
        clock.pass(seconds(10)).await;
    }
    assert_eq!(told.count("stuck 1"), 0);
    assert!(piece(&mut exchange, &mut pieces).await.unwrap().is_ok());
    clock.pass(seconds(9)).await;
    assert_eq!(
        told.count("stuck 1"),
        0,
        "it may go on only since the client took it"
    );
    clock.pass(seconds(2)).await;
    assert!(told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn worker_is_stuck_also_when_the_client_has_left() {
    let clock = Clock::hold();
    let (_floor, told, _worker, _, exchange) = asked().await;
    clock.pass(seconds(5)).await;
    drop(exchange);
    clock.pass(seconds(6)).await;
    assert!(told.count("stuck 1") > 0);
}

#[tokio::test(start_paused = true)]
async fn slow_client_that_leaves_does_not_make_the_worker_stuck() {
    let clock = Clock::hold();
    let (floor, told, mut worker, id, mut exchange) = asked().await;
    let pieces = streaming(&worker, id, &mut exchange).await;
    worker.chunk(id, &vec![0; MAX_CHUNK], 0).await;
    clock.pass(seconds(60)).await;
    drop((exchange, pieces));
    clock.pass(seconds(2)).await;
    assert_eq!(told.count("stuck 1"), 0, "it learns of it only now");
    worker.expect(Kind::Cancel).await;
    worker.send(Kind::Failed, 0, id, b"").await;
    clock.pass(seconds(20)).await;
    assert_eq!(told.count("stuck 1"), 0);
    assert_eq!(floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_no_worker_is_stuck() {
    let clock = Clock::hold();
    let (floor, told) = floor(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    clock.pass(seconds(1_000_000)).await;
    worker.answer(id, "at last").await;
    assert_eq!(
        soon(exchange.head_or_lost()).await.ok().unwrap().first,
        "at last"
    );
    assert_eq!(told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn stuck_thread_does_not_cost_the_others_their_requests() {
    let clock = Clock::hold();
    let (floor, told) = floor(EdgeSettings {
        request_timeout: Some(seconds(10)),
        worker_threads: 2,
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut stuck = ask(&floor).await;
    worker.request().await;
    clock.pass(seconds(6)).await;
    let mut other = ask(&floor).await;
    let other_id = worker.request().await;
    let mut pieces = streaming(&worker, other_id, &mut other).await;
    clock.pass(seconds(5)).await;
    assert_eq!(soon(stuck.head_or_lost()).await.err(), Some(Lost::Timeout));
    clock.pass(seconds(2)).await;
    assert_eq!(told.count("hampered 1"), 1, "another is to take its place");
    assert_eq!(told.count("stuck 1"), 0);
    worker.chunk(other_id, b"whole", LAST).await;
    let whole = piece(&mut other, &mut pieces).await.unwrap().unwrap();
    assert_eq!(whole, "whole");
    clock.pass(seconds(2)).await;
    assert!(told.count("stuck 1") > 0, "nothing else is left");
}
