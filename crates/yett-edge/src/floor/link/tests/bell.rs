//! What wakes the edge, and what it hears without: beside rings.

use super::*;
use crate::floor::rounds;

fn rings() -> EdgeSettings {
    EdgeSettings {
        carrier: Carrier::Rings,
        request_timeout: Some(seconds(10)),
        ..EdgeSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn request_whose_descriptor_finds_the_socket_full_goes_on_when_there_is_room() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let place = ticket(&floor).await;
    // As wake-ups do that a worker has not read.
    place.link.as_ref().unwrap().wire.fill_socket();
    let _exchange = open(place, b"with a body", Some(file("body")));
    settle().await;
    // Reads the socket, and nothing else happens: no tick, no bell.
    let frame = worker.expect(Kind::Request).await;
    assert!(frame.flags & DESCRIPTOR != 0);
    assert!(worker.descriptor().is_some());
}

#[tokio::test(start_paused = true)]
async fn worker_that_spoils_its_bell_is_heard_at_the_next_tick() {
    let clock = Clock::hold();
    let (floor, told) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut exchange = ask(&floor).await;
    let id = worker.request().await;
    worker.spoil_bell();
    settle().await;
    worker.answer(id, "late").await;
    clock.pass(seconds(1)).await;
    assert_eq!(
        soon(exchange.head_or_lost()).await.ok().unwrap().first,
        "late"
    );
    assert_eq!(told.count("lost 1") + told.count("stuck 1"), 0);
}

#[tokio::test(start_paused = true)]
async fn thread_that_never_sleeps_hears_its_workers_beside_what_it_carries() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let ways: [fn(); 2] = [|| (0..16).for_each(|_| rounds::passed()), rounds::turn];
    for busy in ways {
        let mut exchange = ask(&floor).await;
        let id = worker.request().await;
        // Awake: the worker rings no more.
        rounds::after_sleep();
        worker.answer(id, "heard").await;
        settle().await;
        assert_eq!(floor.load(), (0, 1));
        busy();
        assert_eq!(
            soon(exchange.head_or_lost()).await.ok().unwrap().first,
            "heard"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn worker_that_floods_its_socket_holds_nobody_up() {
    let _clock = Clock::hold();
    let (floor, _) = floor(rings());
    let flooding = FakeWorker::ready(&floor, 1).await;
    let mut other = FakeWorker::ready(&floor, 2).await;
    let flood = flooding.flood_socket();
    std::mem::forget(ask(&floor).await);
    let mut exchange = ask(&floor).await;
    let id = other.request().await;
    other.answer(id, "fine").await;
    let heard = soon(exchange.head_or_lost()).await;
    flood.stop();
    assert_eq!(heard.ok().unwrap().first, "fine");
}
