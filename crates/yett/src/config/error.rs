//! What is wrong with the configuration: always the whole list, each entry with its place, what was
//! expected, and a hint.
//!
//! The texts are part of the product: `golden/` and the tests hold them.

use super::Place;
use crate::print::{Failure, one_line};
use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    place: Place,
    wrong: String,
    expected: Option<String>,
    hint: Option<String>,
}

impl ConfigError {
    /// A mistake at a place: what was wrong, lower case, without a full stop.
    pub(crate) fn new(place: Place, wrong: impl Into<String>) -> Self {
        Self {
            place,
            wrong: wrong.into(),
            expected: None,
            hint: None,
        }
    }

    /// What was expected there.
    #[must_use]
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Line and column, for the order of the list; mistakes outside the file come first.
    fn position(&self) -> (usize, usize) {
        match self.place {
            Place::File { line, column, .. } => (line, column),
            Place::Flag(_) | Place::Variable(_) | Place::WholeFile(_) | Place::Default => (0, 0),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Hints repeat the user's words; none may forge a line or steer the terminal.
        write!(f, "{}: {}", self.place, one_line(&self.wrong))?;
        if let Some(expected) = &self.expected {
            write!(f, ": expected {}", one_line(expected))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", one_line(hint))?;
        }
        Ok(())
    }
}

/// All mistakes, at least one, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// `Ok` if there are none.
    pub(crate) fn none(mut errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by_key(ConfigError::position);
        Err(Self(errors))
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::usage(errors)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 1 {
            write!(f, "{} mistakes in the configuration:", self.0.len())?;
        }
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 || self.0.len() > 1 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// What is wrong with one word, before it is known where the word stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    wrong: String,
    expected: String,
    hint: Option<String>,
}

impl Wrong {
    /// What was wrong and what was expected.
    pub(crate) fn new(wrong: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            wrong: wrong.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    /// What to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The mistake, now that its place is known.
    pub(crate) fn at(self, place: Place) -> ConfigError {
        ConfigError {
            place,
            wrong: self.wrong,
            expected: Some(self.expected),
            hint: self.hint,
        }
    }
}

/// For words that have no place in the configuration: what reports them names the flag.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}",
            one_line(&self.wrong),
            one_line(&self.expected)
        )?;
        if let Some(hint) = &self.hint {
            write!(f, "; {}", one_line(hint))?;
        }
        Ok(())
    }
}

/// A user's word in quotes, escaped and cut, so that it cannot play tricks on a terminal.
pub(crate) fn quoted(word: &str) -> String {
    const LONGEST: usize = 80;
    match word.char_indices().nth(LONGEST) {
        None => format!("{word:?}"),
        Some((end, _)) => format!("{:?}…", word.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_words_are_cut() {
        assert_eq!(quoted("a\u{1b}[31mb"), r#""a\u{1b}[31mb""#);
        assert_eq!(quoted(&"é".repeat(100)), format!("\"{}\"…", "é".repeat(80)));
    }

    #[test]
    fn one_mistake_needs_no_headline() {
        let error = ConfigError::new(Place::Flag("--threads"), "\"0\" is too small")
            .expected("at least 1")
            .hint("try 1");
        let text = ConfigErrors::from(error).to_string();
        assert_eq!(
            text,
            "--threads: \"0\" is too small: expected at least 1\n  hint: try 1"
        );
    }
}
