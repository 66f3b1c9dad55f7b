//! Connections from their first byte to their last: order, offences, time and endings.
//! The access records that they leave are tested in `records`, what happens around idleness in `idle`,
//! slow clients in `slow`, requests that panic in `panics`.

mod idle;
mod panics;
mod records;
mod slow;

use std::time::Duration;

use yett_link::frame::{Kind, LAST};

use crate::settings::EdgeSettings;
use crate::testing::{Bench, seconds, settle};

fn bench() -> Bench {
    Bench::new(EdgeSettings::default())
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const BAD: &str = "GET / HTTP/1.1\nHost: x\r\n\r\n";
const TOLD_OFF: &str = "HTTP/1.1 400 Bad Request | Lines of a request must end with CR LF.";

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_answered_in_order() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    for number in ["1", "2", "3"] {
        let id = worker.request().await;
        assert!(worker.hears_nothing().await, "one at a time");
        worker.answer(id, number).await;
    }
    for number in ["1", "2", "3"] {
        assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn answer_does_not_wait_for_the_requests_behind_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(GET.repeat(3)).await;
    let id = worker.request().await;
    worker.answer(id, "first").await;
    let _second = worker.request().await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | first");
}

#[tokio::test(start_paused = true)]
async fn request_behind_the_last_one_is_not_run_and_the_last_one_is_answered() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .send(format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n{GET}"
        ))
        .await;
    let id = worker.request().await;
    worker.answer(id, "last").await;
    let answer = client.rest().await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlast"
    );
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.told_records().await, ["GET / 200 - 4"]);
}

#[tokio::test(start_paused = true)]
async fn offence_is_answered_behind_the_answers_before_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(format!("{GET}{GET}{BAD}")).await;
    for body in ["one", "two"] {
        let id = worker.request().await;
        worker.answer(id, body).await;
    }
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | one");
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | two");
    assert_eq!(client.answer().await, TOLD_OFF);
    assert!(client.has_ended().await);
    drop(client);
    assert_eq!(
        bench.told_records().await,
        ["GET / 200 - 3", "GET / 200 - 3", "GET / 400 client 40"]
    );
}

#[tokio::test(start_paused = true)]
async fn offence_cuts_no_answer_that_a_slow_client_still_takes() {
    for streamed in [false, true] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect_with_room(64);
        client.send(GET).await;
        let id = worker.request().await;
        client.send(BAD).await;
        let body = "0123456789".repeat(1000);
        if streamed {
            worker
                .head(id, "200 OK", &[("Content-Length", "10000")], b"", 0)
                .await;
            worker.chunk(id, body.as_bytes(), LAST).await;
        } else {
            worker.answer(id, &body).await;
        }
        settle().await;
        assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {body}"));
        assert_eq!(client.answer().await, TOLD_OFF);
    }
}

#[tokio::test(start_paused = true)]
async fn stop_cuts_no_answer_that_a_slow_client_still_takes() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(64);
    client.send(GET).await;
    let id = worker.request().await;
    let body = "0123456789".repeat(1000);
    worker.answer(id, &body).await;
    settle().await;
    bench.stop();
    settle().await;
    assert_eq!(client.answer().await, format!("HTTP/1.1 200 OK | {body}"));
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn client_that_stops_reading_is_cut_and_its_worker_is_free() {
    for streamed in [false, true] {
        let bench = Bench::new(EdgeSettings {
            request_timeout: None,
            ..EdgeSettings::default()
        });
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect_with_room(64);
        client.send(GET).await;
        let id = worker.request().await;
        let body = "0123456789".repeat(1000);
        if streamed {
            worker.head(id, "200 OK", &[], b"", 0).await;
            worker.chunk(id, body.as_bytes(), 0).await;
        } else {
            worker.answer(id, &body).await;
        }
        bench.clock.pass(seconds(55)).await;
        for _ in 0..3 {
            bench.clock.pass(seconds(10)).await;
        }
        if streamed {
            // The worker hears credit or the cancellation, and ends the exchange.
            while worker.next().await.unwrap().kind != Kind::Cancel {}
            worker.chunk(id, b"", LAST).await;
        }
        settle().await;
        assert_eq!(bench.floor.load(), (0, 0), "streamed: {streamed}");
        let [record] = &bench.records().await[..] else {
            panic!("one record")
        };
        if streamed {
            assert_eq!(record["reason"], "the client stopped reading");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_was_turned_away_may_finish_sending() {
    let bench = bench();
    let mut client = bench.connect_with_room(256);
    client.send(BAD).await;
    client.send("x".repeat(4096)).await;
    assert_eq!(client.answer().await, TOLD_OFF);
    client.send("x".repeat(4096)).await;
    bench.clock.pass(seconds(2)).await;
    drop(client);
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn head_that_does_not_end_in_time_is_answered_with_408() {
    let bench = bench();
    let mut client = bench.connect();
    bench.clock.pass(seconds(19)).await;
    client.send("GET / HTTP/1.1\r\n").await;
    for _ in 0..19 {
        bench.clock.pass(seconds(1)).await;
        client.send("X: y\r\n").await;
    }
    bench.clock.pass(Duration::from_millis(900)).await;
    assert!(!client.has_something().await);
    bench.clock.pass(Duration::from_millis(200)).await;
    let answer = client.answer().await;
    assert_eq!(
        answer,
        "HTTP/1.1 408 Request Timeout | The request's head did not arrive in time."
    );
    drop(client);
    assert_eq!(bench.told_records().await, ["GET / 408 client 43"]);
}

#[tokio::test(start_paused = true)]
async fn time_of_a_head_begins_with_its_own_first_byte() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    // Every piece ends one head and begins the next.
    let (before, behind) = GET.split_at(10);
    client.send(before).await;
    for _ in 0..5 {
        bench.clock.pass(seconds(6)).await;
        client.send(format!("{behind}{before}")).await;
        let id = worker.request().await;
        worker.answer(id, "").await;
        assert_eq!(client.status().await, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn idle_connection_closes_silently() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut fresh = bench.connect();
    let mut used = bench.connect();
    used.send(GET).await;
    let id = worker.request().await;
    bench.clock.pass(seconds(19)).await;
    assert!(!fresh.has_something().await, "a head may take as long");
    bench.clock.pass(seconds(2)).await;
    assert!(fresh.has_ended().await);
    worker.answer(id, "ok").await;
    assert_eq!(used.status().await, 200);
    bench.clock.pass(seconds(74)).await;
    assert!(
        !used.has_something().await,
        "it idles since its answer only"
    );
    bench.clock.pass(seconds(20)).await;
    assert!(used.has_ended().await);
    assert_eq!(bench.told_records().await, ["GET / 200 - 2"]);
}

#[tokio::test(start_paused = true)]
async fn without_keep_alive_a_connection_has_one_request() {
    let bench = Bench::new(EdgeSettings {
        keep_alive: Duration::ZERO,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    bench.clock.pass(seconds(9)).await;
    client.send(GET.repeat(2)).await;
    let id = worker.request().await;
    worker.answer(id, "only").await;
    let answer = client.rest().await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("only"), "{answer}");
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn running_request_is_not_idle() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(GET).await;
    let id = worker.request().await;
    for _ in 0..20 {
        bench.clock.pass(seconds(10)).await;
    }
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    client.until("begun").await;
    for _ in 0..20 {
        bench.clock.pass(seconds(10)).await;
    }
    worker.chunk(id, b"ended", LAST).await;
    client.until("ended\r\n0\r\n\r\n").await;
    worker.expect(Kind::Credit).await;
    client.send(GET).await;
    let id = worker.request().await;
    worker.answer(id, "still here").await;
    assert_eq!(client.status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn stop_closes_idle_connections_and_lets_running_requests_end() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut fresh = bench.connect();
    let mut used = bench.connect();
    used.send(GET).await;
    let id = worker.request().await;
    worker.answer(id, "ok").await;
    assert_eq!(used.status().await, 200);
    let mut running = bench.connect();
    running.send(GET).await;
    let id = worker.request().await;
    bench.stop();
    assert!(fresh.has_ended().await);
    assert!(used.has_ended().await);
    assert!(!running.has_something().await);
    worker.answer(id, "the last").await;
    let answer = running.rest().await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 8\r\n\r\nthe last"
    );
    assert_eq!(bench.records().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn client_that_expects_it_is_told_to_go_on() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("POST", "/", "Content-Length: 2\r\nExpect: 100-continue\r\n")
        .await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi").await;
    let id = worker.request().await;
    worker.answer(id, "ok").await;
    assert_eq!(client.status().await, 200);
}
