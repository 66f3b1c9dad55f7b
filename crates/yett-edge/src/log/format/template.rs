//! A line as the user wants it: text with fields' names in braces.

use super::field::{Field, Quoting};
use crate::log::record::Fields;

/// The longest template in bytes.
const MAX_TEMPLATE: usize = 2048;

/// A line's text and fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field, Quoting),
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// There is no such field.
    #[error("there is no field {{{0}}}")]
    NoSuchField(String),
    /// A brace without its other half.
    #[error("a brace stands alone; a brace that is meant is written twice")]
    LoneBrace,
    /// A control character, or one beyond ASCII.
    #[error("a line of the log is plain ASCII without controls")]
    NotPlain,
    /// Without a field all lines would be the same.
    #[error("it shows no field")]
    NoField,
    /// Longer than a template may be.
    #[error("it is longer than 2048 bytes")]
    TooLong,
}

impl Template {
    /// Apache's and nginx's combined format, which readers of logs know.
    pub const COMBINED: &'static str = "{client} - - [{time_local}] \
        \"{method} {target} {protocol}\" {status} {bytes} \"{referer}\" \"{user_agent}\"";

    /// Reads a template.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        if text.len() > MAX_TEMPLATE {
            return Err(FormatError::TooLong);
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(FormatError::NotPlain);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut quoting = Quoting::Bare;
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(brace);
            for _quote in before.matches('"') {
                quoting = match quoting {
                    Quoting::Bare => Quoting::Quoted,
                    Quoting::Quoted => Quoting::Bare,
                };
            }
            plain.push_str(before);
            let twice = ["{{", "}}"]
                .iter()
                .find(|two| from_brace.starts_with(**two));
            if let Some(twice) = twice {
                plain.extend(twice.chars().next());
                rest = from_brace.get(2..).unwrap_or_default();
                continue;
            }
            let inside = from_brace.strip_prefix('{').ok_or(FormatError::LoneBrace)?;
            let (name, behind) = inside.split_once('}').ok_or(FormatError::LoneBrace)?;
            let field =
                Field::named(name).ok_or_else(|| FormatError::NoSuchField(name.to_owned()))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Field(field, quoting));
            rest = behind;
        }
        plain.push_str(rest);
        if parts.is_empty() {
            return Err(FormatError::NoField);
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// The fields that it shows.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Field(field, _) => Some(*field),
        })
    }

    pub(super) fn write(&self, out: &mut String, fields: &Fields) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(field, quoting) => field.write_text(out, fields, *quoting),
            }
        }
        out.push('\n');
    }
}
