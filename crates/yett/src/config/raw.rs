//! Step one: raw words. What was said and where, before anybody asks what it means.

use super::{ConfigError, Environment, Key, key};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Where a word stands, so that an error can point at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A flag such as `--workers`, or the name of a positional argument.
    Flag(&'static str),
    /// The environment variable of a setting.
    Variable(Key),
    /// A position in the configuration file; line and column count from 1, the column in
    /// characters.
    File {
        /// The file as the user would name it.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The configuration file as a whole.
    WholeFile(Arc<str>),
    /// The table of defaults.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Variable(key) => f.write_str(&key.row().variable()),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::WholeFile(file) => f.write_str(file),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The word, untouched.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) place: Place,
}

impl Said {
    /// A word from a place.
    pub(crate) fn new(text: impl Into<String>, place: Place) -> Self {
        Self {
            text: text.into(),
            place,
        }
    }
}

/// A static mount from the file, where URL and folder stand in two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawMount {
    /// The `path` of the route; `None` if it was so wrong that it is no word.
    pub(crate) url: Option<Said>,
    /// The `files` of the route; `None` as above.
    pub(crate) folder: Option<Said>,
    /// Its `index`, if it says one.
    pub(crate) index: Option<Said>,
    /// Its `fallback`, if it says one.
    pub(crate) fallback: Option<Said>,
}

/// What the file says of single routes of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRule {
    /// The `path`; `None` if it was so wrong that it is no word.
    pub(crate) path: Option<Said>,
    /// The `max_body`.
    pub(crate) max_body: Option<Said>,
    /// The `compress`, as on, off or danger_always.
    pub(crate) compress: Option<Said>,
}

/// A listener of the file, or one that a flag or a variable names, which say only where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawListener {
    /// The `bind`.
    pub(crate) bind: Said,
    /// Its `tls`, as on or off.
    pub(crate) tls: Option<Said>,
    /// Its `proxy_protocol`, as on or off.
    pub(crate) proxy_protocol: Option<Said>,
    /// Its `socket_mode`.
    pub(crate) socket_mode: Option<Said>,
    /// Its `socket_owner`.
    pub(crate) socket_owner: Option<Said>,
}

/// All words of one source, or of several laid over each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RawServe {
    /// One word for a single value, several for a list.
    words: BTreeMap<Key, Vec<Said>>,
    /// Static mounts of the file. Used only if nobody said [`Key::Static`].
    mounts: Vec<RawMount>,
    /// Listeners of the file. Used only if nobody said [`Key::Bind`].
    listeners: Vec<RawListener>,
    /// Rules of the file for routes of the app.
    rules: Vec<RawRule>,
}

impl RawServe {
    /// Adds a word. A list grows; a single value keeps the last word.
    pub(crate) fn say(&mut self, key: Key, said: Said) {
        let words = self.words.entry(key).or_default();
        if !key.is_list() {
            words.clear();
        }
        words.push(said);
    }

    /// Adds a static mount of the file.
    pub(crate) fn mount(&mut self, mount: RawMount) {
        self.mounts.push(mount);
    }

    /// Adds a listener of the file.
    pub(crate) fn listen(&mut self, listener: RawListener) {
        self.listeners.push(listener);
    }

    /// Where to listen: as flags or variables say, or else the file, or else the table of defaults.
    pub(crate) fn listeners(&self) -> Vec<RawListener> {
        let only = |bind| RawListener {
            bind,
            tls: None,
            proxy_protocol: None,
            socket_mode: None,
            socket_owner: None,
        };
        match (self.list(Key::Bind), self.listeners.as_slice()) {
            ([], []) => {
                let default = Key::Bind.row().default.unwrap_or_default();
                vec![only(Said::new(default, Place::Default))]
            }
            ([], listeners) => listeners.to_vec(),
            (binds, _) => binds.iter().cloned().map(only).collect(),
        }
    }

    /// Adds a rule of the file for a route of the app.
    pub(crate) fn rule(&mut self, rule: RawRule) {
        self.rules.push(rule);
    }

    /// The rules of the file for routes of the app.
    pub(crate) fn rules(&self) -> &[RawRule] {
        &self.rules
    }

    /// The word for a single value.
    pub(crate) fn one(&self, key: Key) -> Option<&Said> {
        self.words.get(&key).and_then(|words| words.last())
    }

    /// All words of a list, in order.
    pub(crate) fn list(&self, key: Key) -> &[Said] {
        self.words.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The static mounts of the file.
    pub(crate) fn mounts(&self) -> &[RawMount] {
        &self.mounts
    }

    /// Lays `self`, which flags or variables said, over `lower`: whatever is said here wins, and a list
    /// replaces the other list whole.
    #[must_use]
    pub(crate) fn over(self, lower: Self) -> Self {
        let mut words = lower.words;
        words.extend(self.words);
        Self {
            words,
            // Neither flags nor variables have any of these.
            mounts: lower.mounts,
            listeners: lower.listeners,
            rules: lower.rules,
        }
    }

    /// The words of the flags: pairs of key and word, in the order of the command line.
    pub(crate) fn from_flags(flags: impl IntoIterator<Item = (Key, String)>) -> Self {
        let mut raw = Self::default();
        for (key, text) in flags {
            raw.say(key, Said::new(text, Place::Flag(key.row().flag)));
        }
        raw
    }

    /// The words of the `YETT_…` variables. An empty variable counts as unset, as container
    /// platforms write it. Lists are separated by commas. A word that is no UTF-8 is an error,
    /// because workers get their settings as JSON.
    pub(crate) fn from_environment(environment: &Environment) -> (Self, Vec<ConfigError>) {
        let mut raw = Self::default();
        let mut errors = Vec::new();
        for row in &key::TABLE {
            let place = Place::Variable(row.key);
            let text = match environment.text(&row.variable()) {
                Ok(None) => continue,
                Ok(Some(text)) => text,
                Err(_) => {
                    errors.push(
                        ConfigError::new(place, "the value is not UTF-8").expected("UTF-8 text"),
                    );
                    continue;
                }
            };
            if row.key.is_list() {
                for part in text
                    .split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                {
                    raw.say(row.key, Said::new(part, place.clone()));
                }
            } else {
                raw.say(row.key, Said::new(text, place));
            }
        }
        (raw, errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> RawServe {
        let (raw, errors) = RawServe::from_environment(&Environment::of(pairs));
        assert_eq!(errors, []);
        raw
    }

    #[test]
    fn a_list_from_a_flag_replaces_the_list_of_the_environment() {
        let flags =
            RawServe::from_flags([(Key::Bind, "a:1".to_owned()), (Key::Bind, "b:2".to_owned())]);
        let raw = flags.over(environment(&[
            ("YETT_BIND", "c:3,d:4"),
            ("YETT_WORKERS", "2"),
        ]));
        let binds: Vec<_> = raw
            .list(Key::Bind)
            .iter()
            .map(|said| said.text.as_str())
            .collect();
        assert_eq!(binds, ["a:1", "b:2"]);
        assert_eq!(
            raw.one(Key::Workers),
            Some(&Said::new("2", Place::Variable(Key::Workers)))
        );
    }

    #[test]
    fn commas_separate_a_list_and_an_empty_variable_says_nothing() {
        let raw = environment(&[("YETT_BIND", " a:1, ,b:2,"), ("YETT_APP", "")]);
        let binds: Vec<_> = raw
            .list(Key::Bind)
            .iter()
            .map(|said| said.text.as_str())
            .collect();
        assert_eq!(binds, ["a:1", "b:2"]);
        assert_eq!(raw.one(Key::App), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_utf8_is_named_and_its_value_is_not() {
        use std::os::unix::ffi::OsStringExt as _;
        let value = std::ffi::OsString::from_vec(vec![b'k', 0xff]);
        let environment = Environment::from_iter([("YETT_CHDIR".into(), value)]);
        let (_, errors) = RawServe::from_environment(&environment);
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["YETT_CHDIR: the value is not UTF-8: expected UTF-8 text"]
        );
    }
}
