//! The application: takes a request to a worker and its answer back.
//!
//! If the worker dies, a request that it had not begun goes to another one; a request that it had
//! begun goes to another one once, if its method is safe. Nothing is ever sent twice once a part of
//! an answer has come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, TRAILER};
use http::{Method, Response, StatusCode, Version};
use hyper::ext::ReasonPhrase;
use tokio::time::Instant;
use yett_gate::{Admitted, BodyLength, ClientAddr, RequestHead, ServerAddr, TlsSession};
use yett_link::frame::{
    ANNOUNCE_BEGIN, DESCRIPTOR, ExchangeId, FrameError, Kind, RESPONSE_WINDOW, STREAMED_BODY,
    put_frame_before,
};
use yett_link::request::{HttpVersion, IdentityFields, RequestLine, write_request};
use yett_link::tls::{ClientFields, TlsFields};

use super::files::Piece;
use super::sendfile::{self, Wanted};
use super::spool::{Spooled, spool};
use super::upload::{Upload, is_streamed};
use super::{Extras, Services};
use crate::conn::ClientBody;
use crate::floor::{
    AppBody, AppHead, Beside, Comes, Exchange, Lost, NoHead, OpenError, Outgoing, QueueError,
    Ticket, Uplink, Window,
};
use crate::ip_text;
use crate::log::Record;
use crate::meters::Limit;
use crate::respond::backlog::{self, Backlog};
use crate::respond::body::Rest;
use crate::respond::compress::{self, NoRunner, Outline, OwnTags, Runner};
use crate::respond::{self, Body, Failure};
use crate::ruling::Interface;
use crate::settings::EdgeSettings;

/// How many workers may die under one request before it is given up. A request that kills its
/// worker before it is begun would otherwise go round for ever.
const MOST_TRIES: usize = 3;

/// How the application is called for this request.
pub(super) struct Call {
    pub(super) interface: Interface,
    pub(super) extras: Extras,
}

/// A request's body on its way to a worker.
enum RequestBody {
    Whole(Spooled),
    Arriving(Upload),
}

/// Asks the application. Of the body that part is left which nobody will read.
pub(super) async fn answer(
    services: &Services,
    admitted: &Admitted,
    call: Call,
    incoming: &mut ClientBody,
    mut record: Record,
) -> Response<Body> {
    #[cfg(test)]
    crate::testing::panic_where_asked(admitted.head(), crate::testing::PANICS[1]);
    let (mut body, mut uplink) = (None, None);
    let outcome = async {
        let length = admitted.head().body_length();
        let settings = &services.settings;
        let limit = services.max_body(admitted.head());
        let body = body.insert(if is_streamed(call.interface, length) {
            RequestBody::Arriving(Upload::new(incoming, length, limit)?)
        } else if matches!(length, BodyLength::None | BodyLength::Known(0)) {
            RequestBody::Whole(Spooled::default())
        } else {
            let spooled = spool(incoming, (length, limit), settings, &services.budget);
            let spooled = Box::pin(spooled).await?;
            record.fields.received = spooled.len;
            RequestBody::Whole(spooled)
        });
        let (head, exchange, carries) = ask(services, admitted, &call, body, &mut record).await?;
        uplink = carries;
        let request = admitted.head();
        let mut answer = made(services, request, &call.extras, head, exchange).await?;
        if call.interface == Interface::Wsgi {
            answer.backlog = answer.backlog(services, request);
        }
        Ok(answer)
    };
    let outcome: Result<Answer, Failure> = outcome.await;
    if let Some(RequestBody::Arriving(upload)) = body {
        *incoming = match (&outcome, uplink) {
            (Ok(answer), Some(uplink)) => answer.go_on(upload, uplink, &services.settings),
            _ => upload.into_rest(),
        };
    }
    match outcome {
        Ok(answer) => answer.into_response(record),
        Err(failure) => respond::failed(&failure, record),
    }
}

async fn ask(
    services: &Services,
    admitted: &Admitted,
    call: &Call,
    body: &mut RequestBody,
    record: &mut Record,
) -> Result<(Box<AppHead>, Exchange, Option<Uplink>), Failure> {
    let safe = is_safe(admitted.head().method());
    let mut begun_before = false;
    let mut tries = 0;
    let place = services.floor.arrive();
    let mut comes = Comes::New;
    let mut moved: Option<Ticket> = None;
    loop {
        tries += 1;
        let acquired = match moved.take() {
            Some(ticket) => Ok((ticket, Duration::ZERO)),
            None => {
                let waited = record.fields.waited;
                services.floor.acquire_as(place, comes, waited).await
            }
        };
        let (ticket, waited) = acquired.inspect_err(|error| {
            if *error == QueueError::TooOld {
                let longest = services.settings.queue_timeout;
                record.fields.waited = record.fields.waited.max(longest);
            }
        })?;
        record.fields.waited += waited;
        record.fields.worker = Some(ticket.worker());
        let (file, window) = match body {
            RequestBody::Whole(spooled) => {
                spooled.rewind()?;
                (spooled.file.clone(), None)
            }
            RequestBody::Arriving(_) => (None, Some(Window::new())),
        };
        let beside = Beside {
            hints: call.extras.hints.clone(),
            window: window.clone(),
        };
        let handed = Instant::now();
        let opened = ticket.open(beside, |id| {
            let frame = encode(admitted, call.interface, body.parts(safe), id)?;
            Ok(Outgoing { file, ..frame })
        });
        let mut exchange = match opened {
            Ok(exchange) => exchange,
            Err(OpenError::Frame(error)) => return Err(error.into()),
            Err(OpenError::Closed) if tries < MOST_TRIES => {
                comes = Comes::Again;
                continue;
            }
            Err(OpenError::Closed) => return Err(Lost::Worker { begun: false }.into()),
        };
        let uplink = window.map(|window| exchange.uplink(window));
        let head = match (&mut *body, &uplink) {
            (RequestBody::Arriving(upload), Some(uplink)) => {
                let sent = async {
                    tokio::select! {
                        biased;
                        head = exchange.head() => Ok(head),
                        Err(failure) = upload.run(uplink, &services.settings) => Err(failure),
                    }
                };
                Box::pin(sent).await?
            }
            _ => exchange.head().await,
        };
        record.fields.app = Some(handed.elapsed());
        if let RequestBody::Arriving(upload) = body {
            record.fields.received = upload.len();
        }
        let lost = match head {
            Ok(head) => return Ok((head, exchange, uplink)),
            Err(NoHead::Lost(lost)) => lost,
            Err(NoHead::Moved(ticket)) => {
                // Nothing was tried: no worker has begun it. It stood in one instead of in the queue.
                tries -= 1;
                record.fields.waited += handed.elapsed();
                moved = ticket;
                comes = Comes::Back;
                continue;
            }
        };
        comes = Comes::Again;
        if lost == (Lost::Worker { begun: false }) {
            record.fields.waited += handed.elapsed();
        }
        match lost {
            // What the first worker got of it nobody else can have.
            _ if matches!(body, RequestBody::Arriving(upload) if upload.is_begun()) => {
                return Err(lost.into());
            }
            // Over a socket alone a safe method is not announced: it may have begun.
            Lost::Worker { .. } if safe && !begun_before => begun_before = true,
            Lost::Worker { .. } if safe => return Err(Lost::Worker { begun: true }.into()),
            Lost::Worker { begun: false } if tries < MOST_TRIES => {}
            _ => return Err(lost.into()),
        }
    }
}

/// Methods that an application may be asked twice for (RFC 9110 section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl RequestBody {
    /// The flags of the request's frame, the body's length, and what of it the frame holds.
    fn parts(&self, safe: bool) -> (u8, u64, Bytes) {
        let (flags, len, inline) = match self {
            Self::Whole(spooled) if spooled.file.is_some() => {
                (DESCRIPTOR, spooled.len, Bytes::new())
            }
            Self::Whole(spooled) => (0, spooled.len, spooled.inline.clone()),
            Self::Arriving(upload) => {
                let len = upload.announced().unwrap_or(u64::MAX);
                (STREAMED_BODY, len, Bytes::new())
            }
        };
        (
            if safe { flags } else { flags | ANNOUNCE_BEGIN },
            len,
            inline,
        )
    }
}

pub(super) fn encode(
    admitted: &Admitted,
    interface: Interface,
    (flags, body_len, inline): (u8, u64, Bytes),
    id: ExchangeId,
) -> Result<Outgoing, FrameError> {
    let head = admitted.head();
    let arrival = head.arrival();
    let (remote_addr, remote_port) = match head.client() {
        ClientAddr::Ip(address) => (ip_text::canonical(address.ip()), address.port()),
        ClientAddr::Unix => (String::new(), 0),
    };
    let (server_name, server_port) = match arrival.server() {
        ServerAddr::Ip(address) => server(address),
        ServerAddr::Unix => (String::from("localhost"), 0),
    };
    let server_port = head.forwarded_port().unwrap_or(server_port);
    let identity = admitted.identity().map(|identity| IdentityFields {
        token: identity.token(),
        claims_json: identity.claims_json(),
    });
    let tls = arrival.tls();
    let tls = tls.map(|session| tls_fields(session, interface));
    let line = RequestLine {
        method: head.method().as_str(),
        scheme: head.scheme().as_str(),
        version: match head.version() {
            Version::HTTP_10 => HttpVersion::Http10,
            Version::HTTP_2 => HttpVersion::Http2,
            _ => HttpVersion::Http11,
        },
        path: head.target().path(),
        query: head.target().query(),
        uri: head.target().uri(),
        remote_addr: &remote_addr,
        remote_port,
        server_name: &server_name,
        server_port,
        identity,
        tls,
    };
    let tags = OwnTags::read(head.headers());
    let headers = head
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), tags.of(name, value)));
    let mut front = BytesMut::with_capacity(1024);
    put_frame_before(&mut front, Kind::Request, flags, id, inline.len(), |out| {
        write_request(out, &line, headers, body_len, inline.len());
    })?;
    Ok(Outgoing {
        body: inline,
        ..front.into()
    })
}

fn tls_fields(session: &TlsSession, interface: Interface) -> TlsFields<'_> {
    TlsFields {
        version: session.version,
        cipher_suite: session.cipher_suite,
        cipher: session.cipher,
        server_name: session.server_name.as_deref().unwrap_or_default(),
        // Only ASGI has a place for it.
        server_certificate: match interface {
            Interface::Asgi => &session.server_certificate,
            Interface::Wsgi => "",
        },
        client: session.client.as_ref().map(|client| ClientFields {
            subject: &client.subject,
            issuer: &client.issuer,
            serial: &client.serial,
            not_before: &client.not_before,
            not_after: &client.not_after,
            chain: &client.chain,
        }),
    }
}

fn server(address: SocketAddr) -> (String, u16) {
    (ip_text::canonical(address.ip()), address.port())
}

/// An answer from the application that HTTP allows.
pub(super) struct Answer {
    status: StatusCode,
    reason: Option<ReasonPhrase>,
    headers: HeaderMap,
    head: Box<AppHead>,
    exchange: Exchange,
    /// Bytes that a streamed body must have.
    promised: Option<u64>,
    /// The file that takes the body's place.
    file: Option<Piece>,
    extent: Extent,
    /// Codes the body while it is sent.
    runner: Option<Box<Runner>>,
    /// Keeps a streamed body that comes faster than the client takes it.
    backlog: Option<backlog::Terms>,
}

/// What is known of a body before it is sent; of an answer to HEAD, what GET's would be.
#[derive(Clone, Copy)]
enum Extent {
    /// A file, which goes as it is.
    File,
    Bytes(Option<u64>),
}

/// What goes out for what the application answered: checked, with the file that it named in its
/// body's place, or compressed.
pub(super) async fn made(
    services: &Services,
    request: &RequestHead,
    extras: &Extras,
    head: Box<AppHead>,
    exchange: Exchange,
) -> Result<Answer, Failure> {
    // In places of their own: what is matched on stays in the future while it waits.
    let (answer, wanted) = checked(request, extras, head, exchange)?;
    match wanted {
        None => Ok(answer.compressed(services, request)),
        // Boxed is what most requests do not need.
        Some(file) => Box::pin(answer.with_file(file, request, services)).await,
    }
}

/// Checks an answer, and takes out of it what is meant for the edge: the file that it names.
fn checked(
    request: &RequestHead,
    extras: &Extras,
    mut head: Box<AppHead>,
    exchange: Exchange,
) -> Result<(Answer, Option<Wanted>), Failure> {
    let status = head.final_status().ok_or(Failure::BadStatus(head.status))?;
    let mut headers = std::mem::replace(&mut head.headers, Ok(HeaderMap::new()))?;
    let wanted = sendfile::take(&mut headers)?;
    let announced = AppHead::announced_len(&headers);
    let bodyless = is_bodyless(request, status);
    let actual = match &head.body {
        AppBody::File(range) => {
            range.check()?;
            range.left()
        }
        AppBody::Whole | AppBody::Stream(_) => head.first.len() as u64,
    };
    let extent = match &head.body {
        AppBody::File(_) => Extent::File,
        AppBody::Whole => Extent::Bytes(announced.unwrap_or(Some(actual))),
        AppBody::Stream(_) => Extent::Bytes(announced.flatten()),
    };
    match (announced, &mut head.body) {
        (Some(None), _) => {
            return Err(Failure::NoLength { actual });
        }
        (Some(Some(length)), AppBody::Whole) if !bodyless && length != actual => {
            return Err(Failure::WrongLength {
                announced: length,
                actual,
            });
        }
        // A worker may say less than the file has, never more.
        (Some(Some(length)), AppBody::File(_)) if length > actual && !bodyless => {
            return Err(Failure::WrongLength {
                announced: length,
                actual,
            });
        }
        (Some(Some(length)), AppBody::File(range)) => range.shorten(length),
        _ => {}
    }
    if bodyless {
        // hyper would not send it, but would compare its length with what the headers say.
        head.first = Bytes::new();
        if matches!(head.body, AppBody::File(_)) {
            if announced.is_none() && request.method() == Method::HEAD {
                headers.insert(CONTENT_LENGTH, actual.into());
            }
            head.body = AppBody::Whole;
        }
    }
    // Announced are only trailers that can come: asked for, behind a body that goes in chunks.
    if !extras.trailers || announced.is_some() || !matches!(head.body, AppBody::Stream(_)) {
        headers.remove(TRAILER);
    }
    if status == StatusCode::NO_CONTENT {
        // RFC 9110 section 8.6: a 204 has no Content-Length.
        headers.remove(CONTENT_LENGTH);
    }
    let canonical = status.canonical_reason().unwrap_or_default();
    let reason = if head.reason.is_empty() || head.reason == canonical.as_bytes() {
        None
    } else {
        // What a reason phrase may not hold is not worth an error: the code says it all.
        ReasonPhrase::try_from(head.reason.clone()).ok()
    };
    let answer = Answer {
        status,
        reason,
        headers,
        head,
        exchange,
        promised: announced.flatten().filter(|_| !bodyless),
        extent,
        runner: None,
        backlog: None,
        file: None,
    };
    Ok((answer, wanted))
}

/// Whether an answer has no body, whatever the application says.
fn is_bodyless(request: &RequestHead, status: StatusCode) -> bool {
    let without = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    without || request.method() == Method::HEAD
}

impl Answer {
    /// What to keep of the body, so that no thread of the application waits for the client. A body that
    /// fits into the link's window is never waited for.
    fn backlog(&self, services: &Services, request: &RequestHead) -> Option<backlog::Terms> {
        let settings = &services.settings;
        let window = RESPONSE_WINDOW as u64;
        let streamed = matches!(self.head.body, AppBody::Stream(_));
        let waits = streamed && self.promised.is_none_or(|length| length > window);
        let most = settings.max_answer_spool;
        let keeps = waits && most > 0 && !is_bodyless(request, self.status);
        keeps.then(|| backlog::Terms {
            folder: settings.spool_dir.clone(),
            most,
            budget: Arc::clone(&services.budget),
            journal: Arc::clone(&services.journal),
        })
    }

    /// With the file that the application named in the body's place.
    async fn with_file(
        mut self,
        wanted: Wanted,
        request: &RequestHead,
        services: &Services,
    ) -> Result<Self, Failure> {
        let settings = &services.settings;
        let types = &settings.files.types;
        let file = wanted
            .open(&settings.sendfile, types, &mut self.headers)
            .await?;
        self.head.first = Bytes::new();
        self.promised = None;
        self.extent = Extent::File;
        self.head.body = AppBody::Whole;
        let asked = (request.method(), request.headers());
        let (status, piece) =
            file.answer(asked, self.status, &mut self.headers, &services.meters)?;
        if status != self.status {
            self.status = status;
            self.reason = None;
        }
        self.file = Some(piece);
        Ok(self)
    }

    /// Lets the rest of the request's body follow while the answer is sent. An answer that does not
    /// wait for it leaves it unread.
    fn go_on(
        &self,
        mut upload: Upload,
        uplink: Uplink,
        settings: &Arc<EdgeSettings>,
    ) -> ClientBody {
        let goes_on = !uplink.window().is_over() && matches!(self.head.body, AppBody::Stream(_));
        if upload.is_whole() || !goes_on {
            return upload.into_rest();
        }
        let settings = Arc::clone(settings);
        // It ends with the exchange, or with the client's body.
        tokio::spawn(async move {
            // The worker was told; the connection finds a client's breach by itself.
            let _breach = upload.run(&uplink, &settings).await;
        });
        ClientBody::Gone
    }

    fn compressed(mut self, services: &Services, request: &RequestHead) -> Self {
        self.compress(services, request);
        self
    }

    /// Codes the body, or makes it ready to be coded while it is sent, for a client that takes it.
    fn compress(&mut self, services: &Services, request: &RequestHead) {
        let Extent::Bytes(length) = self.extent else {
            return;
        };
        let mut outline = Outline {
            status: self.status,
            headers: &mut self.headers,
            length,
        };
        let compressor = &services.compressor;
        let routes = &services.settings.routes;
        let Some(coding) = compressor.choose(routes, request, &mut outline) else {
            return;
        };
        if request.method() == Method::HEAD {
            return compress::announce(&mut self.headers, coding);
        }
        let first = &self.head.first;
        if matches!(self.head.body, AppBody::Whole) && first.len() <= compress::AT_ONCE {
            if let Some(coded) = compressor.at_once(coding, first) {
                compress::announce(&mut self.headers, coding);
                self.headers.insert(CONTENT_LENGTH, coded.len().into());
                self.head.first = coded;
            }
            return;
        }
        match compressor.runner(coding) {
            Ok(runner) => {
                compress::announce(&mut self.headers, coding);
                self.runner = Some(Box::new(runner));
            }
            Err(NoRunner::Full) => services.meters.met(Limit::Encoders),
            Err(NoRunner::Failed) => {}
        }
    }

    pub(super) fn into_response(self, mut record: Record) -> Response<Body> {
        record.status(self.status);
        let AppHead { first, body, .. } = *self.head;
        let body = match body {
            _ if self.file.is_some() => self.file.unwrap_or(Piece::Empty).into_body(record),
            AppBody::Whole => Body::bytes(first, record),
            AppBody::File(range) => Body::file(range, record),
            AppBody::Stream(stream) => {
                let rest = match self.backlog {
                    Some(terms) => Rest::Kept(Backlog::new(stream, self.exchange, terms)),
                    None => Rest::Streamed(stream, self.exchange),
                };
                Body::app(first, rest, self.promised, record)
            }
        };
        let body = match self.runner {
            Some(runner) => body.coded(*runner),
            None => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

#[cfg(test)]
mod tests;
