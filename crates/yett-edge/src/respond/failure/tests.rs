//! What follows from each failure, as one table; and what of it the client and the log see.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderMap;
use http::header::{ALLOW, CONNECTION, RETRY_AFTER};
use http_body_util::BodyExt;
use yett_gate::ClientAddr;
use yett_link::frame::FrameError;

use super::*;
use crate::EdgeSettings;
use crate::log::{AccessLog, Format, Journal, Record};
use crate::respond::failed;
use crate::testing::soon;

/// A socket that brings nonsense: only hyper can make an error of hyper's.
struct Nonsense;

impl hyper::rt::Read for Nonsense {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        mut into: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        into.put_slice(b"\0\r\n\r\n");
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Nonsense {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn broken() -> io::Error {
    io::Error::other("/secret/path is broken")
}

async fn hyper_error() -> hyper::Error {
    let service = hyper::service::service_fn(|_| {
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
            String::new(),
        )))
    });
    let http1 = hyper::server::conn::http1::Builder::new();
    soon(http1.serve_connection(Nonsense, service))
        .await
        .unwrap_err()
}

/// Where a variant stands in the table. Who adds a variant adds a row.
const fn place(failure: &Failure) -> &'static str {
    match failure {
        Failure::BadRequest(_) => "BadRequest",
        Failure::Offence(_) => "Offence",
        Failure::BodyTooLong { .. } => "BodyTooLong",
        Failure::BodyCut(_) => "BodyCut",
        Failure::BodySlow(_) => "BodySlow",
        Failure::Spool(_) => "Spool",
        Failure::SpoolFiles => "SpoolFiles",
        Failure::Queue(QueueError::Full) => "Queue Full",
        Failure::Queue(QueueError::TooOld) => "Queue TooOld",
        Failure::Lost(Lost::Worker { begun: true }) => "Lost Worker, begun",
        Failure::Lost(Lost::Worker { begun: false }) => "Lost Worker, not begun",
        Failure::Lost(Lost::AppFailed) => "Lost AppFailed",
        Failure::Lost(Lost::Timeout) => "Lost Timeout",
        Failure::BadHeader(_) => "BadHeader",
        Failure::BadStatus(_) => "BadStatus",
        Failure::NoLength { .. } => "NoLength",
        Failure::WrongLength { .. } => "WrongLength",
        Failure::BadRange(_) => "BadRange",
        Failure::Sendfile(SendfileError::Unmapped { .. }) => "Sendfile Unmapped",
        Failure::Sendfile(SendfileError::Several) => "Sendfile Several",
        Failure::Sendfile(SendfileError::Missing { .. }) => "Sendfile Missing",
        Failure::Frame(_) => "Frame",
        Failure::Handshake(HandshakeFault::Version) => "Handshake Version",
        Failure::Handshake(HandshakeFault::Key) => "Handshake Key",
        Failure::SocketRefused => "SocketRefused",
        Failure::NoSuchFile => "NoSuchFile",
        Failure::File(_) => "File",
        Failure::FileMethod => "FileMethod",
        Failure::Precondition => "Precondition",
        Failure::OutsideRange { .. } => "OutsideRange",
        Failure::NotLoaded(_) => "NotLoaded",
        Failure::Panicked => "Panicked",
    }
}

async fn every_failure() -> Vec<Failure> {
    vec![
        Failure::BadRequest(BadRequest::NoHost),
        Failure::BadRequest(BadRequest::Connect),
        Failure::Offence(Offence::HeadTooLong),
        Failure::Offence(Offence::HeadTooSlow),
        Failure::Offence(Offence::Version),
        Failure::Offence(Offence::UnknownCoding),
        Failure::Offence(Offence::Chunk),
        Failure::BodyTooLong { limit: 7 },
        Failure::BodyCut(hyper_error().await.into()),
        Failure::BodySlow(Slow::Stopped),
        Failure::BodySlow(Slow::Trickle),
        Failure::Spool(broken()),
        Failure::SpoolFiles,
        Failure::Queue(QueueError::Full),
        Failure::Queue(QueueError::TooOld),
        Failure::Lost(Lost::Worker { begun: true }),
        Failure::Lost(Lost::Worker { begun: false }),
        Failure::Lost(Lost::AppFailed),
        Failure::Lost(Lost::Timeout),
        Failure::BadHeader(BadHeader::named("X-Secret")),
        Failure::BadStatus(99),
        Failure::NoLength { actual: 4 },
        Failure::WrongLength {
            announced: 3,
            actual: 4,
        },
        Failure::BadRange(BadRange::NotAFile),
        Failure::Sendfile(SendfileError::Unmapped {
            header: "X-Sendfile",
            value: "/secret/path".into(),
        }),
        Failure::Sendfile(SendfileError::Several),
        Failure::Sendfile(SendfileError::Missing {
            header: "X-Sendfile",
            value: "/secret/path".into(),
            folder: "/secret".into(),
        }),
        Failure::Frame(FrameError::TooLong(1)),
        Failure::Handshake(HandshakeFault::Version),
        Failure::Handshake(HandshakeFault::Key),
        Failure::SocketRefused,
        Failure::NoSuchFile,
        Failure::File(broken()),
        Failure::FileMethod,
        Failure::Precondition,
        Failure::OutsideRange { len: 5 },
        Failure::NotLoaded(String::from("KeyError: 'X-Secret'")),
        Failure::Panicked,
    ]
}

/// `fault`: whose. `again`: Retry-After. `closes`: whether the connection does.
const TABLE: &str = "
failure                | status | fault  | again | closes | told
BadRequest             | 400    | client | -     | yes    | The Host header is missing.
BadRequest             | 501    | client | -     | yes    | CONNECT is not supported.
Offence                | 431    | client | -     | yes    | The request's head is too long.
Offence                | 408    | client | -     | yes    | The request's head did not arrive in time.
Offence                | 505    | client | -     | yes    | This HTTP version is not spoken here.
Offence                | 501    | client | -     | yes    | This transfer coding is not spoken here.
Offence                | 400    | client | -     | yes    | A chunk of the body is malformed.
BodyTooLong            | 413    | client | -     | yes    | The request's body is too long.
BodyCut                | 400    | client | -     | yes    | The request's body did not arrive as announced.
BodySlow               | 408    | client | -     | yes    | The request's body did not arrive in time.
BodySlow               | 408    | client | -     | yes    | The request's body did not arrive in time.
Spool                  | 507    | yett   | -     | yes    | The server has no room for the request's body.
SpoolFiles             | 507    | yett   | -     | yes    | The server has no room for the request's body.
Queue Full             | 503    | yett   | 1     | no     | The server is busy. Try again soon.
Queue TooOld           | 503    | yett   | 1     | no     | The server is busy. Try again soon.
Lost Worker, begun     | 502    | app    | -     | no     | The application ended while it worked on the request.
Lost Worker, not begun | 502    | app    | -     | no     | The application ended while it worked on the request.
Lost AppFailed         | 500    | app    | -     | no     | The application failed.
Lost Timeout           | 504    | app    | -     | no     | The application did not answer in time.
BadHeader              | 502    | app    | -     | no     | The application's answer was not valid.
BadStatus              | 502    | app    | -     | no     | The application's answer was not valid.
NoLength               | 502    | app    | -     | no     | The application's answer was not valid.
WrongLength            | 502    | app    | -     | no     | The application's answer was not valid.
BadRange               | 502    | app    | -     | no     | The application's answer was not valid.
Sendfile Unmapped      | 500    | app    | -     | no     | The application failed.
Sendfile Several       | 500    | app    | -     | no     | The application failed.
Sendfile Missing       | 404    | app    | -     | no     | There is no such file.
Frame                  | 431    | client | -     | no     | The request's head is too long.
Handshake Version      | 426    | client | -     | no     | This version of WebSockets is not spoken here.
Handshake Key          | 400    | client | -     | no     | The Sec-WebSocket-Key is not valid.
SocketRefused          | 403    | client | -     | no     | The application refused the WebSocket.
NoSuchFile             | 404    | client | -     | no     | There is no such file.
File                   | 500    | yett   | -     | no     | The file could not be read.
FileMethod             | 405    | client | -     | no     | Files are read with GET or HEAD.
Precondition           | 412    | client | -     | no     | The file is not the one that the request expects.
OutsideRange           | 416    | client | -     | no     | The file has nothing of that range.
NotLoaded              | 500    | app    | -     | no     | The application does not start. The server's terminal says why.
Panicked               | 500    | yett   | -     | yes    | The server failed.
";

fn row(failure: &Failure) -> String {
    let again = failure.retry_after().map(|seconds| seconds.to_string());
    let closes = if failure.closes_connection() {
        "yes"
    } else {
        "no"
    };
    format!(
        "{:22} | {:<6} | {:6} | {:5} | {closes:6} | {}",
        place(failure),
        failure.status().as_u16(),
        failure.fault().name(),
        again.as_deref().unwrap_or("-"),
        failure.client_text().trim_end(),
    )
}

#[tokio::test]
async fn everything_that_follows_from_a_failure_is_in_the_table() {
    let failures = every_failure().await;
    let expected: Vec<&str> = TABLE.trim().lines().skip(1).collect();
    assert_eq!(failures.len(), expected.len());
    for (failure, expected) in failures.iter().zip(expected) {
        assert_eq!(row(failure), expected);
    }
}

#[tokio::test]
async fn response_says_what_the_table_says() {
    let log = AccessLog::start(Format::Off, io::sink()).unwrap();
    let log = Arc::new(Journal::new(log, Arc::default(), &EdgeSettings::default()));
    for failure in every_failure().await {
        let record = Record::new(&log, ClientAddr::Unix, "GET", "/", "HTTP/1.1");
        let (parts, body) = failed(&failure, record).into_parts();
        let text = |headers: &HeaderMap, name| {
            let value = headers.get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        assert_eq!(parts.status, failure.status());
        let again = failure.retry_after().map(|seconds| seconds.to_string());
        assert_eq!(text(&parts.headers, RETRY_AFTER), again);
        let closes = text(&parts.headers, CONNECTION).is_some_and(|value| value == "close");
        assert_eq!(closes, failure.closes_connection());
        // RFC 9110 section 15.5.6: a 405 lists what is allowed.
        let allowed = text(&parts.headers, ALLOW).is_some();
        assert_eq!(allowed, failure.status() == StatusCode::METHOD_NOT_ALLOWED);
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(body, failure.client_text());
    }
}

#[tokio::test]
async fn client_is_told_no_path_header_or_number_and_the_log_is_told_the_cause() {
    for failure in every_failure().await {
        let told = failure.client_text();
        for precise in ["/secret/path", "X-Secret", "99", "7", "3", "4"] {
            assert!(!told.contains(precise), "{told}");
        }
        assert!(told.ends_with(".\n"), "{told}");
    }
    let check = |failure: Failure, logged| assert_eq!(Chain(&failure).to_string(), logged);
    check(
        Failure::Spool(broken()),
        "the body could not be kept until it was whole: /secret/path is broken",
    );
    check(
        Failure::Lost(Lost::Worker { begun: false }),
        "the worker did not answer: the worker died while it had not begun the request",
    );
    check(
        Failure::BadHeader(BadHeader::named("X-Secret")),
        "the application's answer cannot be sent: the application's header \"X-Secret\" has a name or value that HTTP does not allow",
    );
}
