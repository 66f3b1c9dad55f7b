//! Settings that are a name or a choice: the app's name, the interface, the log, the interpreter
//! that was asked for.

use super::error::{Wrong, quoted};
use std::{fmt, num::NonZeroUsize, path::PathBuf};
use yett_edge::{Deflate, rules::Compression};

/// `module:callable` or `module`, checked to be dotted names as Python has them. Whether they
/// exist, Python says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppName {
    module: String,
    callable: Option<String>,
}

impl AppName {
    /// Reads an app's name.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let expected = "module:callable or module, such as notes_site.wsgi:application";
        let wrong = |why: &str| Wrong::new(format!("{} {why}", quoted(text)), expected);
        let (module, callable) = match text.split_once(':') {
            Some((module, callable)) => (module, Some(callable)),
            None => (text, None),
        };
        if text.contains('/') || module.ends_with(".py") {
            let dotted = module
                .trim_start_matches("./")
                .trim_end_matches(".py")
                .replace('/', ".");
            let wrong = wrong("is a file, not a module");
            return Err(if is_dotted(&dotted) {
                wrong.hint(format!("write {dotted}"))
            } else {
                wrong
            });
        }
        if !is_dotted(module) {
            return Err(wrong("is not a module's name"));
        }
        if callable.is_some_and(|callable| callable.contains('(')) {
            return Err(wrong("calls a factory")
                .hint("give the module a variable that holds the made app, and name that"));
        }
        if callable.is_some_and(|callable| !is_dotted(callable)) {
            return Err(wrong("does not name a callable after the colon"));
        }
        Ok(Self {
            module: module.to_owned(),
            callable: callable.map(str::to_owned),
        })
    }
}

/// The name as Python's side gets it.
impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.module)?;
        match &self.callable {
            Some(callable) => write!(f, ":{callable}"),
            None => Ok(()),
        }
    }
}

/// Names separated by dots. Python allows letters of every script (PEP 3131).
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Which calling convention the app has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Python looks at the callable and says.
    Auto,
    /// PEP 3333.
    Wsgi,
    /// ASGI 3.
    Asgi,
}

impl Interface {
    /// Reads `auto`, `wsgi` or `asgi`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "auto" => Ok(Self::Auto),
            "wsgi" => Ok(Self::Wsgi),
            "asgi" => Ok(Self::Asgi),
            _ => Err(Wrong::new(
                format!("{} is not an interface", quoted(text)),
                "auto, wsgi or asgi",
            )),
        }
    }

    /// The word that [`Interface::parse`] reads.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Wsgi => "wsgi",
            Self::Asgi => "asgi",
        }
    }
}

/// The event loop of ASGI workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventLoop {
    /// uvloop if the interpreter has it, asyncio's own otherwise.
    Auto,
    /// Of the standard library.
    Asyncio,
    /// Must be installed.
    Uvloop,
}

impl EventLoop {
    /// Reads `auto`, `asyncio` or `uvloop`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "auto" => Ok(Self::Auto),
            "asyncio" => Ok(Self::Asyncio),
            "uvloop" => Ok(Self::Uvloop),
            _ => Err(Wrong::new(
                format!("{} is not an event loop", quoted(text)),
                "auto, asyncio or uvloop",
            )),
        }
    }

    /// The word that [`EventLoop::parse`] reads.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Asyncio => "asyncio",
            Self::Uvloop => "uvloop",
        }
    }
}

/// Whether an ASGI app is told of its workers' start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifespan {
    /// If it knows how; one that does not is served without.
    Auto,
    /// It must know how.
    On,
    /// It is not told.
    Off,
}

impl Lifespan {
    /// Reads `auto` or a switch.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        match (text, switch(text)) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(true)) => Ok(Self::On),
            (_, Ok(false)) => Ok(Self::Off),
            (_, Err(_)) => Err(Wrong::new(
                format!("{} is none of them", quoted(text)),
                "auto, on or off",
            )),
        }
    }

    /// The word that [`Lifespan::parse`] reads.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// Threads of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// As suits the interface.
    Auto,
    /// So many.
    Count(NonZeroUsize),
}

impl Threads {
    /// What `auto` is for WSGI: requests that wait for something else hold up no others, and an app
    /// meets no more threads than `runserver` and `flask run` have shown it.
    pub(super) const OF_WSGI: usize = 4;

    /// Reads a number from 1 to 512, or `auto`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let wrong = |what: &str| {
            Wrong::new(
                format!("{} {what}", quoted(text)),
                "a whole number from 1 to 512, or auto",
            )
        };
        match text.parse::<NonZeroUsize>() {
            Ok(count) if count.get() <= 512 => Ok(Self::Count(count)),
            Ok(_) => Err(wrong("is out of range")),
            Err(_) if text == "0" => Err(wrong("is out of range")),
            Err(_) => Err(wrong("is not a whole number")),
        }
    }

    /// Requests that a worker of a WSGI app runs at once.
    pub(crate) const fn of_wsgi(self) -> usize {
        match self {
            Self::Auto => Self::OF_WSGI,
            Self::Count(count) => count.get(),
        }
    }

    /// Threads of the executor of an ASGI app's loop; `None`: as many as Python thinks fit.
    pub(crate) const fn of_executor(self) -> Option<usize> {
        match self {
            Self::Auto => None,
            Self::Count(count) => Some(count.get()),
        }
    }
}

/// Who imports the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preload {
    /// The zygote, once; workers are forked with it and share its memory.
    On,
    /// Each worker for itself, after it was forked.
    Off,
}

impl Preload {
    /// Reads a switch.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(if switch(text)? { Self::On } else { Self::Off })
    }
}

/// Whether WebSockets' messages are compressed.
pub(super) fn deflate(text: &str) -> Result<Deflate, Wrong> {
    Ok(if switch(text)? {
        Deflate::On
    } else {
        Deflate::Off
    })
}

/// On or off: the one reader of all switches, with the spellings that variables have in other programs.
pub(super) fn switch(text: &str) -> Result<bool, Wrong> {
    let is = |word: &&&str| text.eq_ignore_ascii_case(word);
    if ["on", "true", "yes", "1"].iter().any(|word| is(&word)) {
        return Ok(true);
    }
    if ["off", "false", "no", "0"].iter().any(|word| is(&word)) {
        return Ok(false);
    }
    Err(Wrong::new(
        format!("{} is neither", quoted(text)),
        "on or off",
    ))
}

/// Whether the app's answers are compressed: a switch or `danger_always`.
pub(super) fn compression(text: &str) -> Result<Compression, Wrong> {
    match (text, switch(text)) {
        ("danger_always", _) => Ok(Compression::DangerAlways),
        (_, Ok(true)) => Ok(Compression::On),
        (_, Ok(false)) => Ok(Compression::Off),
        (_, Err(_)) => Err(Wrong::new(
            format!("there is no compression {}", quoted(text)),
            "on, off or danger_always",
        )),
    }
}

/// Whether the app's code is loaded anew when it changes: for development alone, as clients are then
/// shown why code does not load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reload {
    /// Only when it is ordered.
    Off,
    /// The system tells of changes; where it cannot, the files are looked at again and again.
    On,
    /// The files are looked at again and again.
    Poll,
}

impl Reload {
    /// Reads a switch or `poll`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        match (text, switch(text)) {
            ("poll", _) => Ok(Self::Poll),
            (_, Ok(true)) => Ok(Self::On),
            (_, Ok(false)) => Ok(Self::Off),
            (_, Err(_)) => Err(Wrong::new(
                format!("{} is none of them", quoted(text)),
                "on, off or poll",
            )),
        }
    }
}

/// The interpreter that somebody asked for; `discover` finds out whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PythonWish {
    /// A name without a slash, to be looked up in `PATH`.
    Name(String),
    /// An absolute path. Not resolved: a virtual environment's `python` is a symlink that must stay
    /// one.
    Path(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    #[test]
    fn app_names_are_dotted_names() {
        let check = |text: &str| assert_eq!(AppName::parse(text).unwrap().to_string(), text);
        check("app");
        check("notes_site.wsgi:application");
        check("пакет.модуль:app.inner");
    }

    #[test]
    fn what_is_no_app_name_is_refused_with_a_hint() {
        let expected = ": expected module:callable or module, such as notes_site.wsgi:application";
        let check = |text: &str, wrong: &str, hint: &str| {
            let error = AppName::parse(text)
                .unwrap_err()
                .at(Place::Flag("APP"))
                .to_string();
            let hint = if hint.is_empty() {
                String::new()
            } else {
                format!("\n  hint: {hint}")
            };
            assert_eq!(error, format!("APP: {text:?} {wrong}{expected}{hint}"));
        };
        check("app.py", "is a file, not a module", "write app");
        check(
            "./site/wsgi.py",
            "is a file, not a module",
            "write site.wsgi",
        );
        check("/srv/app.py", "is a file, not a module", "");
        check("", "is not a module's name", "");
        check("a..b", "is not a module's name", "");
        check("-x", "is not a module's name", "");
        check("app:", "does not name a callable after the colon", "");
        check("app:1", "does not name a callable after the colon", "");
        check(
            "app:make()",
            "calls a factory",
            "give the module a variable that holds the made app, and name that",
        );
    }

    #[test]
    fn every_switch_reads_the_same_words() {
        let words = ["on", "off", "true", "false", "yes", "no", "1", "0"];
        for (place, word) in words.iter().enumerate() {
            for word in [(*word).to_owned(), word.to_uppercase()] {
                let on = place % 2 == 0;
                assert_eq!(switch(&word), Ok(on), "{word}");
                let read = |word: &str| {
                    (
                        Reload::parse(word).unwrap() == Reload::On,
                        Lifespan::parse(word).unwrap() == Lifespan::On,
                        Preload::parse(word).unwrap() == Preload::On,
                        compression(word).unwrap() == Compression::On,
                    )
                };
                assert_eq!(read(&word), (on, on, on, on), "{word}");
            }
        }
        for word in ["", "on ", "oui", "2", "enabled"] {
            let wrong = switch(word).unwrap_err().at(Place::Default).to_string();
            assert_eq!(
                wrong,
                format!("default: {word:?} is neither: expected on or off")
            );
        }
    }
}
