//! Step two's result: settings, typed and checked. No string in here still has to be understood.

use super::{
    AppName, Bind, EventLoop, Interface, Lifespan, Preload, PythonWish, Reload, StaticMount,
    Threads,
};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use yett_edge::{
    CompressionSettings, Http2Settings, Types, WebSocketSettings,
    listen::{Permissions, Preface, Wire},
    log::Format,
    respond::SecurityHeaders,
    rules::RouteRules,
    tls::TlsSettings,
};
use yett_gate::HeadRules;

/// Settings and what should be said about them at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The settings.
    pub(crate) settings: ServeSettings,
    /// Sentences for the banner: something is allowed, but probably not meant.
    pub(crate) warnings: Vec<String>,
    /// The file that was read, as the user would name it.
    pub(crate) file: Option<String>,
}

/// What `yett serve` (and `check`, and `routes`) runs by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServeSettings {
    /// The app's name, if it was said; otherwise `manage.py` decides.
    pub(crate) app: Option<AppName>,
    /// The folder that the app runs in and is imported from. Absolute; existed when the settings
    /// were read.
    pub(crate) folder: PathBuf,
    /// The interpreter, if one was asked for.
    pub(crate) python: Option<PythonWish>,
    /// The calling convention.
    pub(crate) interface: Interface,
    /// Whether code is loaded anew when it changes.
    pub(crate) reload: Reload,
    /// Where to listen, no two at the same place: at least one that serves, and behind those the ones
    /// that redirect.
    pub(crate) listeners: Vec<Listen>,
    /// What TLS listeners run by; `None`: every listener speaks clear text.
    pub(crate) tls: Option<TlsSettings>,
    /// The port that everybody is redirected to; `None`: the first HTTPS listener's.
    pub(crate) redirect_port: Option<u16>,
    /// The value of `Strict-Transport-Security`, ASCII.
    pub(crate) hsts: Option<String>,
    /// Whom to believe what of a request's head, and which hosts are served.
    pub(crate) head: HeadRules,
    /// Which answers get headers that tell browsers to be careful.
    pub(crate) security_headers: SecurityHeaders,
    /// What single routes of the app have otherwise.
    pub(crate) routes: RouteRules,
    /// Folders served without the app; no two URLs the same.
    pub(crate) mounts: Vec<StaticMount>,
    /// What holds for all of them, and for the project's own.
    pub(crate) files: StaticFiles,
    /// Folders whose files the app may name with `X-Sendfile` or `X-Accel-Redirect`; no two URLs
    /// the same.
    pub(crate) sendfile: Vec<StaticMount>,
    /// Worker processes.
    pub(crate) workers: NonZeroUsize,
    /// Threads in each worker; one of a WSGI app runs so many requests at once.
    pub(crate) threads: Threads,
    /// Requests that a worker of an ASGI app runs at once; further ones wait in the queue.
    pub(crate) concurrency: NonZeroUsize,
    /// The event loop of ASGI workers.
    pub(crate) event_loop: EventLoop,
    /// Whether an ASGI app is told of its workers' start and stop.
    pub(crate) lifespan: Lifespan,
    /// How long a request may run in a worker; then the worker is ended and the client gets 504.
    /// `None`: for ever.
    pub(crate) timeout: Option<Duration>,
    /// How long a stop or a reload waits for requests in flight; then they are cut. Zero: not at
    /// all.
    pub(crate) graceful_timeout: Duration,
    /// How long the app may take to import, and then each worker to start.
    pub(crate) start_timeout: Duration,
    /// Requests after which a worker is replaced. `None`: never.
    pub(crate) max_requests: Option<NonZeroU64>,
    /// Up to so many requests are added to `max_requests`, worker by worker.
    pub(crate) max_requests_jitter: u64,
    /// Bytes of resident memory above which a worker is replaced. `None`: never.
    pub(crate) max_rss: Option<NonZeroU64>,
    /// Who imports the app.
    pub(crate) preload: Preload,
    /// The bounds of the edge.
    pub(crate) limits: Limits,
    /// The bounds of HTTP/2. `None`: only HTTP/1.1 is spoken.
    pub(crate) http2: Option<Http2Settings>,
    /// Which of the app's answers are compressed.
    pub(crate) compression: CompressionSettings,
    /// The bounds and times of WebSockets.
    pub(crate) websocket: WebSocketSettings,
    /// How long a stop goes on taking connections before it begins. Zero: not at all.
    pub(crate) drain_delay: Duration,
    /// Where health and metrics are told. `None`: nowhere.
    pub(crate) admin: Option<Bind>,
    /// Names with dots under which the admin address answers, in lower case.
    pub(crate) admin_hosts: Vec<String>,
    /// What the log says and where.
    pub(crate) log: LogSettings,
    /// The file that holds the process id while the server runs; its folder exists.
    pub(crate) pid_file: Option<PathBuf>,
}

/// A place to listen at, and all that is particular to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Where.
    pub(crate) bind: Bind,
    /// What its clients get.
    pub(crate) role: Role,
    /// What its connections begin with.
    pub(crate) preface: Preface,
    /// Who may connect, if it is a Unix socket.
    pub(crate) permissions: Permissions,
}

/// What a listener's clients get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Answers.
    Serve(Wire),
    /// In clear text, the way to HTTPS.
    Redirect,
}

/// How files are served without the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaticFiles {
    /// How long they may be kept without asking.
    pub(crate) max_age: Duration,
    /// Nobody said so, and the project's word counts before the default.
    pub(crate) max_age_is_default: bool,
    /// Types beside those that are known.
    pub(crate) types: Arc<Types>,
    /// Files that are kept open or in memory.
    pub(crate) open: NonZeroUsize,
    /// Bytes of small ones that are kept in memory. Zero: none.
    pub(crate) memory: u64,
}

/// What is written of requests, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// How a line looks; whether each request writes one at all.
    pub(crate) format: Format,
    /// The file that lines are appended to; its folder exists. `None`: standard output.
    pub(crate) file: Option<PathBuf>,
    /// How long queue and application together may take until a request is told as slow.
    pub(crate) slow_request: Option<Duration>,
}

/// The bounds of the edge, and what a client meets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Requests that may wait for a worker; the next one gets 503 with `Retry-After`.
    pub(crate) queue: NonZeroUsize,
    /// How long a request may wait for a worker; then it gets 503 with `Retry-After`.
    pub(crate) queue_timeout: Duration,
    /// How long a connection may stay quiet between requests; then it is closed. Zero: closed after
    /// each answer.
    pub(crate) keep_alive: Duration,
    /// How long a request's head may take; then it gets 408.
    pub(crate) head_timeout: Duration,
    /// How long a request's body may pause, and over how long its rate is measured; then it gets 408.
    pub(crate) body_timeout: Duration,
    /// How long a client may take nothing of its answer, and over how long its rate is measured;
    /// then it is cut.
    pub(crate) send_timeout: Duration,
    /// Bytes a second that a client must send of a body and take of an answer. Zero: any.
    pub(crate) min_rate: u64,
    /// Open connections; further ones wait in the kernel.
    pub(crate) max_connections: NonZeroUsize,
    /// Open connections of one client address; further ones are closed at once. `None`: any.
    pub(crate) max_connections_per_address: Option<NonZeroUsize>,
    /// Bytes of a request's line and headers; a larger one gets 431.
    pub(crate) max_head: usize,
    /// Headers of a request; one with more gets 431.
    pub(crate) max_headers: usize,
    /// Bytes of a request's body; a larger one gets 413.
    pub(crate) max_body: u64,
    /// Where bodies too large for memory are kept while they arrive. Absolute; existed when the
    /// settings were read.
    pub(crate) spool_dir: PathBuf,
    /// Bytes of all bodies that are kept there; a further one gets 507.
    pub(crate) max_spool: u64,
    /// The files that they are in; a further one gets 507.
    pub(crate) max_spool_files: u64,
    /// Bytes of one answer of WSGI that are kept there for a slow client. Zero: none.
    pub(crate) max_answer_spool: u64,
}
