//! How a record is written: as text for people, as JSON, or by a template of the user's.
//!
//! Whatever came from a client or from the application is escaped as it is written, so that it can
//! end neither its line nor, between quotes, its field; every line is ASCII without controls.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;
use yett_gate::ClientAddr;

use super::record::Fields;
use super::words::{Word, WordSet};
use crate::{clock, ip_text};

mod field;
mod template;

pub use field::Field;
use field::Quoting;
pub use template::{FormatError, Template};

/// How records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One line for people.
    Text,
    /// One JSON object a line, with [`Field::USUAL`].
    Json,
    /// One JSON object a line, with these fields in this order.
    JsonOf(Vec<Field>),
    /// One line as the template says.
    Template(Template),
    /// Nothing is written.
    Off,
}

impl Format {
    /// Which pieces of what the client said are in it.
    pub(super) fn words(&self) -> WordSet {
        let of = |fields: &mut dyn Iterator<Item = Field>| {
            let words = fields.filter_map(Field::word);
            words.fold(WordSet::default(), WordSet::with)
        };
        match self {
            Self::Text | Self::Json => of(&mut Field::USUAL.iter().copied()),
            Self::JsonOf(fields) => of(&mut fields.iter().copied()),
            Self::Template(template) => of(&mut template.fields()),
            Self::Off => WordSet::default(),
        }
    }

    /// Writes a record, with the end of its line.
    pub(super) fn write(&self, out: &mut String, fields: &Fields) {
        match self {
            Self::Text => text(out, fields),
            Self::Json => json(out, fields, Field::USUAL),
            Self::JsonOf(wanted) => json(out, fields, wanted),
            Self::Template(template) => template.write(out, fields),
            Self::Off => {}
        }
    }

    /// The line that tells how many records are missing.
    pub(super) fn lost(&self) -> fn(u64) -> String {
        match self {
            Self::Json | Self::JsonOf(_) => |count| format!("{{\"dropped_records\":{count}}}\n"),
            Self::Text | Self::Template(_) | Self::Off => |count| {
                format!("{count} access records were dropped: they could not be written in time\n")
            },
        }
    }
}

/// This moment, as `2026-01-31T23:59:59.123Z`.
pub(super) fn stamp(out: &mut String) {
    thread_local! {
        /// The last second that was written, and its text: most records of a busy server share one.
        static SECOND: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let since = clock::since_epoch();
    let write = |out: &mut String, seconds: &str| {
        out.push_str(seconds);
        out.push('.');
        three_digits(out, since.subsec_millis());
        out.push('Z');
    };
    let written = SECOND.try_with(|second| {
        let Ok(mut second) = second.try_borrow_mut() else {
            return false;
        };
        if second.0 != since.as_secs() || second.1.is_empty() {
            *second = (since.as_secs(), seconds_text(since));
        }
        write(out, &second.1);
        true
    });
    // A thread that is ending keeps nothing.
    if written != Ok(true) {
        write(out, &seconds_text(since));
    }
}

fn moment(since: Duration) -> Option<OffsetDateTime> {
    let seconds = i64::try_from(since.as_secs()).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

fn seconds_text(since: Duration) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let text = moment(since).and_then(|moment| moment.format(format).ok());
    text.unwrap_or_else(|| String::from("-"))
}

/// This moment as Apache writes it, without its brackets.
fn stamp_of_apache(out: &mut String) {
    let format =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let text = moment(clock::since_epoch()).and_then(|moment| moment.format(format).ok());
    out.push_str(text.as_deref().unwrap_or("-"));
}

pub(super) fn client(out: &mut String, client: ClientAddr) {
    match client {
        ClientAddr::Ip(address) => ip_text::put(out, address.ip()),
        ClientAddr::Unix => out.push_str("unix"),
    }
}

/// Milliseconds with three digits behind the point.
pub(super) fn millis(out: &mut String, span: Duration) {
    number(out, u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    out.push('.');
    three_digits(out, span.subsec_micros() % 1000);
}

/// A number as every record has some: without the machinery that knows widths, signs and bases.
fn number(out: &mut String, number: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(number));
}

fn three_digits(out: &mut String, number: u32) {
    let digit = |power: u32| char::from_digit(number / power % 10, 10).unwrap_or('0');
    out.extend([digit(100), digit(10), digit(1)]);
}

/// Writes foreign text so that it can neither end its field nor its line: quotes, backslashes,
/// controls and everything beyond ASCII are escaped.
pub(super) fn escaped(out: &mut String, text: &str) {
    escaped_but(out, text, |byte| {
        matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
    });
}

/// The same where nothing stands between quotes: they end nothing there.
pub(super) fn escaped_but_quotes(out: &mut String, text: &str) {
    escaped_but(out, text, |byte| {
        matches!(byte, b' '..=b'~') && byte != b'\\'
    });
}

/// Copies runs of what is plain, and escapes the rest.
fn escaped_but(out: &mut String, text: &str, is_plain: impl Fn(u8) -> bool) {
    let mut rest = text;
    while let Some(odd) = rest.bytes().position(|byte| !is_plain(byte)) {
        // What is not plain begins a character: plain bytes are characters of their own.
        let (plain, from_odd) = rest.split_at(odd);
        out.push_str(plain);
        let mut characters = from_odd.chars();
        if let Some(c) = characters.next() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                ' ' => out.push_str("\\u{20}"),
                c => out.extend(c.escape_default()),
            }
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

fn text(out: &mut String, fields: &Fields) {
    stamp(out);
    out.push(' ');
    client(out, fields.client);
    out.push_str(" \"");
    escaped(out, fields.words.method());
    out.push(' ');
    escaped(out, fields.words.target());
    out.push(' ');
    out.push_str(fields.protocol);
    out.push_str("\" ");
    number(out, fields.status);
    out.push(' ');
    number(out, fields.bytes);
    out.push(' ');
    millis(out, fields.took);
    out.push_str("ms ");
    // The project made it up, with spaces if it liked.
    Field::Route.write_text(out, fields, Quoting::Bare);
    if let Some(worker) = fields.worker {
        out.push_str(" worker=");
        number(out, worker);
    }
    if let Some(id) = fields.words.said(Word::RequestId) {
        out.push_str(" id=");
        escaped(out, id);
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
    if let Some(agent) = fields.words.said(Word::UserAgent) {
        out.push_str(" agent=\"");
        escaped(out, agent);
        out.push('"');
    }
    out.push('\n');
}

fn json(out: &mut String, fields: &Fields, wanted: &[Field]) {
    let mut before = '{';
    for field in wanted {
        out.push(before);
        out.push('"');
        out.push_str(field.name());
        out.push_str("\":");
        field.write_json(out, fields);
        before = ',';
    }
    if before == '{' {
        out.push('{');
    }
    out.push_str("}\n");
}

/// A JSON string without a character beyond ASCII: some of them steer a terminal, and `\uXXXX` says
/// the same.
fn json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    while let Some(odd) = rest.bytes().position(|byte| !is_plain(byte)) {
        let (plain, from_odd) = rest.split_at(odd);
        out.push_str(plain);
        let mut characters = from_odd.chars();
        match characters.next() {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some('\n') => out.push_str("\\n"),
            Some('\t') => out.push_str("\\t"),
            Some(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _infallible = write!(out, "\\u{unit:04x}");
                }
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests;
