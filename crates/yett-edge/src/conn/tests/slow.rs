//! Clients that are slow, or greedy: what each limit does to them, and that those just inside it are
//! served.

use super::*;
use crate::meters::Limit;
use crate::testing::Client;

/// Takes what its answer has, at most so much each second.
async fn sip(client: &mut Client, bench: &Bench, each: usize, times: usize) {
    for _ in 0..times {
        bench.clock.pass(seconds(1)).await;
        let _sip = client.bytes(each).await;
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_trickles_is_answered_with_408() {
    let bench = bench();
    let _worker = bench.worker(1).await;
    let services = bench.services();
    let mut client = bench.connect();
    client
        .request("POST", "/", "Content-Length: 60000\r\n")
        .await;
    for _ in 0..29 {
        client.send([b'x'; 400]).await;
        bench.clock.pass(seconds(1)).await;
    }
    assert!(!client.has_something().await);
    bench.clock.pass(seconds(1)).await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 408 Request Timeout | The request's body did not arrive in time."
    );
    assert_eq!(services.meters().times_met(Limit::BodyRate), 1);
    assert_eq!(services.meters().times_met(Limit::BodyTime), 0);
    drop((client, services));
    let records = bench.records().await;
    assert_eq!(
        records[0]["reason"],
        "the body did not arrive in time: it was slower than the least rate"
    );
}

#[tokio::test(start_paused = true)]
async fn body_just_as_fast_as_it_must_be_is_taken() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client
        .request("POST", "/", "Content-Length: 60000\r\n")
        .await;
    for _ in 0..4 {
        // A long pause, made up for.
        bench.clock.pass(seconds(15)).await;
        client.send(vec![b'x'; 15_000]).await;
        bench.clock.pass(seconds(14)).await;
    }
    let id = worker.request().await;
    worker.answer(id, "taken").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | taken");
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_its_answer_in_a_trickle_is_cut_and_its_worker_is_free() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let services = bench.services();
    let mut client = bench.connect_with_room(64);
    client.send(GET).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"", 0).await;
    worker.chunk(id, &[b'x'; 50_000], 0).await;
    sip(&mut client, &bench, 60, 59).await;
    assert_eq!(bench.floor.load(), (0, 1));
    // The next look at the clock is not far.
    bench.clock.pass(seconds(30)).await;
    while worker.next().await.unwrap().kind != Kind::Cancel {}
    worker.chunk(id, b"", LAST).await;
    settle().await;
    assert_eq!(bench.floor.load(), (0, 0));
    assert_eq!(services.meters().times_met(Limit::SendRate), 1);
    drop((client, services));
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["reason"], "the client read too slowly");
    assert_eq!(records[0]["fault"], "client");
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_its_answer_as_fast_as_it_must_gets_all_of_it() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(64);
    client.send(GET).await;
    let id = worker.request().await;
    let body = "x".repeat(100_000);
    worker.answer(id, &body).await;
    sip(&mut client, &bench, 510, 190).await;
    bench.clock.pass(seconds(1)).await;
    let rest = client.bytes(100_000 - 190 * 510).await;
    assert!(rest.ends_with(b"x"));
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_nothing_for_less_than_its_time_gets_all_of_its_answer() {
    for (waits, is_cut) in [(59, false), (60, true)] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let mut client = bench.connect_with_room(64);
        client.send(GET).await;
        let id = worker.request().await;
        worker.answer(id, &"x".repeat(100_000)).await;
        settle().await;
        bench.clock.pass(seconds(waits)).await;
        assert_eq!(bench.met(Limit::SendTime), u64::from(is_cut));
        if !is_cut {
            assert!(client.answer().await.ends_with("x"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn application_that_says_little_costs_its_client_nothing() {
    let bench = Bench::new(EdgeSettings {
        request_timeout: None,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(64);
    client.send(GET).await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"begun", 0).await;
    client.until("begun").await;
    for _ in 0..20 {
        bench.clock.pass(seconds(50)).await;
        worker.chunk(id, b"event", 0).await;
        client.until("event").await;
    }
    worker.chunk(id, b"ended", LAST).await;
    client.until("ended\r\n0\r\n\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn limits_of_heads_and_bodies_are_counted_when_they_are_met() {
    // So many bytes of a head.
    let head = |bytes: usize| {
        let around = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".len();
        let path = "a".repeat(bytes - around);
        format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n")
    };
    let (longest, long) = (head(64 * 1024), head(64 * 1024 + 1));
    let many = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(128)
    );
    let most = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(127)
    );
    let body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000000\r\n\r\n";
    let pause = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx";
    for (sent, status, limit) in [
        (longest.as_str(), 200, None),
        (long.as_str(), 431, Some(Limit::HeadSize)),
        (many.as_str(), 431, Some(Limit::Headers)),
        (most.as_str(), 200, None),
        (body, 413, Some(Limit::BodySize)),
        (pause, 408, Some(Limit::BodyTime)),
        ("GET / HTTP/1.1\r\n", 408, Some(Limit::HeadTime)),
    ] {
        let bench = bench();
        let mut worker = bench.worker(1).await;
        let services = bench.services();
        let mut client = bench.connect();
        client.send(sent).await;
        if status == 200 {
            let id = worker.request().await;
            worker.answer(id, "ok").await;
        }
        bench.clock.pass(seconds(31)).await;
        assert_eq!(client.status().await, status);
        for other in Limit::ALL {
            let times = u64::from(Some(*other) == limit);
            assert_eq!(services.meters().times_met(*other), times, "{other:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_finds_no_room_in_files_is_answered_with_507_and_counted() {
    let bench = Bench::new(EdgeSettings {
        max_spool: 80_000,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let services = bench.services();
    for (length, fits) in [(90_000, false), (70_000, true)] {
        let mut client = bench.connect();
        let headers = format!("Content-Length: {length}\r\n");
        client.request("POST", "/", &headers).await;
        client.send(vec![b'x'; length]).await;
        if fits {
            let id = worker.request().await;
            worker.answer(id, "kept").await;
        }
        assert_eq!(client.status().await, if fits { 200 } else { 507 });
        assert_eq!(services.meters().times_met(Limit::Spool), 1);
    }
}
