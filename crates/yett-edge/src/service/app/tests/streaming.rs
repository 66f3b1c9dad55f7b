//! Long answers: every byte arrives, and where no answer is kept (`backlog` has those that are), a slow
//! client holds its worker back.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use bytes::BytesMut;
use yett_link::frame::{ExchangeId, MAX_CHUNK, RESPONSE_WINDOW, put_frame, put_header};
use yett_link::response::write_head;
use yett_link::worker::{Credit, Incoming, Next, WorkerEnd};

use super::*;
use crate::conn::HYPER_BUFFER;

#[tokio::test(start_paused = true)]
async fn client_that_takes_nothing_holds_the_worker_back_where_no_answer_is_kept() {
    const ROOM: usize = 4096;
    let bench = Bench::new(EdgeSettings {
        max_answer_spool: 0,
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(ROOM);
    client.get("/").await;
    let id = worker.request().await;
    worker.head(id, "200 OK", &[], b"", 0).await;
    let chunk = vec![b'x'; MAX_CHUNK];
    let (mut sent, mut window) = (0, RESPONSE_WINDOW);
    loop {
        while window >= MAX_CHUNK {
            worker.chunk(id, &chunk, 0).await;
            sent += MAX_CHUNK;
            window -= MAX_CHUNK;
        }
        if worker.hears_nothing().await {
            break;
        }
        let credit = worker.expect(Kind::Credit).await;
        window += u32::from_le_bytes(credit.payload.as_ref().try_into().unwrap()) as usize;
        assert!(window <= RESPONSE_WINDOW, "more credit than was used");
    }
    // The link's window, and what hyper gathers for the socket.
    assert!(
        sent <= RESPONSE_WINDOW + HYPER_BUFFER + MAX_CHUNK + ROOM,
        "{sent}"
    );
    bench.clock.pass(seconds(300)).await;
    assert_eq!(bench.told.count("stuck 1"), 0);
    drop(client);
    worker.expect(Kind::Cancel).await;
}

/// A worker as it is in truth: blocking, on a thread of its own.
pub(super) fn real_worker(
    bench: &Bench,
    answer: impl FnOnce(&WorkerEnd, &Incoming) + Send + 'static,
) -> thread::JoinHandle<()> {
    numbered_worker(bench, 1, answer)
}

pub(super) fn numbered_worker(
    bench: &Bench,
    number: u32,
    answer: impl FnOnce(&WorkerEnd, &Incoming) + Send + 'static,
) -> thread::JoinHandle<()> {
    let (edge, worker) = UnixStream::pair().unwrap();
    bench.floor.attach(number, 1, edge.into()).unwrap();
    thread::spawn(move || {
        let end = WorkerEnd::meet(worker).unwrap();
        let mut ready = BytesMut::new();
        put_frame(&mut ready, Kind::Ready, 0, ExchangeId::new(0), b"").unwrap();
        end.send(&[&ready]).unwrap();
        match end.next_request().unwrap() {
            Next::Request(request) => answer(&end, &request),
            other => panic!("{other:?}"),
        }
    })
}

pub(super) fn send_head(end: &WorkerEnd, exchange: ExchangeId) {
    let mut payload = BytesMut::new();
    write_head(&mut payload, 200, b"OK", std::iter::empty()).unwrap();
    let mut frame = BytesMut::new();
    put_frame(&mut frame, Kind::Response, 0, exchange, &payload).unwrap();
    end.send(&[&frame]).unwrap();
}

/// Sends a piece when there is credit for it; false when nobody wants it any more.
pub(super) fn send_piece(end: &WorkerEnd, exchange: ExchangeId, piece: &[u8], flags: u8) -> bool {
    if end.wait_for_credit(exchange, piece.len()).unwrap() != Credit::Granted {
        return false;
    }
    let mut header = BytesMut::new();
    put_header(
        &mut header,
        Kind::Chunk,
        flags,
        exchange,
        u32::try_from(piece.len()).unwrap(),
    );
    end.send(&[&header, piece]).unwrap();
    true
}

#[tokio::test(start_paused = true)]
async fn every_byte_of_a_long_answer_arrives_in_order() {
    const LENGTH: usize = 3_000_000;
    let bytes: Arc<[u8]> = (0..LENGTH).map(|place| b'a' + (place % 23) as u8).collect();
    let bench = bench();
    let sent = Arc::clone(&bytes);
    let worker = real_worker(&bench, move |end, request| {
        send_head(end, request.exchange);
        // Small and large pieces in turn.
        let mut rest: &[u8] = &sent;
        for size in [1, MAX_CHUNK, 700, 17, 40_000].into_iter().cycle() {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            let flags = if behind.is_empty() { LAST } else { 0 };
            assert!(send_piece(end, request.exchange, piece, flags));
            rest = behind;
            if rest.is_empty() {
                return;
            }
        }
    });
    let mut client = bench.connect_with_room(10_000);
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let answer = client.rest().await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.as_bytes() == &*bytes);
    worker.join().unwrap();
    assert_eq!(
        bench.told_records().await,
        [format!("GET / 200 - {LENGTH}")]
    );
}

#[tokio::test(start_paused = true)]
async fn worker_that_waits_for_credit_learns_that_the_client_left() {
    let bench = bench();
    let worker = real_worker(&bench, |end, request| {
        send_head(end, request.exchange);
        let piece = [b'x'; MAX_CHUNK];
        while send_piece(end, request.exchange, &piece, 0) {}
        assert!(end.is_cancelled(request.exchange));
        let mut last = BytesMut::new();
        put_frame(&mut last, Kind::Chunk, LAST, request.exchange, b"").unwrap();
        end.send(&[&last]).unwrap();
    });
    let mut client = bench.connect_with_room(10_000);
    client.get("/").await;
    client.until("xxx").await;
    drop(client);
    while !worker.is_finished() {
        settle().await;
    }
    worker.join().unwrap();
    settle().await;
    assert_eq!(bench.floor.load(), (0, 0));
    assert_eq!(bench.records().await.len(), 1);
}
