//! What the configuration says of single routes of the application: `[[route]]` without files.
//!
//! A rule holds for its path and all below it; of several the longest counts, setting by setting.
//! Rules never decide who may pass: that is the gate's.

/// Whether answers of the application are compressed; a route may say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// For clients that take it, unless a page of another site could have asked with the user's
    /// own credentials: then the size of the answer must tell nothing of it (BREACH).
    #[default]
    On,
    /// Never: for answers that hold a secret beside something that a client chose.
    Off,
    /// For clients that take it, whoever asks: for answers that hold no secret.
    DangerAlways,
}

/// What one `[[route]]` says; `None`: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteRule {
    /// Canonical path that begins with a slash. One that ends with a slash covers everything below
    /// it; another covers itself and what follows behind a slash.
    pub path: String,
    /// Bytes of a request's body.
    pub max_body: Option<u64>,
    /// Whether answers may be compressed.
    pub compression: Option<Compression>,
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteRules {
    /// The longest path first.
    rules: Vec<RouteRule>,
}

impl RouteRules {
    /// Takes rules in any order.
    #[must_use]
    pub fn new(mut rules: Vec<RouteRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.path.len()));
        Self { rules }
    }

    /// The rules, the longest path first.
    pub fn iter(&self) -> impl Iterator<Item = &RouteRule> {
        self.rules.iter()
    }

    /// The body limit of a canonical path, if a rule says one.
    #[must_use]
    pub fn max_body(&self, path: &[u8]) -> Option<u64> {
        self.of(path).find_map(|rule| rule.max_body)
    }

    /// Whether answers of a canonical path may be compressed, if a rule says so.
    #[must_use]
    pub fn compression(&self, path: &[u8]) -> Option<Compression> {
        self.of(path).find_map(|rule| rule.compression)
    }

    fn of(&self, path: &[u8]) -> impl Iterator<Item = &RouteRule> {
        self.rules.iter().filter(move |rule| rule.covers(path))
    }
}

impl RouteRule {
    fn covers(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.path.as_bytes()).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(b"/") || self.path.ends_with('/')
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, max_body: Option<u64>, compression: Option<Compression>) -> RouteRule {
        RouteRule {
            path: path.to_owned(),
            max_body,
            compression,
        }
    }

    #[test]
    fn longest_path_that_says_something_counts() {
        let rules = RouteRules::new(vec![
            rule("/api/", Some(10), Some(Compression::Off)),
            rule("/api/uploads", Some(1000), None),
        ]);
        assert_eq!(rules.max_body(b"/api/x"), Some(10));
        assert_eq!(rules.max_body(b"/api/uploads"), Some(1000));
        assert_eq!(rules.max_body(b"/api/uploads/1"), Some(1000));
        assert_eq!(rules.max_body(b"/api/uploadsx"), Some(10));
        assert_eq!(rules.compression(b"/api/uploads/1"), Some(Compression::Off));
        assert_eq!(rules.max_body(b"/api"), None);
        assert_eq!(rules.max_body(b"/"), None);
    }
}
