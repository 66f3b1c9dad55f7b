//! What the in-memory tests are built from: a clock that stands still, a fake worker at the far end
//! of a real link, and clients on duplex streams.
//!
//! Nothing here sleeps. Time moves only by [`Clock::pass`]; to wait means to let every task run
//! until what is awaited has come.

mod client;
pub(crate) mod h2_client;
pub(crate) mod socket;
mod worker;

use std::future::Future;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::BytesMut;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking, yield_now};
use yett_gate::{
    Arrival, ClientAddr, Gate, GateSettings, MountSettings, RequestHead, Scheme, ServerAddr,
};
use yett_link::frame::{DESCRIPTOR, Kind, put_frame};

pub(crate) use client::Client;
pub(crate) use worker::FakeWorker;

use crate::conn::{Stop, Terms};
use crate::floor::{Beside, Exchange, Floor, Outgoing, Ticket, WorkerNews};
use crate::listen::{Preface, proxy_header};
use crate::log::{AccessLog, Field, Format};
use crate::meters::{Limit, Meters};
use crate::mount::Mount;
use crate::ruling::{Interface, Ruling};
use crate::service::Services;
use crate::settings::EdgeSettings;

/// How long a test that fails waits for what does not come. A test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs every task until this is ready.
pub(crate) async fn soon<F: Future>(awaited: F) -> F::Output {
    let mut awaited = pin!(awaited);
    let began = Instant::now();
    loop {
        // Polled again and again, so it needs no waker.
        let polled = awaited
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(output) => return output,
            Poll::Pending if began.elapsed() > PATIENCE => panic!("nothing came"),
            Poll::Pending => yield_now().await,
        }
    }
}

/// Runs every task until none can go on. Each turn also looks at the sockets, and what one worker
/// and one client can set off takes a handful of turns.
pub(crate) async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

/// Holds the paused clock still: tokio would move it on whenever all tasks wait, also for a socket.
pub(crate) struct Clock {
    _held: mpsc::Sender<()>,
}

impl Clock {
    pub(crate) fn hold() -> Self {
        // A running blocking task keeps tokio's clock from moving by itself.
        let (held, dropped) = mpsc::channel::<()>();
        spawn_blocking(move || dropped.recv());
        Self { _held: held }
    }

    pub(crate) async fn pass(&self, span: Duration) {
        settle().await;
        tokio::time::advance(span).await;
        settle().await;
    }
}

/// What a project says that has one view, which needs a token.
pub(crate) const GUARDED: &str = r#"{"django": {
    "debug": false,
    "static": null,
    "allowed_hosts": ["x"],
    "token_rules": {
        "algorithm": "HS256", "key": "dGhpcnR5LXR3byBieXRlcyBvZiBzZWNyZXQsIG9yIG1vcmU=",
        "issuer": null, "audience": null, "token_type_claim": "token_type", "token_type": "access",
        "jti_claim": "jti", "header_types": ["Bearer"]
    },
    "url_table": [{
        "pieces": ["^api/\\Z"], "opaque": false, "literal_prefix": "api/", "route": "api/",
        "name": null, "view": "v", "methods": ["GET", "POST"], "authentication": "", "permission": "",
        "guard": "token", "why": "", "answers": {"http": {"missing": 0}}
    }],
    "answers": [{"status": 401, "headers": [["WWW-Authenticate", "Bearer"]], "body": "who?"}]
}}"#;

/// Targets of requests that panic before there is an answer: in their first steps, and in later ones.
pub(crate) const PANICS: [&str; 2] = ["/panics/first", "/panics/later"];

/// The target of one that panics while its answer is sent, behind the first piece.
pub(crate) const PANIC_IN_BODY: &str = "/panics/body";

/// The end of a worker's frame at which whoever reads it panics.
pub(crate) const PANIC_IN_FRAME: &str = "/panics/frame";

/// Panics if this is a request for that target.
pub(crate) fn panic_where_asked(head: &RequestHead, target: &str) {
    assert!(head.target().path() != target.as_bytes(), "as was asked");
}

/// Panics if a worker said that.
pub(crate) fn panic_where_said(payload: &[u8]) {
    assert!(!payload.ends_with(PANIC_IN_FRAME.as_bytes()), "as was said");
}

/// Panics if this is the record of a request for that, of whose answer something is sent.
pub(crate) fn panic_where_sent(record: &crate::log::Record) {
    let fields = &record.fields;
    let is_asked = fields.bytes > 0 && fields.words.target() == PANIC_IN_BODY;
    assert!(!is_asked, "as was asked");
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Keeps what the floor tells about its workers.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn push(&self, word: &str, worker: u32) {
        self.0.lock().unwrap().push(format!("{word} {worker}"));
    }

    /// How often this was told.
    pub(crate) fn count(&self, news: &str) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|told| *told == news)
            .count()
    }
}

impl WorkerNews for Told {
    fn ready(&self, worker: u32) {
        self.push("ready", worker);
    }
    fn hampered(&self, worker: u32) {
        self.push("hampered", worker);
    }
    fn stuck(&self, worker: u32) {
        self.push("stuck", worker);
    }
    fn spent(&self, worker: u32) {
        self.push("spent", worker);
    }
    fn lost(&self, worker: u32) {
        self.push("lost", worker);
    }
}

/// A floor whose generation 1 is active.
pub(crate) fn floor(settings: EdgeSettings) -> (Arc<Floor>, Told) {
    let told = Told::default();
    let floor = Floor::new(settings, Box::new(told.clone()));
    floor.activate(1);
    (floor, told)
}

/// Waits for a place at a worker.
pub(crate) async fn ticket(floor: &Arc<Floor>) -> Ticket {
    soon(floor.acquire()).await.unwrap().0
}

/// Waits for a place at a worker and sends it an empty request.
pub(crate) async fn ask(floor: &Arc<Floor>) -> Exchange {
    open(ticket(floor).await, b"", None)
}

/// Sends a request with this payload.
pub(crate) fn open(ticket: Ticket, payload: &[u8], body: Option<Arc<OwnedFd>>) -> Exchange {
    let encode = |id| {
        let mut frame = BytesMut::new();
        let flags = if body.is_some() { DESCRIPTOR } else { 0 };
        put_frame(&mut frame, Kind::Request, flags, id, payload)?;
        Ok(Outgoing {
            file: body,
            ..frame.into()
        })
    };
    match ticket.open(Beside::default(), encode) {
        Ok(exchange) => exchange,
        Err(error) => panic!("{error:?}"),
    }
}

/// What the access log wrote.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An edge without threads and sockets: all that a connection needs.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) floor: Arc<Floor>,
    pub(crate) told: Told,
    settings: Arc<EdgeSettings>,
    services: Arc<Services>,
    log: Arc<AccessLog>,
    lines: Lines,
    stopping: watch::Sender<Stop>,
    connections: Mutex<Vec<JoinHandle<()>>>,
}

impl Bench {
    pub(crate) fn new(settings: EdgeSettings) -> Self {
        Self::with_gate(settings, GateSettings::default())
    }

    /// An edge before an application of this interface.
    pub(crate) fn of(interface: Interface, settings: EdgeSettings) -> Self {
        Self::with(interface, settings, GateSettings::default(), Vec::new())
    }

    /// An edge that serves files.
    pub(crate) fn with_mount(settings: EdgeSettings, prefix: &str, mount: Mount) -> Self {
        let mut gate = GateSettings::default();
        gate.mounts.push(MountSettings {
            prefix: prefix.to_owned(),
        });
        Self::with(Interface::Wsgi, settings, gate, vec![mount])
    }

    pub(crate) fn with_gate(settings: EdgeSettings, gate: GateSettings) -> Self {
        Self::with(Interface::Wsgi, settings, gate, Vec::new())
    }

    pub(crate) fn with(
        interface: Interface,
        settings: EdgeSettings,
        gate: GateSettings,
        mounts: Vec<Mount>,
    ) -> Self {
        let gate = Gate::new(gate).unwrap();
        let (floor, told) = floor(settings.clone());
        let settings = Arc::new(settings);
        let ruling = Arc::new(ArcSwap::from_pointee(Ruling {
            gate,
            mounts: mounts.into_iter().map(Arc::new).collect(),
            interface,
            issuer: None,
        }));
        let lines = Lines::default();
        let log = AccessLog::start(Format::JsonOf(Field::ALL.to_vec()), lines.clone()).unwrap();
        let services = Services::new(
            Arc::clone(&floor),
            ruling,
            Arc::clone(&log),
            Arc::clone(&settings),
        );
        Self {
            clock: Clock::hold(),
            floor,
            told,
            settings,
            services: Arc::new(services),
            log,
            lines,
            stopping: watch::channel(Stop::No).0,
            connections: Mutex::default(),
        }
    }

    /// The same, before a listener that sends everybody to HTTPS.
    pub(crate) fn redirecting(mut self, port: u16) -> Self {
        self.services = Arc::new(self.services.redirecting(port));
        self
    }

    pub(crate) async fn worker(&self, number: u32) -> FakeWorker {
        FakeWorker::ready(&self.floor, number).await
    }

    /// All that requests need.
    pub(crate) fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    pub(crate) fn connect(&self) -> Client {
        self.connect_with_room(1024 * 1024)
    }

    /// A client in whose direction so many bytes may be on their way.
    pub(crate) fn connect_with_room(&self, room: usize) -> Client {
        Client::new(self.connect_raw_with_room(room))
    }

    /// A client's end of a connection, for whoever speaks more than HTTP on it.
    pub(crate) fn connect_raw(&self) -> DuplexStream {
        self.connect_raw_with_room(1024 * 1024)
    }

    /// How often a limit was met.
    pub(crate) fn met(&self, limit: Limit) -> u64 {
        self.services.meters().times_met(limit)
    }

    /// With TLS in the settings the connection begins with a handshake.
    pub(crate) fn connect_raw_with_room(&self, room: usize) -> DuplexStream {
        let arrival = Arrival::new(
            ClientAddr::Ip("192.0.2.1:4711".parse().unwrap()),
            ServerAddr::Ip("192.0.2.2:80".parse().unwrap()),
            Scheme::Http,
        );
        self.connect_to(Preface::None, arrival, room)
    }

    fn connect_to(&self, preface: Preface, arrival: Arrival, room: usize) -> DuplexStream {
        let (near, far) = tokio::io::duplex(room);
        let terms = Terms {
            preface,
            tls: self.settings.tls.clone(),
            services: Arc::clone(&self.services),
            settings: Arc::clone(&self.settings),
            stopping: self.stopping.subscribe(),
        };
        let served = tokio::spawn(terms.serve(far, arrival));
        self.connections.lock().unwrap().push(served);
        near
    }

    /// A connection of this peer's where a PROXY header is expected.
    pub(crate) fn connect_behind_proxy(&self, peer: &str) -> DuplexStream {
        let peer = ClientAddr::Ip(peer.parse().unwrap());
        let arrival = Arrival::new(peer, ServerAddr::Unix, Scheme::Http);
        self.connect_to(Preface::ProxyHeader, arrival, 1024)
    }

    /// What is counted.
    pub(crate) fn meters(&self) -> &Meters {
        self.services.meters()
    }

    /// Static files that are kept, and bytes of them in memory.
    pub(crate) fn files_held(&self) -> (usize, u64) {
        self.services.files_held()
    }

    /// Lets a client's first bytes be a PROXY header that this peer writes.
    pub(crate) async fn greeted(&self, peer: &str, header: &[u8]) -> Option<Arrival> {
        let peer = ClientAddr::Ip(peer.parse().unwrap());
        let arrival = Arrival::new(peer, ServerAddr::Unix, Scheme::Http);
        let (mut near, mut far) = tokio::io::duplex(1024);
        soon(tokio::io::AsyncWriteExt::write_all(&mut near, header))
            .await
            .unwrap();
        let pass = proxy_header::pass(
            Preface::ProxyHeader,
            &mut far,
            arrival,
            &self.services,
            &self.settings,
        );
        pass.await
    }

    /// Tells every connection to close after its request.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(Stop::Requests);
    }

    /// Tells WebSockets too that the server stops.
    pub(crate) fn stop_sockets(&self) {
        self.stopping.send_replace(Stop::Sockets);
    }

    /// Waits for the last connection's end, which is a panic.
    pub(crate) async fn connection_panicked(&self) {
        let connection = self.connections.lock().unwrap().pop().unwrap();
        assert!(soon(connection).await.unwrap_err().is_panic());
    }

    /// The access records, when every connection has ended.
    pub(crate) async fn records(self) -> Vec<Value> {
        // A client that keeps its side open is waited for a moment, so that it can read.
        self.clock.pass(seconds(2)).await;
        for connection in self.connections.into_inner().unwrap() {
            soon(connection).await.unwrap();
        }
        drop(self.services);
        // Writes what waits.
        drop(Arc::into_inner(self.log).expect("nothing else holds the log"));
        let text = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The access records as `METHOD target status fault bytes`.
    pub(crate) async fn told_records(self) -> Vec<String> {
        let told = |record: &Value| {
            format!(
                "{} {} {} {} {}",
                record["method"].as_str().unwrap(),
                record["target"].as_str().unwrap(),
                record["status"],
                record["fault"].as_str().unwrap_or("-"),
                record["bytes"],
            )
        };
        self.records().await.iter().map(told).collect()
    }
}
