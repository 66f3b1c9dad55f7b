//! Tells of requests that failed through the application or the server, and of those that were slow:
//! a line each, beside what the supervisor says, for people who look for what is wrong.
//!
//! They are few or they are a flood. Of a flood `MOST` a second are written, and how many were not
//! is said; the metrics count all of them. No query is shown, since it may hold a secret.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::format::{client, escaped_but_quotes, millis};
use super::record::Fields;
use super::words::Word;
use super::writer::Writer;

mod warnings;

pub(crate) use warnings::Warning;
use warnings::Warnings;

/// Lines in a second.
const MOST: u32 = 20;

/// Where troubles are told.
#[derive(Debug)]
pub struct Troubles {
    writer: Arc<Writer>,
    rate: Mutex<Rate>,
    warnings: Warnings,
}

#[derive(Debug)]
struct Rate {
    since: Instant,
    told: u32,
    untold: u64,
}

impl Rate {
    /// Whether one more may be told now, and how many were not before it.
    fn admits(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.told) = (now, 0);
        }
        if self.told >= MOST {
            self.untold += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

impl Troubles {
    /// Tells them in `writer`, which others may write to as well.
    #[must_use]
    pub fn start(writer: Arc<Writer>) -> Arc<Self> {
        Arc::new(Self {
            writer,
            rate: Mutex::new(Rate {
                since: Instant::now(),
                told: 0,
                untold: 0,
            }),
            warnings: Warnings::default(),
        })
    }

    /// Tells how many were not told, if any were not. The last to be called before the writer ends.
    pub fn close(&self) {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        if rate.untold > 0 {
            self.writer.write(&untold(std::mem::take(&mut rate.untold)));
        }
    }

    pub(super) fn hear(&self, fields: &Fields, slow: Option<Duration>) {
        let failed = fields.status >= 500
            && fields.reason.is_some()
            && fields.fault.is_some_and(|fault| fault != "client");
        let is_slow = slow.is_some_and(|slow| server_time(fields) >= slow);
        if !failed && !is_slow {
            return;
        }
        self.write(|line| {
            if failed {
                tell_failed(line, fields);
            } else {
                tell_slow(line, fields);
            }
        });
    }

    /// Tells what is wrong though no request has failed of it.
    pub(super) fn tell(&self, what: &str) {
        self.write(|line| {
            line.push_str("error: ");
            escaped_but_quotes(line, what);
            line.push('\n');
        });
    }

    /// Warns of what may come with every connection: seldom, whatever else is told.
    pub(super) fn warn(&self, warning: Warning, what: impl FnOnce() -> String) {
        let Some(before) = self.warnings.admit(warning, Instant::now()) else {
            return;
        };
        let mut line = String::from("warning: ");
        escaped_but_quotes(&mut line, &what());
        if before > 0 {
            let _infallible = write!(line, " ({before} more since the last such line)");
        }
        line.push('\n');
        self.writer.write(&line);
    }

    fn write(&self, tell: impl FnOnce(&mut String)) {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = rate.admits(Instant::now()) else {
            return;
        };
        drop(rate);
        let mut line = String::with_capacity(256);
        if before > 0 {
            line.push_str(&untold(before));
        }
        tell(&mut line);
        self.writer.write(&line);
    }
}

/// What the server and the application took; how long the client took to send or to read is its own
/// affair.
fn server_time(fields: &Fields) -> Duration {
    fields.waited + fields.app.unwrap_or_default()
}

fn untold(count: u64) -> String {
    format!("yett: {count} more requests failed or were slow and are not told one by one\n")
}

fn tell_failed(line: &mut String, fields: &Fields) {
    line.push_str("error: ");
    request(line, fields);
    let fault = fields.fault.unwrap_or("-");
    let _infallible = write!(line, " failed with {} ({fault}): ", fields.status);
    escaped_but_quotes(line, fields.reason.as_deref().unwrap_or("-"));
    circumstances(line, fields);
}

fn tell_slow(line: &mut String, fields: &Fields) {
    line.push_str("slow: ");
    request(line, fields);
    let _infallible = write!(
        line,
        " was answered with {} and {} bytes",
        fields.status, fields.bytes
    );
    circumstances(line, fields);
}

fn request(line: &mut String, fields: &Fields) {
    escaped_but_quotes(line, fields.words.method());
    line.push(' ');
    escaped_but_quotes(line, fields.words.path());
}

fn circumstances(line: &mut String, fields: &Fields) {
    line.push_str(" (client ");
    client(line, fields.client);
    line.push_str(", route ");
    escaped_but_quotes(line, fields.route.as_str());
    if let Some(worker) = fields.worker {
        let _infallible = write!(line, ", worker {worker}");
    }
    if let Some(id) = fields.words.said(Word::RequestId) {
        line.push_str(", id ");
        escaped_but_quotes(line, id);
    }
    line.push_str(", waited ");
    millis(line, fields.waited);
    if let Some(app) = fields.app {
        line.push_str(" ms, app ");
        millis(line, app);
    }
    line.push_str(" ms, took ");
    millis(line, fields.took);
    line.push_str(" ms)\n");
}

#[cfg(test)]
mod tests;
