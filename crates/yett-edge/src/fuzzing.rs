//! What must hold for whatever a client or a worker sends: the doors for the fuzz targets (`fuzz/`) into
//! what this crate shows to nobody else. Built for tests and with the feature `fuzzing` alone.
//!
//! Panics are the findings.

mod front;

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::RecvFlags;
use tokio::task::{JoinHandle, yield_now};
use yett_link::descriptor;
use yett_link::frame::{ExchangeId, Kind, put_frame};
use yett_link::ring::{Direction, Memory, Writer};

use crate::conn::Offence;
use crate::conn::scan::{Limits, Scanner};
use crate::floor::{AppBody, Beside, Floor, Runs, WorkerKind, WorkerNews};
use crate::settings::EdgeSettings;
pub use front::{
    HTTP2_PIECES, PROXY_HEADER_PIECES, http2, http2_seeds, proxy_header, proxy_header_seeds,
};

/// However a client's bytes are cut, the scanner lets the same ones through and objects to the same, and
/// what it lets through came.
pub fn scanner(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else {
        return;
    };
    let whole = scan(data, data.len().max(1));
    let pieces = scan(data, usize::from(step) + 1);
    assert_eq!(whole, pieces);
    assert!(is_within(&whole.0, data));
    let again = scan(&whole.0, 7);
    assert_eq!(again.0, whole.0, "what was let through is in order");
    assert!(again.1.is_none());
}

fn scan(data: &[u8], step: usize) -> (BytesMut, Option<Offence>) {
    let limits = Limits {
        max_head: 2048,
        max_headers: 20,
    };
    let (mut scanner, mut out) = (Scanner::new(limits), BytesMut::new());
    for piece in data.chunks(step) {
        let mut outcome = scanner.push(piece, &mut out);
        while outcome.is_ok() && scanner.is_undecided() {
            outcome = scanner.go_on(&mut out);
        }
        if let Err(offence) = outcome {
            return (out, Some(offence));
        }
        assert!(!(scanner.is_in_head() && scanner.is_in_body()));
    }
    (out, None)
}

/// Whether all of `part` stands in `whole`, in order.
fn is_within(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

/// How the fuzzed worker's requests ended.
struct Quiet(Arc<AtomicBool>);

impl WorkerNews for Quiet {
    fn ready(&self, _: u32) {}
    fn stuck(&self, _: u32) {}
    fn hampered(&self, _: u32) {}
    fn spent(&self, _: u32) {}
    fn lost(&self, _: u32) {
        self.0.store(true, Ordering::Release);
    }
}

/// A worker that has the rings and does with them what a script says: it writes frames, nonsense, words that
/// belong to the other side, and descriptors. When it is gone, its link is closed, every request that it had is over, and
/// no place is taken.
pub fn worker(script: &[u8]) {
    bounded(play(script), "the edge waits for a worker that is gone");
}

/// Plays to the end, which must come; if it does not, that is why.
fn bounded(play: impl Future<Output = ()>, endless: &str) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    runtime.block_on(async {
        let ended = tokio::time::timeout(Duration::from_secs(20), play);
        assert!(ended.await.is_ok(), "{endless}");
    });
}

async fn play(script: &[u8]) {
    let lost = Arc::new(AtomicBool::new(false));
    let settings = EdgeSettings {
        worker_threads: 2,
        queue_timeout: Duration::from_millis(1),
        ..EdgeSettings::default()
    };
    let floor = Floor::new(settings, Box::new(Quiet(Arc::clone(&lost))));
    let runs = match script.first() {
        Some(first) if first % 2 == 1 => Runs::EventLoop,
        _ => Runs::Threads,
    };
    floor.describe(1, WorkerKind { runs, capacity: 2 });
    floor.activate(1);
    let Some(mut far) = Far::meet(&floor) else {
        return;
    };
    far.frame(Kind::Ready, 0, 0, b"");
    let mut asking = Vec::new();
    let mut rest = script;
    while let Some(([op, flags, one, two, three], further)) = rest.split_first_chunk::<5>() {
        rest = further;
        let number = u32::from_le_bytes([*one, *two, *three, 0]);
        match op % 8 {
            0 if asking.len() < 16 => asking.push(ask(&floor, *flags)),
            1 => asking.truncate(usize::from(*one)),
            2 => far.poke(u64::from(*flags % 16) * 128, &number.to_le_bytes()),
            3 => far.poke(
                u64::from(number % (1 << 20)),
                further.get(..64).unwrap_or(further),
            ),
            4 => far.socket_byte(*flags),
            5 => far.raw(further.get(..usize::from(*one)).unwrap_or(further)),
            _ => {
                let kind = Kind::OF_WORKER.get(usize::from(*one) % Kind::OF_WORKER.len());
                let len = usize::from(*two) * usize::from(*three);
                let mut payload = further.get(..24).unwrap_or(further).to_vec();
                payload.resize(len, 0);
                if let Some(kind) = kind {
                    far.frame(*kind, *flags, u64::from(op / 8) % 20, &payload);
                }
            }
        }
        for _ in 0..op % 4 {
            yield_now().await;
        }
    }
    drop(far);
    for task in asking {
        task.end().await;
    }
    while !lost.load(Ordering::Acquire) || floor.load() != (0, 0) {
        yield_now().await;
        floor.detach(1);
    }
    assert_eq!(floor.sockets(), 0);
}

/// A client's side of a request. Dropping it is the client leaving.
struct Task(Option<JoinHandle<()>>);

impl Task {
    async fn end(mut self) {
        if let Some(task) = self.0.take() {
            assert!(task.await.is_ok(), "the client's side failed");
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

fn ask(floor: &Arc<Floor>, flags: u8) -> Task {
    let floor = Arc::clone(floor);
    Task(Some(tokio::spawn(async move {
        let acquired = floor.acquire().await;
        let Ok((ticket, _)) = acquired else {
            return;
        };
        let encode = |id: ExchangeId| {
            let mut frame = BytesMut::new();
            let payload = vec![0; usize::from(flags) * 8];
            put_frame(&mut frame, Kind::Request, 0, id, &payload).map(|()| frame.into())
        };
        if flags.is_multiple_of(4) {
            if let Ok(asking) = ticket.ask_socket(encode) {
                let _answered = asking.answer().await;
            }
            return;
        }
        let Ok(mut exchange) = ticket.open(Beside::default(), encode) else {
            return;
        };
        if let Ok(head) = exchange.head().await
            && let AppBody::Stream(mut pieces) = head.body
        {
            while let Some(Ok(_piece)) =
                std::future::poll_fn(|cx| exchange.poll_piece(&mut pieces, cx)).await
            {}
        }
    })))
}

/// The worker's end.
struct Far {
    socket: UnixStream,
    memory: Arc<Memory>,
    writer: Writer,
    bell: OwnedFd,
}

impl Far {
    fn meet(floor: &Arc<Floor>) -> Option<Self> {
        let (edge, socket) = UnixStream::pair().ok()?;
        floor.attach(1, 1, edge.into()).ok()?;
        let (mut word, mut descriptors) = ([0], VecDeque::new());
        descriptor::receive(&socket, &mut word, &mut descriptors, RecvFlags::empty()).ok()?;
        socket.set_nonblocking(true).ok()?;
        let memory = Arc::new(Memory::open(descriptors.pop_front()?).ok()?);
        let writer = Writer::new(Arc::clone(&memory), Direction::Responses);
        let bell = descriptors.pop_front()?;
        Some(Self {
            socket,
            memory,
            writer,
            bell,
        })
    }

    fn ring(&self) {
        let _full = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn raw(&mut self, bytes: &[u8]) {
        let _full = self.writer.write(&[bytes]);
        self.ring();
    }

    fn frame(&mut self, kind: Kind, flags: u8, exchange: u64, payload: &[u8]) {
        let mut frame = BytesMut::new();
        if put_frame(&mut frame, kind, flags, ExchangeId::new(exchange), payload).is_ok() {
            self.raw(&frame);
        }
    }

    /// Through the file, as its mapping would.
    fn poke(&self, at: u64, bytes: &[u8]) {
        let _beyond = rustix::io::pwrite(self.memory.descriptor(), bytes, at);
        self.ring();
    }

    fn socket_byte(&self, carried: u8) {
        let carried = carried.is_multiple_of(2).then(|| self.bell.as_fd());
        let _full = descriptor::send(&self.socket, &[std::io::IoSlice::new(&[0])], carried);
    }
}

/// Messages of all framings, behind the byte that says where to cut.
#[must_use]
pub fn scanner_seeds() -> Vec<Vec<u8>> {
    [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n",
        "\r\nGET /c HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
    ]
    .iter()
    .map(|text| [&[4], text.as_bytes()].concat())
    .collect()
}

/// What heads and chunks turn on.
pub const SCANNER_PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b": ",
    b" ",
    b"\t",
    b"0\r\n\r\n",
    b"ffffffffffffffff",
    b"5\r\n",
    b";",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 18446744073709551615\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"\0",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

/// Scripts of five bytes a step.
#[must_use]
pub fn worker_seeds() -> Vec<Vec<u8>> {
    let ask = [0, 1, 0, 0, 0];
    let frame =
        |kind: u8, flags: u8, exchange: u8, len: u8| [6 + exchange * 8, flags, kind, len, 1];
    vec![
        [
            ask,
            ask,
            frame(2, 1, 1, 8),
            frame(2, 0, 2, 9),
            frame(3, 1, 2, 200),
        ]
        .concat(),
        [
            ask,
            [2, 4, 255, 255, 255],
            ask,
            [3, 0, 0, 32, 2],
            frame(4, 1, 1, 0),
        ]
        .concat(),
        [
            [8, 4, 0, 0, 0],
            frame(8, 0, 1, 8),
            frame(9, 32, 1, 99),
            frame(10, 0, 1, 2),
        ]
        .concat(),
        [
            [1, 0, 0, 0, 0],
            ask,
            ask,
            ask,
            [1, 0, 1, 0, 0],
            [4, 2, 0, 0, 0],
            frame(2, 3, 1, 24),
        ]
        .concat(),
        [
            ask,
            [5, 0, 40, 0, 0],
            [255; 5],
            [0; 5],
            [16, 0, 0, 0, 18],
            [2, 1, 9, 9, 9],
        ]
        .concat(),
    ]
}

/// What scripts turn on.
pub const WORKER_PIECES: &[&[u8]] = &[
    &[0, 1, 0, 0, 0],
    &[0, 4, 0, 0, 0],
    &[1, 0, 0, 0, 0],
    &[14, 0, 2, 8, 1],
    &[14, 1, 2, 8, 1],
    &[14, 1, 3, 200, 200],
    &[2, 4, 1, 0, 0],
    &[2, 5, 0, 0, 8],
    &[4, 0, 0, 0, 0],
    &[200, 0, 0, 0, 0, 0, 0, 0],
];

#[cfg(test)]
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/changes.rs"]
mod changes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_of_a_client_are_scanned_alike_however_they_are_cut() {
        changes::run(&scanner_seeds(), SCANNER_PIECES, 20_000, scanner);
    }

    #[test]
    fn any_proxy_header_is_read_alike_however_it_is_cut() {
        let seeds = proxy_header_seeds();
        changes::run(&seeds, PROXY_HEADER_PIECES, 20_000, proxy_header);
    }

    #[test]
    fn any_client_of_http2_that_is_gone_leaves_nothing_behind() {
        changes::run(&http2_seeds(), HTTP2_PIECES, 400, http2);
    }

    #[test]
    fn any_worker_that_is_gone_leaves_nothing_behind() {
        changes::run(&worker_seeds(), WORKER_PIECES, 400, worker);
    }
}
