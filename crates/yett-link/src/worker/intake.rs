//! The worker's reading side, over either carrier.
//!
//! Without rings the socket carries the frames. With them the ring does; what comes over the socket
//! then is a wake-up or a descriptor, and its bytes say nothing.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::{LinkError, Rings};
use crate::descriptor;
use crate::frame::{DESCRIPTOR, Frame, FrameError, Inbox, Kind};
use crate::ring;

/// Whether a read waits for something to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Blocks,
    Never,
}

/// What is read and not yet cut into frames, and where it is read from.
#[derive(Debug)]
pub(super) struct Intake {
    inbox: Inbox,
    /// In the order of the frames that announce them.
    descriptors: VecDeque<OwnedFd>,
    scratch: Vec<u8>,
    ring: Option<ring::Reader>,
}

impl Intake {
    pub(super) fn new(ring: Option<ring::Reader>) -> Self {
        // Bytes of the socket mean nothing beside a ring, so a few at a time will do.
        let scratch = vec![0; if ring.is_some() { 256 } else { 64 * 1024 }];
        Self {
            inbox: Inbox::new(),
            descriptors: VecDeque::new(),
            scratch,
            ring,
        }
    }

    /// Takes in what has arrived; waits for something if it may. Returns after a wake-up even if
    /// nothing came with it.
    pub(super) fn read(
        &mut self,
        socket: &UnixStream,
        rings: Option<&Rings>,
        waiting: Waiting,
    ) -> Result<(), LinkError> {
        let Some(rings) = rings else {
            let count = self.receive(socket, waiting)?;
            self.inbox
                .feed(self.scratch.get(..count).unwrap_or_default());
            return Ok(());
        };
        if self.read_ring(rings)? {
            return Ok(());
        }
        let Some(ring) = &self.ring else {
            return Ok(());
        };
        let sleeps = waiting == Waiting::Never || ring.lie_down();
        if sleeps {
            let woken = self.receive(socket, waiting);
            if let (Waiting::Blocks, Some(ring)) = (waiting, &self.ring) {
                ring.get_up();
            }
            woken?;
        }
        self.read_ring(rings).map(drop)
    }

    /// Takes in what the ring holds; false if it holds nothing. Makes a system call only when the edge
    /// waits for room.
    pub(super) fn read_ring(&mut self, rings: &Rings) -> Result<bool, LinkError> {
        let Some(ring) = &mut self.ring else {
            return Ok(false);
        };
        if !ring.has_news() {
            return Ok(false);
        }
        self.inbox
            .read(ring)
            .map_err(|_| FrameError::Malformed("ring"))?;
        if ring.must_wake() {
            rings.wake_edge()?;
        }
        Ok(true)
    }

    /// Whether the ring holds something.
    pub(super) fn has_news(&self) -> bool {
        self.ring.as_ref().is_some_and(ring::Reader::has_news)
    }

    /// Says whether this side sleeps on its descriptor from now on.
    pub(super) fn lie_down(&self) -> bool {
        self.ring.as_ref().is_none_or(ring::Reader::lie_down)
    }

    fn receive(&mut self, socket: &UnixStream, waiting: Waiting) -> Result<usize, LinkError> {
        let flags = match waiting {
            Waiting::Blocks => RecvFlags::empty(),
            Waiting::Never => RecvFlags::DONTWAIT,
        };
        match descriptor::receive(
            socket.as_fd(),
            &mut self.scratch,
            &mut self.descriptors,
            flags,
        ) {
            Ok(0) | Err(Errno::CONNRESET) => Err(LinkError::Closed),
            Ok(count) => Ok(count),
            // A loop may have made the socket non-blocking: then this is the wait.
            Err(Errno::AGAIN) if waiting == Waiting::Blocks => {
                poll(&mut [PollFd::new(socket, PollFlags::IN)], None)?;
                self.receive(socket, Waiting::Never)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next whole frame, with its descriptor if it has one.
    pub(super) fn next_frame(
        &mut self,
        socket: &UnixStream,
    ) -> Result<Option<(Frame, Option<OwnedFd>)>, LinkError> {
        let Some(frame) = self.inbox.next_frame()? else {
            return Ok(None);
        };
        if frame.kind != Kind::Request || frame.flags & DESCRIPTOR == 0 {
            return Ok(Some((frame, None)));
        }
        // Beside a ring the descriptor was sent before its frame was written, so it is there.
        while self.descriptors.is_empty() && self.ring.is_some() {
            // Wake-ups may stand before it.
            if self.receive(socket, Waiting::Never).is_err() {
                break;
            }
        }
        let body = self.descriptors.pop_front();
        Ok(Some((frame, Some(body.ok_or(FrameError::NoDescriptor)?))))
    }
}
