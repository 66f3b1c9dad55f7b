//! What the edge counts: plain numbers that only ever grow, added to without a lock.
//!
//! They live in the edge's process alone, so no worker's death, no reload and no replacement loses
//! any of them. [`page`] writes them as Prometheus and OpenMetrics read them.

mod counts;
mod histogram;
pub mod page;
mod table;
mod work;

use std::sync::atomic::{AtomicU64, Ordering};

pub use page::{Family, Form, Page};

use crate::log::record::Fields;
use crate::respond::Coding;
use counts::Counts;
pub(crate) use work::Lookup;
use work::Work;

/// A bound that somebody met. Each names what it protects; the request or the connection that met
/// it was refused, cut or made to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Open connections, over all clients: the next one had to wait.
    Connections,
    /// The time of a TLS handshake.
    TlsHandshake,
    /// Requests of one HTTP/2 connection that run at a time.
    Http2Streams,
    /// Requests of one HTTP/2 connection that its client takes back or breaks.
    Http2Resets,
    /// Frames of one HTTP/2 connection that carry nothing, and heads far too long.
    Http2Frames,
    /// Answers that are compressed while they are sent; further ones go as they are.
    Encoders,
    /// Ranges of one request for a file: it got the whole file.
    Ranges,
    /// Static files that are kept open or in memory: another one was let go.
    StaticFiles,
    /// Open connections of one address: a further one was closed.
    ConnectionsPerAddress,
    /// The time of a request's head: 408; or nothing of it came, and the connection was closed.
    HeadTime,
    /// How long a connection idled after a request: closed.
    KeepAlive,
    /// The size of a request's head: 431.
    HeadSize,
    /// The number of a request's headers: 431.
    Headers,
    /// The size of a request's body: 413.
    BodySize,
    /// How long a request's body paused: 408.
    BodyTime,
    /// The rate of a request's body: 408.
    BodyRate,
    /// The room for all bodies that are kept in files: 507; or, of an answer, the application waited for
    /// its client.
    Spool,
    /// How many those files are: likewise.
    SpoolFiles,
    /// What is kept of one answer whose client is slower than the application: that one waited.
    AnswerSpool,
    /// How long a client took nothing of its answer: cut.
    SendTime,
    /// The rate at which a client took its answer: cut.
    SendRate,
    /// Connections that were closed because they did not begin with a trusted proxy's PROXY header.
    ProxyHeader,
    /// The size of a WebSocket's message: closed with 1009.
    MessageSize,
    /// How long a WebSocket's client said nothing after a ping: closed with 1011.
    PongTime,
}

impl Limit {
    /// All of them, in the order of their declaration.
    pub const ALL: &'static [Self] = &[
        Self::Connections,
        Self::TlsHandshake,
        Self::Http2Streams,
        Self::Http2Resets,
        Self::Http2Frames,
        Self::Encoders,
        Self::Ranges,
        Self::StaticFiles,
        Self::ConnectionsPerAddress,
        Self::HeadTime,
        Self::KeepAlive,
        Self::HeadSize,
        Self::Headers,
        Self::BodySize,
        Self::BodyTime,
        Self::BodyRate,
        Self::Spool,
        Self::SpoolFiles,
        Self::AnswerSpool,
        Self::SendTime,
        Self::SendRate,
        Self::ProxyHeader,
        Self::MessageSize,
        Self::PongTime,
    ];

    /// Its name as the label of a metric: lower case with underscores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::TlsHandshake => "tls_handshake",
            Self::Http2Streams => "http2_streams",
            Self::Http2Resets => "http2_resets",
            Self::Http2Frames => "http2_frames",
            Self::Encoders => "encoders",
            Self::Ranges => "ranges",
            Self::StaticFiles => "static_files",
            Self::ConnectionsPerAddress => "connections_per_address",
            Self::HeadTime => "head_time",
            Self::KeepAlive => "keep_alive",
            Self::HeadSize => "head_size",
            Self::Headers => "headers",
            Self::BodySize => "body_size",
            Self::BodyTime => "body_time",
            Self::BodyRate => "body_rate",
            Self::Spool => "spool",
            Self::SpoolFiles => "spool_files",
            Self::AnswerSpool => "answer_spool",
            Self::SendTime => "send_time",
            Self::SendRate => "send_rate",
            Self::ProxyHeader => "proxy_header",
            Self::MessageSize => "message_size",
            Self::PongTime => "pong_time",
        }
    }
}

/// The counters of one edge.
#[derive(Debug)]
pub struct Meters {
    limits: [AtomicU64; Limit::ALL.len()],
    accepted: AtomicU64,
    counts: Counts,
    work: Work,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            limits: [const { AtomicU64::new(0) }; Limit::ALL.len()],
            accepted: AtomicU64::new(0),
            counts: Counts::default(),
            work: Work::default(),
        }
    }
}

impl Meters {
    /// Somebody met this limit.
    pub fn met(&self, limit: Limit) {
        if let Some(counter) = self.limits.get(limit as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often this limit was met.
    #[must_use]
    pub fn times_met(&self, limit: Limit) -> u64 {
        self.limits
            .get(limit as usize)
            .map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// A client's connection was accepted.
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes of a body were compressed to so many.
    pub(crate) fn compressed(&self, coding: Coding, before: usize, after: usize) {
        self.work.compressed(coding, before, after);
    }

    /// A static file was asked for.
    pub(crate) fn looked_up(&self, lookup: Lookup) {
        self.work.looked_up(lookup);
    }

    /// A request is over, and this is its record.
    pub(crate) fn count(&self, fields: &Fields) {
        self.counts.add(fields);
    }

    /// Writes everything that was counted.
    pub fn write(&self, page: &mut Page) {
        self.counts.write(page);
        self.work.write(page);
        page.counter(
            "yett_connections_accepted",
            "Connections of clients that were accepted.",
        )
        .add(&[], self.accepted.load(Ordering::Relaxed));
        let mut family = page.counter(
            "yett_limit_met",
            "How often a limit refused, cut or delayed somebody.",
        );
        for limit in Limit::ALL {
            family.add(&[("limit", limit.name())], self.times_met(*limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_counter_and_a_name_of_its_own() {
        let meters = Meters::default();
        for (place, limit) in Limit::ALL.iter().enumerate() {
            assert_eq!(*limit as usize, place);
            meters.met(*limit);
            assert_eq!(meters.times_met(*limit), 1, "{}", limit.name());
            let same = Limit::ALL
                .iter()
                .filter(|other| other.name() == limit.name());
            assert_eq!(same.count(), 1);
        }
    }
}
