//! Connections of HTTP/2 in memory: h2's own client, and raw frames for what it would not send.

mod ends;
mod hostile;
mod requests;

use crate::settings::EdgeSettings;
use crate::testing::Bench;
use crate::testing::h2_client::{H2Client, RawH2};

const ROOM: usize = 1024 * 1024;

fn bench() -> Bench {
    Bench::new(EdgeSettings::default())
}

async fn client(bench: &Bench) -> H2Client {
    H2Client::new(bench.connect_raw_with_room(ROOM)).await
}

async fn raw(bench: &Bench) -> RawH2 {
    RawH2::greeted(bench.connect_raw_with_room(ROOM)).await
}
