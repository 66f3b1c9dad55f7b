//! How the program fails: one error chain, one hint, one exit code.

use super::screen::{Paint, Style, without_controls};
use std::fmt::Write as _;
use std::process::ExitCode;

/// The exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Fine,
    /// 1: it was tried and failed.
    Failed,
    /// 2: wrong usage or configuration; nothing was tried.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
        })
    }
}

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    details: Option<String>,
    hint: Option<String>,
    exit: Exit,
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            details: None,
            hint: None,
            exit: Exit::Usage,
        }
    }

    /// It was tried and failed.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            details: None,
            hint: None,
            exit: Exit::Failed,
        }
    }

    /// What to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A long text that belongs to the error, such as a traceback; printed before the error so that
    /// the error stays in sight.
    #[must_use]
    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The text for stderr: details, `error: …`, causes indented, `hint: …`.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        if let Some(details) = &self.details {
            let _ = writeln!(text, "{}\n", without_controls(details.trim_end()));
        }
        let mut level = String::new();
        for (depth, error) in self.error.chain().enumerate() {
            let message = error.to_string();
            // Many libraries repeat their source in their own text; once is enough.
            if depth > 0 && level.ends_with(&message) {
                continue;
            }
            let clean = without_controls(&message);
            if depth == 0 {
                let _ = writeln!(
                    text,
                    "{} {}",
                    paint.text(Style::Bad, "error:"),
                    indented(&clean, "  ")
                );
            } else {
                let _ = writeln!(
                    text,
                    "  {} {}",
                    paint.text(Style::Faint, "because:"),
                    indented(&clean, "    ")
                );
            }
            level = message;
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(
                text,
                "{} {}",
                paint.text(Style::Strong, "hint:"),
                indented(&without_controls(hint), "  ")
            );
        }
        text
    }
}

/// Lines after the first, indented.
fn indented(text: &str, indent: &str) -> String {
    text.replace('\n', &format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn a_chain_is_printed_with_its_causes_and_its_hint() {
        let error = std::io::Error::from_raw_os_error(98);
        let error = Err::<(), _>(error)
            .context("cannot listen at 127.0.0.1:8000")
            .unwrap_err();
        let failure = Failure::failed(error)
            .hint("another program listens there; choose another address with --bind");
        assert_eq!(failure.exit(), Exit::Failed);
        assert_eq!(
            failure.text(Paint::Off),
            "error: cannot listen at 127.0.0.1:8000\n  \
               because: Address already in use (os error 98)\n\
             hint: another program listens there; choose another address with --bind\n"
        );
        assert!(
            failure
                .text(Paint::On)
                .starts_with("\u{1b}[1;31merror:\u{1b}[0m cannot listen")
        );
    }

    #[test]
    fn a_traceback_comes_first_and_cannot_steer_the_terminal() {
        let failure = Failure::usage(anyhow!("the app cannot be imported"))
            .details("Traceback:\n  \u{1b}[2Jx\n\n");
        assert_eq!(
            failure.text(Paint::Off),
            "Traceback:\n  \\u{1b}[2Jx\n\nerror: the app cannot be imported\n"
        );
    }

    #[test]
    fn a_cause_that_the_error_already_says_is_not_repeated() {
        let error = anyhow!("no such file").context("cannot read x: no such file");
        assert_eq!(
            Failure::failed(error).text(Paint::Off),
            "error: cannot read x: no such file\n"
        );
    }

    #[test]
    fn several_lines_of_one_error_are_indented() {
        let failure = Failure::usage(anyhow!("2 mistakes in the configuration:\na\n  hint: b"));
        assert_eq!(
            failure.text(Paint::Off),
            "error: 2 mistakes in the configuration:\n  a\n    hint: b\n"
        );
    }
}
