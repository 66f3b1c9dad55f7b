//! The admin address: what machines ask about the server, apart from what clients ask of it.
//!
//! | target | answers |
//! | --- | --- |
//! | `/livez` | 200 while the process runs; asks nobody else |
//! | `/readyz` | 200 when requests are answered, else 503 and why not |
//! | `/metrics` | everything that is counted, for Prometheus |
//! | `/status` | what `yett status --json` says, without the paths |
//!
//! It has a thread of its own, so that a busy edge answers as soon as an idle one. It reads no body
//! and changes nothing. Every connection carries one request and lives `LIFETIME` at most; when
//! `MOST_CONNECTIONS` are open the oldest makes room, so that whoever keeps connections open keeps
//! no probe out. Nobody is asked who he is: the address itself is what keeps others out, and
//! `host` keeps out the pages that a browser on the same machine shows.

mod answer;
mod host;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

pub use host::Hosts;

use crate::listen::{Address, Listener};
use crate::meters::Page;

/// Open connections.
const MOST_CONNECTIONS: usize = 64;

/// How long a connection may live, from its accepting to the end of its answer.
const LIFETIME: Duration = Duration::from_secs(5);

/// Bytes of a request's head. hyper's least.
const MAX_HEAD: usize = 8 * 1024;

/// Number of its headers.
const MAX_HEADERS: usize = 64;

/// How long accepting pauses after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What there is to know. Called on the admin thread; must not wait for a worker or a client.
pub trait Insight: Send + Sync + 'static {
    /// Why no request should be sent here, a line each for people. None: it should.
    fn hindrances(&self) -> Vec<String>;

    /// Writes all metrics.
    fn measure(&self, page: &mut Page);

    /// The state of everything.
    fn status(&self) -> serde_json::Value;
}

/// The running admin address. Dropping it ends it.
#[derive(Debug)]
pub struct Admin {
    ended: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    unix_path: Option<PathBuf>,
}

impl Admin {
    /// Answers at these listeners, to requests for these hosts.
    ///
    /// # Errors
    /// When the thread or its runtime cannot be made, or a socket cannot be watched.
    pub fn start(
        listeners: Vec<Listener>,
        hosts: Hosts,
        insight: Arc<dyn Insight>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut doors = Vec::new();
        let mut unix_path = None;
        for listener in listeners {
            let (socket, address, _) = listener.into_parts();
            let _entered = runtime.enter();
            doors.push(match address {
                Address::Tcp(_) => Door::Tcp(TcpListener::from_std(socket.into())?),
                Address::Unix(path) => {
                    unix_path = Some(path);
                    Door::Unix(UnixListener::from_std(OwnedFd::from(socket).into())?)
                }
            });
        }
        let desk = Arc::new(Desk { hosts, insight });
        let (ended, mut end) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name(String::from("yett-admin"))
            .spawn(move || {
                runtime.block_on(async {
                    let mut accepting = JoinSet::new();
                    for door in doors {
                        accepting.spawn(accept(door, Arc::clone(&desk)));
                    }
                    let _dropped = end.wait_for(|end| *end).await;
                });
                runtime.shutdown_background();
            })?;
        Ok(Self {
            ended,
            thread: Mutex::new(Some(thread)),
            unix_path,
        })
    }

    /// Answers nobody any more.
    pub fn end(&self) {
        self.ended.send_replace(true);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A thread that panicked has ended as well.
            let _panicked = thread.join();
            if let Some(path) = &self.unix_path {
                let _already_gone = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.end();
    }
}

/// What every connection needs.
struct Desk {
    hosts: Hosts,
    insight: Arc<dyn Insight>,
}

enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Door {
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(socket) => Box::new(socket.accept().await?.0),
            Self::Unix(socket) => Box::new(socket.accept().await?.0),
        })
    }

    /// Whether the host that a client names means anything: a browser cannot reach a Unix socket.
    const fn looks_at_host(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

async fn accept(door: Door, desk: Arc<Desk>) {
    let mut open = Open::default();
    loop {
        match door.accept().await {
            Ok(stream) => {
                let desk = Arc::clone(&desk);
                let looks_at_host = door.looks_at_host();
                open.admit(serve(stream, desk, looks_at_host));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// The open connections; dropping it ends them.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    /// The oldest first; those that are over are taken out when there are many.
    order: VecDeque<AbortHandle>,
}

impl Open {
    fn admit(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        if self.order.len() >= MOST_CONNECTIONS {
            self.order.retain(|task| !task.is_finished());
        }
        if self.order.len() >= MOST_CONNECTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            oldest.abort();
        }
        self.order.push_back(self.tasks.spawn(connection));
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, desk: Arc<Desk>, looks_at_host: bool) {
    let service = service_fn(|request| {
        let response = answer::answer(&desk, &request, looks_at_host);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A client that is too slow, or speaks no HTTP, is left.
    let _left = timeout(LIFETIME, connection).await;
}

#[cfg(test)]
mod tests;
