//! The environment variables of the process, read once at the start and passed on, so that nothing
//! below reads them behind the caller's back and a test can make its own.
//!
//! It never prints a value: variables hold secrets.

use super::{key, nearest::nearest};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
};

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

/// A variable's value is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is not UTF-8")]
pub(crate) struct NotUtf8;

impl Environment {
    /// The variables of this process.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// A variable's value; an empty one counts as unset.
    pub(crate) fn value(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable's value as text; an empty one counts as unset.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, NotUtf8> {
        self.value(name)
            .map(|value| value.to_str().ok_or(NotUtf8))
            .transpose()
    }

    /// Sentences about `YETT_…` variables that look like a misspelt setting.
    ///
    /// Not an error: in Kubernetes a Service that is called `yett` adds variables such as
    /// `YETT_SERVICE_HOST` to every pod, so only a name that is close to a setting is worth a word.
    pub(crate) fn misspelt(&self) -> Vec<String> {
        let known: Vec<String> = key::TABLE.iter().map(key::Row::variable).collect();
        let names = self
            .0
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| name.starts_with("YETT_"));
        names
            .filter(|name| !known.iter().any(|variable| variable == name))
            .filter_map(|name| {
                let variable = nearest(name, known.iter().map(String::as_str))?;
                Some(format!(
                    "the variable {name} means nothing to yett; did you mean {variable}?"
                ))
            })
            .collect()
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_pointed_out_and_a_variable_of_kubernetes_is_not() {
        let environment = Environment::of(&[
            ("YETT_WROKERS", "4"),
            ("YETT_SERVICE_HOST", "10.0.0.1"),
            ("YETT_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
            ("YETT_BIND", "x"),
            ("SECRET_KEY", "s"),
        ]);
        assert_eq!(
            environment.misspelt(),
            ["the variable YETT_WROKERS means nothing to yett; did you mean YETT_WORKERS?"]
        );
    }

    #[test]
    fn debug_prints_names_and_no_values() {
        let environment = Environment::of(&[("SECRET_KEY", "hunter2")]);
        assert_eq!(format!("{environment:?}"), r#"{"SECRET_KEY"}"#);
    }
}
