//! The terminal: the only place of the program that writes to stdout and stderr. Colour only on a
//! terminal, without `NO_COLOR` (no-color.org) and with a `TERM` that is not `dumb`.

use super::failure::{Exit, Failure};
use crate::{cli::NoOrder, config::Environment};
use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
};
use yett_edge::log::Writer;

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// With ANSI sequences.
    On,
    /// Plain.
    Off,
}

/// What a piece of text is; how it looks follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Stands out.
    Strong,
    /// Stands back.
    Faint,
    /// All is well.
    Good,
    /// Look at this.
    Warning,
    /// This failed.
    Bad,
}

impl Paint {
    /// The decision, from facts.
    fn decide(is_terminal: bool, environment: &Environment) -> Self {
        let dumb = environment.value("TERM").is_some_and(|term| term == "dumb");
        if is_terminal && environment.value("NO_COLOR").is_none() && !dumb {
            Self::On
        } else {
            Self::Off
        }
    }

    /// Text in a style; without colour, the text itself.
    pub(crate) fn text<'a>(self, style: Style, text: &'a str) -> Painted<'a> {
        Painted {
            paint: self,
            style,
            text,
        }
    }
}

/// A piece of text in its style. Padding counts the text alone: `{:<10}` works.
pub(crate) struct Painted<'a> {
    paint: Paint,
    style: Style,
    text: &'a str,
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.style {
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Warning => "33",
            Style::Bad => "1;31",
        };
        match self.paint {
            Paint::Off => f.pad(self.text),
            Paint::On => {
                write!(f, "\u{1b}[{code}m")?;
                f.pad(self.text)?;
                f.write_str("\u{1b}[0m")
            }
        }
    }
}

/// Text from outside, made harmless: control characters but line feed and tab become visible.
pub(crate) fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_unicode())
        } else {
            clean.push(c)
        }
    }
    clean
}

/// Whether a character does something else than to be seen. Line feed and tab are not among them.
pub(super) fn is_harmful(c: char) -> bool {
    // U+2028..U+202E and U+2066..U+2069 break lines or turn the reading direction around.
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside for a place that has one line: line feeds and tabs become visible too.
pub(crate) fn one_line(text: &str) -> String {
    without_controls(text)
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

/// Stdout and stderr, and what they can show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    out: Paint,
    err: Paint,
    width: Option<usize>,
    shows_out: bool,
    /// Takes what is said on stderr, in place of stderr itself.
    aside: Option<&'static Writer>,
}

impl Screen {
    /// Looks at the terminal once.
    pub(crate) fn of_process(environment: &Environment) -> Self {
        let stdout = io::stdout();
        let width = stdout
            .is_terminal()
            .then(|| rustix::termios::tcgetwinsize(&stdout).ok())
            .flatten();
        Self {
            out: Paint::decide(stdout.is_terminal(), environment),
            err: Paint::decide(io::stderr().is_terminal(), environment),
            width: width
                .map(|size| usize::from(size.ws_col))
                .filter(|columns| *columns > 0),
            shows_out: stdout.is_terminal(),
            aside: None,
        }
    }

    /// The same screen, whose messages on stderr `writer` takes: saying something then never waits
    /// for whoever reads it.
    pub(crate) fn with_aside(self, writer: &'static Writer) -> Self {
        Self {
            aside: Some(writer),
            ..self
        }
    }

    /// Whether somebody sees stdout: it is a terminal, not a pipe or a file.
    pub(crate) fn shows_out(&self) -> bool {
        self.shows_out
    }

    /// Prints a warning to stderr, where it is not in the way of what a script reads.
    pub(crate) fn warn(&self, sentence: &str) {
        let label = self.err.text(Style::Warning, "warning:");
        self.err(&format!("{label} {}\n", one_line(sentence)));
    }

    /// How stdout is painted.
    pub(crate) fn out_paint(&self) -> Paint {
        self.out
    }

    /// How stderr is painted.
    pub(crate) fn err_paint(&self) -> Paint {
        self.err
    }

    /// Columns of the terminal; `None` if stdout is none, so that what is piped is never cut.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Prints help, the version or a mistake, and says how to leave.
    pub(crate) fn no_order(&self, no_order: &NoOrder) -> Exit {
        let text = |paint| {
            if paint == Paint::On {
                &no_order.coloured
            } else {
                &no_order.plain
            }
        };
        match no_order.exit {
            Exit::Fine => self.out(text(self.out)),
            Exit::Failed | Exit::Usage => self.err(text(self.err)),
        }
        no_order.exit
    }

    /// Prints an error to stderr, and says how to leave.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        self.err(&failure.text(self.err));
        failure.exit()
    }

    /// Writes to stdout. A reader that has gone (`yett routes | head`) is no error.
    pub(crate) fn out(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        // Nobody is left to tell that telling failed.
        let _ = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
    }

    /// Writes to stderr, or hands the text to whoever does.
    pub(crate) fn err(&self, text: &str) {
        match self.aside {
            Some(writer) => writer.write(text),
            None => {
                let _ = io::stderr().lock().write_all(text.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_and_nobody_against_it() {
        let decide = |is_terminal, pairs: &[(&str, &str)]| {
            Paint::decide(is_terminal, &Environment::of(pairs))
        };
        assert_eq!(decide(true, &[("TERM", "xterm")]), Paint::On);
        assert_eq!(decide(false, &[("TERM", "xterm")]), Paint::Off);
        assert_eq!(decide(true, &[("NO_COLOR", "1")]), Paint::Off);
        assert_eq!(decide(true, &[("NO_COLOR", "")]), Paint::On);
        assert_eq!(decide(true, &[("TERM", "dumb")]), Paint::Off);
    }

    #[test]
    fn padding_counts_the_text_and_not_the_colour() {
        assert_eq!(
            format!("[{:<4}]", Paint::Off.text(Style::Good, "ok")),
            "[ok  ]"
        );
        assert_eq!(
            format!("[{:<4}]", Paint::On.text(Style::Good, "ok")),
            "[\u{1b}[32mok  \u{1b}[0m]"
        );
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(
            without_controls("a\u{1b}[2Jb\r\n\tc\u{202e}d"),
            "a\\u{1b}[2Jb\\u{d}\n\tc\\u{202e}d"
        );
    }
}
