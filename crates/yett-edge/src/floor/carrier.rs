//! What carries a link's frames: rings in shared memory, or the socket alone.
//!
//! The socket is always there: it brings the rings to the worker, wakes it, carries descriptors, and
//! its end tells that the worker is gone. Where shared memory cannot be had, it carries the frames
//! as well.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use yett_link::descriptor::{self, CARRIED_BY_SOCKET};
use yett_link::frame::{DESCRIPTOR, Frame, FrameError, Inbox, Kind};
use yett_link::ring::{Direction, Memory, Reader, Writer};

/// What links are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Rings in shared memory; the socket where the system has no shared memory for us.
    Rings,
    /// The socket alone.
    Socket,
}

impl Default for Carrier {
    /// Rings. The tests of this crate run once over each: `YETT_TEST_CARRIER=socket` for the other.
    fn default() -> Self {
        #[cfg(test)]
        if std::env::var_os("YETT_TEST_CARRIER").is_some_and(|word| word == "socket") {
            return Self::Socket;
        }
        Self::Rings
    }
}

/// How many bytes one read of a link's socket takes at most.
const READ: usize = 128 * 1024;

/// How many descriptors may have come before their frames, beside a ring: what the threads of a worker
/// can be sending at one moment.
const MOST_DESCRIPTORS: usize = 64;

/// The edge's half of what carries a link.
pub(super) struct Wire {
    /// Watched for reading alone: a worker that takes a request makes the socket writable, which is
    /// no news, and would wake the edge once more for each request.
    pub(super) socket: AsyncFd<UnixStream>,
    pub(super) rings: Option<Rings>,
    outbox: Mutex<Outbox>,
    crowded: AtomicBool,
    inlet: Mutex<Inlet>,
}

/// The edge's half of a link's rings.
pub(super) struct Rings {
    pub(super) memory: Arc<Memory>,
    /// Rung by the worker when the edge sleeps. Never read: each ring is an event of its own.
    ///
    /// The worker has this very descriptor, and can do with it what it likes, to nobody's harm but its own:
    /// - it rings all the while: the edge turns once for all rings since its last turn, finds nothing
    ///   and goes on with its other tasks;
    /// - it fills the counter, and no ring is an event any more; or it never rings: its own answers wait
    ///   for the edge's next look, at a request, before a sleep or at the link's tick;
    /// - it reads the counter: nobody else does, and an event that happened has happened;
    /// - it makes it block: the edge neither reads nor writes it.
    pub(super) bell: AsyncFd<OwnedFd>,
}

/// A frame on its way to the worker.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Its header and its payload, or the front of it.
    pub(crate) front: BytesMut,
    /// The rest of the payload, a piece of a body, sent from where it lies.
    pub(crate) body: Bytes,
    /// The descriptor that goes with it.
    pub(crate) file: Option<Arc<OwnedFd>>,
}

impl From<BytesMut> for Outgoing {
    fn from(front: BytesMut) -> Self {
        Self {
            front,
            ..Self::default()
        }
    }
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.front.is_empty() && self.body.is_empty()
    }

    /// So many bytes were sent.
    fn advance(&mut self, sent: usize) {
        let of_front = sent.min(self.front.len());
        self.front.advance(of_front);
        self.body.advance((sent - of_front).min(self.body.len()));
    }
}

#[derive(Default)]
struct Outbox {
    frames: VecDeque<Outgoing>,
    ring: Option<Writer>,
}

struct Inlet {
    inbox: Inbox,
    ring: Option<Reader>,
    scratch: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

/// How much of what was to be sent is with the worker: all, or what the rest waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    All,
    /// The worker rings when its ring has room.
    AwaitsRoom,
    /// The socket must be watched until it takes more.
    AwaitsSocket,
}

/// What a look at the link found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Something,
    Nothing,
    /// The other end is closed.
    End,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// Takes over a socket and tells the worker what carries the frames.
    pub(super) fn new(socket: OwnedFd, carrier: Carrier) -> std::io::Result<Self> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let rings = match carrier {
            Carrier::Rings => Rings::send(&socket).ok(),
            Carrier::Socket => None,
        };
        if rings.is_none() {
            let word = [CARRIED_BY_SOCKET];
            descriptor::send(&socket, &[IoSlice::new(&word)], None)?;
        }
        let memory = rings.as_ref().map(|rings| &rings.memory);
        let writer = memory.map(|memory| Writer::new(Arc::clone(memory), Direction::Requests));
        let reader = memory.map(|memory| Reader::new(Arc::clone(memory), Direction::Responses));
        let read = if reader.is_some() { 256 } else { READ };
        Ok(Self {
            socket: watched(socket, Interest::READABLE)?,
            rings,
            crowded: AtomicBool::new(false),
            outbox: Mutex::new(Outbox {
                frames: VecDeque::new(),
                ring: writer,
            }),
            inlet: Mutex::new(Inlet {
                inbox: Inbox::new(),
                ring: reader,
                scratch: vec![0; read],
                descriptors: VecDeque::new(),
            }),
        })
    }

    /// Sends a frame as far as the carrier takes it; the rest waits in the outbox.
    ///
    /// # Errors
    /// The kernel's, and `EPROTO` when the worker claims an impossible position. What was to be sent is
    /// thrown away then.
    pub(super) fn send(&self, frame: Outgoing) -> Result<Flushed, Errno> {
        let mut outbox = locked(&self.outbox);
        outbox.frames.push_back(frame);
        if outbox.frames.len() > 1 {
            // Whatever the first of them waits for.
            return Ok(Flushed::AwaitsRoom);
        }
        self.flush_outbox(&mut outbox)
    }

    /// Whether something waits in the outbox.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Sends what waits in the outbox.
    pub(super) fn flush(&self) -> Result<Flushed, Errno> {
        let mut outbox = locked(&self.outbox);
        if outbox.frames.is_empty() {
            // Most of the time: and a worker that sleeps is not to be woken for nothing.
            return Ok(Flushed::All);
        }
        let flushed = self.flush_outbox(&mut outbox)?;
        self.wake_worker();
        Ok(flushed)
    }

    fn flush_outbox(&self, outbox: &mut Outbox) -> Result<Flushed, Errno> {
        let flushed = self.flush_frames(outbox);
        self.crowded
            .store(!outbox.frames.is_empty(), Ordering::Relaxed);
        flushed
    }

    fn flush_frames(&self, outbox: &mut Outbox) -> Result<Flushed, Errno> {
        let Outbox { frames, ring } = outbox;
        while let Some(frame) = frames.front_mut() {
            let sent = match ring {
                Some(ring) => self.write_ring(ring, frame),
                None => self.write_socket(frame),
            };
            match sent {
                Ok(_) if frame.is_empty() => _ = frames.pop_front(),
                Ok(awaits) => return Ok(awaits),
                Err(error) => {
                    frames.clear();
                    return Err(error);
                }
            }
        }
        Ok(Flushed::All)
    }

    fn write_socket(&self, frame: &mut Outgoing) -> Result<Flushed, Errno> {
        let Outgoing { front, body, file } = &*frame;
        let sent = write(self.socket.get_ref(), &[front, body], file.as_deref())?;
        if sent > 0 {
            frame.file = None;
            frame.advance(sent);
        }
        Ok(Flushed::AwaitsSocket)
    }

    fn write_ring(&self, ring: &mut Writer, frame: &mut Outgoing) -> Result<Flushed, Errno> {
        if let Some(file) = &frame.file {
            // Before its frame, so that it is there when the frame is read.
            if write(self.socket.get_ref(), &[&[0]], Some(file))? == 0 {
                // Full of wake-ups that the worker has not read yet.
                return Ok(Flushed::AwaitsSocket);
            }
            frame.file = None;
        }
        loop {
            let pieces: [&[u8]; 2] = [&frame.front, &frame.body];
            let written = ring.write(&pieces).map_err(|_| Errno::PROTO)?;
            frame.advance(written);
            // The flag goes up before the rest waits: the worker rings when it has made room.
            if frame.is_empty() || ring.wait_for_room().map_err(|_| Errno::PROTO)? {
                return Ok(Flushed::AwaitsRoom);
            }
        }
    }

    /// Wakes the worker if it sleeps and its ring was written to.
    pub(super) fn wake_worker(&self) {
        if let Some(rings) = &self.rings
            && rings.memory.must_wake_reader(Direction::Requests)
        {
            self.wake();
        }
    }

    /// Fills the socket as wake-ups do that the worker does not read.
    #[cfg(test)]
    pub(super) fn fill_socket(&self) {
        while write(self.socket.get_ref(), &[&[0]], None) == Ok(1) {}
    }

    fn wake(&self) {
        // A socket that is full has a wake-up in it; one that is closed is found by its reader.
        let _full_or_closed = write(self.socket.get_ref(), &[&[0]], None);
    }

    /// Looks into the ring and gives its frames to `hand_out`. Makes no system call, unless the worker
    /// waits for room. `Nothing` also when another thread is looking.
    ///
    /// # Errors
    /// [`FrameError`] when the worker breaks the protocol.
    pub(super) fn look(
        &self,
        hand_out: impl FnMut(Frame, Option<OwnedFd>) -> Result<(), FrameError>,
    ) -> Result<Heard, FrameError> {
        let Ok(mut inlet) = self.inlet.try_lock() else {
            return Ok(Heard::Nothing);
        };
        let Inlet { inbox, ring, .. } = &mut *inlet;
        let Some(ring) = ring.as_mut().filter(|ring| ring.has_news()) else {
            return Ok(Heard::Nothing);
        };
        inbox
            .read(ring)
            .map_err(|_| FrameError::Malformed("ring"))?;
        if ring.must_wake() {
            self.wake();
        }
        inlet.cut(self.socket.get_ref(), hand_out)?;
        Ok(Heard::Something)
    }

    /// Reads the socket once, without waiting.
    ///
    /// # Errors
    /// As [`Wire::look`].
    pub(super) fn read_socket(
        &self,
        hand_out: impl FnMut(Frame, Option<OwnedFd>) -> Result<(), FrameError>,
    ) -> Result<Heard, FrameError> {
        let mut inlet = locked(&self.inlet);
        let Inlet {
            inbox,
            ring,
            scratch,
            descriptors,
        } = &mut *inlet;
        let received = loop {
            let flags = RecvFlags::DONTWAIT;
            match descriptor::receive(self.socket.get_ref(), scratch, descriptors, flags) {
                Err(Errno::INTR) => {}
                received => break received,
            }
        };
        match received {
            Err(Errno::AGAIN) => return Ok(Heard::Nothing),
            Ok(0) | Err(_) => return Ok(Heard::End),
            // Beside a ring the socket's bytes say nothing, but descriptors come on them.
            Ok(_) if descriptors.len() > MOST_DESCRIPTORS && ring.is_some() => {
                // Their frames may stand in the ring, and nobody looked there yet.
                if let Some(ring) = ring {
                    let _count = inbox
                        .read(ring)
                        .map_err(|_| FrameError::Malformed("ring"))?;
                }
                inlet.cut(self.socket.get_ref(), hand_out)?;
                if inlet.descriptors.len() > MOST_DESCRIPTORS {
                    return Err(FrameError::Malformed("descriptor that no frame announced"));
                }
                return Ok(Heard::Something);
            }
            Ok(_) if ring.is_some() => return Ok(Heard::Something),
            Ok(count) => inbox.feed(scratch.get(..count).unwrap_or_default()),
        }
        inlet.cut(self.socket.get_ref(), hand_out)?;
        Ok(Heard::Something)
    }

    /// Says that the edge sleeps on the bell; `false` if there is news already.
    pub(super) fn lie_down(&self) -> bool {
        match self.inlet.try_lock() {
            Ok(inlet) => inlet.ring.as_ref().is_none_or(Reader::lie_down),
            // Another thread is looking; what it leaves must ring.
            Err(_) => false,
        }
    }

    /// Says that the edge is awake.
    pub(super) fn get_up(&self) {
        if let Some(rings) = &self.rings {
            rings.memory.reader_gets_up(Direction::Responses);
        }
    }

    /// Closes the socket, which the worker hears at once, and throws away what was to be sent.
    pub(super) fn close(&self) {
        let _already = rustix::net::shutdown(self.socket.get_ref(), rustix::net::Shutdown::Both);
        locked(&self.outbox).frames.clear();
    }
}

impl Inlet {
    fn cut(
        &mut self,
        socket: &UnixStream,
        mut hand_out: impl FnMut(Frame, Option<OwnedFd>) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        while let Some(frame) = self.inbox.next_frame()? {
            let wanted = frame.kind == Kind::Response && frame.flags & DESCRIPTOR != 0;
            let descriptor = wanted.then(|| self.descriptor(socket)).transpose()?;
            hand_out(frame, descriptor)?;
        }
        // One may belong to the frame that is still arriving; no frame will ever ask for more.
        let over = usize::from(self.inbox.is_mid_frame());
        if self.ring.is_none() && self.descriptors.len() > over {
            return Err(FrameError::Malformed("descriptor that no frame announced"));
        }
        Ok(())
    }

    /// The descriptor of a frame. Beside a ring it was sent before its frame was written.
    fn descriptor(&mut self, socket: &UnixStream) -> Result<OwnedFd, FrameError> {
        let flags = RecvFlags::DONTWAIT;
        for _ in 0..MOST_DESCRIPTORS {
            if self.ring.is_none() || !self.descriptors.is_empty() {
                break;
            }
            match descriptor::receive(socket, &mut self.scratch, &mut self.descriptors, flags) {
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        self.descriptors.pop_front().ok_or(FrameError::NoDescriptor)
    }
}

impl Rings {
    fn send(socket: &UnixStream) -> std::io::Result<Self> {
        let memory = Memory::create().map_err(std::io::Error::other)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // All that can fail comes before the worker is told of rings.
        let bell = watched(bell, Interest::READABLE)?;
        descriptor::send_rings(socket, memory.descriptor().as_fd(), bell.as_fd())?;
        Ok(Self {
            memory: Arc::new(memory),
            bell,
        })
    }
}

pub(super) fn watched<T: AsFd + std::os::fd::AsRawFd>(
    descriptor: T,
    interest: Interest,
) -> std::io::Result<AsyncFd<T>> {
    #[expect(
        deprecated,
        reason = "the new constructors are unsafe functions; sockets and descriptors that are owned stay \
                  open for as long as they live, which is what they ask for"
    )]
    AsyncFd::with_interest(descriptor, interest)
}

fn write<const N: usize>(
    socket: &UnixStream,
    pieces: &[&[u8]; N],
    file: Option<&OwnedFd>,
) -> Result<usize, Errno> {
    let file: Option<BorrowedFd<'_>> = file.map(AsFd::as_fd);
    let pieces = pieces.map(IoSlice::new);
    loop {
        match descriptor::send(socket, &pieces, file) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(0),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_goes_out_in_any_pieces_with_its_body_behind_it() {
        let whole = b"front and body";
        for step in 1..=whole.len() {
            let mut frame = Outgoing {
                body: Bytes::from_static(b" and body"),
                ..BytesMut::from("front").into()
            };
            let mut sent = Vec::new();
            while !frame.is_empty() {
                let mut rest = [&*frame.front, &*frame.body].concat();
                rest.truncate(step);
                frame.advance(rest.len());
                sent.extend(rest);
            }
            assert_eq!(sent, whole, "{step}");
        }
    }
}
