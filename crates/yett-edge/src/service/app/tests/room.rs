//! What kept bodies take together: it is given back when they are gone, not before.

use std::sync::Arc;

use yett_link::worker::WorkerEnd;

use super::backlog::{MIB, asks, assert_is_whole, say, until, whole, worker};
use super::streaming::{numbered_worker, send_head, send_piece};
use super::*;
use crate::conn::HYPER_BUFFER;
use crate::log::{Out, Troubles, Writer};
use crate::meters::Limit;

/// An edge on which all answers together have this room.
fn with_room(bytes: usize) -> Bench {
    Bench::new(EdgeSettings {
        max_spool: 2 * bytes as u64,
        ..EdgeSettings::default()
    })
}

fn met(bench: &Bench) -> u64 {
    bench.meters().times_met(Limit::Spool)
}

fn too_many(bench: &Bench) -> u64 {
    bench.meters().times_met(Limit::SpoolFiles)
}

/// An edge that keeps no more files at one time, of which answers have half.
fn with_files(files: u64) -> Bench {
    Bench::new(EdgeSettings {
        max_spool_files: files,
        ..EdgeSettings::default()
    })
}

#[tokio::test(start_paused = true)]
async fn answer_that_waits_for_its_client_alone_keeps_its_room() {
    let bench = with_room(3 * MIB);
    let first = worker(&bench, say(2 * MIB, whole));
    let mut slow = asks(&bench).await;
    until(&bench, || first.is_finished()).await;
    until(&bench, || bench.floor.load() == (0, 0)).await;
    // It would fit, were it alone.
    let longer = say(3 * MIB, whole);
    let second = numbered_worker(&bench, 2, |end, request| longer(end, request.exchange));
    let mut other = asks(&bench).await;
    until(&bench, || second.is_finished() || met(&bench) > 0).await;
    assert_eq!((second.is_finished(), met(&bench)), (false, 1));
    assert_is_whole(&slow.rest().await, 2 * MIB);
    assert_is_whole(&other.rest().await, 3 * MIB);
    until(&bench, || second.is_finished()).await;
}

#[tokio::test(start_paused = true)]
async fn limit_is_counted_once_for_an_answer_however_much_does_not_fit() {
    let bench = with_room(MIB / 2);
    let answering = worker(&bench, say(8 * MIB, whole));
    let mut client = asks(&bench).await;
    until(&bench, || met(&bench) > 0).await;
    assert_is_whole(&client.rest().await, 8 * MIB);
    until(&bench, || answering.is_finished()).await;
    assert_eq!(met(&bench), 1);
}

#[tokio::test(start_paused = true)]
async fn answer_that_was_read_gives_its_room_back_though_it_goes_on() {
    let bench = with_room(3 * MIB);
    let (go_on, is_told) = std::sync::mpsc::channel::<()>();
    let more = move |worker: &WorkerEnd, request| {
        is_told.recv().unwrap();
        whole(worker, request);
    };
    let answering = worker(&bench, say(2 * MIB, more));
    let mut client = asks(&bench).await;
    let budget = Arc::clone(&bench.services().budget);
    until(&bench, || budget.kept().1 > MIB as u64).await;
    client.until("\r\n\r\n").await;
    client.bytes(2 * MIB).await;
    assert!(!answering.is_finished());
    until(&bench, || budget.kept() == (0, 0)).await;
    go_on.send(()).unwrap();
    client.rest().await;
    until(&bench, || answering.is_finished()).await;
}

#[tokio::test(start_paused = true)]
async fn answer_that_finds_too_many_files_waits_for_its_client() {
    for free in [1, 0] {
        let bench = with_files(20);
        let budget = Arc::clone(&bench.services().budget);
        let mut files: Vec<_> = std::iter::from_fn(|| budget.of_answer()).collect();
        files.truncate(files.len() - free);
        let answering = worker(&bench, say(MIB, whole));
        let mut client = asks(&bench).await;
        until(&bench, || answering.is_finished() || too_many(&bench) > 0).await;
        assert_eq!(
            (answering.is_finished(), too_many(&bench)),
            (free == 1, 1 - free as u64)
        );
        assert_is_whole(&client.rest().await, MIB);
        until(&bench, || answering.is_finished()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn body_that_finds_too_many_files_is_refused_and_a_short_one_is_not() {
    let bench = with_files(20);
    let budget = Arc::clone(&bench.services().budget);
    let files: Vec<_> = std::iter::from_fn(|| budget.of_request()).collect();
    let mut worker = bench.worker(1).await;
    for (length, status) in [(70_000, 507), (60_000, 200)] {
        let mut client = bench.connect();
        let headers = format!("Content-Length: {length}\r\n");
        client.request("POST", "/", &headers).await;
        client.send(vec![b'x'; length]).await;
        if status == 200 {
            let id = worker.request().await;
            worker.answer(id, "kept").await;
        }
        assert_eq!((client.status().await, too_many(&bench)), (status, 1));
    }
    drop(files);
}

#[tokio::test(start_paused = true)]
async fn without_memory_an_answer_wants_a_file_at_once() {
    const PIECE: usize = 60_000;
    // What the connection takes, and as many as are kept in memory of one answer.
    const PIECES: usize = HYPER_BUFFER.div_ceil(PIECE) + 2;
    for has_memory in [true, false] {
        let bench = with_files(20);
        let budget = Arc::clone(&bench.services().budget);
        let mut others = budget.in_memory();
        others.take_anyway(if has_memory { 0 } else { 1 << 40 });
        let _files: Vec<_> = std::iter::from_fn(|| budget.of_answer()).collect();
        let short = |worker: &WorkerEnd, request| {
            send_head(worker, request);
            for piece in 1..=PIECES {
                let flags = if piece == PIECES { LAST } else { 0 };
                send_piece(worker, request, &[b'x'; PIECE], flags);
            }
        };
        let answering = worker(&bench, Box::new(short));
        let mut client = asks(&bench).await;
        until(&bench, || {
            answering.is_finished() && has_memory || too_many(&bench) > 0
        })
        .await;
        assert_eq!(too_many(&bench), u64::from(!has_memory));
        let answer = client.rest().await;
        assert_eq!(
            answer.split_once("\r\n\r\n").unwrap().1.len(),
            PIECES * PIECE
        );
        until(&bench, || answering.is_finished()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn disk_that_fails_is_told_once_and_is_no_limit() {
    let lines = crate::testing::Lines::default();
    let out = Out::Stream(Box::new(lines.clone()));
    let writer = Arc::new(Writer::start("test", out, |_| String::new()).unwrap());
    let troubles = Troubles::start(Arc::clone(&writer));
    let bench = Bench::new(EdgeSettings {
        spool_dir: "/nowhere/at/all".into(),
        troubles: Some(Arc::clone(&troubles)),
        ..EdgeSettings::default()
    });
    let answering = worker(&bench, say(4 * MIB, whole));
    let mut client = asks(&bench).await;
    until(&bench, || !lines.text().is_empty()).await;
    assert_is_whole(&client.rest().await, 4 * MIB);
    until(&bench, || answering.is_finished()).await;
    assert_eq!(met(&bench), 0);
    writer.close();
    let told = lines.text();
    assert!(told.starts_with("error: an answer that its client takes slowly cannot be kept in /nowhere/at/all (spool_dir)"), "{told}");
    assert!(
        told.ends_with("No such file or directory (os error 2)\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn request_holds_a_file_when_what_has_come_is_long_and_not_what_is_announced() {
    const ANNOUNCED: usize = 100_000;
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let budget = Arc::clone(&bench.services().budget);
    let mut client = bench.connect();
    let headers = format!("Content-Length: {ANNOUNCED}\r\n");
    client.request("POST", "/", &headers).await;
    client.send(vec![b'x'; 60_000]).await;
    settle().await;
    assert_eq!(budget.kept(), (0, 0));
    client.send(vec![b'x'; 30_000]).await;
    until(&bench, || budget.kept() == (1, 90_000)).await;
    client.send(vec![b'x'; 10_000]).await;
    let id = worker.request().await;
    worker.answer(id, "kept").await;
    assert_eq!(client.answer().await, "HTTP/1.1 200 OK | kept");
    assert_eq!(budget.kept(), (0, 0));
}
