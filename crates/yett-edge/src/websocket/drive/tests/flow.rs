//! Messages both ways: whole and in pieces, under credit, compressed; pings.

use crate::meters::Limit;
use crate::ruling::Interface;
use yett_link::frame::{
    Kind, MAX_CHUNK, MORE, REQUEST_WINDOW, RESPONSE_WINDOW, TEXT, message_cost,
};

use super::{bench, open, open_at};
use crate::settings::EdgeSettings;
use crate::testing::{Bench, seconds, settle};
use crate::websocket::deflate::tests::{deflated, inflated};
use crate::websocket::{Deflate, WebSocketSettings};

fn with(websocket: WebSocketSettings) -> Bench {
    Bench::of(
        Interface::Asgi,
        EdgeSettings {
            websocket,
            ..EdgeSettings::default()
        },
    )
}

#[tokio::test(start_paused = true)]
async fn fragments_reach_the_application_as_one_message() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    client.send_frame(0x01, b"one ").await;
    client.send_frame(0x89, b"still there?").await;
    assert_eq!(client.frame().await, (0x8a, b"still there?".to_vec()));
    assert!(worker.hears_nothing().await);
    client.send_frame(0x80, b"message").await;
    assert_eq!(worker.message().await, (TEXT, b"one message".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn long_message_goes_on_in_pieces_as_the_application_takes_it() {
    let bench = bench();
    let (mut worker, mut client, id) = open(&bench).await;
    let message: Vec<u8> = (0..5 * MAX_CHUNK + 10).map(|place| place as u8).collect();
    client.send_frame(0x82, &message).await;
    let mut came = Vec::new();
    for _ in 0..REQUEST_WINDOW / message_cost(MAX_CHUNK) {
        let (flags, piece) = worker.message().await;
        assert_eq!((flags, piece.len()), (MORE, MAX_CHUNK));
        came.extend(piece);
    }
    assert!(worker.hears_nothing().await, "the window is full");
    worker.took(id, message_cost(MAX_CHUNK) as u32).await;
    came.extend(worker.message().await.1);
    assert!(worker.hears_nothing().await);
    worker.took(id, message_cost(MAX_CHUNK) as u32).await;
    came.extend(worker.message().await.1);
    let (flags, piece) = worker.message().await;
    came.extend(piece);
    assert_eq!((flags, came == message), (0, true));
}

#[tokio::test(start_paused = true)]
async fn client_is_not_read_beyond_what_the_application_takes() {
    let bench = bench();
    let (mut worker, mut client, id) = open(&bench).await;
    let message = vec![1; 50_000];
    let sender = tokio::spawn(async move {
        for _ in 0..60 {
            client.send_frame(0x82, &message).await;
        }
        client
    });
    for _ in 0..5 {
        assert_eq!(worker.message().await.1.len(), 50_000);
    }
    assert!(
        worker.hears_nothing().await,
        "a sixth would be beyond the window"
    );
    assert!(!sender.is_finished(), "the client's room is full");
    for _ in 5..60 {
        worker.took(id, message_cost(50_000) as u32).await;
        worker.message().await;
    }
    let _client = sender.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn empty_messages_count_too() {
    let bench = bench();
    let (mut worker, mut client, id) = open(&bench).await;
    client.send([0x81, 0x80, 1, 2, 3, 4].repeat(5000)).await;
    for _ in 0..REQUEST_WINDOW / message_cost(0) {
        assert_eq!(worker.message().await, (TEXT, Vec::new()));
    }
    assert!(worker.hears_nothing().await);
    worker.took(id, message_cost(0) as u32).await;
    assert_eq!(worker.message().await, (TEXT, Vec::new()));
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn worker_that_gives_credit_for_nothing_loses_its_link() {
    let bench = bench();
    let (worker, mut client, id) = open(&bench).await;
    worker.took(id, 1).await;
    assert_eq!(client.close().await, "1012 ");
    settle().await;
    assert_eq!(bench.told.count("lost 1"), 1);
}

#[tokio::test(start_paused = true)]
async fn worker_that_overruns_its_window_loses_its_link() {
    let bench = bench();
    let worker = bench.worker(1).await;
    let mut worker = worker;
    let mut client = bench.connect_with_room(1024);
    client.send(crate::testing::socket::asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    let _head = client.head().await;
    for _ in 0..RESPONSE_WINDOW / MAX_CHUNK + 3 {
        worker.send(Kind::Reply, 0, id, &[0; MAX_CHUNK]).await;
    }
    settle().await;
    assert_eq!(bench.told.count("lost 1"), 1);
}

#[tokio::test(start_paused = true)]
async fn credit_comes_back_as_the_client_takes() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(4096);
    client.send(crate::testing::socket::asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    let _head = client.head().await;
    for _ in 0..4 {
        worker.send(Kind::Reply, MORE, id, &[7; MAX_CHUNK]).await;
    }
    let credit = worker.expect(Kind::Credit).await;
    assert_eq!(credit.payload.len(), 4);
    assert!(
        worker.hears_nothing().await,
        "the client takes nothing more"
    );
    assert_eq!(client.frame().await, (0x02, vec![7; MAX_CHUNK]));
    for _ in 0..3 {
        assert_eq!(client.frame().await, (0x00, vec![7; MAX_CHUNK]));
    }
    worker.send(Kind::Reply, 0, id, b"").await;
    assert_eq!(client.frame().await, (0x80, Vec::new()));
    let mut back = u32::from_le_bytes(credit.payload[..].try_into().unwrap()) as usize;
    while back < 4 * MAX_CHUNK {
        let credit = worker.expect(Kind::Credit).await;
        back += u32::from_le_bytes(credit.payload[..].try_into().unwrap()) as usize;
    }
    assert_eq!(back, 4 * MAX_CHUNK);
}

#[tokio::test(start_paused = true)]
async fn client_that_stops_reading_is_cut() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(1024);
    client.send(crate::testing::socket::asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    let _head = client.head().await;
    worker.send(Kind::Reply, 0, id, &[0; 10_000]).await;
    bench.clock.pass(seconds(59)).await;
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.met(Limit::SendTime), 0);
    bench.clock.pass(seconds(1)).await;
    assert_eq!(worker.disconnect().await, "1006 ");
    assert_eq!(bench.met(Limit::SendTime), 1);
    drop(client);
    let records = bench.records().await;
    assert_eq!(records[0]["reason"], "the client stopped reading");
}

#[tokio::test(start_paused = true)]
async fn compression_is_spoken_where_it_is_offered() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    client.send(crate::testing::socket::asking(offer)).await;
    let id = worker.request().await;
    worker
        .accept(id, &[("sec-websocket-extensions", "x-forged")])
        .await;
    let head = client.head().await;
    assert!(head.contains(
        "\r\nsec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
    ), "{head}");
    let text = "more of the same, ".repeat(10_000);
    client
        .send_frame(0xc1, &deflated(text.as_bytes(), 15))
        .await;
    let mut came = Vec::new();
    loop {
        let (flags, piece) = worker.message().await;
        came.extend(piece);
        if flags == TEXT {
            break;
        }
    }
    assert_eq!(came, text.as_bytes());
    worker.send(Kind::Reply, TEXT, id, &came[..MAX_CHUNK]).await;
    let (first, payload) = client.frame().await;
    assert_eq!(
        (first, inflated(&payload).unwrap().len()),
        (0xc1, MAX_CHUNK)
    );
    worker
        .send(Kind::Reply, TEXT | MORE, id, &came[..MAX_CHUNK])
        .await;
    worker.send(Kind::Reply, TEXT, id, b"!").await;
    let (mut first, mut payload) = client.frame().await;
    assert_eq!(first & 0x4f, 0x41);
    while first & 0x80 == 0 {
        let (next, more) = client.frame().await;
        payload.extend(more);
        first = next;
    }
    assert_eq!(inflated(&payload).unwrap().len(), MAX_CHUNK + 1);
}

#[tokio::test(start_paused = true)]
async fn compression_can_be_switched_off() {
    let bench = with(WebSocketSettings {
        deflate: Deflate::Off,
        ..WebSocketSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut client = bench.connect();
    client.send(crate::testing::socket::asking(offer)).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    assert!(!client.head().await.contains("extensions"));
    client.send_frame(0xc1, &deflated(b"a", 15)).await;
    assert_eq!(client.close().await, "1002 ");
}

#[tokio::test(start_paused = true)]
async fn silent_client_is_pinged_and_stays_as_long_as_it_answers() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    for _ in 0..100 {
        bench.clock.pass(seconds(20)).await;
        assert_eq!(client.frame().await, (0x89, Vec::new()));
        client.send_frame(0x8a, b"").await;
    }
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn client_that_answers_no_ping_is_closed_and_the_application_told() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    bench.clock.pass(seconds(20)).await;
    assert_eq!(client.frame().await, (0x89, Vec::new()));
    bench.clock.pass(seconds(19)).await;
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.met(Limit::PongTime), 0);
    bench.clock.pass(seconds(1)).await;
    assert_eq!(worker.disconnect().await, "1006 ");
    assert_eq!(bench.met(Limit::PongTime), 1);
    assert_eq!(client.close().await, "1011 keepalive ping timeout");
    bench.clock.pass(seconds(2)).await;
    assert!(client.has_ended().await);
    let records = bench.records().await;
    assert_eq!(records[0]["reason"], "the client did not answer a ping");
    assert_eq!(records[0]["status"], 101);
}

#[tokio::test(start_paused = true)]
async fn client_that_the_application_holds_up_is_not_blamed_for_its_silence() {
    let bench = bench();
    let (mut worker, mut client, id) = open(&bench).await;
    for _ in 0..6 {
        client.send_frame(0x82, &[0; 50_000]).await;
    }
    for _ in 0..5 {
        worker.message().await;
    }
    // Its pongs stand behind a message that the application has no room for.
    for _ in 0..5 {
        bench.clock.pass(seconds(20)).await;
        assert_eq!(client.frame().await, (0x89, Vec::new()));
        client.send_frame(0x8a, b"").await;
    }
    assert!(worker.hears_nothing().await);
    worker.took(id, message_cost(50_000) as u32).await;
    assert_eq!(worker.message().await.1.len(), 50_000);
    bench.clock.pass(seconds(19)).await;
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_there_are_no_pings() {
    let bench = with(WebSocketSettings {
        ping_interval: None,
        ..WebSocketSettings::default()
    });
    let (mut worker, mut client, _id) = open(&bench).await;
    bench.clock.pass(seconds(100_000)).await;
    assert!(worker.hears_nothing().await && !client.has_something().await);
}

#[tokio::test(start_paused = true)]
async fn one_worker_holds_many_websockets_apart() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(open_at(&bench, &mut worker, "").await);
    }
    for (client, id) in &mut clients {
        client.send_frame(0x81, b"hi").await;
        let frame = worker.expect(Kind::Message).await;
        assert_eq!(frame.exchange.get(), *id);
        worker.send(Kind::Reply, 0, *id, &id.to_be_bytes()).await;
        assert_eq!(client.frame().await, (0x82, id.to_be_bytes().to_vec()));
    }
    assert_eq!(bench.floor.sockets(), 20);
}
