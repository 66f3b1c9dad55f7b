//! What happens while a connection idles, and at the moments when hyper comes and goes.

use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use yett_gate::{Arrival, ClientAddr, Scheme, ServerAddr};

use super::super::active::{Left, QUIET, active};
use super::super::idle::{Woken, idle};
use super::super::io::ScannedIo;
use super::super::scan::Limits;
use super::super::{ConnState, Stop};
use super::*;
use crate::meters::Limit;
use crate::testing::{Client, FakeWorker, soon};

/// One request, sent whole, and its answer.
async fn exchange(client: &mut Client, worker: &mut FakeWorker) {
    client.send(GET).await;
    answered(client, worker).await;
}

async fn answered(client: &mut Client, worker: &mut FakeWorker) {
    let id = worker.request().await;
    worker.answer(id, "ok").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | ok");
}

#[test]
fn idle_connection_holds_less_than_a_kibibyte_on_its_task() {
    const fn size<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }
    assert!(size(super::super::serve::<tokio::net::TcpStream>) < 1024);
}

#[tokio::test(start_paused = true)]
async fn hyper_is_gone_when_the_connection_has_been_quiet_and_comes_back() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let settings = EdgeSettings::default();
    let services = bench.services();
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let address = "192.0.2.1:4711".parse().unwrap();
    let (client, server) = (ClientAddr::Ip(address), ServerAddr::Ip(address));
    let arrival = Arrival::new(client, server, Scheme::Http);
    let state = std::sync::Arc::new(ConnState::new(None));
    let limits = Limits {
        max_head: settings.max_head,
        max_headers: settings.max_headers,
    };
    let mut io = ScannedIo::new(far, limits, std::sync::Arc::clone(&state));
    let (_stop, mut stopping) = watch::channel(Stop::No);
    for _ in 0..3 {
        near.write_all(GET.as_bytes()).await.unwrap();
        let woken = soon(idle(&mut io, &state, &services, &mut stopping)).await;
        assert_eq!(woken, Woken::Request);
        let mut left = Box::pin(active(
            io,
            &state,
            &arrival,
            &services,
            &settings,
            &mut stopping,
        ));
        let id = tokio::select! {
            _ = &mut left => panic!("a request is running"),
            id = worker.request() => id,
        };
        bench.clock.pass(QUIET * 3).await;
        tokio::select! {
            biased;
            _ = &mut left => panic!("a request is running"),
            () = settle() => worker.answer(id, "ok").await,
        }
        tokio::select! {
            biased;
            _ = &mut left => panic!("it was at work a moment ago"),
            () = settle() => bench.clock.pass(QUIET).await,
        }
        let Left::Quiet(back) = soon(left).await else {
            panic!("hyper has ended by itself")
        };
        io = back;
    }
    drop(services);
    assert_eq!(bench.records().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn request_after_idleness_may_come_byte_by_byte() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    for _ in 0..2 {
        bench.clock.pass(seconds(1)).await;
        for byte in GET.as_bytes() {
            client.send([*byte]).await;
            settle().await;
        }
        answered(&mut client, &mut worker).await;
        bench.clock.pass(seconds(1)).await;
        let body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
        for byte in body.as_bytes() {
            client.send([*byte]).await;
            settle().await;
        }
        answered(&mut client, &mut worker).await;
    }
    drop(client);
    assert_eq!(bench.records().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn request_that_comes_just_when_hyper_goes_is_answered() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let millisecond = Duration::from_millis(1);
    for before in [QUIET - millisecond, QUIET, QUIET + millisecond] {
        for cut in [1, GET.len() - 1, GET.len()] {
            exchange(&mut client, &mut worker).await;
            bench.clock.pass(before).await;
            let (first, second) = GET.split_at(cut);
            // Both are there when the connection looks again: the bytes and the time.
            client.send(first).await;
            tokio::time::advance(millisecond).await;
            client.send(second).await;
            answered(&mut client, &mut worker).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_sent_together_after_idleness_are_answered_in_order() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    exchange(&mut client, &mut worker).await;
    bench.clock.pass(seconds(1)).await;
    let post = "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    client.send(format!("{GET}{post}{GET}{}", &GET[..9])).await;
    for body in ["1", "2", "3"] {
        let id = worker.request().await;
        worker.answer(id, body).await;
        assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {body}"));
    }
    // The begun head waits through the idleness.
    bench.clock.pass(seconds(5)).await;
    client.send(&GET[9..]).await;
    answered(&mut client, &mut worker).await;
}

#[tokio::test(start_paused = true)]
async fn stop_closes_a_connection_whose_hyper_is_gone_at_once() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut idle = bench.connect();
    let mut begun = bench.connect();
    for client in [&mut idle, &mut begun] {
        exchange(client, &mut worker).await;
    }
    bench.clock.pass(seconds(1)).await;
    begun.send(&GET[..9]).await;
    settle().await;
    bench.stop();
    assert!(idle.has_ended().await);
    assert!(begun.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn request_that_is_here_when_the_server_stops_is_answered_as_the_last() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    exchange(&mut client, &mut worker).await;
    bench.clock.pass(seconds(1)).await;
    client.send(GET).await;
    bench.stop();
    let id = worker.request().await;
    worker.answer(id, "the last").await;
    let answer = client.rest().await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 8\r\n\r\nthe last"
    );
}

#[tokio::test(start_paused = true)]
async fn slow_head_after_idleness_is_answered_with_408() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    exchange(&mut client, &mut worker).await;
    bench.clock.pass(seconds(40)).await;
    client.send("GET /slow HTTP/1.1\r\n").await;
    bench.clock.pass(seconds(19)).await;
    assert!(!client.has_something().await);
    bench.clock.pass(seconds(1)).await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 408 Request Timeout | The request's head did not arrive in time."
    );
    assert!(client.has_ended().await);
    drop(client);
    assert_eq!(
        bench.told_records().await,
        ["GET / 200 - 2", "GET /slow 408 client 43"]
    );
}

#[tokio::test(start_paused = true)]
async fn offence_after_idleness_is_answered() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    exchange(&mut client, &mut worker).await;
    bench.clock.pass(seconds(1)).await;
    client.send(BAD).await;
    assert_eq!(client.answer().await, TOLD_OFF);
    assert!(client.has_ended().await);
    drop(client);
    assert_eq!(bench.records().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_while_idle_leaves_no_record() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    for sent in ["", &GET[..9]] {
        let mut client = bench.connect();
        exchange(&mut client, &mut worker).await;
        bench.clock.pass(seconds(1)).await;
        client.send(sent).await;
        settle().await;
        drop(client);
    }
    assert_eq!(bench.records().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn slow_answer_is_not_quiet() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(64);
    client.send(GET).await;
    let id = worker.request().await;
    let body = "0123456789".repeat(1000);
    worker.answer(id, &body).await;
    for _ in 0..10 {
        bench.clock.pass(QUIET).await;
    }
    assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {body}"));
    exchange(&mut client, &mut worker).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_quiet_for_longest_makes_room_and_who_is_new_or_has_begun_to_ask_does_not() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut asking = bench.connect();
    asking.send(&GET[..9]).await;
    let mut silent = bench.connect();
    bench.clock.pass(seconds(2)).await;
    let mut used = bench.connect();
    exchange(&mut used, &mut worker).await;
    bench.clock.pass(seconds(2)).await;
    let mut new = bench.connect();
    settle().await;
    let asker = bench.services().crowd().ask();
    assert!(silent.has_ended().await);
    drop(asker);
    let asker = bench.services().crowd().ask();
    assert!(used.has_ended().await);
    drop(asker);
    // Nobody is quiet: who asks and who is new go on.
    let asker = bench.services().crowd().ask();
    exchange(&mut new, &mut worker).await;
    asking.send(&GET[9..]).await;
    answered(&mut asking, &mut worker).await;
    drop(asker);
    bench.clock.pass(seconds(2)).await;
    exchange(&mut asking, &mut worker).await;
    exchange(&mut new, &mut worker).await;
}

#[tokio::test(start_paused = true)]
async fn time_of_idleness_is_kept_and_its_end_counted() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut silent = bench.connect();
    let mut used = bench.connect();
    exchange(&mut used, &mut worker).await;
    let met = |limit| bench.services().meters().times_met(limit);
    bench.clock.pass(seconds(21)).await;
    assert!(silent.has_ended().await);
    assert_eq!((met(Limit::HeadTime), met(Limit::KeepAlive)), (1, 0));
    bench.clock.pass(seconds(53)).await;
    exchange(&mut used, &mut worker).await;
    bench.clock.pass(seconds(76)).await;
    assert!(used.has_ended().await);
    assert_eq!((met(Limit::HeadTime), met(Limit::KeepAlive)), (1, 1));
}
