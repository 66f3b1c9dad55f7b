//! Bytes and file descriptors over a Unix stream socket.
//!
//! A descriptor rides on the first byte of the bytes that it is sent with, and the kernel never
//! merges bytes from before it with bytes behind it in one read. So descriptors arrive in the order
//! of the frames that announce them, and a plain queue pairs them up again.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// How many descriptors one read can take in; a peer that sends more in one message is refused.
const MAX_DESCRIPTORS: usize = 4;

/// The edge's first word over a link's socket: frames follow on it.
pub const CARRIED_BY_SOCKET: u8 = 0;

/// The edge's first word over a link's socket: frames travel in rings. The word brings the shared memory
/// and the edge's event descriptor, in this order.
pub const CARRIED_BY_RINGS: u8 = 1;

/// Sends the word that brings the rings.
///
/// # Errors
/// The kernel's; a socket that takes nothing at its very beginning is `EAGAIN`.
pub fn send_rings(
    socket: impl AsFd,
    memory: BorrowedFd<'_>,
    bell: BorrowedFd<'_>,
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let carried = [memory, bell];
    // The space above is made for exactly two descriptors, so this fits.
    let _fits = control.push(SendAncillaryMessage::ScmRights(&carried));
    let word = [CARRIED_BY_RINGS];
    sendmsg(
        socket,
        &[IoSlice::new(&word)],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}

/// Sends bytes, with a descriptor on the first of them if one is given, as far as the socket takes.
///
/// Returns how many bytes went; when that is not zero the descriptor went too.
///
/// # Errors
/// The kernel's: `EAGAIN` on a full non-blocking socket, `EPIPE` when the peer is gone (never a
/// `SIGPIPE`), `EINTR` on a blocking one.
pub fn send(
    socket: impl AsFd,
    pieces: &[IoSlice<'_>],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let carried = descriptor.map(|fd| [fd]);
    if let Some(carried) = &carried {
        // The space above is made for exactly one descriptor, so this fits.
        let _fits = control.push(SendAncillaryMessage::ScmRights(carried));
    }
    sendmsg(socket, pieces, &mut control, SendFlags::NOSIGNAL)
}

/// Receives bytes into `into` and descriptors into `descriptors`; zero bytes mean end of file.
/// `flags` may ask not to wait.
///
/// # Errors
/// The kernel's, and `EPROTO` when more descriptors came at once than the protocol ever sends; the
/// kernel has closed those already.
pub fn receive(
    socket: impl AsFd,
    into: &mut [u8],
    descriptors: &mut VecDeque<OwnedFd>,
    flags: RecvFlags,
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(into)];
    let message = recvmsg(
        socket,
        &mut into,
        &mut control,
        RecvFlags::CMSG_CLOEXEC | flags,
    )?;
    for carried in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = carried {
            descriptors.extend(fds);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(Errno::PROTO);
    }
    Ok(message.bytes)
}
