//! Metrics as text: Prometheus' exposition format 0.0.4, and OpenMetrics 1.0 for who asks for it.
//!
//! The two differ in how a counter's family is named (with and without `_total`) and in the last
//! line. Values of labels may come from the application (names of routes) and are escaped.

use std::fmt::{Display, Write as _};

use super::histogram::{BOUNDS, Spans};

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' own.
    Prometheus,
    /// OpenMetrics.
    OpenMetrics,
}

impl Form {
    /// The `Content-Type` of such a page.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A page of metrics that is being written.
#[derive(Debug)]
pub struct Page {
    form: Form,
    text: String,
}

/// The samples of one metric.
#[derive(Debug)]
pub struct Family<'p> {
    page: &'p mut Page,
    name: &'static str,
    suffix: &'static str,
}

/// Names of labels and their values.
pub type Labels<'l> = &'l [(&'static str, &'l str)];

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self {
            form,
            text: String::with_capacity(16 * 1024),
        }
    }

    /// The whole page.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    /// Something that only grows. `name` without `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        let total = match self.form {
            Form::Prometheus => "_total",
            Form::OpenMetrics => "",
        };
        self.begin(name, total, "counter", help);
        self.family(name, "_total")
    }

    /// Something that is so at this moment.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.begin(name, "", "gauge", help);
        self.family(name, "")
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.begin(name, "", "histogram", help);
        self.family(name, "")
    }

    fn begin(&mut self, name: &str, total: &str, kind: &str, help: &str) {
        let _infallible = write!(
            self.text,
            "# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n"
        );
    }

    const fn family(&mut self, name: &'static str, suffix: &'static str) -> Family<'_> {
        Family {
            page: self,
            name,
            suffix,
        }
    }
}

impl Family<'_> {
    /// One sample.
    pub fn add(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.sample(self.suffix, labels, None, value);
        self
    }

    pub(super) fn add_spans(&mut self, labels: Labels<'_>, spans: &Spans) {
        let mut count = 0_u64;
        let ends = BOUNDS.iter().map(|(_, end)| *end).chain(["+Inf"]);
        for (bucket, end) in spans.buckets.iter().zip(ends) {
            count += bucket;
            self.sample("_bucket", labels, Some(("le", end)), count);
        }
        let (whole, part) = (spans.micros / 1_000_000, spans.micros % 1_000_000);
        self.sample("_sum", labels, None, format_args!("{whole}.{part:06}"));
        self.sample("_count", labels, None, count);
    }

    fn sample(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        last: Option<(&'static str, &str)>,
        value: impl Display,
    ) {
        let text = &mut self.page.text;
        text.push_str(self.name);
        text.push_str(suffix);
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(last) {
            text.push(before);
            text.push_str(name);
            text.push_str("=\"");
            escaped(text, value);
            text.push('"');
            before = ',';
        }
        if before == ',' {
            text.push('}');
        }
        let _infallible = writeln!(text, " {value}");
    }
}

/// Backslash, quote and line feed are what the formats escape; other controls have no business in
/// a label, and some readers take them for the end of a line.
fn escaped(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(form: Form) -> String {
        let mut page = Page::new(form);
        page.counter("yett_a", "What a is.")
            .add(&[("route", "/\"\\\n\r<int:pk>/"), ("x", "")], 7)
            .add(&[], 1);
        page.gauge("yett_b_bytes", "What b is.").add(&[], 1.5);
        page.finish()
    }

    #[test]
    fn counters_are_named_as_each_format_wants_and_labels_cannot_break_out() {
        let expected = "\
# HELP yett_a_total What a is.
# TYPE yett_a_total counter
yett_a_total{route=\"/\\\"\\\\\\n\u{fffd}<int:pk>/\",x=\"\"} 7
yett_a_total 1
# HELP yett_b_bytes What b is.
# TYPE yett_b_bytes gauge
yett_b_bytes 1.5
";
        assert_eq!(page(Form::Prometheus), expected);
        let open = expected
            .replace("# HELP yett_a_total", "# HELP yett_a")
            .replace("# TYPE yett_a_total", "# TYPE yett_a");
        assert_eq!(page(Form::OpenMetrics), format!("{open}# EOF\n"));
    }

    #[test]
    fn buckets_of_a_histogram_include_those_before_them() {
        let mut spans = Spans::default();
        (spans.buckets[0], spans.buckets[2], spans.buckets[15]) = (1, 2, 3);
        spans.micros = 2_000_003;
        let mut page = Page::new(Form::Prometheus);
        page.histogram("h_seconds", "H.")
            .add_spans(&[("service", "app")], &spans);
        let text = page.finish();
        for line in [
            "h_seconds_bucket{service=\"app\",le=\"0.001\"} 1",
            "h_seconds_bucket{service=\"app\",le=\"0.0025\"} 1",
            "h_seconds_bucket{service=\"app\",le=\"60.0\"} 3",
            "h_seconds_bucket{service=\"app\",le=\"+Inf\"} 6",
            "h_seconds_sum{service=\"app\"} 2.000003",
            "h_seconds_count{service=\"app\"} 6",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
    }
}
