//! Who takes a listener's connections and deals them out to the edge's threads.
//!
//! A connection is accepted before there is room for it: a listener that nobody calls holds none of
//! the room that its neighbours need. So at the limit one connection of each listener waits here, and
//! all others in the kernel's backlogs; who waited longest comes first. For each of them one that idles
//! is asked to leave.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use yett_gate::{Arrival, ClientAddr, Scheme, ServerAddr};

use crate::addresses::{Addresses, Place};
use crate::conn::{Stop, Terms};
use crate::log::Warning;
use crate::meters::Limit;

/// How long accepting pauses after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection's place among all, and among those of its address.
type Places = (OwnedSemaphorePermit, Option<Place>);

pub(super) struct Acceptor {
    pub(super) terms: Terms,
    pub(super) handles: Vec<Handle>,
    pub(super) room: Arc<Semaphore>,
    pub(super) addresses: Arc<Addresses>,
    pub(super) open: Arc<AtomicUsize>,
    /// The thread that gets the next connection.
    pub(super) next: usize,
}

impl Acceptor {
    pub(super) async fn run(mut self, door: Door, mut accepting: watch::Receiver<bool>) {
        if accepting.wait_for(|accept| *accept).await.is_err() {
            return;
        }
        let mut stopping = self.terms.stopping.clone();
        loop {
            let taken = tokio::select! {
                biased;
                _stop = stopping.wait_for(|stop| *stop != Stop::No) => return,
                taken = self.take(&door) => taken,
            };
            match taken {
                Ok(Some((places, arrival, caller))) => self.hand_on(places, arrival, caller),
                // Dropped, it is closed.
                Ok(None) => {}
                // Who called has left already.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.complain(&error);
                    let pause = tokio::time::sleep(ACCEPT_PAUSE);
                    if is_lack(&error) {
                        self.terms.services.crowd().make_room(pause).await;
                    } else {
                        pause.await;
                    }
                }
            }
        }
    }

    /// Says that connections cannot be accepted. Most often descriptors are wanting.
    fn complain(&self, error: &std::io::Error) {
        self.terms.services.log().warn(Warning::Accept, || {
            format!(
                "connections cannot be accepted: {error}; raise the limit of open files, or lower max_connections"
            )
        });
    }

    /// The next connection, when there is room for it. `None`: its address has too many.
    async fn take(&self, door: &Door) -> std::io::Result<Option<(Places, Arrival, Caller)>> {
        let (caller, arrival) = door.accept().await?;
        let Some(place) = self.place(&arrival) else {
            return Ok(None);
        };
        let room = match Arc::clone(&self.room).try_acquire_owned() {
            Ok(room) => room,
            Err(_full) => {
                self.terms.services.meters().met(Limit::Connections);
                let room = Arc::clone(&self.room).acquire_owned();
                let room = self.terms.services.crowd().make_room(room).await;
                room.map_err(std::io::Error::other)?
            }
        };
        Ok(Some(((room, place), arrival, caller)))
    }

    /// A place among the connections of the client's address; it has none over a Unix socket.
    fn place(&self, arrival: &Arrival) -> Option<Option<Place>> {
        let ClientAddr::Ip(client) = arrival.client() else {
            return Some(None);
        };
        let place = self.addresses.enter(client);
        if place.is_err() {
            let meters = self.terms.services.meters();
            meters.met(Limit::ConnectionsPerAddress);
        }
        place.ok()
    }

    /// Gives a connection to the next thread; the stream is registered there.
    fn hand_on(&mut self, places: Places, arrival: Arrival, caller: Caller) {
        let thread = self.next % self.handles.len().max(1);
        self.next = self.next.wrapping_add(1);
        let Some(handle) = self.handles.get(thread) else {
            return;
        };
        let terms = self.terms.clone();
        let counted = Counted::new(&self.open);
        terms.services.meters().accepted();
        handle.spawn(async move {
            let _held = (places, counted);
            // A socket that the runtime cannot watch is dropped, which closes it.
            match caller {
                Caller::Tcp(stream) => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        terms.serve(stream, arrival).await;
                    }
                }
                Caller::Unix(stream) => {
                    if let Ok(stream) = UnixStream::from_std(stream) {
                        terms.serve(stream, arrival).await;
                    }
                }
            }
        });
    }
}

/// Whether something is lacking that a connection which leaves gives back.
fn is_lack(error: &std::io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| {
        matches!(
            errno,
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
        )
    })
}

/// A listening socket that the runtime watches.
pub(super) enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection between two threads: watched by no runtime.
enum Caller {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Door {
    async fn accept(&self) -> std::io::Result<(Caller, Arrival)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                let _unset = stream.set_nodelay(true);
                let server = stream.local_addr().unwrap_or_else(|_| unspecified(peer));
                let (client, server) = (ClientAddr::Ip(peer), ServerAddr::Ip(server));
                let caller = Caller::Tcp(stream.into_std()?);
                Ok((caller, Arrival::new(client, server, Scheme::Http)))
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.accept().await?;
                let caller = Caller::Unix(stream.into_std()?);
                let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
                Ok((caller, arrival))
            }
        }
    }
}

const fn unspecified(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip(), 0)
}

/// Counts a connection as open while it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
