//! What clients and proxies send first, or over HTTP/2: the doors into both.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::task::yield_now;
use yett_gate::{Arrival, ClientAddr, Gate, GateSettings, Scheme, ServerAddr};

use super::{Quiet, bounded};
use crate::conn::{Stop, Terms};
use crate::floor::Floor;
use crate::listen::Preface;
use crate::listen::proxy_header::{self, ProxyHeader};
use crate::log::{AccessLog, Format};
use crate::ruling::{Interface, Ruling};
use crate::service::Services;
use crate::settings::EdgeSettings;

/// Bytes that come a few at a time.
struct Cut<'d> {
    data: &'d [u8],
    step: usize,
}

impl AsyncRead for Cut<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let count = self.step.min(into.remaining()).min(self.data.len());
        let (now, later) = self.data.split_at_checked(count).unwrap_or_default();
        into.put_slice(now);
        self.data = later;
        Poll::Ready(Ok(()))
    }
}

/// A PROXY header is the same however its bytes are cut; nothing behind it is taken; and what was taken
/// is a whole header for whoever has it at once.
pub fn proxy_header(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else {
        return;
    };
    let whole = read(data, data.len().max(1));
    assert_eq!(whole, read(data, usize::from(step) + 1));
    match whole {
        Some((None, taken)) => assert_eq!((taken, data.len()), (0, 0), "an end is no header"),
        Some((Some(header), taken)) => {
            let taken = data.get(..taken).unwrap_or_default();
            assert_eq!(proxy_header::parse(taken), Ok(header));
        }
        None => {}
    }
}

/// The header and how many bytes it took.
fn read(data: &[u8], step: usize) -> Option<(Option<ProxyHeader>, usize)> {
    let mut stream = Cut { data, step };
    let read = {
        let mut reading = pin!(proxy_header::read(&mut stream));
        reading
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    };
    let Poll::Ready(read) = read else {
        return None;
    };
    Some((read.ok()?, data.len() - stream.data.len()))
}

/// Where fuzzing of PROXY headers begins: a step, then the header and what is behind it.
#[must_use]
pub fn proxy_header_seeds() -> Vec<Vec<u8>> {
    let four = b"\x7f\0\0\x01\x0a\0\0\x02\x12\x34\x01\xbb";
    let v2 = |command: u8, family: u8, rest: &[u8]| {
        let length = u16::try_from(rest.len()).unwrap_or_default().to_be_bytes();
        let begin = b"\x05\r\n\r\n\0\r\nQUIT\n".as_slice();
        [begin, &[command, family], &length, rest, b"GET /"].concat()
    };
    let tlvs = [&four[..], b"\x20\0\x05\x01\0\0\0\0\x04\0\x01x"].concat();
    let sum = [&four[..], b"\x03\0\x04abcd"].concat();
    vec![
        b"\0PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\nGET /".to_vec(),
        b"\x03PROXY TCP6 2001:db8::1 ::1 65535 0\r\n\x16\x03\x01".to_vec(),
        b"\x01PROXY UNKNOWN whatever \r\n".to_vec(),
        v2(0x21, 0x11, four),
        v2(0x20, 0x00, b""),
        v2(0x21, 0x21, &[1; 36]),
        v2(0x21, 0x31, &[0; 216]),
        v2(0x21, 0x11, &tlvs),
        v2(0x21, 0x11, &sum),
        b"\0GET / HTTP/1.1\r\n".to_vec(),
    ]
}

/// What PROXY headers turn on.
pub const PROXY_HEADER_PIECES: &[&[u8]] = &[
    b"PROXY ",
    b"\r\n",
    b"\r",
    b" ",
    b"TCP4 ",
    b"UNKNOWN",
    b"::",
    b"0",
    b"\r\n\r\n\0\r\nQUIT\n",
    b"\x21\x11\0\x0c",
    b"\x20\0\x05",
    b"\x03\0\x04",
    b"\xff\xff",
];

/// Whatever a client says over HTTP/2, and however it is cut: when it has gone, its connection ends, every
/// request of it is over, and no place is taken.
pub fn http2(script: &[u8]) {
    bounded(converse(script), "the edge waits for a client that is gone");
}

async fn converse(script: &[u8]) {
    let Some((&step, data)) = script.split_first() else {
        return;
    };
    let settings = EdgeSettings {
        queue_timeout: Duration::from_millis(1),
        ..EdgeSettings::default()
    };
    let floor = Floor::new(settings.clone(), Box::new(Quiet(Arc::default())));
    let (Ok(gate), Ok(log)) = (
        Gate::new(GateSettings::default()),
        AccessLog::start(Format::Json, std::io::sink()),
    ) else {
        return;
    };
    let ruling = Ruling {
        gate,
        mounts: Vec::new(),
        interface: Interface::Asgi,
        issuer: None,
    };
    let settings = Arc::new(settings);
    let services = Services::new(
        Arc::clone(&floor),
        Arc::new(ArcSwap::from_pointee(ruling)),
        log,
        Arc::clone(&settings),
    );
    let (_stop, stopping) = watch::channel(Stop::No);
    let terms = Terms {
        preface: Preface::None,
        tls: None,
        services: Arc::new(services),
        settings,
        stopping,
    };
    let (near, far) = tokio::io::duplex(16 * 1024);
    let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
    let served = tokio::spawn(terms.serve(far, arrival));
    let (mut answers, mut asks) = tokio::io::split(near);
    let read =
        tokio::spawn(async move { tokio::io::copy(&mut answers, &mut tokio::io::sink()).await });
    let begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let _ended = asks.write_all(begin).await;
    for piece in data.chunks((usize::from(step) + 1) * 8) {
        if asks.write_all(piece).await.is_err() {
            break;
        }
        yield_now().await;
    }
    let _ended = asks.shutdown().await;
    assert!(served.await.is_ok(), "the connection failed");
    let _read = read.await;
    assert_eq!(floor.load(), (0, 0));
}

/// A frame's bytes.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default();
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.remove(0);
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A GET and a POST of `/` at `x`: HPACK's static table, and the authority spelt out.
const GET: &[u8] = b"\x82\x84\x86\x41\x01x";
const POST: &[u8] = b"\x83\x84\x86\x41\x01x";

/// Where fuzzing of HTTP/2 begins: a step, then frames behind the preface and the client's SETTINGS.
#[must_use]
pub fn http2_seeds() -> Vec<Vec<u8>> {
    let (begun, rest) = GET.split_at(3);
    let seed = |step: u8, frames: &[Vec<u8>]| [vec![step], frames.concat()].concat();
    vec![
        seed(0, &[frame(1, 5, 1, GET), frame(1, 5, 3, GET)]),
        seed(
            9,
            &[
                frame(1, 4, 1, POST),
                frame(0, 0, 1, b"some of a body"),
                // Trailers: `x: y`.
                frame(1, 5, 1, b"\0\x01x\x01y"),
            ],
        ),
        seed(
            255,
            &[
                frame(1, 1, 1, begun),
                frame(9, 4, 1, rest),
                frame(3, 0, 1, &8_u32.to_be_bytes()),
            ],
        ),
        seed(
            30,
            &[
                frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]),
                frame(1, 5, 1, GET),
                frame(8, 0, 1, &1_u32.to_be_bytes()),
                frame(6, 0, 0, &[0; 8]),
                frame(2, 0, 5, &[0, 0, 0, 9, 0]),
                frame(8, 0, 0, &0x7fff_ffff_u32.to_be_bytes()),
            ],
        ),
        seed(2, &[frame(7, 0, 0, &[0; 8]), frame(1, 5, 1, GET)]),
    ]
}

/// What HTTP/2 turns on.
pub const HTTP2_PIECES: &[&[u8]] = &[
    b"\0\0\x06\x01\x05\0\0\0\x01\x82\x84\x86\x41\x01x",
    b"\0\0\x06\x01\x04\0\0\0\x03\x83\x84\x86\x41\x01x",
    b"\0\0\x01\0\x01\0\0\0\x03x",
    b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\0\0\0\x04\0\0\0\0\0",
    b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
    b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff",
    b"\0\0\0\x09\0\0\0\0\x01",
    b"\x40\x01x\x01y",
    b"\x3f\xe1\xff\xff\x03",
    b"\0\x09:path\x01x",
    b"\xff\xff\xff",
];
