//! The edge's threads: each runs the connections that it was given on a runtime of its own.
//!
//! The first thread also accepts, deals the connections out in turn, and serves the workers' links.
//! A connection stays where it is, so a request needs no lock but the floor's and its link's.

mod acceptor;

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, watch};

use crate::addresses::Addresses;
use crate::conn::{Stop, Terms};
use crate::floor::{Floor, rounds};
use crate::listen::{Address, Listener, Purpose, Wire};
use crate::log::AccessLog;
use crate::meters::{Meters, Page};
use crate::ruling::Ruling;
use crate::service::Services;
use crate::settings::EdgeSettings;
use crate::tls::Tls;
use acceptor::{Acceptor, Door};

/// The running edge.
#[derive(Debug)]
pub struct Edge {
    floor: Arc<Floor>,
    ruling: Arc<ArcSwap<Ruling>>,
    handles: Vec<Handle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    accepting: watch::Sender<bool>,
    stopping: watch::Sender<Stop>,
    ended: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
    services: Arc<Services>,
    tls: Option<Arc<Tls>>,
    unix_paths: Vec<(PathBuf, u64)>,
}

/// What was still open when a stop ran out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// Connections.
    pub connections: usize,
}

/// Why the edge could not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// A thread or its runtime could not be made.
    #[error("cannot start a thread of the edge")]
    Thread(#[source] std::io::Error),
    /// A listening socket could not be taken over.
    #[error("cannot watch a listening socket")]
    Listener(#[source] std::io::Error),
    /// A listener is to speak TLS, and there is no certificate for it.
    #[error("a listener is to speak TLS, and there is no certificate")]
    NoCertificates,
}

impl Edge {
    /// Starts the threads. Clients wait in the sockets' backlogs until [`Edge::accept`].
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn start(
        settings: EdgeSettings,
        listeners: Vec<Listener>,
        ruling: Ruling,
        floor: Arc<Floor>,
        log: Arc<AccessLog>,
    ) -> Result<Self, EdgeError> {
        let settings = Arc::new(settings);
        let ruling = Arc::new(ArcSwap::from_pointee(ruling));
        let services = Arc::new(Services::new(
            Arc::clone(&floor),
            Arc::clone(&ruling),
            log,
            Arc::clone(&settings),
        ));
        let (ended, _) = watch::channel(false);
        let (stopping, _) = watch::channel(Stop::No);
        let (accepting, _) = watch::channel(false);
        let mut handles = Vec::new();
        let mut threads = Vec::new();
        for number in 0..settings.threads.max(1) {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(16)
                .on_thread_park(rounds::before_sleep)
                .on_thread_unpark(rounds::after_sleep)
                .build()
                .map_err(EdgeError::Thread)?;
            handles.push(runtime.handle().clone());
            let mut ended = ended.subscribe();
            let thread = std::thread::Builder::new()
                .name(format!("yett-edge-{number}"))
                .spawn(move || {
                    // Ends when it is told to, or when the edge itself is dropped.
                    let _edge_dropped = runtime.block_on(ended.wait_for(|end| *end));
                    runtime.shutdown_background();
                })
                .map_err(EdgeError::Thread)?;
            threads.push(thread);
        }
        let open = Arc::new(AtomicUsize::new(0));
        let room = Arc::new(Semaphore::new(
            settings.max_connections.min(Semaphore::MAX_PERMITS),
        ));
        let addresses = Addresses::new(settings.max_connections_per_address);
        let mut unix_paths = Vec::new();
        for listener in listeners {
            let preface = listener.preface();
            let (socket, address, purpose) = listener.into_parts();
            if let Address::Unix(path) = &address
                && let Ok(made) = std::fs::symlink_metadata(path)
            {
                unix_paths.push((path.clone(), made.ino()));
            }
            let terms = Terms {
                preface,
                tls: match purpose {
                    Purpose::Serve(Wire::Plain) | Purpose::RedirectToHttps { .. } => None,
                    // Never clear text where TLS was asked for.
                    Purpose::Serve(Wire::Tls) => {
                        Some(settings.tls.clone().ok_or(EdgeError::NoCertificates)?)
                    }
                },
                services: match purpose {
                    Purpose::Serve(_) => Arc::clone(&services),
                    Purpose::RedirectToHttps { port } => Arc::new(services.redirecting(port)),
                },
                settings: Arc::clone(&settings),
                stopping: stopping.subscribe(),
            };
            let acceptor = Acceptor {
                terms,
                handles: handles.clone(),
                room: Arc::clone(&room),
                addresses: Arc::clone(&addresses),
                open: Arc::clone(&open),
                next: 0,
            };
            let Some(first) = handles.first() else {
                continue;
            };
            let accepting = accepting.subscribe();
            let _entered = first.enter();
            let door = match address {
                Address::Tcp(_) => TcpListener::from_std(socket.into()).map(Door::Tcp),
                Address::Unix(_) => {
                    UnixListener::from_std(OwnedFd::from(socket).into()).map(Door::Unix)
                }
            };
            first.spawn(acceptor.run(door.map_err(EdgeError::Listener)?, accepting));
        }
        Ok(Self {
            floor,
            ruling,
            handles,
            threads: Mutex::new(threads),
            accepting,
            stopping,
            ended,
            open,
            services,
            tls: settings.tls.clone(),
            unix_paths,
        })
    }

    /// Begins to take connections.
    pub fn accept(&self) {
        self.accepting.send_replace(true);
    }

    /// Replaces what judges requests; requests that were judged already are not judged again.
    pub fn rule(&self, ruling: Ruling) {
        self.ruling.store(Arc::new(ruling));
    }

    /// The ruling in force.
    #[must_use]
    pub fn ruling(&self) -> Arc<Ruling> {
        self.ruling.load_full()
    }

    /// Takes in a worker's link. Never blocks; a link that cannot be watched is reported lost.
    pub fn attach(&self, worker: u32, generation: u64, link: OwnedFd) {
        let floor = Arc::clone(&self.floor);
        let Some(first) = self.handles.first() else {
            return;
        };
        let _entered = first.enter();
        if let Err(_unwatched) = floor.attach(worker, generation, link) {
            floor.report_lost(worker);
        }
    }

    /// The workers and the queue.
    #[must_use]
    pub const fn floor(&self) -> &Arc<Floor> {
        &self.floor
    }

    /// Open client connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Writes everything that the edge knows as metrics.
    pub fn measure(&self, page: &mut Page) {
        self.meters().write(page);
        let (waiting, in_flight) = self.floor.load();
        page.gauge("yett_connections", "Open connections of clients.")
            .add(&[], self.connections());
        page.gauge(
            "yett_requests_in_flight",
            "Requests that are with a worker at this moment.",
        )
        .add(&[], in_flight);
        page.gauge(
            "yett_requests_waiting",
            "Requests that wait for a worker at this moment.",
        )
        .add(&[], waiting);
        page.gauge("yett_websockets", "Open WebSockets.")
            .add(&[], self.floor.sockets());
        if let Some(tls) = &self.tls {
            tls.measure(page);
        }
    }

    /// What has been counted so far.
    #[must_use]
    pub fn meters(&self) -> &Arc<Meters> {
        self.services.meters()
    }

    /// Tells clients with every answer to ask on another connection next time (`Connection: close`, or
    /// GOAWAY), while requests and connections are still taken: the first step of a stop behind a load
    /// balancer.
    pub fn leave(&self) {
        self.services.leave();
    }

    /// Stops taking connections, lets running requests end for up to `grace`, and tells every
    /// connection to close after its request. WebSockets may go on for `sockets`, and are then closed
    /// with 1001. Returns what was still open at the end.
    pub async fn stop(&self, grace: Duration, sockets: Duration) -> Remaining {
        self.stopping.send_replace(Stop::Requests);
        let quiet = async {
            while self.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _out_of_time = tokio::time::timeout(grace, async {
            let mut quiet = std::pin::pin!(quiet);
            if tokio::time::timeout(sockets, &mut quiet).await.is_err() {
                self.stopping.send_replace(Stop::Sockets);
                quiet.await;
            }
        })
        .await;
        Remaining {
            connections: self.connections(),
        }
    }

    /// Ends the threads; whatever is still open is cut. Called twice, it does nothing more.
    pub fn end(&self) {
        self.ended.send_replace(true);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has ended as well.
            let _panicked = thread.join();
        }
        for (path, made) in &self.unix_paths {
            // Only our own socket: a new program may have put its own in its place.
            if std::fs::symlink_metadata(path).is_ok_and(|now| now.ino() == *made) {
                let _already_gone = std::fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
