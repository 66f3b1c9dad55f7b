//! What the edge obeys. The program crate makes these from flags, environment and files.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use crate::conn::h2::Http2Settings;
use crate::develop::Develop;
use crate::floor::Carrier;
use crate::log::Troubles;
use crate::rate::Rate;
use crate::respond::SecurityHeaders;
use crate::respond::compress::CompressionSettings;
use crate::rules::RouteRules;
use crate::service::Types;
use crate::tls::Tls;
use crate::websocket::WebSocketSettings;
use yett_gate::HeadRules;

/// A folder whose files the application may name with `X-Sendfile` or `X-Accel-Redirect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendfile {
    /// What `X-Accel-Redirect` says instead of the folder; ends with a slash.
    pub url: String,
    /// The folder, absolute.
    pub folder: PathBuf,
}

/// Bounds of what is kept of static files between requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesSettings {
    /// Files that are kept open or in memory; beyond it the ones that are asked for least are let go.
    pub open: usize,
    /// Bytes of small files that are kept in memory; beyond it likewise. Zero: none, every answer is
    /// read from its file.
    pub memory: u64,
    /// Types of files that the configuration adds; for files that the application names.
    pub types: Arc<Types>,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self {
            open: 1024,
            memory: 32 * 1024 * 1024,
            types: Arc::default(),
        }
    }
}

/// Limits and times of the edge.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// Threads that run connections, at least one.
    pub threads: usize,
    /// Open client connections, over all listeners. At the limit one more of each listener is
    /// accepted and waits until another closes; all further ones wait in the kernel's backlog.
    pub max_connections: usize,
    /// Open connections of one client address (of IPv6, of one /64 network), over all listeners; a
    /// further one is closed at once. Connections over Unix sockets have no address. `None`: any.
    pub max_connections_per_address: Option<NonZeroUsize>,
    /// Bytes of a request's line and headers; above: 431, and the connection closes.
    pub max_head: usize,
    /// Number of a request's headers; above: 431, and the connection closes.
    pub max_headers: usize,
    /// Bytes of a request's body; above: 413.
    pub max_body: u64,
    /// Whom to believe what of a request's head, and which hosts are served.
    pub head: HeadRules,
    /// Whether every answer gets the headers that tell browsers to be careful.
    pub security_headers: SecurityHeaders,
    /// How long a head may take from its first byte; above: 408, and the connection closes.
    pub head_timeout: Duration,
    /// How long a body may pause, and over how long `min_rate` is measured; above: 408, and the
    /// connection closes.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what waits for it, and over how long `min_rate` is
    /// measured; then its connection is cut, and the worker that it holds is free.
    pub send_timeout: Duration,
    /// Bytes a second that a client must send of a body, or take of an answer, while it is waited
    /// for. Zero: any.
    pub min_rate: u64,
    /// How long a connection may idle between requests; then it closes. Zero means that it closes
    /// after its first answer. A first request may take as long as a head may.
    pub keep_alive: Duration,
    /// Limits of HTTP/2. `None`: only HTTP/1.1 is spoken.
    pub http2: Option<Http2Settings>,
    /// Where bodies above 64 KiB are kept until they are whole, and answers of WSGI applications whose
    /// clients are slower than they, as files without a name.
    pub spool_dir: PathBuf,
    /// Bytes of bodies that are kept in files at one time, over all connections; above it: 507. Answers
    /// have no more than a half.
    pub max_spool: u64,
    /// Those files, of requests and of answers: each takes a descriptor, and clients decide how many there
    /// are. Above it: 507. Answers have no more than a half.
    pub max_spool_files: u64,
    /// Bytes of one answer of a WSGI application that are kept in a file while its client is slower than
    /// the application, so that no thread waits for it; above it, or when answers have their half of
    /// `max_spool` or of `max_spool_files`, the application waits until its client has taken what is
    /// kept. Zero: it always waits.
    pub max_answer_spool: u64,
    /// What carries requests to the workers and answers back.
    pub carrier: Carrier,
    /// Folders whose files the application may name instead of a body. Without one that covers the
    /// name the client gets 500.
    pub sendfile: Vec<Sendfile>,
    /// Requests that one worker runs at a time.
    pub worker_threads: usize,
    /// Requests that wait for a worker; above: 503 with `Retry-After`.
    pub max_queue: usize,
    /// How long a request waits for a worker; above: 503 with `Retry-After`.
    pub queue_timeout: Duration,
    /// How long the application may take to begin its answer; above: 504. A worker of WSGI must also go
    /// on with its answer in this time, unless it waits for the client, or the answer is cut; it is
    /// replaced then. Under ASGI an answer that has begun has no limit, and the worker stays: other
    /// requests run beside it. `None`: no limit.
    pub request_timeout: Option<Duration>,
    /// Requests after which a worker is replaced. `None`: never.
    pub max_requests: Option<u64>,
    /// Up to so many requests are added to `max_requests`, worker by worker, so that not all are
    /// replaced at once.
    pub max_requests_jitter: u64,
    /// What single routes of the application have otherwise.
    pub routes: RouteRules,
    /// Which answers of the application are compressed.
    pub compression: CompressionSettings,
    /// How long queue and application together may take until a request is told as slow. `None`: none
    /// is.
    pub slow_request: Option<Duration>,
    /// Where requests that failed or were slow are told one by one. `None`: nowhere.
    pub troubles: Option<Arc<Troubles>>,
    /// What is kept of static files.
    pub files: FilesSettings,
    /// Limits and times of WebSockets.
    pub websocket: WebSocketSettings,
    /// What TLS listeners run by; without it they take no connection.
    pub tls: Option<Arc<Tls>>,
    /// `Strict-Transport-Security` of every answer over TLS that has none of its own (RFC 6797).
    pub hsts: Option<HeaderValue>,
    /// In development: how it stands with the code. `None`: in production, where no answer ever
    /// shows why code does not load.
    pub develop: Option<Arc<Develop>>,
}

impl EdgeSettings {
    /// How slowly a body may come.
    pub(crate) const fn body_rate(&self) -> Rate {
        Rate {
            least: self.min_rate,
            window: self.body_timeout,
        }
    }

    /// How slowly an answer may be taken.
    pub(crate) const fn send_rate(&self) -> Rate {
        Rate {
            least: self.min_rate,
            window: self.send_timeout,
        }
    }
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            threads: 1,
            max_connections: 10_000,
            max_connections_per_address: None,
            max_head: 64 * 1024,
            max_headers: 128,
            max_body: 100 * 1024 * 1024,
            head: HeadRules::default(),
            security_headers: SecurityHeaders::default(),
            head_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(30),
            send_timeout: Duration::from_secs(60),
            min_rate: 500,
            keep_alive: Duration::from_secs(75),
            http2: Some(Http2Settings::default()),
            spool_dir: std::env::temp_dir(),
            max_spool: 4 * 1024 * 1024 * 1024,
            max_spool_files: 4096,
            max_answer_spool: 64 * 1024 * 1024,
            carrier: Carrier::default(),
            sendfile: Vec::new(),
            worker_threads: 1,
            max_queue: 1024,
            queue_timeout: Duration::from_secs(30),
            request_timeout: Some(Duration::from_secs(30)),
            max_requests: None,
            max_requests_jitter: 0,
            routes: RouteRules::default(),
            compression: CompressionSettings::default(),
            slow_request: None,
            troubles: None,
            files: FilesSettings::default(),
            websocket: WebSocketSettings::default(),
            tls: None,
            hsts: None,
            develop: None,
        }
    }
}
