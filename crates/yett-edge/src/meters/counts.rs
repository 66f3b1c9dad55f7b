//! What is counted of requests: one part for each thread of the edge, so that no two write to the
//! same memory, added up when somebody looks.
//!
//! Every figure comes from an access record at the moment in which it is written.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::histogram::{Histogram, Spans};
use super::page::Page;
use super::table::Table;
use crate::log::record::{Fields, Route, ServiceKind};

/// Parts; as many threads count without meeting each other. The edge has at most four that do.
const PARTS: usize = 4;

/// Combinations of labels that each part can count. A release has some hundred routes at most, and
/// few of them answer in many ways; what goes beyond is counted as `other`.
const COMBINATIONS: usize = 1024;

/// Kinds of failures; there are some thirty.
const FAILURES: usize = 128;

/// What stands for every method, status or route that has no place of its own.
const OTHER: &str = "other";

/// Counters of requests.
#[derive(Debug)]
pub(super) struct Counts {
    parts: [Part; PARTS],
}

/// One thread's. As far apart as processors fetch memory.
#[derive(Debug)]
#[repr(align(128))]
struct Part {
    requests: Table<Combination>,
    failures: Table<Failed>,
    took: [Histogram; ServiceKind::ALL.len()],
    waited: Histogram,
    app: Histogram,
    received: AtomicU64,
    sent: AtomicU64,
}

#[derive(Debug)]
struct Combination {
    service: ServiceKind,
    route: Route,
    method: &'static str,
    status: u16,
    protocol: &'static str,
    scheme: &'static str,
}

#[derive(Debug)]
struct Failed {
    fault: &'static str,
    failure: &'static str,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            requests: Table::new(COMBINATIONS),
            failures: Table::new(FAILURES),
            took: Default::default(),
            waited: Histogram::default(),
            app: Histogram::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            parts: std::array::from_fn(|_| Part::default()),
        }
    }
}

/// The place of this thread among the parts. More threads than parts share them.
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is ending has no place any more, but may still drop a record.
    PLACE.try_with(|place| *place).unwrap_or(0) % PARTS
}

/// Methods that are worth a label; a client can make up others without end.
fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = KNOWN.iter().find(|known| **known == method);
    known.copied().unwrap_or(OTHER)
}

impl Counts {
    /// Counts a request that is over.
    pub(super) fn add(&self, fields: &Fields) {
        let Some(part) = self.parts.get(place()) else {
            return;
        };
        let method = method_label(fields.words.method());
        let route = fields.route.as_str();
        let mut hasher = DefaultHasher::new();
        (fields.service, route, method, fields.status).hash(&mut hasher);
        part.requests.add(
            hasher.finish(),
            |known| {
                known.status == fields.status
                    && known.service == fields.service
                    && known.method == method
                    && known.protocol == fields.protocol
                    && known.scheme == fields.scheme
                    && known.route.as_str() == route
            },
            || Combination {
                service: fields.service,
                route: fields.route.clone(),
                method,
                status: fields.status,
                protocol: fields.protocol,
                scheme: fields.scheme,
            },
        );
        if let Some(took) = part.took.get(fields.service as usize) {
            took.add(fields.took);
        }
        if fields.worker.is_some() || !fields.waited.is_zero() {
            part.waited.add(fields.waited);
        }
        if let Some(app) = fields.app {
            part.app.add(app);
        }
        part.received.fetch_add(fields.received, Ordering::Relaxed);
        part.sent.fetch_add(fields.bytes, Ordering::Relaxed);
        if let Some(fault) = fields.fault {
            let failure = fields.failure.unwrap_or(OTHER);
            let mut hasher = DefaultHasher::new();
            (fault, failure).hash(&mut hasher);
            part.failures.add(
                hasher.finish(),
                |known| known.fault == fault && known.failure == failure,
                || Failed { fault, failure },
            );
        }
    }

    fn sum(&self, of: impl Fn(&Part) -> u64) -> u64 {
        self.parts
            .iter()
            .fold(0, |sum, part| sum.wrapping_add(of(part)))
    }

    fn spans(&self, of: impl Fn(&Part) -> Option<&Histogram>) -> Spans {
        let mut spans = Spans::default();
        for histogram in self.parts.iter().filter_map(of) {
            histogram.add_to(&mut spans);
        }
        spans
    }

    pub(super) fn write(&self, page: &mut Page) {
        self.write_requests(page);
        self.write_failures(page);
        self.write_times(page);
        page.counter(
            "yett_request_body_bytes",
            "Bytes of requests' bodies that arrived.",
        )
        .add(&[], self.sum(|part| part.received.load(Ordering::Relaxed)));
        page.counter(
            "yett_response_body_bytes",
            "Bytes of answers' bodies that were handed to connections.",
        )
        .add(&[], self.sum(|part| part.sent.load(Ordering::Relaxed)));
    }

    fn write_requests(&self, page: &mut Page) {
        let mut sums = BTreeMap::<_, u64>::new();
        for part in &self.parts {
            for (known, count) in part.requests.each() {
                let key = (
                    known.service.name(),
                    known.route.as_str(),
                    known.method,
                    known.status,
                    known.protocol,
                    known.scheme,
                );
                *sums.entry(key).or_default() += count;
            }
        }
        let mut family = page.counter("yett_requests", "Requests that are over.");
        for ((service, route, method, status, protocol, scheme), count) in sums {
            let labels = [
                ("service", service),
                ("route", route),
                ("method", method),
                ("status", &*status.to_string()),
                ("protocol", protocol),
                ("scheme", scheme),
            ];
            family.add(&labels, count);
        }
        let rest = self.sum(|part| part.requests.rest());
        if rest > 0 {
            let names = ["service", "route", "method", "status", "protocol", "scheme"];
            family.add(&names.map(|name| (name, OTHER)), rest);
        }
    }

    fn write_failures(&self, page: &mut Page) {
        let mut sums = BTreeMap::<_, u64>::new();
        for part in &self.parts {
            for (known, count) in part.failures.each() {
                *sums.entry((known.fault, known.failure)).or_default() += count;
            }
        }
        let mut family = page.counter(
            "yett_failures",
            "Requests that failed or were refused, by whose fault it was and why.",
        );
        for ((fault, failure), count) in sums {
            family.add(&[("fault", fault), ("failure", failure)], count);
        }
        let rest = self.sum(|part| part.failures.rest());
        if rest > 0 {
            family.add(&[("fault", OTHER), ("failure", OTHER)], rest);
        }
    }

    fn write_times(&self, page: &mut Page) {
        let mut family = page.histogram(
            "yett_request_duration_seconds",
            "From a request's head to the end of its answer.",
        );
        for service in ServiceKind::ALL {
            let spans = self.spans(|part| part.took.get(*service as usize));
            family.add_spans(&[("service", service.name())], &spans);
        }
        page.histogram(
            "yett_queue_duration_seconds",
            "How long requests for the application waited for a worker.",
        )
        .add_spans(&[], &self.spans(|part| Some(&part.waited)));
        page.histogram(
            "yett_app_duration_seconds",
            "From handing a request to a worker until its answer began.",
        )
        .add_spans(&[], &self.spans(|part| Some(&part.app)));
    }
}
