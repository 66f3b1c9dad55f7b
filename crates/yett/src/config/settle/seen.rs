//! Settings of what is seen of the server: the log's lines and where they go, and the admin address.

use super::{Bind, Key, Listen, LogSettings, Settling, Wrong, choice, nearest, quoted};
use std::{path::Path, time::Duration};
use yett_edge::log::{Field, Format, FormatError, Template};
use yett_gate::HeadRules;

impl Settling<'_> {
    /// `None` only if an error was pushed.
    pub(super) fn log(&mut self, head: Option<&HeadRules>) -> Option<LogSettings> {
        let slow_request = self.duration(Key::SlowRequest, Duration::ZERO, 24);
        let format = self.one(Key::LogFormat, format);
        let has_ids = head.is_some_and(|head| head.request_id.is_some());
        let format = self.with_fields(format, has_ids);
        let access = self.one(Key::AccessLog, choice::switch);
        let file = self.file_in_folder(Key::LogFile);
        Some(LogSettings {
            format: if access? { format? } else { Format::Off },
            file,
            slow_request: slow_request.map(|time| (!time.is_zero()).then_some(time))?,
        })
    }

    /// The format with the fields that were named, or with the usual ones.
    fn with_fields(&mut self, format: Option<Format>, has_ids: bool) -> Option<Format> {
        let raw = self.raw;
        let said = raw.list(Key::LogFields);
        let Some(first) = said.first() else {
            return Some(match format? {
                Format::Json if has_ids => {
                    Format::JsonOf([Field::USUAL, &[Field::RequestId]].concat())
                }
                format => format,
            });
        };
        let mut fields = Vec::new();
        for said in said {
            if let Some(field) = self.keep(&said.place, field(&said.text)) {
                if fields.contains(&field) {
                    let wrong = format!("{} is named twice", quoted(&said.text));
                    self.refuse(&said.place, wrong, "each field once");
                }
                fields.push(field);
            }
        }
        match format? {
            Format::Json => Some(Format::JsonOf(fields)),
            _ => {
                let wrong = "fields are chosen for a format that has none to choose";
                self.refuse(&first.place, wrong, "format json");
                None
            }
        }
    }

    /// The outer `None` only if an error was pushed.
    pub(super) fn admin(&mut self, listeners: &[Listen]) -> Option<Option<Bind>> {
        let raw = self.raw;
        let Some(said) = raw.one(Key::Admin) else {
            return Some(None);
        };
        let is_port = !said.text.is_empty() && said.text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = if is_port {
            Bind::parse(&format!("127.0.0.1:{}", said.text), |path| path.into())
        } else {
            Bind::parse(&said.text, |path| self.absolute(path, &said.place))
        };
        let bind = self.keep(&said.place, parsed)?;
        if listeners.iter().any(|public| bind.overlaps(&public.bind)) {
            let wrong = format!("{} is an address for clients", quoted(&said.text));
            let expected = "an address of its own: clients must not read what it tells";
            self.refuse(&said.place, wrong, expected);
            return None;
        }
        if let Some(parent) = bind.unix_path().and_then(Path::parent) {
            self.need_folder(parent, &said.place);
        }
        Some(Some(bind))
    }

    pub(super) fn admin_hosts(&mut self) -> Vec<String> {
        let raw = self.raw;
        let hosts = raw.list(Key::AdminHosts).iter();
        hosts
            .filter_map(|said| self.keep(&said.place, host(&said.text)))
            .collect()
    }
}

fn format(text: &str) -> Result<Format, Wrong> {
    let template = |text| Template::parse(text).map(Format::Template);
    let made = match text {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        "combined" => template(Template::COMBINED),
        template_text if template_text.contains(['{', '}']) => template(template_text),
        _ => {
            return Err(Wrong::new(
                format!("{} is not a log format", quoted(text)),
                "text, json, combined, or a template with fields in braces",
            ));
        }
    };
    made.map_err(|error| {
        let wrong = Wrong::new(
            format!("{} is not a template: {error}", quoted(text)),
            "text with fields in braces, such as '{client} \"{method} {path}\" {status}'",
        );
        match &error {
            FormatError::NoSuchField(name) => wrong.hint(hint(name)),
            _ => wrong,
        }
    })
}

fn field(name: &str) -> Result<Field, Wrong> {
    Field::named(name).ok_or_else(|| {
        let wrong = Wrong::new(
            format!("there is no field {}", quoted(name)),
            "a field of the access log",
        );
        wrong.hint(hint(name))
    })
}

fn hint(name: &str) -> String {
    let names = || Field::ALL.iter().map(|field| field.name());
    match nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn host(text: &str) -> Result<String, Wrong> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || !text.bytes().all(plain) {
        return Err(Wrong::new(
            format!("{} is not a host's name", quoted(text)),
            "a name without a port, such as yett.example.com",
        ));
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_for_a_field_of_another_server_lists_ours() {
        assert_eq!(hint("user_agnet"), "did you mean user_agent?");
        assert!(hint("remote_addr").starts_with("there are time, "));
    }

    #[test]
    fn combined_is_a_template_that_can_be_read() {
        assert!(matches!(format("combined"), Ok(Format::Template(_))));
    }
}
