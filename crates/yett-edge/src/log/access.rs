//! The access log: formats records so that nothing in a request can forge one, and writes them.
//!
//! Lines are gathered in memory and written by a thread of their own, so that a slow reader of
//! standard output never holds up requests. The memory is bounded: when the reader is so slow that
//! [`MAX_WAITING`] bytes wait, further records are dropped and counted, and the count is written as
//! soon as there is room again.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;
use yett_gate::ClientAddr;

use super::record::Fields;
use crate::clock;

/// Bytes of formatted records that may wait for the writer.
pub const MAX_WAITING: usize = 8 * 1024 * 1024;

/// How long the writer gathers before it writes, so that a busy server writes in large pieces.
const GATHER: Duration = Duration::from_millis(20);

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
    /// Nothing is written.
    Off,
}

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    dropped: u64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// The log. Dropping the last handle writes what waits.
#[derive(Debug)]
pub struct AccessLog {
    format: Format,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AccessLog {
    /// A log that writes into `out`.
    ///
    /// # Errors
    /// When the writer's thread cannot be started.
    pub fn start(format: Format, out: impl Write + Send + 'static) -> std::io::Result<Arc<Self>> {
        let shared = Arc::new(Shared::default());
        let writer = if format == Format::Off {
            None
        } else {
            let shared = Arc::clone(&shared);
            let name = String::from("yett-log");
            Some(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || write_out(format, &shared, out))?,
            )
        };
        Ok(Arc::new(Self {
            format,
            shared,
            writer: Mutex::new(writer),
        }))
    }

    pub(crate) fn write(&self, fields: &Fields) {
        if self.format == Format::Off {
            return;
        }
        let mut line = String::with_capacity(192);
        match self.format {
            Format::Text => text(&mut line, fields),
            Format::Json => json(&mut line, fields),
            Format::Off => {}
        }
        let mut waiting = self
            .shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.text.len() + line.len() > MAX_WAITING {
            waiting.dropped += 1;
            return;
        }
        let was_empty = waiting.text.is_empty();
        waiting.text.push_str(&line);
        drop(waiting);
        if was_empty {
            self.shared.more.notify_one();
        }
    }
}

impl AccessLog {
    /// Writes what waits and ends the writer. Records that come later are lost, so this comes last.
    pub fn close(&self) {
        self.shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.shared.more.notify_one();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // A writer that panicked has nothing left that could be written.
            let _panicked = writer.join();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.close();
    }
}

fn lost(format: Format, dropped: u64) -> String {
    match format {
        Format::Json => format!("{{\"dropped_records\":{dropped}}}\n"),
        Format::Text | Format::Off => {
            format!("{dropped} access records were dropped: the log's reader is too slow\n")
        }
    }
}

fn write_out(format: Format, shared: &Shared, mut out: impl Write) {
    loop {
        let mut waiting = shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while waiting.text.is_empty() && !waiting.closed {
            waiting = shared
                .more
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.closed {
            let gathered = shared.more.wait_timeout(waiting, GATHER);
            waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut text = std::mem::take(&mut waiting.text);
        let dropped = std::mem::take(&mut waiting.dropped);
        let closed = waiting.closed;
        drop(waiting);
        if dropped > 0 {
            text.push_str(&lost(format, dropped));
        }
        // With nobody to read the log there is nobody to tell.
        let _reader_gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if closed {
            return;
        }
    }
}

fn stamp(out: &mut String) {
    let since = clock::since_epoch();
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    let formatted = OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|now| now.format(format).ok());
    out.push_str(formatted.as_deref().unwrap_or("-"));
    let _infallible = write!(out, ".{:03}Z", since.subsec_millis());
}

fn client(out: &mut String, client: ClientAddr) {
    match client {
        ClientAddr::Ip(address) => {
            let _infallible = write!(out, "{}", address.ip());
        }
        ClientAddr::Unix => out.push_str("unix"),
    }
}

/// Milliseconds with three digits behind the point.
fn millis(out: &mut String, span: Duration) {
    let micros = span.as_micros();
    let _infallible = write!(out, "{}.{:03}", micros / 1000, micros % 1000);
}

/// Writes client text so that it can neither end its field nor its line: quotes, backslashes,
/// controls and everything beyond ASCII are escaped.
fn escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ => out.extend(c.escape_default()),
        }
    }
}

fn text(out: &mut String, fields: &Fields) {
    stamp(out);
    out.push(' ');
    client(out, fields.client);
    out.push_str(" \"");
    escaped(out, &fields.method);
    out.push(' ');
    escaped(out, &fields.target);
    let _infallible = write!(
        out,
        " {}\" {} {} ",
        fields.protocol, fields.status, fields.bytes
    );
    millis(out, fields.took);
    out.push_str("ms ");
    out.push_str(&fields.route);
    if let Some(worker) = fields.worker {
        let _infallible = write!(out, " worker={worker}");
    }
    if fields.waited >= Duration::from_millis(1) {
        out.push_str(" waited=");
        millis(out, fields.waited);
        out.push_str("ms");
    }
    if let Some(fault) = fields.fault {
        let _infallible = write!(out, " fault={fault}");
    }
    if let Some(reason) = &fields.reason {
        out.push_str(" reason=\"");
        escaped(out, reason);
        out.push('"');
    }
    if let Some(agent) = &fields.user_agent {
        out.push_str(" agent=\"");
        escaped(out, agent);
        out.push('"');
    }
    out.push('\n');
}

fn json(out: &mut String, fields: &Fields) {
    let mut time = String::new();
    stamp(&mut time);
    let mut address = String::new();
    client(&mut address, fields.client);
    let line = serde_json::json!({
        "time": time,
        "client": address,
        "method": fields.method,
        "target": fields.target,
        "protocol": fields.protocol,
        "status": fields.status,
        "bytes": fields.bytes,
        "took_us": u64::try_from(fields.took.as_micros()).unwrap_or(u64::MAX),
        "waited_us": u64::try_from(fields.waited.as_micros()).unwrap_or(u64::MAX),
        "route": fields.route,
        "worker": fields.worker,
        "fault": fields.fault,
        "reason": fields.reason,
        "user_agent": fields.user_agent,
    });
    ascii(out, &line.to_string());
    out.push('\n');
}

/// JSON text without a character beyond ASCII: some of them steer a terminal, and `\uXXXX` says the
/// same. Outside its strings JSON has none, so every one may be written so.
fn ascii(out: &mut String, json: &str) {
    for c in json.chars() {
        if (' '..='~').contains(&c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(target: &str, agent: &str) -> Fields {
        Fields {
            client: ClientAddr::Ip("192.0.2.1:5".parse().unwrap()),
            method: "GET".into(),
            target: target.into(),
            protocol: "HTTP/1.1",
            status: 200,
            bytes: 13,
            took: Duration::from_micros(1234),
            waited: Duration::ZERO,
            route: "app".into(),
            worker: Some(7),
            reason: None,
            fault: None,
            user_agent: Some(agent.into()),
        }
    }

    #[test]
    fn header_cannot_forge_a_text_record() {
        let mut line = String::new();
        text(
            &mut line,
            &fields("/a\" 500", "x\"\n2026 fake \u{1b}[31m \u{2028}é"),
        );
        assert_eq!(line.matches('\n').count(), 1);
        let line = &line[line.find(' ').unwrap()..];
        assert_eq!(
            line,
            " 192.0.2.1 \"GET /a\\\" 500 HTTP/1.1\" 200 13 1.234ms app worker=7 \
             agent=\"x\\\"\\n2026 fake \\u{1b}[31m \\u{2028}\\u{e9}\"\n"
        );
    }

    #[test]
    fn header_cannot_forge_a_json_record() {
        let mut line = String::new();
        json(&mut line, &fields("/a", "x\",\"status\":500,\n\""));
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["status"], 200);
        assert_eq!(value["user_agent"], "x\",\"status\":500,\n\"");
    }

    #[test]
    fn json_record_holds_nothing_that_steers_a_terminal() {
        let mut line = String::new();
        json(&mut line, &fields("/\u{9b}31m\u{7f}", "\u{2028}😀"));
        assert!(
            line.trim_end().chars().all(|c| (' '..='~').contains(&c)),
            "{line}"
        );
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["target"], "/\u{9b}31m\u{7f}");
        assert_eq!(value["user_agent"], "\u{2028}😀");
    }
}
