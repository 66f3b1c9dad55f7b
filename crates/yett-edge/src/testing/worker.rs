//! The worker's end of a link, in raw frames, without a thread.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{BufMut, BytesMut};
use rustix::net::RecvFlags;
use tokio::net::UnixStream;
use yett_link::descriptor;
use yett_link::frame::{
    ANNOUNCE_BEGIN, DESCRIPTOR, ExchangeId, Frame, Inbox, Kind, LAST, put_frame,
};
use yett_link::response::{write_fields, write_head};
use yett_link::ring::{ClaimId, Direction, Memory, Reader, Writer};

use super::{settle, soon};
use crate::floor::Floor;

/// The far end of a link. Dropping it is the death of the worker.
pub(crate) struct FakeWorker {
    socket: UnixStream,
    rings: Option<FarRings>,
    inbox: Inbox,
    descriptors: VecDeque<OwnedFd>,
    claims: HashMap<ExchangeId, ClaimId>,
}

/// A thread that writes nonsense, until it is stopped.
pub(crate) struct Flood {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Flood {
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

struct FarRings {
    reader: Reader,
    writer: std::sync::Mutex<Writer>,
    bell: OwnedFd,
}

impl FarRings {
    /// Writes what there is room for, and returns the rest.
    fn write<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let mut writer = self.writer.lock().unwrap();
        let written = writer.write(&[bytes]).unwrap();
        if writer.must_wake() {
            self.ring();
        }
        &bytes[written..]
    }

    fn ring(&self) {
        match rustix::io::write(&self.bell, &1_u64.to_ne_bytes()) {
            Ok(_) | Err(rustix::io::Errno::AGAIN) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

impl FakeWorker {
    /// A worker that has not said that it is ready.
    pub(crate) fn starting(floor: &Arc<Floor>, number: u32, generation: u64) -> Self {
        let (edge, worker) = std::os::unix::net::UnixStream::pair().unwrap();
        worker.set_nonblocking(true).unwrap();
        floor.attach(number, generation, edge.into()).unwrap();
        let (mut word, mut descriptors) = ([0], VecDeque::new());
        let flags = RecvFlags::empty();
        descriptor::receive(&worker, &mut word, &mut descriptors, flags).unwrap();
        let rings = descriptors.pop_front().map(|memory| {
            let memory = Arc::new(Memory::open(memory).unwrap());
            let reader = Reader::new(Arc::clone(&memory), Direction::Requests);
            // As a worker that waits for its first request.
            assert!(reader.lie_down());
            FarRings {
                reader,
                writer: std::sync::Mutex::new(Writer::new(memory, Direction::Responses)),
                bell: descriptors.pop_front().unwrap(),
            }
        });
        Self {
            socket: UnixStream::from_std(worker).unwrap(),
            rings,
            inbox: Inbox::new(),
            descriptors,
            claims: HashMap::new(),
        }
    }

    pub(crate) async fn of_generation(floor: &Arc<Floor>, number: u32, generation: u64) -> Self {
        let worker = Self::starting(floor, number, generation);
        worker.send(Kind::Ready, 0, 0, b"").await;
        settle().await;
        worker
    }

    pub(crate) async fn ready(floor: &Arc<Floor>, number: u32) -> Self {
        Self::of_generation(floor, number, 1).await
    }

    /// The next frame, `None` when the edge has closed the link. A request in it is not begun.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let frame = soon(async {
            loop {
                if let Some(frame) = self.inbox.next_frame().unwrap() {
                    return Some(frame);
                }
                if !self.take_in().ok()? {
                    tokio::task::yield_now().await;
                }
            }
        })
        .await?;
        if let Some(claim) = frame.claim {
            self.claims.insert(frame.exchange, claim);
        }
        Some(frame)
    }

    /// Begins a request that has come, and says so as the carrier has it; false if it was taken back.
    pub(crate) async fn begin(&self, exchange: u64) -> bool {
        let id = ExchangeId::new(exchange);
        let Some((claim, rings)) = self.claims.get(&id).zip(self.rings.as_ref()) else {
            self.send(Kind::Begun, 0, exchange, b"").await;
            return true;
        };
        let claim = rings.reader.memory().claim(*claim);
        claim.is_begun(id) || claim.begin(id)
    }

    /// Whether the edge learns when this request is begun.
    pub(crate) fn tells_begin(frame: &Frame) -> bool {
        (frame.flags & ANNOUNCE_BEGIN != 0) != frame.claim.is_some()
    }

    /// Takes in what has come: whether that was anything, or that the edge has closed the link.
    fn take_in(&mut self) -> Result<bool, ()> {
        if let Some(rings) = &mut self.rings {
            if self.inbox.read(&mut rings.reader).unwrap() > 0 {
                if rings.reader.must_wake() {
                    rings.ring();
                }
                return Ok(true);
            }
            let _asleep = rings.reader.lie_down();
        }
        let mut scratch = vec![0; 64 * 1024];
        let flags = RecvFlags::DONTWAIT;
        let received =
            descriptor::receive(&self.socket, &mut scratch, &mut self.descriptors, flags);
        match received {
            Ok(0) => Err(()),
            Ok(count) if self.rings.is_none() => {
                self.inbox.feed(&scratch[..count]);
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(_) => Err(()),
        }
    }

    /// The next frame, which must be of this kind.
    pub(crate) async fn expect(&mut self, kind: Kind) -> Frame {
        let frame = self.next().await.expect("the link is open");
        assert_eq!(frame.kind, kind);
        frame
    }

    /// Takes the next request and begins it, without a word where the edge asked for none.
    pub(crate) async fn request(&mut self) -> u64 {
        let id = self.unbegun_request().await;
        if self.claims.contains_key(&ExchangeId::new(id)) {
            assert!(self.begin(id).await, "it was taken back");
        }
        id
    }

    /// The number of the next request, which is not begun.
    pub(crate) async fn unbegun_request(&mut self) -> u64 {
        loop {
            let frame = self.next().await.expect("the link is open");
            // What concerns an answer before this one may come first.
            if !matches!(frame.kind, Kind::Credit | Kind::Cancel) {
                assert_eq!(frame.kind, Kind::Request);
                return frame.exchange.get();
            }
        }
    }

    /// A body that came as a descriptor.
    pub(crate) fn descriptor(&mut self) -> Option<OwnedFd> {
        if self.descriptors.is_empty() {
            // Beside rings it came over the socket before its frame was written.
            let (mut scratch, flags) = ([0; 16], RecvFlags::DONTWAIT);
            let _nothing =
                descriptor::receive(&self.socket, &mut scratch, &mut self.descriptors, flags);
        }
        self.descriptors.pop_front()
    }

    /// Whether nothing has come and nothing is about to.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        settle().await;
        while self.take_in() == Ok(true) {}
        !self.inbox.is_mid_frame()
    }

    /// Tells the edge how long its requests take.
    pub(crate) fn says_it_works(&self, took: std::time::Duration) {
        if let Some(rings) = &self.rings {
            rings.reader.memory().worked(took);
        }
    }

    /// Whether it may keep so many answers back until the edge looks by the clock. Not without rings.
    pub(crate) fn may_defer(&self, answers: u32) -> bool {
        let rings = self.rings.as_ref();
        rings.is_some_and(|rings| rings.reader.memory().may_defer(answers))
    }

    /// Fills its bell, so that no ring of it is an event any more.
    pub(crate) fn spoil_bell(&self) {
        let rings = self.rings.as_ref().expect("rings");
        let most = u64::MAX - 1;
        while rustix::io::write(&rings.bell, &most.to_ne_bytes()).is_err() {
            rustix::io::read(&rings.bell, &mut [0; 8]).unwrap();
        }
    }

    /// Writes to its socket all the while, from a thread of its own.
    pub(crate) fn flood_socket(&self) -> Flood {
        let socket = self.socket.as_fd().try_clone_to_owned().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let _full = rustix::io::write(&socket, &[0; 64 * 1024]);
            }
        });
        Flood { stop, thread }
    }

    pub(crate) async fn send(&self, kind: Kind, flags: u8, exchange: u64, payload: &[u8]) {
        let mut frame = BytesMut::new();
        put_frame(&mut frame, kind, flags, ExchangeId::new(exchange), payload).unwrap();
        self.send_raw(&frame).await;
    }

    pub(crate) async fn send_raw(&self, mut bytes: &[u8]) {
        soon(async {
            if let Some(rings) = &self.rings {
                while !bytes.is_empty() {
                    bytes = rings.write(bytes);
                    tokio::task::yield_now().await;
                }
                return;
            }
            while !bytes.is_empty() {
                self.socket.writable().await.unwrap();
                match self.socket.try_write(bytes) {
                    Ok(count) => bytes = &bytes[count..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
        .await;
    }

    /// A frame with a descriptor on its first byte.
    pub(crate) async fn send_with(
        &self,
        (kind, flags): (Kind, u8),
        exchange: u64,
        payload: &[u8],
        carried: impl AsFd,
    ) {
        let mut frame = BytesMut::new();
        put_frame(&mut frame, kind, flags, ExchangeId::new(exchange), payload).unwrap();
        if self.rings.is_some() {
            let sent = descriptor::send(&self.socket, &[IoSlice::new(&[0])], Some(carried.as_fd()));
            assert_eq!(sent, Ok(1));
            self.send_raw(&frame).await;
            return;
        }
        let sent = descriptor::send(&self.socket, &[IoSlice::new(&frame)], Some(carried.as_fd()));
        assert_eq!(sent, Ok(frame.len()));
    }

    /// An answer with the status 200 whose body is a range of a file.
    pub(crate) async fn file(
        &self,
        exchange: u64,
        headers: &[(&str, &str)],
        (file, offset, len): (impl AsFd, u64, u64),
    ) {
        let mut payload = BytesMut::new();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        write_head(&mut payload, 200, b"OK", headers).unwrap();
        payload.put_u64_le(offset);
        payload.put_u64_le(len);
        self.send_with(
            (Kind::Response, LAST | DESCRIPTOR),
            exchange,
            &payload,
            file,
        )
        .await;
    }

    /// A frame of fields: hints or trailers.
    pub(crate) async fn fields(&self, kind: Kind, exchange: u64, fields: &[(&str, &str)]) {
        let mut payload = BytesMut::new();
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        write_fields(&mut payload, fields).unwrap();
        self.send(kind, 0, exchange, &payload).await;
    }

    /// Acknowledges bytes of a request's body.
    pub(crate) async fn took(&self, exchange: u64, len: u32) {
        self.send(Kind::BodyCredit, 0, exchange, &len.to_le_bytes())
            .await;
    }

    /// A head and the first piece of its body; `flags` says whether that is all.
    pub(crate) async fn head(
        &self,
        exchange: u64,
        status: &str,
        headers: &[(&str, &str)],
        first: &[u8],
        flags: u8,
    ) {
        let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
        let mut payload = BytesMut::new();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        write_head(
            &mut payload,
            code.parse().unwrap(),
            reason.as_bytes(),
            headers,
        )
        .unwrap();
        payload.extend_from_slice(first);
        self.send(Kind::Response, flags, exchange, &payload).await;
    }

    /// A whole answer with the status 200.
    pub(crate) async fn answer(&self, exchange: u64, body: &str) {
        self.head(exchange, "200 OK", &[], body.as_bytes(), LAST)
            .await;
    }

    pub(crate) async fn chunk(&self, exchange: u64, piece: &[u8], flags: u8) {
        self.send(Kind::Chunk, flags, exchange, piece).await;
    }
}
