//! Pieces of files that the kernel sends by itself (`sendfile`), so that they are never copied to this
//! process and back.
//!
//! hyper knows bytes alone. So an answer's body gives it *stand-ins*: as many bytes of one buffer of
//! zeros, which nobody reads, and the piece that they stand for waits with the connection. When hyper
//! comes to write bytes of that buffer, which their address tells, the kernel is asked to send the
//! piece. The place of the bytes within the buffer says how much of the piece must have gone already:
//! if that is not so, hyper has cut or left out something, and the connection ends before a byte of
//! a file stands where it should not.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use crate::log::Record;
use crate::reread::Reread;
use crate::respond::PIECE;

/// Stand-ins begin at this many places in turn, so that two that follow each other are told apart.
const PLACES: usize = 64;

static STAND_IN: [u8; PIECE + PLACES] = [0; PIECE + PLACES];

/// A piece of a file.
#[derive(Debug)]
pub(crate) struct Piece {
    file: Arc<File>,
    offset: u64,
    len: usize,
}

impl Piece {
    /// At most [`PIECE`] bytes, which the file has and which were in the page cache a moment ago. What
    /// the kernel has thrown out by the time the client takes it, the thread waits for.
    pub(crate) fn new(file: Arc<File>, offset: u64, len: usize) -> Self {
        let len = len.min(PIECE);
        Self { file, offset, len }
    }

    #[cfg(test)]
    pub(crate) const fn place(&self) -> (u64, usize) {
        (self.offset, self.len)
    }
}

/// A connection's pieces that hyper has stand-ins for, in their order. How many there are is hyper's
/// to say: it holds no more than some hundred KiB of what is to be written.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    waiting: VecDeque<Waiting>,
    /// Where the next stand-in begins.
    place: usize,
}

#[derive(Debug)]
struct Waiting {
    /// What is left of it.
    piece: Piece,
    /// Where the bytes that stand for what is left must be.
    place: usize,
    /// With an answer's last piece: what is told of it when that is sent.
    record: Option<Record>,
}

impl Pieces {
    /// Takes a piece in and gives what stands for it.
    pub(super) fn push(&mut self, piece: Piece) -> Bytes {
        let place = self.place;
        self.place = (place + 1) % PLACES;
        let stand_in = STAND_IN.get(place..place + piece.len).unwrap_or_default();
        self.waiting.push_back(Waiting {
            piece,
            place,
            record: None,
        });
        Bytes::from_static(stand_in)
    }

    /// What these bytes stand for: file and offset.
    ///
    /// # Errors
    /// When they are not what must be written next.
    pub(super) fn next(&self, bytes: &[u8]) -> io::Result<(Arc<File>, u64)> {
        match self.waiting.front() {
            Some(Waiting { piece, place, .. })
                if place_of(bytes) == Some(*place) && piece.len == bytes.len() =>
            {
                Ok((Arc::clone(&piece.file), piece.offset))
            }
            _ => Err(io::Error::other(
                "a piece of a file was to be sent out of its turn",
            )),
        }
    }

    /// So many bytes of the next piece were sent. The record of an answer that is over.
    pub(super) fn sent(&mut self, count: usize) -> Option<Record> {
        let Waiting { piece, place, .. } = self.waiting.front_mut()?;
        *place += count;
        piece.offset += count as u64;
        piece.len = piece.len.saturating_sub(count);
        if piece.len > 0 {
            return None;
        }
        let sent = self.waiting.pop_front();
        if self.waiting.is_empty() {
            // An idle connection holds nothing.
            self.waiting = VecDeque::new();
        }
        sent.and_then(|sent| sent.record)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps the record of an answer of which hyper has all, until it is sent. Given back where
    /// nothing of it waits.
    pub(super) fn hold(&mut self, record: Record) -> Option<Record> {
        match self.waiting.back_mut() {
            // With a record it is the last of an earlier answer.
            Some(last) if last.record.is_none() => {
                last.record = Some(record);
                None
            }
            _ => Some(record),
        }
    }

    /// The record of the answer that is being sent, if hyper has all of it.
    pub(super) fn record(&mut self) -> Option<&mut Record> {
        self.waiting
            .iter_mut()
            .find_map(|waiting| waiting.record.as_mut())
    }
}

/// Where these bytes are in the stand-in, if they are of it.
fn place_of(bytes: &[u8]) -> Option<usize> {
    let place = bytes
        .as_ptr()
        .addr()
        .checked_sub(STAND_IN.as_ptr().addr())?;
    (place < STAND_IN.len() && !bytes.is_empty()).then_some(place)
}

/// Whether these bytes stand for a piece of a file.
pub(super) fn is_stand_in(bytes: &[u8]) -> bool {
    place_of(bytes).is_some()
}

/// A stream to a client that may take files from the kernel.
pub(crate) trait FileSink {
    /// Whether it does.
    fn takes_files(&self) -> bool {
        false
    }

    /// Has the kernel send at most so many bytes of a file from there. Nought is the file's end.
    ///
    /// # Errors
    /// Those of the file and of the client, and [`io::ErrorKind::Unsupported`].
    fn poll_send_file(
        &self,
        _cx: &mut Context<'_>,
        _file: &File,
        _offset: u64,
        _len: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Writes what stands right before a piece of a file, a head most of the time, and has the kernel wait for
    /// the piece before it sends: a head that comes alone costs the client a wake-up, and its kernel takes
    /// the pause for the connection's pace and opens its window less.
    ///
    /// # Errors
    /// Those of the client, and [`io::ErrorKind::Unsupported`].
    fn poll_write_before_file(
        &self,
        _cx: &mut Context<'_>,
        _bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// Writes as soon as the socket takes something.
macro_rules! when_writable {
    ($socket:ident, $cx:ident, $write:expr) => {
        loop {
            ready!($socket.poll_write_ready($cx))?;
            match $socket.try_io(Interest::WRITABLE, || $write) {
                Err(error) if is_to_be_tried_again(&error) => {}
                written => return Poll::Ready(written),
            }
        }
    };
}

/// Both kinds of sockets: tokio has no trait for what they share.
macro_rules! taken_by_the_kernel {
    ($($socket:ty),+) => {$(
        impl FileSink for $socket {
            fn takes_files(&self) -> bool {
                true
            }

            fn poll_send_file(
                &self,
                cx: &mut Context<'_>,
                file: &File,
                offset: u64,
                len: usize,
            ) -> Poll<io::Result<usize>> {
                when_writable!(self, cx, send(self, file, offset, len))
            }

            fn poll_write_before_file(
                &self,
                cx: &mut Context<'_>,
                bytes: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                when_writable!(self, cx, send_before_file(self, bytes))
            }
        }
    )+};
}

taken_by_the_kernel!(TcpStream, UnixStream);

impl<S> FileSink for Box<TlsStream<S>> {}

impl<S: FileSink> FileSink for Reread<S> {
    fn takes_files(&self) -> bool {
        self.inner().takes_files()
    }

    fn poll_send_file(
        &self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_send_file(cx, file, offset, len)
    }

    fn poll_write_before_file(
        &self,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_before_file(cx, bytes)
    }
}

/// In memory there is no kernel: what it would send is copied, as where a file system cannot send.
#[cfg(any(test, feature = "fuzzing"))]
impl FileSink for tokio::io::DuplexStream {
    fn takes_files(&self) -> bool {
        true
    }
}

fn send(to: impl AsFd, file: &File, mut offset: u64, len: usize) -> io::Result<usize> {
    match sendfile(to, file, Some(&mut offset), len) {
        Ok(count) => Ok(count),
        // Some file systems leave it to whoever wants their bytes.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn send_before_file(to: impl AsFd, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    let mut no_descriptors = SendAncillaryBuffer::default();
    Ok(sendmsg(to, bytes, &mut no_descriptors, flags)?)
}

fn is_to_be_tried_again(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    #[test]
    fn piece_is_known_by_the_bytes_that_stand_for_it_also_when_some_are_written() {
        let mut pieces = Pieces::default();
        let first = pieces.push(Piece::new(file(), 100, 10));
        let second = pieces.push(Piece::new(file(), 500, PIECE));
        assert_eq!(pieces.next(&first).unwrap().1, 100);
        pieces.sent(4);
        assert_eq!(pieces.next(&first[4..]).unwrap().1, 104);
        pieces.sent(6);
        assert_eq!(pieces.next(&second).unwrap().1, 500);
        pieces.sent(PIECE);
        assert!(pieces.next(&second).is_err(), "nothing is left");
    }

    #[test]
    fn bytes_out_of_their_turn_stand_for_nothing() {
        let mut pieces = Pieces::default();
        let first = pieces.push(Piece::new(file(), 0, 10));
        let second = pieces.push(Piece::new(file(), 0, 10));
        assert!(pieces.next(&second).is_err(), "the first is left out");
        assert!(pieces.next(&first[..9]).is_err(), "the first is cut");
        assert!(
            pieces.next(&first[1..]).is_err(),
            "of the first a byte is left out"
        );
        assert!(pieces.next(b"0123456789").is_err(), "that is a text");
        assert!(!is_stand_in(b"text") && !is_stand_in(&[]) && is_stand_in(&first));
    }

    #[tokio::test]
    async fn kernel_sends_a_file_from_its_place_and_says_where_it_ends() {
        use tokio::io::AsyncReadExt;

        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let (near, mut far) = UnixStream::pair().unwrap();
        let sent = |offset, len| {
            let (near, file) = (&near, &file);
            std::future::poll_fn(move |cx| near.poll_send_file(cx, file, offset, len))
        };
        assert_eq!(sent(3, 4).await.unwrap(), 4);
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"3456");
        assert_eq!(sent(10, 4).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn head_waits_for_the_file_behind_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut waited = false;
        // The kernel waits for 200 ms, this thread perhaps longer.
        for _ in 0..5 {
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _from) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let head = [io::IoSlice::new(b"he"), io::IoSlice::new(b"ad")];
            let written = std::future::poll_fn(|cx| stream.poll_write_before_file(cx, &head)).await;
            assert_eq!(written.unwrap(), 4);
            client.set_nonblocking(true).unwrap();
            waited |= client.peek(&mut [0]).is_err();
            let file = tempfile::tempfile().unwrap();
            (&file).write_all(b"a body").unwrap();
            let sent = std::future::poll_fn(|cx| stream.poll_send_file(cx, &file, 2, 4)).await;
            assert_eq!(sent.unwrap(), 4);
            client.set_nonblocking(false).unwrap();
            let mut got = [0; 8];
            client.read_exact(&mut got).unwrap();
            assert_eq!(&got, b"headbody");
        }
        assert!(waited);
    }
}
