//! WebSockets from handshake to end, between a client in raw frames and a fake worker.

mod ends;
mod flow;
mod handshake;

use crate::ruling::Interface;
use crate::settings::EdgeSettings;
use crate::testing::socket::asking;
use crate::testing::{Bench, Client, FakeWorker};

fn bench() -> Bench {
    Bench::of(Interface::Asgi, EdgeSettings::default())
}

/// A worker, and a client whose WebSocket is open under the number.
async fn open(bench: &Bench) -> (FakeWorker, Client, u64) {
    let mut worker = bench.worker(1).await;
    let (client, id) = open_at(bench, &mut worker, "").await;
    (worker, client, id)
}

async fn open_at(bench: &Bench, worker: &mut FakeWorker, headers: &str) -> (Client, u64) {
    let mut client = bench.connect();
    client.send(asking(headers)).await;
    let id = worker.request().await;
    worker.accept(id, &[]).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    (client, id)
}
