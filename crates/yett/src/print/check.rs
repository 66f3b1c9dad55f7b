//! What `yett check` says: one line per thing that was looked at, and an exit code.

use super::{
    Exit,
    screen::{Paint, Style, without_controls},
};
use std::fmt::Write as _;

/// How a thing that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// In order.
    Good,
    /// Works, but is probably not meant.
    Warning,
    /// Does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct CheckLine {
    /// How it is.
    pub(crate) mark: Mark,
    /// What it is: `configuration`, `python`, `app`, `tokens`.
    pub(crate) subject: String,
    /// A sentence. Further lines (a traceback) are indented.
    pub(crate) text: String,
}

/// Everything that was looked at, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct CheckReport {
    lines: Vec<CheckLine>,
}

impl CheckReport {
    /// Adds a thing that was looked at.
    pub(crate) fn add(&mut self, mark: Mark, subject: &str, text: impl Into<String>) {
        self.lines.push(CheckLine {
            mark,
            subject: subject.to_owned(),
            text: text.into(),
        });
    }

    /// 1 if something does not work.
    pub(crate) fn exit(&self) -> Exit {
        if self.count(Mark::Bad) > 0 {
            Exit::Failed
        } else {
            Exit::Fine
        }
    }

    /// The report, with a closing sentence.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        let width = self
            .lines
            .iter()
            .map(|line| line.subject.chars().count())
            .max()
            .unwrap_or(0);
        for line in &self.lines {
            let (style, mark) = match line.mark {
                Mark::Good => (Style::Good, "ok"),
                Mark::Warning => (Style::Warning, "warning"),
                Mark::Bad => (Style::Bad, "error"),
            };
            let sentence = without_controls(line.text.trim_end()).replace('\n', "\n    ");
            let _ = writeln!(
                text,
                "{:<7}  {:<width$}  {sentence}",
                paint.text(style, mark),
                line.subject
            );
        }
        let _ = writeln!(text, "{}", self.verdict());
        text
    }

    fn verdict(&self) -> String {
        let errors = counted(self.count(Mark::Bad), "error");
        let warnings = counted(self.count(Mark::Warning), "warning");
        match (errors, warnings) {
            (None, None) => "All in order.".to_owned(),
            (None, Some(warnings)) => format!("It would serve, with {warnings}."),
            (Some(errors), None) => format!("It would not serve: {errors}."),
            (Some(errors), Some(warnings)) => format!("It would not serve: {errors}, {warnings}."),
        }
    }

    fn count(&self, mark: Mark) -> usize {
        self.lines.iter().filter(|line| line.mark == mark).count()
    }
}

fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_in_order() {
        let mut report = CheckReport::default();
        report.add(Mark::Good, "configuration", "yett.toml");
        report.add(
            Mark::Good,
            "python",
            "3.13.0 at /srv/notes/.venv/bin/python",
        );
        assert_eq!(
            report.text(Paint::Off),
            "ok       configuration  yett.toml\n\
             ok       python         3.13.0 at /srv/notes/.venv/bin/python\n\
             All in order.\n"
        );
        assert_eq!(report.exit(), Exit::Fine);
    }

    #[test]
    fn a_project_that_does_not_import() {
        let mut report = CheckReport::default();
        report.add(Mark::Warning, "python", "3.9 is old");
        report.add(
            Mark::Bad,
            "app",
            "notes cannot be imported\nTraceback (most recent call last):\n  x\n",
        );
        assert_eq!(
            report.text(Paint::Off),
            "warning  python  3.9 is old\n\
             error    app     notes cannot be imported\n    Traceback (most recent call last):\n      x\n\
             It would not serve: 1 error, 1 warning.\n"
        );
        assert_eq!(report.exit(), Exit::Failed);
    }
}
