//! What is known of one request, growing as it goes on its way. Dropping it writes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{HOST, HeaderMap, HeaderValue, REFERER, USER_AGENT};
use http::{StatusCode, Uri};
use yett_gate::{ClientAddr, RouteName, Scheme};

use super::journal::Journal;
use super::words::{Word, Words};
use crate::meters::Limit;
use crate::respond::Failure;
use crate::respond::failure::note;

/// One request's record.
#[derive(Debug)]
pub(crate) struct Record {
    journal: Arc<Journal>,
    pub(crate) fields: Box<Fields>,
    began: Instant,
    written: bool,
}

/// The fields of a record, as the log formats print them.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The client's address.
    pub client: ClientAddr,
    /// What the client said: method, target and some headers. Not yet escaped.
    pub words: Words,
    /// `HTTP/1.1` and so on; `-` when there was none to read.
    pub protocol: &'static str,
    /// `http` or `https`; `-` when there was no request.
    pub scheme: &'static str,
    /// Status, 499 when the client went away before there was one.
    pub status: u16,
    /// Bytes of body that were handed to the connection.
    pub bytes: u64,
    /// Bytes of the request's body that arrived.
    pub received: u64,
    /// From the request's head to the end of the response.
    pub took: Duration,
    /// Time spent waiting for a free worker.
    pub waited: Duration,
    /// From handing the request to the last worker that got it until its answer began, or did not.
    pub app: Option<Duration>,
    /// Who answered.
    pub service: ServiceKind,
    /// Name of the route.
    pub route: Route,
    /// Number of the worker that answered, if one did.
    pub worker: Option<u32>,
    /// Why the request failed or was refused; precise, and never sent to the client.
    pub reason: Option<String>,
    /// Whose fault a failure was: `client`, `app` or `yett`.
    pub fault: Option<&'static str>,
    /// The kind of failure, one word of a fixed number of them.
    pub failure: Option<&'static str>,
}

/// What answered a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// The edge itself: refusals of the gate, of what is no request, of what fits no limit.
    Edge,
    /// The application.
    App,
    /// Files.
    Files,
    /// A WebSocket: its record is written when it is closed.
    WebSocket,
}

impl ServiceKind {
    /// All of them, in the order of their declaration.
    pub const ALL: &'static [Self; 4] = &[Self::Edge, Self::App, Self::Files, Self::WebSocket];

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::App => "app",
            Self::Files => "files",
            Self::WebSocket => "websocket",
        }
    }
}

/// The name of the route that a request took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// It took none.
    None,
    /// One of the edge's own.
    Own(&'static str),
    /// One that the release has.
    Named(RouteName),
}

impl Route {
    /// The name, `-` for none. A client cannot make up new ones.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "-",
            Self::Own(name) => name,
            Self::Named(name) => name.as_str(),
        }
    }
}

/// What the log says of a client that left before there was an answer, after nginx's custom.
const CLIENT_LEFT: u16 = 499;

impl Record {
    pub(crate) fn new(
        journal: &Arc<Journal>,
        client: ClientAddr,
        method: &str,
        target: &str,
        protocol: &'static str,
    ) -> Self {
        Self {
            journal: Arc::clone(journal),
            fields: Box::new(Fields {
                client,
                words: Words::new(method, target),
                protocol,
                scheme: "-",
                status: 0,
                bytes: 0,
                received: 0,
                took: Duration::ZERO,
                waited: Duration::ZERO,
                app: None,
                service: ServiceKind::Edge,
                route: Route::None,
                worker: None,
                reason: None,
                fault: None,
                failure: None,
            }),
            began: Instant::now(),
            written: false,
        }
    }

    /// One that is written nowhere: that of its request is written already.
    pub(crate) fn unwritten(journal: &Arc<Journal>) -> Self {
        let mut record = Self::new(journal, ClientAddr::Unix, "-", "-", "-");
        record.written = true;
        record
    }

    /// Takes the record along to where its request is really over; what stays here is not written.
    pub(crate) fn take_along(&mut self) -> Self {
        self.written = true;
        Self {
            journal: Arc::clone(&self.journal),
            fields: self.fields.clone(),
            began: self.began,
            written: false,
        }
    }

    /// Who asked, where a trusted proxy says it.
    pub(crate) fn client(&mut self, client: ClientAddr) {
        self.fields.client = client;
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.fields.status = status.as_u16();
    }

    pub(crate) fn scheme(&mut self, scheme: Scheme) {
        self.fields.scheme = scheme.as_str();
    }

    /// The route that the gate found, and who is to answer.
    pub(crate) fn routed(&mut self, route: &RouteName, service: ServiceKind) {
        self.fields.route = Route::Named(route.clone());
        self.fields.service = service;
    }

    /// The target of a request whose head hyper has read.
    pub(crate) fn target(&mut self, target: &Uri) {
        let words = &mut self.fields.words;
        match (target.authority(), target.path_and_query()) {
            (None, Some(path)) => words.say(Word::Target, path.as_str()),
            _ => words.spell(Word::Target, target),
        }
    }

    /// Keeps of a request's headers what the log's format shows.
    pub(crate) fn hear(&mut self, headers: &HeaderMap) {
        let shown = self.journal.words();
        for (word, name) in [
            (Word::UserAgent, USER_AGENT),
            (Word::Referer, REFERER),
            (Word::Host, HOST),
        ] {
            if shown.has(word)
                && let Some(value) = headers.get(name)
            {
                let value = String::from_utf8_lossy(value.as_bytes());
                self.fields.words.say(word, &value);
            }
        }
    }

    /// The request has this id, which is plain text.
    pub(crate) fn id(&mut self, id: &HeaderValue) {
        if let Ok(id) = id.to_str() {
            self.fields.words.say(Word::RequestId, id);
        }
    }

    /// The request met this limit.
    pub(crate) fn met(&self, limit: Limit) {
        self.journal.met(limit);
    }

    pub(crate) fn reason(&mut self, reason: impl std::fmt::Display) {
        self.fields.reason = Some(reason.to_string());
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.written {
            return;
        }
        self.fields.took = self.began.elapsed();
        let said = self.fields.status;
        if std::thread::panicking() {
            note(&Failure::Panicked, self);
            if said != 0 {
                // Its client has it: the answer was cut.
                self.fields.status = said;
            }
        } else if said == 0 {
            self.fields.status = CLIENT_LEFT;
        }
        self.journal.close(&self.fields);
    }
}
