//! Spans of time, counted by how long they were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest span of each bucket in microseconds, and as a metric's `le` says it in seconds.
/// From a static file to a request that stands in the queue for as long as it may.
pub(super) const BOUNDS: [(u64, &str); 15] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1.0"),
    (2_500_000, "2.5"),
    (5_000_000, "5.0"),
    (10_000_000, "10.0"),
    (30_000_000, "30.0"),
    (60_000_000, "60.0"),
];

/// Counts of spans. Every span adds to exactly one bucket, so the count is the buckets' sum.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What histograms hold together.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans {
    /// Of each bucket alone; the last one has no bound.
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    /// The sum of all spans in microseconds.
    pub(super) micros: u64,
}

impl Histogram {
    pub(super) fn add(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|(most, _)| *most < micros);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, spans: &mut Spans) {
        for (sum, bucket) in spans.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        spans.micros = spans
            .micros
            .wrapping_add(self.micros.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_falls_into_the_first_bucket_that_is_not_shorter() {
        let histogram = Histogram::default();
        for micros in [0, 1_000, 1_001, 60_000_000, 60_000_001] {
            histogram.add(Duration::from_micros(micros));
        }
        let mut spans = Spans::default();
        histogram.add_to(&mut spans);
        assert_eq!(spans.buckets.iter().sum::<u64>(), 5);
        assert_eq!(spans.buckets[0], 2);
        assert_eq!(spans.buckets[1], 1);
        assert_eq!(spans.buckets[BOUNDS.len() - 1], 1);
        assert_eq!(spans.buckets[BOUNDS.len()], 1);
        assert_eq!(spans.micros, 120_002_002);
    }

    #[test]
    fn bounds_grow_and_say_what_they_are() {
        assert!(BOUNDS.is_sorted());
        for (micros, text) in BOUNDS {
            let seconds: f64 = text.parse().unwrap();
            assert_eq!((seconds * 1e6).round() as u64, micros);
        }
    }
}
