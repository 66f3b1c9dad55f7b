//! A hold on a process by its pidfd: no signal can ever reach another process that got its number.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;

use crate::outcome::Exit;

/// A process that we can signal, await and, if it is our child, reap.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pidfd: Arc<OwnedFd>,
}

/// What reaping brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaped {
    Exit(Exit),
    /// It is another process's child: that one sees how it left.
    NotOurs,
}

impl Process {
    pub(super) fn new(pidfd: OwnedFd) -> Self {
        Self {
            pidfd: Arc::new(pidfd),
        }
    }

    /// A process that is gone already needs no signal.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(self.pidfd.as_fd(), signal);
    }

    /// Whether it is gone. pidfd_open(2): its descriptor is readable then.
    pub(super) fn has_left(&self) -> bool {
        let mut look = [PollFd::new(&self.pidfd, PollFlags::IN)];
        poll(&mut look, Some(&Timespec::default())) != Ok(0)
    }

    /// To be called once it is gone.
    pub(super) fn reap(&self) -> Reaped {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
            Ok(Some(status)) => Reaped::Exit(match status.terminating_signal() {
                Some(signal) => Exit::Signal(signal),
                None => status.exit_status().map_or(Exit::Unknown, Exit::Code),
            }),
            Err(Errno::CHILD) => Reaped::NotOurs,
            // A debugger holds it back, or the kernel cannot say: nothing more will be known.
            Ok(None) | Err(_) => Reaped::Exit(Exit::Unknown),
        }
    }

    /// Registers it with the runtime; `Err` if the descriptor is not one that can be awaited.
    pub(super) fn watch(&self) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
        register(Arc::clone(&self.pidfd), Interest::READABLE)
    }
}

/// Registers a descriptor with the runtime. Must be called inside of it.
pub(super) fn register(
    descriptor: Arc<OwnedFd>,
    interest: Interest,
) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    #[expect(
        deprecated,
        reason = "deprecated for types that could name another descriptor each time they are asked, \
                  which a shared OwnedFd cannot; what replaces it is unsafe"
    )]
    AsyncFd::with_interest(descriptor, interest)
}

/// Returns when the process is gone. If the runtime fails it never returns, as the runtime is
/// shutting down then.
pub(super) async fn leaving(watched: &AsyncFd<Arc<OwnedFd>>) {
    if watched.readable().await.is_err() {
        std::future::pending().await
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
