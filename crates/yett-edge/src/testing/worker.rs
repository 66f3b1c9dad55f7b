//! The worker's end of a link, in raw frames, without a thread.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::UnixStream;
use yett_link::descriptor;
use yett_link::frame::{DESCRIPTOR, ExchangeId, Frame, Inbox, Kind, LAST, put_frame};
use yett_link::response::{write_fields, write_head};

use super::{settle, soon};
use crate::floor::Floor;

/// The far end of a link. Dropping it is the death of the worker.
pub(crate) struct FakeWorker {
    socket: UnixStream,
    inbox: Inbox,
    descriptors: VecDeque<OwnedFd>,
}

impl FakeWorker {
    /// A worker that has not said that it is ready.
    pub(crate) fn starting(floor: &Arc<Floor>, number: u32, generation: u64) -> Self {
        let (edge, worker) = std::os::unix::net::UnixStream::pair().unwrap();
        worker.set_nonblocking(true).unwrap();
        floor.attach(number, generation, edge.into()).unwrap();
        Self {
            socket: UnixStream::from_std(worker).unwrap(),
            inbox: Inbox::new(),
            descriptors: VecDeque::new(),
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

    /// The next frame, `None` when the edge has closed the link.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        soon(async {
            loop {
                if let Some(frame) = self.inbox.next_frame().unwrap() {
                    return Some(frame);
                }
                self.socket.readable().await.unwrap();
                let mut scratch = vec![0; 64 * 1024];
                let received = self.socket.try_io(Interest::READABLE, || {
                    Ok(descriptor::receive(
                        &self.socket,
                        &mut scratch,
                        &mut self.descriptors,
                        RecvFlags::empty(),
                    )?)
                });
                match received {
                    Ok(0) => return None,
                    Ok(count) => self.inbox.feed(&scratch[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return None,
                }
            }
        })
        .await
    }

    /// The next frame, which must be of this kind.
    pub(crate) async fn expect(&mut self, kind: Kind) -> Frame {
        let frame = self.next().await.expect("the link is open");
        assert_eq!(frame.kind, kind);
        frame
    }

    /// The number of the next request.
    pub(crate) async fn request(&mut self) -> u64 {
        self.expect(Kind::Request).await.exchange.get()
    }

    /// A body that came as a descriptor.
    pub(crate) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Whether nothing has come and nothing is about to.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        settle().await;
        let mut scratch = vec![0; 64 * 1024];
        let waiting = descriptor::receive(
            &self.socket,
            &mut scratch,
            &mut self.descriptors,
            RecvFlags::DONTWAIT,
        );
        self.inbox.feed(&scratch[..waiting.unwrap_or(0)]);
        !self.inbox.is_mid_frame() && waiting == Err(rustix::io::Errno::AGAIN)
    }

    pub(crate) async fn send(&self, kind: Kind, flags: u8, exchange: u64, payload: &[u8]) {
        let mut frame = BytesMut::new();
        put_frame(&mut frame, kind, flags, ExchangeId::new(exchange), payload).unwrap();
        self.send_raw(&frame).await;
    }

    pub(crate) async fn send_raw(&self, mut bytes: &[u8]) {
        soon(async {
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
