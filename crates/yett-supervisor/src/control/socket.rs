//! Messages and descriptors over the socket. Never waits: `WouldBlock` says to come back.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use super::{ControlError, FromZygote};

/// The longest message, in bytes.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// Descriptors that may come beside one message. More than the protocol ever uses, so that one too
/// many is seen and named.
const MAX_DESCRIPTORS: usize = 4;

/// What one receive brought.
#[derive(Debug)]
pub enum Received {
    /// A packet; [`read`](Self::read) makes a message of it.
    Packet {
        /// Its bytes, at most [`MAX_MESSAGE`].
        text: Vec<u8>,
        /// What came beside it.
        descriptors: Vec<OwnedFd>,
    },
    /// A packet that was longer than [`MAX_MESSAGE`], or had more than four descriptors.
    TooLong,
    /// The other end is closed.
    End,
}

/// A connected pair of control sockets, close-on-exec.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Sends one message, with a descriptor if it needs one. The caller still has the descriptor.
pub fn send(socket: impl AsFd, text: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    let rights = descriptor.as_slice();
    if !rights.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(rights)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(socket, &[IoSlice::new(text)], &mut beside, flags)?;
    Ok(())
}

/// Receives one packet; its descriptors are close-on-exec.
pub fn receive(socket: impl AsFd) -> io::Result<Received> {
    let mut text = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut text)],
        &mut beside,
        flags,
    )?;
    // Taken out first, whatever else is wrong: so they are closed.
    let mut descriptors = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if received
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Ok(Received::TooLong);
    }
    if received.bytes == 0 {
        return Ok(Received::End);
    }
    text.truncate(received.bytes);
    Ok(Received::Packet { text, descriptors })
}

impl Received {
    /// The message in the packet; `None` at the end.
    pub fn read(self) -> Result<Option<FromZygote>, ControlError> {
        match self {
            Self::Packet { text, descriptors } => FromZygote::decode(&text, descriptors).map(Some),
            Self::TooLong => Err(ControlError::TooLong),
            Self::End => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_descriptor_arrives_and_is_the_same_file() {
        let (ours, theirs) = pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        send(&ours, b"{}", Some(writer.as_fd())).unwrap();
        drop(writer);
        let Received::Packet { text, descriptors } = receive(&theirs).unwrap() else {
            panic!("no packet");
        };
        assert_eq!(text, b"{}");
        let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors).unwrap();
        let flags = rustix::io::fcntl_getfd(&descriptor).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        File::from(descriptor).write_all(b"through").unwrap();
        let mut through = String::new();
        reader.read_to_string(&mut through).unwrap();
        assert_eq!(through, "through");
    }

    #[test]
    fn nothing_to_receive_would_block() {
        let (ours, _theirs) = pair().unwrap();
        let error = receive(&ours).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_closed_end_is_the_end() {
        let (ours, theirs) = pair().unwrap();
        drop(theirs);
        assert!(receive(&ours).unwrap().read().unwrap().is_none());
    }

    #[test]
    fn a_message_of_the_greatest_length_arrives_whole_and_one_byte_more_is_refused() {
        let (ours, theirs) = pair().unwrap();
        send(&ours, &[b' '; MAX_MESSAGE], None).unwrap();
        send(&ours, &[b' '; MAX_MESSAGE + 1], None).unwrap();
        let whole = receive(&theirs).unwrap();
        assert!(matches!(whole, Received::Packet { text, .. } if text.len() == MAX_MESSAGE));
        let error = receive(&theirs).unwrap().read().unwrap_err();
        assert!(matches!(error, ControlError::TooLong));
    }
}
