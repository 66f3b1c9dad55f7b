//! What travels on a link, what a worker may not do there, and when a worker counts as stuck.

use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use yett_link::frame::{
    CUT_SHORT, DESCRIPTOR, ExchangeId, HEADER_LEN, Kind, LAST, MAX_CHUNK, RESPONSE_WINDOW,
    put_frame, put_header,
};

use crate::floor::Carrier;
use crate::floor::{AppBody, Exchange, Floor, Lost, Piece, Pieces};
use crate::settings::EdgeSettings;
use crate::testing::{Clock, FakeWorker, Told, ask, floor, open, seconds, settle, soon, ticket};

/// A worker that was sent one request: its number, and the end that waits for the answer.
async fn asked() -> (Arc<Floor>, Told, FakeWorker, u64, Exchange) {
    let (floor, told) = floor(EdgeSettings {
        request_timeout: Some(seconds(10)),
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let exchange = ask(&floor).await;
    let id = worker.request().await;
    (floor, told, worker, id, exchange)
}

/// The worker's answer has begun, and more is to follow.
async fn streaming(worker: &FakeWorker, id: u64, exchange: &mut Exchange) -> Pieces {
    worker.head(id, "200", &[], b"", 0).await;
    match soon(exchange.head_or_lost()).await.ok().unwrap().body {
        AppBody::Stream(pieces) => pieces,
        AppBody::Whole | AppBody::File(_) => panic!("the answer has ended"),
    }
}

async fn piece(exchange: &mut Exchange, pieces: &mut Pieces) -> Option<Result<Bytes, Lost>> {
    let polled = soon(std::future::poll_fn(|cx| exchange.poll_piece(pieces, cx))).await;
    polled.map(|piece| match piece? {
        Piece::Data(data) => Ok(data),
        Piece::Trailers(fields) => panic!("{fields:?}"),
    })
}

/// The sum of the credit that has come.
async fn credit(worker: &mut FakeWorker) -> usize {
    let mut sum = 0;
    while !worker.hears_nothing().await {
        let frame = worker.expect(Kind::Credit).await;
        sum += u32::from_le_bytes(frame.payload.as_ref().try_into().unwrap()) as usize;
    }
    sum
}

#[tokio::test(start_paused = true)]
async fn answer_in_one_frame_frees_the_worker() {
    let _clock = Clock::hold();
    let (floor, _, mut worker, id, mut exchange) = asked().await;
    let headers = [("x-a", "1"), ("X-A", "2")];
    worker
        .head(id, "404 Gone Fishing", &headers, b"no", LAST)
        .await;
    let head = soon(exchange.head_or_lost()).await.ok().unwrap();
    assert_eq!(
        (head.status, head.reason, head.first),
        (404, "Gone Fishing".into(), "no".into())
    );
    let headers = head.headers.unwrap();
    let values: Vec<_> = headers.get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert!(matches!(head.body, AppBody::Whole));
    assert_eq!(floor.load(), (0, 0));
    drop(exchange);
    assert!(
        worker.hears_nothing().await,
        "an ended exchange is not cancelled"
    );
}

#[tokio::test(start_paused = true)]
async fn credit_goes_back_as_the_client_takes() {
    let _clock = Clock::hold();
    let (floor, _, mut worker, id, mut exchange) = asked().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    let chunk = vec![7; MAX_CHUNK];
    for _ in 0..RESPONSE_WINDOW / MAX_CHUNK {
        worker.chunk(id, &chunk, 0).await;
    }
    assert_eq!(credit(&mut worker).await, 0, "nothing was taken yet");
    for _ in 0..RESPONSE_WINDOW / MAX_CHUNK {
        let taken = piece(&mut exchange, &mut pieces).await.unwrap().unwrap();
        assert_eq!(taken.len(), MAX_CHUNK);
        assert_eq!(credit(&mut worker).await, MAX_CHUNK);
    }
    worker.chunk(id, b"tiny", 0).await;
    assert_eq!(
        piece(&mut exchange, &mut pieces).await.unwrap().unwrap(),
        "tiny"
    );
    assert_eq!(credit(&mut worker).await, 0, "small debts are gathered");
    worker.chunk(id, b"end", LAST).await;
    assert_eq!(
        piece(&mut exchange, &mut pieces).await.unwrap().unwrap(),
        "end"
    );
    assert!(piece(&mut exchange, &mut pieces).await.is_none());
    assert_eq!(floor.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn small_debts_are_paid_when_the_client_waits_for_more() {
    let _clock = Clock::hold();
    let (_floor, _, mut worker, id, mut exchange) = asked().await;
    worker.head(id, "200", &[], b"first", 0).await;
    let head = soon(exchange.head_or_lost()).await.ok().unwrap();
    let AppBody::Stream(mut pieces) = head.body else {
        panic!("the answer has ended")
    };
    worker.chunk(id, b"second", 0).await;
    piece(&mut exchange, &mut pieces).await.unwrap().unwrap();
    let waits = tokio::spawn(async move { piece(&mut exchange, &mut pieces).await.is_some() });
    assert_eq!(credit(&mut worker).await, "firstsecond".len());
    worker.chunk(id, b"third", 0).await;
    assert!(soon(waits).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn worker_that_overruns_its_window_loses_its_link() {
    let _clock = Clock::hold();
    let (_floor, told, mut worker, id, mut exchange) = asked().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    let chunk = vec![7; MAX_CHUNK];
    for _ in 0..RESPONSE_WINDOW / MAX_CHUNK {
        worker.chunk(id, &chunk, 0).await;
    }
    settle().await;
    assert_eq!(told.count("lost 1"), 0);
    worker.chunk(id, b"x", 0).await;
    settle().await;
    assert_eq!(told.count("lost 1"), 1);
    assert!(worker.next().await.is_none());
    let mut held = 0;
    let end = loop {
        match piece(&mut exchange, &mut pieces).await {
            Some(Ok(piece)) => held += piece.len(),
            end => break end,
        }
    };
    assert_eq!(held, RESPONSE_WINDOW);
    assert_eq!(end, Some(Err(Lost::Worker { begun: true })));
}

#[tokio::test(start_paused = true)]
async fn client_that_leaves_cancels_and_the_place_is_free_when_the_worker_ends() {
    let _clock = Clock::hold();
    for begun in [false, true] {
        let (floor, _, mut worker, id, mut exchange) = asked().await;
        if begun {
            let _pieces = streaming(&worker, id, &mut exchange).await;
        }
        drop(exchange);
        let cancel = worker.expect(Kind::Cancel).await;
        assert_eq!(cancel.exchange, ExchangeId::new(id));
        worker.chunk(id, b"on its way already", 0).await;
        settle().await;
        assert_eq!(floor.load(), (0, 1), "the worker still runs it");
        worker.send(Kind::Failed, LAST, id, b"").await;
        settle().await;
        assert_eq!(floor.load(), (0, 0));
        assert!(worker.hears_nothing().await);
    }
}

#[tokio::test(start_paused = true)]
async fn frame_that_breaks_the_protocol_closes_the_link() {
    let _clock = Clock::hold();
    let mut frames: Vec<(&str, BytesMut)> = Vec::new();
    let mut of_kind = |name, kind, payload: &[u8]| {
        let mut frame = BytesMut::new();
        put_frame(&mut frame, kind, 0, ExchangeId::new(1), payload).unwrap();
        frames.push((name, frame));
    };
    of_kind("a chunk before its head", Kind::Chunk, b"x");
    of_kind("a head that is cut short", Kind::Response, b"\xc8");
    of_kind("a request", Kind::Request, b"");
    of_kind("credit", Kind::Credit, b"\x01\0\0\0");
    of_kind("a cancellation", Kind::Cancel, b"");
    of_kind("a drain", Kind::Drain, b"");
    frames.push((
        "an unknown kind",
        BytesMut::from(&[0, 0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..]),
    ));
    let mut endless = BytesMut::new();
    put_header(
        &mut endless,
        Kind::Response,
        0,
        ExchangeId::new(1),
        u32::MAX,
    );
    frames.push(("an endless frame", endless));
    for (name, frame) in frames {
        let (_floor, told, mut worker, _, mut exchange) = asked().await;
        worker.send_raw(&frame).await;
        assert_eq!(
            soon(exchange.head_or_lost())
                .await
                .err()
                .map(|lost| matches!(lost, Lost::Worker { .. })),
            Some(true),
            "{name}"
        );
        settle().await;
        assert_eq!(told.count("lost 1"), 1, "{name}");
        assert!(worker.next().await.is_none(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn descriptor_that_does_not_fit_its_frame_closes_the_link() {
    let _clock = Clock::hold();
    let head = b"\xc8\0\0\0\0\0\0\0";
    let mut range = head.to_vec();
    range.extend_from_slice(&[0; 16]);
    for name in ["none came", "not all", "none announced", "no range"] {
        if name == "none announced" && Carrier::default() == Carrier::Rings {
            // Beside rings a descriptor may come long before its frame.
            continue;
        }
        let (_floor, told, worker, id, mut exchange) = asked().await;
        let carried = file("x");
        let announced = (Kind::Response, LAST | DESCRIPTOR);
        match name {
            "none came" => {
                worker.send(announced.0, announced.1, id, &range).await;
            }
            "not all" => {
                worker
                    .send_with((Kind::Response, DESCRIPTOR), id, &range, carried)
                    .await;
            }
            "none announced" => {
                worker.send_with((Kind::Begun, 0), id, b"", carried).await;
            }
            _ => worker.send_with(announced, id, head, carried).await,
        }
        let lost = soon(exchange.head_or_lost()).await.err();
        assert!(matches!(lost, Some(Lost::Worker { .. })), "{name}");
        settle().await;
        assert_eq!(told.count("lost 1"), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn second_head_cuts_the_body_and_does_not_end_it() {
    let _clock = Clock::hold();
    let (_floor, told, worker, id, mut exchange) = asked().await;
    let mut pieces = streaming(&worker, id, &mut exchange).await;
    worker.answer(id, "again").await;
    let next = piece(&mut exchange, &mut pieces).await;
    assert_eq!(next, Some(Err(Lost::Worker { begun: true })));
    settle().await;
    assert_eq!(told.count("lost 1"), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_exchange_is_ignored() {
    let _clock = Clock::hold();
    let (floor, told, worker, id, mut exchange) = asked().await;
    for kind in [Kind::Begun, Kind::Response, Kind::Chunk, Kind::Failed] {
        worker.send(kind, LAST, 999, b"").await;
    }
    settle().await;
    assert_eq!(floor.load(), (0, 1));
    worker.answer(id, "fine").await;
    assert_eq!(
        soon(exchange.head_or_lost()).await.ok().unwrap().first,
        "fine"
    );
    assert_eq!(told.count("lost 1"), 0);
}

fn file(text: &str) -> Arc<OwnedFd> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    Arc::new(file.into())
}

#[tokio::test(start_paused = true)]
async fn full_socket_keeps_order_and_descriptors_stay_with_their_requests() {
    let _clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        worker_threads: 100,
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    // All tickets first: a link in which something waits gets nothing more.
    let mut tickets = Vec::new();
    for _ in 0..12 {
        tickets.push(ticket(&floor).await);
    }
    let mut exchanges = Vec::new();
    for (number, ticket) in (0..12_u8).zip(tickets) {
        // Together far more than a socket holds.
        let payload = vec![number; 200_000 + usize::from(number) * 7_919];
        let body = (number % 3 == 1).then(|| file(&format!("body {number}")));
        exchanges.push(open(ticket, &payload, body));
    }
    settle().await;
    for number in 0..12_u8 {
        let frame = worker.expect(Kind::Request).await;
        assert_eq!(frame.exchange, ExchangeId::new(u64::from(number) + 1));
        assert_eq!(frame.payload.len(), 200_000 + usize::from(number) * 7_919);
        assert!(frame.payload.iter().all(|byte| *byte == number));
        assert_eq!(frame.flags & DESCRIPTOR != 0, number % 3 == 1);
        if number % 3 == 1 {
            let mut text = String::new();
            let mut body = std::fs::File::from(worker.descriptor().unwrap());
            body.read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("body {number}"));
        }
    }
    assert!(worker.descriptor().is_none());
    assert!(worker.begin(12).await);
    drop(exchanges.pop());
    let cancel = worker.expect(Kind::Cancel).await;
    assert_eq!(cancel.exchange, ExchangeId::new(12));
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn frame_cut_into_bytes_is_put_together() {
    let _clock = Clock::hold();
    let (_floor, _, worker, id, mut exchange) = asked().await;
    let mut frame = BytesMut::new();
    // A head without a reason and headers.
    put_frame(
        &mut frame,
        Kind::Response,
        LAST,
        ExchangeId::new(id),
        b"\xc8\0\0\0\0\0\0\0!",
    )
    .unwrap();
    assert_eq!(frame.len(), HEADER_LEN + 9);
    for byte in frame {
        worker.send_raw(&[byte]).await;
        settle().await;
    }
    assert_eq!(soon(exchange.head_or_lost()).await.ok().unwrap().first, "!");
}

mod bell;
mod event_loop;
mod stuck;

#[tokio::test(start_paused = true)]
async fn what_a_dead_worker_said_is_heard_before_its_exchanges_fail() {
    let _clock = Clock::hold();
    for said in ["nothing", "begun", "answer"] {
        let (floor, _) = floor(EdgeSettings::default());
        let mut worker = FakeWorker::ready(&floor, 1).await;
        let mut exchange = ask(&floor).await;
        let id = worker.unbegun_request().await;
        match said {
            "begun" => assert!(worker.begin(id).await),
            "answer" => worker.answer(id, "done").await,
            _ => {}
        }
        // The supervisor is faster than the link's task, which has read nothing of this yet.
        floor.detach(1);
        let outcome = soon(exchange.head_or_lost()).await;
        let told = match outcome {
            Ok(head) => String::from_utf8(head.first.to_vec()).unwrap(),
            Err(lost) => lost.to_string(),
        };
        let expected = match said {
            "begun" => "the worker died while it worked on the request",
            "answer" => "done",
            _ => "the worker died while it had not begun the request",
        };
        assert_eq!(told, expected, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn cut_ends_what_is_streamed_and_leaves_what_is_not_answered_yet() {
    let _clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        worker_threads: 2,
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let mut stream = ask(&floor).await;
    let id = worker.request().await;
    let mut other = ask(&floor).await;
    let unanswered = worker.request().await;
    let mut pieces = streaming(&worker, id, &mut stream).await;
    floor.drain(1);
    floor.cut(1);
    floor.cut(1);
    let lost = piece(&mut stream, &mut pieces).await;
    assert_eq!(lost, Some(Err(Lost::Worker { begun: true })));
    assert_eq!(
        worker.expect(Kind::Cancel).await.exchange,
        ExchangeId::new(id)
    );
    assert!(worker.hears_nothing().await);
    worker.answer(unanswered, "late").await;
    assert_eq!(soon(other.head_or_lost()).await.ok().unwrap().status, 200);
    floor.cut(7);
}

#[tokio::test(start_paused = true)]
async fn worker_in_whose_link_something_waits_gets_nothing_more_until_it_has_room() {
    let _clock = Clock::hold();
    let (floor, _) = floor(EdgeSettings {
        worker_threads: 100,
        ..EdgeSettings::default()
    });
    let mut worker = FakeWorker::ready(&floor, 1).await;
    let _long = open(ticket(&floor).await, &vec![0; 1_000_000], None);
    let waits = tokio::spawn({
        let floor = Arc::clone(&floor);
        async move { floor.acquire().await.is_ok() }
    });
    settle().await;
    assert!(!waits.is_finished());
    worker.expect(Kind::Request).await;
    assert!(soon(waits).await.unwrap());
}
