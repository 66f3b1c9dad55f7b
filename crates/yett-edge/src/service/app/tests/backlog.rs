//! Answers of WSGI that come faster than their client takes them: they are kept, so that no thread waits.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use yett_link::frame::{ExchangeId, MAX_CHUNK, put_frame};
use yett_link::worker::WorkerEnd;

use super::streaming::{real_worker, send_head, send_piece};
use super::*;
use crate::meters::Limit;
use crate::ruling::Interface;
use crate::testing::h2_client::H2Client;

pub(super) const MIB: usize = 1 << 20;

/// What a client has room for, and takes only when it is asked to.
pub(super) const CLIENT: usize = 4096;

fn keeping(max_answer_spool: u64) -> EdgeSettings {
    EdgeSettings {
        max_answer_spool,
        ..EdgeSettings::default()
    }
}

/// The byte at a place of an answer.
fn byte(place: usize) -> u8 {
    b'a' + (place % 23) as u8
}

/// Answers with so many bytes in pieces of all sizes, and ends as it is told to.
pub(super) fn say(
    length: usize,
    end: impl FnOnce(&WorkerEnd, ExchangeId) + Send + 'static,
) -> Answering {
    Box::new(move |worker, request| {
        send_head(worker, request);
        let bytes: Vec<u8> = (0..length).map(byte).collect();
        let mut rest: &[u8] = &bytes;
        for size in [MAX_CHUNK, 1, 700, 17, 40_000].into_iter().cycle() {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            if !send_piece(worker, request, piece, 0) || behind.is_empty() {
                break;
            }
            rest = behind;
        }
        end(worker, request);
    })
}

pub(super) type Answering = Box<dyn FnOnce(&WorkerEnd, ExchangeId) + Send>;

fn send(worker: &WorkerEnd, kind: Kind, flags: u8, request: ExchangeId) {
    let mut frame = BytesMut::new();
    put_frame(&mut frame, kind, flags, request, b"").unwrap();
    worker.send(&[&frame]).unwrap();
}

pub(super) fn whole(worker: &WorkerEnd, request: ExchangeId) {
    send(worker, Kind::Chunk, LAST, request);
}

/// A worker of one thread that answers so.
pub(super) fn worker(bench: &Bench, answering: Answering) -> JoinHandle<()> {
    real_worker(bench, |end, request| answering(end, request.exchange))
}

/// Lets time pass and files be written until this is so.
pub(super) async fn until(bench: &Bench, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came");
        bench.clock.pass(Duration::from_millis(1)).await;
    }
}

pub(super) async fn asks(bench: &Bench) -> crate::testing::Client {
    let mut client = bench.connect_with_room(CLIENT);
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    client
}

pub(super) fn assert_is_whole(answer: &str, length: usize) {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), length);
    let right = |(place, found): (usize, &u8)| *found == byte(place);
    assert!(body.as_bytes().iter().enumerate().all(right));
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_nothing_of_a_long_answer_holds_no_thread() {
    const LENGTH: usize = 5 * MIB;
    let bench = bench();
    let answering = worker(&bench, say(LENGTH, whole));
    let mut client = asks(&bench).await;
    until(&bench, || answering.is_finished()).await;
    until(&bench, || bench.floor.load() == (0, 0)).await;
    assert_is_whole(&client.rest().await, LENGTH);
    let met = |limit| bench.meters().times_met(limit);
    assert_eq!((met(Limit::AnswerSpool), met(Limit::Spool)), (0, 0));
    assert_eq!(
        bench.told_records().await,
        [format!("GET / 200 - {LENGTH}")]
    );
}

#[tokio::test(start_paused = true)]
async fn client_of_http2_that_opens_no_window_holds_no_thread() {
    const LENGTH: usize = 2 * MIB;
    let bench = bench();
    let answering = worker(&bench, say(LENGTH, whole));
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let mut client = H2Client::with(builder, bench.connect_raw()).await;
    let _arriving = client.get("/").await;
    until(&bench, || answering.is_finished()).await;
    until(&bench, || bench.floor.load() == (0, 0)).await;
    // Another one on the same connection.
    let mut worker = bench.worker(2).await;
    let next = client.get("/next").await;
    let id = worker.request().await;
    worker.answer(id, "").await;
    assert_eq!(next.head().await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn answer_beyond_what_is_kept_of_one_waits_for_its_client() {
    let most = 2 * MIB;
    for (length, waits) in [(most, false), (most + 2 * MIB, true)] {
        let bench = Bench::new(keeping(most as u64));
        let answering = worker(&bench, say(length, whole));
        let mut client = asks(&bench).await;
        let met = || bench.meters().times_met(Limit::AnswerSpool) > 0;
        until(&bench, || answering.is_finished() || met()).await;
        assert_eq!((answering.is_finished(), met()), (!waits, waits));
        assert_is_whole(&client.rest().await, length);
        until(&bench, || answering.is_finished()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn answer_that_finds_no_room_waits_for_its_client() {
    let length = 2 * MIB;
    // Answers have a half of it.
    for (max_spool, waits) in [(2 * length, false), (length, true)] {
        let bench = Bench::new(EdgeSettings {
            max_spool: max_spool as u64,
            ..EdgeSettings::default()
        });
        let answering = worker(&bench, say(length, whole));
        let mut client = asks(&bench).await;
        let met = || bench.meters().times_met(Limit::Spool) > 0;
        until(&bench, || answering.is_finished() || met()).await;
        assert_eq!((answering.is_finished(), met()), (!waits, waits));
        assert_is_whole(&client.rest().await, length);
        until(&bench, || answering.is_finished()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn answer_arrives_although_no_file_can_be_written() {
    let bench = Bench::new(EdgeSettings {
        spool_dir: "/nowhere/at/all".into(),
        ..EdgeSettings::default()
    });
    let answering = worker(&bench, say(MIB, whole));
    let mut client = asks(&bench).await;
    assert_is_whole(&client.rest().await, MIB);
    until(&bench, || answering.is_finished()).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_application_failed_arrives_and_the_answer_has_no_end() {
    let bench = bench();
    let fails = |worker: &WorkerEnd, request| send(worker, Kind::Failed, 0, request);
    let answering = worker(&bench, say(MIB, fails));
    let mut client = bench.connect_with_room(CLIENT);
    client.get("/").await;
    until(&bench, || answering.is_finished()).await;
    until(&bench, || bench.floor.load() == (0, 0)).await;
    let answer = client.rest().await;
    assert!(!answer.ends_with("0\r\n\r\n"), "cut");
    drop(client);
    assert_eq!(bench.told_records().await, [format!("GET / 200 app {MIB}")]);
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_stops_the_application_and_gives_the_room_back() {
    let bench = Bench::new(EdgeSettings {
        max_spool: 2 * MIB as u64,
        ..keeping(MIB as u64)
    });
    let (tell, told) = mpsc::channel();
    let cancelled = move |worker: &WorkerEnd, request| {
        tell.send(worker.is_cancelled(request)).unwrap();
        whole(worker, request);
    };
    let answering = worker(&bench, say(8 * MIB, cancelled));
    let leaving = asks(&bench).await;
    until(&bench, || bench.meters().times_met(Limit::AnswerSpool) > 0).await;
    drop(leaving);
    until(&bench, || answering.is_finished()).await;
    assert!(told.recv().unwrap());
    until(&bench, || bench.floor.load() == (0, 0)).await;
    let mut worker = bench.worker(2).await;
    let mut other = bench.connect();
    // All the room that there is.
    let upload = format!("Content-Length: {}\r\n", 2 * MIB);
    other.request("POST", "/", &upload).await;
    other.send(vec![b'x'; 2 * MIB]).await;
    let id = worker.request().await;
    worker.answer(id, "kept").await;
    assert_eq!(other.status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn application_of_asgi_waits_for_its_client() {
    let bench = Bench::of(Interface::Asgi, EdgeSettings::default());
    let answering = worker(&bench, say(2 * MIB, whole));
    let mut client = asks(&bench).await;
    bench.clock.pass(seconds(1)).await;
    assert!(!answering.is_finished());
    assert_is_whole(&client.rest().await, 2 * MIB);
    until(&bench, || answering.is_finished()).await;
}
