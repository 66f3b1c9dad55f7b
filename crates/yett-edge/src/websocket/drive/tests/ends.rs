//! How WebSockets end, and what each side is told.

use crate::meters::Limit;
use crate::ruling::Interface;
use proptest::prelude::*;
use yett_link::frame::{Kind, TEXT};

use super::{bench, open};
use crate::settings::EdgeSettings;
use crate::testing::socket::asking;
use crate::testing::{Bench, seconds, settle, soon};
use crate::websocket::WebSocketSettings;

#[tokio::test(start_paused = true)]
async fn close_of_the_client_is_echoed_and_told() {
    for (payload, told, echoed) in [
        (&b"\x03\xe8bye"[..], "1000 bye", "1000 "),
        (b"\x0f\xa0", "4000 ", "4000 "),
        (b"", "1005 ", "none"),
    ] {
        let bench = bench();
        let (mut worker, mut client, id) = open(&bench).await;
        client.send_frame(0x88, payload).await;
        assert_eq!(worker.disconnect().await, told);
        assert_eq!(client.close().await, echoed);
        assert!(client.has_ended().await, "the server closes first");
        // What the application still says is for nobody.
        worker.send(Kind::Reply, TEXT, id, b"late").await;
        worker.close(id, 1000, "").await;
        settle().await;
        assert_eq!((bench.floor.sockets(), bench.told.count("lost 1")), (0, 0));
        assert!(worker.hears_nothing().await);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_before_the_close_are_told_first() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    client.send_frame(0x81, b"last words").await;
    client.send_frame(0x88, b"").await;
    client.send_frame(0x81, b"behind the close").await;
    assert_eq!(worker.message().await, (TEXT, b"last words".to_vec()));
    assert_eq!(worker.disconnect().await, "1005 ");
    assert!(worker.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn client_that_vanishes_is_told_as_1006() {
    let bench = bench();
    let (mut worker, client, _id) = open(&bench).await;
    drop(client);
    assert_eq!(worker.disconnect().await, "1006 ");
    let records = bench.records().await;
    assert_eq!(records[0]["reason"], "the client left without closing");
    assert_eq!(records[0]["fault"], "client");
}

#[tokio::test(start_paused = true)]
async fn close_of_the_application_waits_for_the_clients() {
    let bench = bench();
    let (mut worker, mut client, id) = open(&bench).await;
    worker.send(Kind::Reply, TEXT, id, b"last words").await;
    worker.close(id, 4001, "enough").await;
    assert_eq!(client.frame().await, (0x81, b"last words".to_vec()));
    assert_eq!(client.close().await, "4001 enough");
    client.send_frame(0x81, b"did not see it yet").await;
    client.send_frame(0x89, b"").await;
    assert!(!client.has_something().await);
    client.send_frame(0x88, b"\x0f\xa1").await;
    assert!(client.has_ended().await);
    assert!(worker.hears_nothing().await);
    assert_eq!(bench.floor.sockets(), 0);
    assert_eq!(bench.told_records().await, ["GET /chat 101 - 22"]);
}

#[tokio::test(start_paused = true)]
async fn client_that_does_not_answer_a_close_is_not_waited_for_long() {
    let bench = bench();
    let (worker, mut client, id) = open(&bench).await;
    worker.close(id, 1000, "").await;
    assert_eq!(client.close().await, "1000 ");
    bench.clock.pass(seconds(5)).await;
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn application_that_fails_is_1011() {
    let bench = bench();
    let (worker, mut client, id) = open(&bench).await;
    worker.send(Kind::Failed, 0, id, b"").await;
    assert_eq!(client.close().await, "1011 ");
    client.send_frame(0x88, b"\x03\xf3").await;
    assert!(client.has_ended().await);
    assert_eq!(bench.floor.sockets(), 0);
    assert_eq!(bench.told_records().await, ["GET /chat 101 app 4"]);
}

#[tokio::test(start_paused = true)]
async fn death_of_the_worker_is_1012() {
    let bench = bench();
    let (worker, mut client, _id) = open(&bench).await;
    drop(worker);
    assert_eq!(client.close().await, "1012 ");
    client.send_frame(0x88, b"\x03\xf4").await;
    assert!(client.has_ended().await);
    assert_eq!(bench.told_records().await, ["GET /chat 101 app 4"]);
}

#[tokio::test(start_paused = true)]
async fn worker_that_is_cut_is_1012_on_both_sides() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    let mut asker = bench.connect();
    asker.send(asking("")).await;
    let asked = worker.request().await;
    bench.floor.drain(1);
    bench.floor.cut(1);
    assert_eq!(client.close().await, "1012 ");
    assert_eq!(worker.disconnect().await, "1012 ");
    assert_eq!(worker.disconnect().await, "1012 ");
    assert_eq!(bench.floor.sockets(), 0);
    // The request that had not become one is asked for once more, and finds no worker.
    let mut other = bench.worker(2).await;
    let _id = other.request().await;
    worker.send(Kind::Failed, 0, asked, b"").await;
    let _drain = worker.expect(Kind::Drain).await;
}

#[tokio::test(start_paused = true)]
async fn draining_worker_is_let_go_when_its_websockets_are_over() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    bench.floor.drain(1);
    assert!(worker.hears_nothing().await);
    client.send_frame(0x88, b"").await;
    assert_eq!(worker.disconnect().await, "1005 ");
    let _drain = worker.expect(Kind::Drain).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_server_lets_websockets_go_on_and_then_closes_them_with_1001() {
    let bench = bench();
    let (mut worker, mut client, _id) = open(&bench).await;
    bench.stop();
    client.send_frame(0x81, b"still here").await;
    assert_eq!(worker.message().await.1, b"still here");
    bench.stop_sockets();
    assert_eq!(client.close().await, "1001 ");
    assert_eq!(worker.disconnect().await, "1001 ");
    client.send_frame(0x88, b"\x03\xe9").await;
    assert!(client.has_ended().await);
}

#[tokio::test(start_paused = true)]
async fn handshake_that_is_granted_while_the_server_stops_is_closed_at_once() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect();
    client.send(asking("")).await;
    let id = worker.request().await;
    bench.stop_sockets();
    settle().await;
    worker.accept(id, &[]).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(client.close().await, "1001 ");
    assert_eq!(worker.disconnect().await, "1001 ");
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_rules_is_answered_with_its_code() {
    for (first, payload, code) in [
        (0x81, &b"\xff"[..], 1007),
        (0x83, b"", 1002),
        (0x80, b"", 1002),
        (0x82, &[0; 1001], 1009),
        (0xc1, b"\xff", 1002),
    ] {
        let websocket = WebSocketSettings {
            max_message: 1000,
            ..WebSocketSettings::default()
        };
        let bench = Bench::of(
            Interface::Asgi,
            EdgeSettings {
                websocket,
                ..EdgeSettings::default()
            },
        );
        let (mut worker, mut client, _id) = open(&bench).await;
        client.send_frame(first, payload).await;
        client.send_frame(0x81, b"behind it").await;
        assert_eq!(client.close().await, format!("{code} "));
        assert_eq!(worker.disconnect().await, format!("{code} "));
        assert!(worker.hears_nothing().await);
        let is_too_long = u64::from(code == 1009);
        assert_eq!(bench.met(Limit::MessageSize), is_too_long);
        bench.clock.pass(seconds(2)).await;
        assert!(client.has_ended().await);
        assert_eq!(bench.told_records().await, ["GET /chat 101 client 4"]);
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_no_close_does_not_hold_the_connection() {
    let bench = bench();
    let mut worker = bench.worker(1).await;
    let mut client = bench.connect_with_room(200);
    client.send(asking("")).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    let _head = client.head().await;
    worker.send(Kind::Reply, 0, id, &[0; 1000]).await;
    worker.close(id, 1000, "").await;
    bench.clock.pass(seconds(5)).await;
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    drop(client);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever a client sends, its WebSocket ends with it, the application hears so once, and
    /// nothing stays behind.
    #[test]
    fn arbitrary_bytes_end_in_order(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let bench = bench();
            let (mut worker, mut client, _id) = open(&bench).await;
            client.send(&bytes).await;
            settle().await;
            drop(client);
            loop {
                let frame = soon(worker.next()).await.unwrap();
                match frame.kind {
                    Kind::Message => {}
                    Kind::Disconnect => break,
                    kind => panic!("{kind:?}"),
                }
            }
            assert!(worker.hears_nothing().await);
            assert_eq!(bench.floor.sockets(), 0);
            assert_eq!(bench.records().await.len(), 1);
        });
    }
}
