//! What is known of one request, growing as it goes on its way. Dropping it writes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use yett_gate::ClientAddr;

use super::access::AccessLog;

/// Longest piece of a client's text that is kept for the record, in bytes.
const MAX_TEXT: usize = 2048;

/// One request's record.
#[derive(Debug)]
pub(crate) struct Record {
    log: Arc<AccessLog>,
    pub(crate) fields: Fields,
    began: Instant,
    written: bool,
}

/// The fields of a record, as the log formats print them.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The client's address.
    pub client: ClientAddr,
    /// Method, or `-` when there was none to read.
    pub method: String,
    /// Target as the client sent it or, once parsed, canonical. Not yet escaped.
    pub target: String,
    /// `HTTP/1.1` and so on.
    pub protocol: &'static str,
    /// Status, 499 when the client went away before there was one.
    pub status: u16,
    /// Bytes of body that were handed to the connection.
    pub bytes: u64,
    /// From the request's head to the end of the response.
    pub took: Duration,
    /// Time spent waiting for a free worker.
    pub waited: Duration,
    /// Name of the route.
    pub route: String,
    /// Number of the worker that answered, if one did.
    pub worker: Option<u32>,
    /// Why the request failed or was refused; precise, and never sent to the client.
    pub reason: Option<String>,
    /// Whose fault a failure was: `client`, `app` or `yett`.
    pub fault: Option<&'static str>,
    /// `User-Agent`, not yet escaped.
    pub user_agent: Option<String>,
}

/// What the log says of a client that left before there was an answer, after nginx's custom.
const CLIENT_LEFT: u16 = 499;

impl Record {
    pub(crate) fn new(
        log: &Arc<AccessLog>,
        client: ClientAddr,
        method: &str,
        target: &str,
        protocol: &'static str,
    ) -> Self {
        Self {
            log: Arc::clone(log),
            fields: Fields {
                client,
                method: bounded(method),
                target: bounded(target),
                protocol,
                status: 0,
                bytes: 0,
                took: Duration::ZERO,
                waited: Duration::ZERO,
                route: String::from("-"),
                worker: None,
                reason: None,
                fault: None,
                user_agent: None,
            },
            began: Instant::now(),
            written: false,
        }
    }

    /// Takes the record along to where its request is really over; what stays here is not written.
    pub(crate) fn take_along(&mut self) -> Self {
        self.written = true;
        Self {
            log: Arc::clone(&self.log),
            fields: self.fields.clone(),
            began: self.began,
            written: false,
        }
    }

    pub(crate) fn status(&mut self, status: StatusCode) {
        self.fields.status = status.as_u16();
    }

    pub(crate) fn user_agent(&mut self, value: Option<&[u8]>) {
        self.fields.user_agent = value.map(|value| bounded(&String::from_utf8_lossy(value)));
    }

    pub(crate) fn reason(&mut self, reason: impl std::fmt::Display) {
        self.fields.reason = Some(reason.to_string());
    }
}

fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_TEXT))
        .unwrap_or(text)
        .to_owned()
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.written {
            return;
        }
        self.fields.took = self.began.elapsed();
        if self.fields.status == 0 {
            if std::thread::panicking() {
                self.fields.status = 500;
                self.fields.reason = Some(String::from("panic in the server"));
            } else {
                self.fields.status = CLIENT_LEFT;
            }
        }
        self.log.write(&self.fields);
    }
}
