//! From a request to its response: head, gate, service.
//!
//! The services take [`Admitted`](yett_gate::Admitted), never a bare head: without the gate's word there is nothing to
//! call them with.

mod answering;
mod app;
mod broken;
mod files;
mod pace;
mod redirect;
mod request_id;
mod sendfile;
mod socket;
mod spool;
mod step;
mod unharmed;
mod upload;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use http::header::{CONNECTION, STRICT_TRANSPORT_SECURITY, TE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use yett_gate::{Arrival, Refused, RequestHead};

use crate::conn::{ClientBody, ClientEnd, EarlyHints, Offence};
use crate::crowd::Crowd;
use crate::floor::{Floor, rounds};
use crate::header_list::has_member;
use crate::log::{AccessLog, Journal, Record, ServiceKind};
use crate::meters::Meters;
use crate::respond::compress::Compressor;
use crate::respond::{self, Body, Failure};
use crate::room::Budget;
use crate::ruling::{Interface, Ruling};
use crate::settings::EdgeSettings;
pub(crate) use answering::Answering;
use files::Files;
pub use files::{Types, range};
pub(crate) use sendfile::SendfileError;
use step::{Last, Step};

/// What a client can take beside an answer's head and body.
#[derive(Debug)]
struct Extras {
    /// Of a client that knows informational answers.
    hints: Option<EarlyHints>,
    /// The client asked for fields behind the body.
    trailers: bool,
}

impl Extras {
    fn of(version: Version, trailers: bool, busy: &ClientEnd) -> Self {
        let modern = version >= Version::HTTP_11;
        Self {
            // HTTP/1.0 knows no informational answer (RFC 9110 section 15.2).
            hints: modern.then(|| busy.hints()),
            trailers: modern && trailers,
        }
    }
}

/// All that a request needs, shared by every connection.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    floor: Arc<Floor>,
    ruling: Arc<ArcSwap<Ruling>>,
    journal: Arc<Journal>,
    settings: Arc<EdgeSettings>,
    budget: Arc<Budget>,
    meters: Arc<Meters>,
    /// Nothing is answered: everybody is sent to this port with `https`.
    redirect: Option<u16>,
    compressor: Arc<Compressor>,
    /// The server will stop soon: no connection is kept for further requests.
    leaving: Arc<AtomicBool>,
    crowd: Arc<Crowd>,
    files: Arc<Files>,
}

impl Services {
    pub(crate) fn new(
        floor: Arc<Floor>,
        ruling: Arc<ArcSwap<Ruling>>,
        log: Arc<AccessLog>,
        settings: Arc<EdgeSettings>,
    ) -> Self {
        let meters = Arc::<Meters>::default();
        Self {
            floor,
            ruling,
            journal: Arc::new(Journal::new(log, Arc::clone(&meters), &settings)),
            budget: Budget::new(settings.max_spool, settings.max_spool_files),
            files: Arc::new(Files::new(&settings.files, Arc::clone(&meters))),
            compressor: Arc::new(Compressor::new(
                settings.compression.clone(),
                Arc::clone(&meters),
            )),
            meters,
            settings,
            leaving: Arc::default(),
            crowd: Arc::default(),
            redirect: None,
        }
    }

    /// The same for a listener that sends everybody to this port with `https`.
    pub(crate) fn redirecting(&self, port: u16) -> Self {
        Self {
            redirect: Some(port),
            ..self.clone()
        }
    }

    /// Where records are closed.
    pub(crate) const fn log(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// From now on every answer tells its client to ask on another connection.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        if let Some(develop) = &self.settings.develop {
            develop.leave();
        }
    }

    /// Whether that is so.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// What was configured.
    pub(crate) fn settings(&self) -> &EdgeSettings {
        &self.settings
    }

    /// Where connections that idle can be asked to leave.
    pub(crate) const fn crowd(&self) -> &Arc<Crowd> {
        &self.crowd
    }

    #[cfg(test)]
    pub(crate) fn files_held(&self) -> (usize, u64) {
        self.files.held()
    }

    /// Bytes that the body of this request may have.
    fn max_body(&self, head: &RequestHead) -> u64 {
        let path = head.target().path();
        let of_route = self.settings.routes.max_body(path);
        of_route.unwrap_or(self.settings.max_body)
    }

    /// What is counted.
    pub(crate) const fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// Answers a head that its protocol forbids, though it could be read.
    pub(crate) fn turned_away(
        &self,
        parts: &Parts,
        arrival: &Arrival,
        offence: Offence,
    ) -> Response<Body> {
        let record = self.record(parts, arrival);
        self.offended(offence, &parts.headers, arrival, record)
    }

    /// Answers what can be no request, with the headers of it that could be read.
    pub(crate) fn offended(
        &self,
        offence: Offence,
        headers: &HeaderMap,
        arrival: &Arrival,
        mut record: Record,
    ) -> Response<Body> {
        let id = self.name(headers, arrival, &mut record);
        let mut response = respond::failed(&Failure::Offence(offence), record);
        self.complete(&mut response, arrival.tls().is_some(), id);
        response
    }

    /// Answers one request. Never fails: a failure is an answer.
    ///
    /// The record is made at once, not when the answer is first polled: hyper drops an answer that
    /// it has not polled yet when the client leaves right behind its request.
    pub(crate) fn answer(
        self: Arc<Self>,
        request: Request<ClientBody>,
        arrival: Arrival,
        busy: ClientEnd,
    ) -> Answering {
        let (over_tls, version) = (arrival.tls().is_some(), request.version());
        let (parts, body) = request.into_parts();
        let (mut id, mut trailers) = (None, false);
        let begun = unharmed::begun(|| {
            let mut record = self.record(&parts, &arrival);
            // A thread that has requests to begin has not slept: see what its workers have answered.
            rounds::glance_round();
            trailers = has_member(&parts.headers, &TE, b"trailers");
            record.hear(&parts.headers);
            id = self.name(&parts.headers, &arrival, &mut record);
            let mut head = RequestHead::parse(parts, arrival, &self.settings.head);
            if let Ok(head) = &mut head {
                self.hand_on(id.as_ref(), head);
            }
            self.begin(head, record)
        });
        let end = End {
            over_tls,
            version,
            id,
        };
        match begun {
            Some(Step::Last(Last::Answered(response))) => {
                Answering::ready(self.ended(response, &body, busy, end))
            }
            Some(step) => {
                let extras = Extras::of(version, trailers, &busy);
                Answering::going(self.go_on(step, extras, body, busy, end))
            }
            None => {
                let response = self.panicked();
                Answering::ready(self.ended(response, &body, busy, end))
            }
        }
    }

    /// Takes the steps that need time.
    async fn go_on(
        self: Arc<Self>,
        mut step: Step,
        extras: Extras,
        mut body: ClientBody,
        mut busy: ClientEnd,
        end: End,
    ) -> Response<Body> {
        let answer = {
            let steps = pin!(async {
                if let Step::Waits(waits) = step {
                    step = Step::Last(Box::pin(self.wait(*waits)).await);
                }
                // Asked where it lies: it is large.
                let Step::Last(Last::App(to_app)) = &mut step else {
                    return step.into_answer();
                };
                let (interface, record) = (to_app.interface, to_app.record.take()?);
                let admitted = &to_app.admitted;
                Some(if asks_for_socket(interface, &busy) {
                    let answer = socket::answer(&self, admitted, &extras, &mut busy, record);
                    Box::pin(answer).await
                } else {
                    let call = app::Call { interface, extras };
                    app::answer(&self, admitted, call, &mut body, record).await
                })
            });
            unharmed::ended(steps).await.flatten()
        };
        let response = answer.unwrap_or_else(|| self.panicked());
        self.ended(response, &body, busy, end)
    }

    /// What a request's client gets that led to a panic. The request's own record is closed.
    fn panicked(&self) -> Response<Body> {
        let record = Record::unwritten(&self.journal);
        respond::failed(&Failure::Panicked, record)
    }

    /// The answer as it goes to the connection.
    fn ended(
        &self,
        mut response: Response<Body>,
        left: &ClientBody,
        busy: ClientEnd,
        end: End,
    ) -> Response<Body> {
        self.complete(&mut response, end.over_tls, end.id);
        // A body that nobody will read stands between this and the next request.
        if !left.is_end_stream() || self.is_leaving() {
            take_leave(&mut response, end.version);
        }
        response.body_mut().hold(busy);
        response
    }

    /// What is known of a request from its head.
    fn record(&self, parts: &Parts, arrival: &Arrival) -> Record {
        let (client, method) = (arrival.client(), parts.method.as_str());
        let version = protocol(parts.version);
        let mut record = Record::new(&self.journal, client, method, "", version);
        record.target(&parts.uri);
        record.scheme(arrival.scheme());
        record
    }

    /// Adds what every answer says, whoever gave it.
    fn complete(&self, response: &mut Response<Body>, over_tls: bool, id: Option<HeaderValue>) {
        if let Some((header, id)) = self.id_header(id) {
            // Whatever the application says: it is this one that stands in the log.
            response.headers_mut().insert(header, id);
        }
        // Not where a proxy ends TLS: it says for itself what holds for its name.
        if let Some(hsts) = self.settings.hsts.as_ref().filter(|_| over_tls) {
            let said = response.headers_mut().entry(STRICT_TRANSPORT_SECURITY);
            said.or_insert_with(|| hsts.clone());
        }
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            self.settings.security_headers.add(response.headers_mut());
        }
    }
}

/// What an answer needs to know of its request at its end.
struct End {
    over_tls: bool,
    version: Version,
    id: Option<HeaderValue>,
}

/// Whether a request is for a WebSocket, and the application can take one.
fn asks_for_socket(interface: Interface, busy: &ClientEnd) -> bool {
    interface == Interface::Asgi && busy.asked().is_some()
}

/// `OPTIONS *` asks about the server, not about anything below it (RFC 9110 section 9.3.7), and PEP
/// 3333 has no way to put it to an application.
fn of_the_server(mut record: Record) -> Response<Body> {
    record.status(StatusCode::OK);
    Response::new(Body::bytes(bytes::Bytes::new(), record))
}

/// Lets the client ask on another connection, which a load balancer will make to another server.
/// HTTP/2 says so by a frame of its own (RFC 9113 section 8.2.2), and a WebSocket is no more HTTP.
fn take_leave(response: &mut Response<Body>, version: Version) {
    let switches = response.status() == http::StatusCode::SWITCHING_PROTOCOLS;
    if version < Version::HTTP_2 && !switches {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The application's own answer to a credential that is missing or bad, given without asking it.
fn refuse(refused: &Refused, mut record: Record) -> Response<Body> {
    let answer = refused.answer();
    record.routed(refused.route(), ServiceKind::Edge);
    record.status(answer.status);
    record.fields.fault = Some(respond::failure::Fault::Client.name());
    record.fields.failure = Some("credential");
    record.reason(respond::failure::Chain(refused.reason()));
    let mut response = Response::new(Body::bytes(answer.body.clone(), record));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers.clone();
    response
}

const fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests;
