//! The fields of a record by their names: the same in JSON, in templates and in the documentation.

use std::fmt::Write as _;
use std::time::Duration;

use super::{client, escaped, escaped_but, json_string, stamp, stamp_of_apache};
use crate::log::record::Fields;
use crate::log::words::Word;

/// One fact about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// When the record was written, in UTC.
    Time,
    /// The same as Apache and nginx write it.
    TimeLocal,
    /// The client's address.
    Client,
    /// The method.
    Method,
    /// The target as it was sent.
    Target,
    /// The target without its query.
    Path,
    /// `HTTP/1.1` and so on.
    Protocol,
    /// `http` or `https`.
    Scheme,
    /// The `Host` header.
    Host,
    /// The status.
    Status,
    /// Bytes of the answer's body.
    Bytes,
    /// Bytes of the request's body.
    Received,
    /// From the head of the request to the end of the answer, in microseconds.
    Took,
    /// The same in seconds, with six digits behind the point.
    TookSeconds,
    /// How long the request waited for a worker, in microseconds.
    Waited,
    /// From handing it to a worker until its answer began, in microseconds.
    App,
    /// Who answered.
    Service,
    /// The name of the route.
    Route,
    /// The worker's number.
    Worker,
    /// Whose fault a failure was.
    Fault,
    /// The kind of failure.
    Failure,
    /// Why the request failed or was refused.
    Reason,
    /// The `User-Agent` header.
    UserAgent,
    /// The `Referer` header.
    Referer,
    /// The request's id, where requests have ids.
    RequestId,
}

/// What a field holds.
enum Value<'f> {
    Nothing,
    Number(u64),
    /// Of the edge's own making: nothing in it has to be escaped.
    Own(&'static str),
    /// The same, made when it is written.
    Made(fn(&mut String, &Fields)),
    /// From outside.
    Foreign(&'f str),
}

/// How a template writes foreign text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// It stands between quotes.
    Quoted,
    /// A space would end it.
    Bare,
}

impl Field {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Time,
        Self::TimeLocal,
        Self::Client,
        Self::Method,
        Self::Target,
        Self::Path,
        Self::Protocol,
        Self::Scheme,
        Self::Host,
        Self::Status,
        Self::Bytes,
        Self::Received,
        Self::Took,
        Self::TookSeconds,
        Self::Waited,
        Self::App,
        Self::Service,
        Self::Route,
        Self::Worker,
        Self::Fault,
        Self::Failure,
        Self::Reason,
        Self::UserAgent,
        Self::Referer,
        Self::RequestId,
    ];

    /// Those of JSON, if nobody says which.
    pub const USUAL: &'static [Self] = &[
        Self::Time,
        Self::Client,
        Self::Method,
        Self::Target,
        Self::Protocol,
        Self::Status,
        Self::Bytes,
        Self::Received,
        Self::Took,
        Self::Waited,
        Self::App,
        Self::Route,
        Self::Worker,
        Self::Fault,
        Self::Failure,
        Self::Reason,
        Self::UserAgent,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::TimeLocal => "time_local",
            Self::Client => "client",
            Self::Method => "method",
            Self::Target => "target",
            Self::Path => "path",
            Self::Protocol => "protocol",
            Self::Scheme => "scheme",
            Self::Host => "host",
            Self::Status => "status",
            Self::Bytes => "bytes",
            Self::Received => "received",
            Self::Took => "took_us",
            Self::TookSeconds => "took_s",
            Self::Waited => "waited_us",
            Self::App => "app_us",
            Self::Service => "service",
            Self::Route => "route",
            Self::Worker => "worker",
            Self::Fault => "fault",
            Self::Failure => "failure",
            Self::Reason => "reason",
            Self::UserAgent => "user_agent",
            Self::Referer => "referer",
            Self::RequestId => "request_id",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// What of the client's words it shows.
    pub(super) const fn word(self) -> Option<Word> {
        match self {
            Self::Method => Some(Word::Method),
            Self::Target | Self::Path => Some(Word::Target),
            Self::Host => Some(Word::Host),
            Self::UserAgent => Some(Word::UserAgent),
            Self::Referer => Some(Word::Referer),
            Self::RequestId => Some(Word::RequestId),
            _ => None,
        }
    }

    fn value(self, fields: &Fields) -> Value<'_> {
        let own = |text: Option<&'static str>| text.map_or(Value::Nothing, Value::Own);
        let foreign = |text| Option::map_or(text, Value::Nothing, Value::Foreign);
        match self {
            Self::Time => Value::Made(|out, _| stamp(out)),
            Self::TimeLocal => Value::Made(|out, _| stamp_of_apache(out)),
            Self::Client => Value::Made(|out, fields| client(out, fields.client)),
            Self::TookSeconds => Value::Made(|out, fields| seconds(out, fields.took)),
            Self::Path => Value::Foreign(fields.words.path()),
            Self::Method
            | Self::Target
            | Self::Host
            | Self::UserAgent
            | Self::Referer
            | Self::RequestId => foreign(self.word().and_then(|word| fields.words.said(word))),
            Self::Protocol => Value::Own(fields.protocol),
            Self::Scheme => Value::Own(fields.scheme),
            Self::Status => Value::Number(fields.status.into()),
            Self::Bytes => Value::Number(fields.bytes),
            Self::Received => Value::Number(fields.received),
            Self::Took => Value::Number(micros(fields.took)),
            Self::Waited => Value::Number(micros(fields.waited)),
            Self::App => fields
                .app
                .map_or(Value::Nothing, |app| Value::Number(micros(app))),
            Self::Service => Value::Own(fields.service.name()),
            Self::Route => Value::Foreign(fields.route.as_str()),
            Self::Worker => fields
                .worker
                .map_or(Value::Nothing, |worker| Value::Number(worker.into())),
            Self::Fault => own(fields.fault),
            Self::Failure => own(fields.failure),
            Self::Reason => foreign(fields.reason.as_deref()),
        }
    }

    pub(super) fn write_json(self, out: &mut String, fields: &Fields) {
        match self.value(fields) {
            Value::Nothing => out.push_str("null"),
            Value::Number(number) => {
                let _infallible = write!(out, "{number}");
            }
            Value::Made(make) => {
                out.push('"');
                make(out, fields);
                out.push('"');
            }
            Value::Own(text) | Value::Foreign(text) => json_string(out, text),
        }
    }

    pub(super) fn write_text(self, out: &mut String, fields: &Fields, quoting: Quoting) {
        match (self.value(fields), quoting) {
            (Value::Nothing | Value::Foreign(""), _) => out.push('-'),
            (Value::Number(number), _) => {
                let _infallible = write!(out, "{number}");
            }
            (Value::Made(make), _) => make(out, fields),
            (Value::Own(text), _) => out.push_str(text),
            (Value::Foreign(text), Quoting::Quoted) => escaped(out, text),
            (Value::Foreign(text), Quoting::Bare) => escaped_but(out, text, |byte| {
                matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'\\')
            }),
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn seconds(out: &mut String, span: Duration) {
    let _infallible = write!(out, "{}.{:06}", span.as_secs(), span.subsec_micros());
}
