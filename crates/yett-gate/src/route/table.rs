//! Django's URL table: which view a path will reach, as far as that can be known.
//!
//! Entries stand in Django's order and the first that matches decides. An opaque entry may match
//! anything below its literal prefix, so a path that gets there is uncertain, also for all later
//! entries. Uncertain never means refused: the application decides.
//!
//! A table of a thousand entries costs as little as one of ten: an entry is looked at only when
//! the path begins with its literal prefix.

use std::collections::HashMap;

use http::Method;

use super::RouteName;
use super::pattern::{Matching, Pattern};

/// One URL pattern of the project and what is known about its view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlEntrySettings {
    /// How to match it.
    pub pattern: UrlPattern,
    /// The longest literal start of the path, without the leading slash. Matters for an opaque
    /// pattern alone.
    pub literal_prefix: String,
    /// The pattern for people, for example `api/notes/<int:pk>/`.
    pub route: String,
    /// Django's name of the pattern.
    pub name: Option<String>,
    /// The view's dotted name.
    pub view: String,
    /// The methods that the view has. Empty: not known, so every method may be answered.
    pub methods: Vec<Method>,
    /// The view's authentication classes, for people.
    pub authentication: String,
    /// The view's permission classes, for people.
    pub permission: String,
    /// Who guards the view.
    pub guard: GuardSettings,
    /// One sentence for people: why the edge answers, or why the application decides.
    pub why: String,
}

/// How a URL pattern is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlPattern {
    /// Python regular expressions, outermost first, each matched at the start of what the one
    /// before it left over.
    Pieces(Vec<String>),
    /// Must not be matched here; may match anything below its literal prefix.
    Opaque,
}

/// Who answers a request whose token is missing or bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardSettings {
    /// The edge, with these answers; for a kind without an answer, the application.
    Token(AnswerChoice),
    /// The application.
    App,
}

/// For each kind of bad credential, the place of its answer in
/// [`AppGuardSettings::answers`](crate::AppGuardSettings::answers).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "each field is the kind of bad credential that it names"
)]
pub struct AnswerChoice {
    pub missing: Option<usize>,
    pub malformed: Option<usize>,
    pub invalid: Option<usize>,
    pub expired: Option<usize>,
    pub wrong_type: Option<usize>,
    pub no_type: Option<usize>,
    pub no_id: Option<usize>,
    pub no_exp: Option<usize>,
}

/// A URL pattern, ready to match.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `None`: opaque, by the settings or because Rust could mean something else by it.
    pattern: Option<Pattern>,
    name: RouteName,
    settings: UrlEntrySettings,
}

impl Entry {
    fn new(settings: UrlEntrySettings) -> Self {
        let pattern = match &settings.pattern {
            UrlPattern::Pieces(pieces) => Pattern::compile(pieces),
            UrlPattern::Opaque => None,
        };
        Self {
            pattern,
            name: RouteName::new(&format!("/{}", settings.route)),
            settings,
        }
    }

    pub(crate) const fn name(&self) -> &RouteName {
        &self.name
    }

    pub(crate) const fn settings(&self) -> &UrlEntrySettings {
        &self.settings
    }

    pub(crate) const fn is_opaque(&self) -> bool {
        self.pattern.is_none()
    }

    /// Whether this opaque entry, standing earlier, may take all paths of another.
    pub(crate) fn may_take(&self, other: &Self) -> bool {
        self.is_opaque() && other.literal_prefix().starts_with(self.literal_prefix())
    }

    fn literal_prefix(&self) -> &str {
        match &self.pattern {
            Some(pattern) => pattern.literal_prefix(),
            None => &self.settings.literal_prefix,
        }
    }
}

/// What the table knows about a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// Django reaches this entry.
    Found(&'a Entry),
    /// No entry matches: the application answers 404, or redirects.
    NotFound,
    /// Django could reach this entry or a later one.
    Uncertain(&'a Entry),
    /// The path is not text, or not a path.
    NotText,
}

/// The entries in order, found by literal prefix.
#[derive(Debug, Default)]
pub(crate) struct UrlTable {
    entries: Vec<Entry>,
    /// Places of the entries that have a literal prefix, in order.
    by_prefix: HashMap<Box<str>, Vec<usize>>,
    /// The lengths that those prefixes have, ascending.
    prefix_lengths: Vec<usize>,
}

impl UrlTable {
    pub(crate) fn new(settings: Vec<UrlEntrySettings>) -> Self {
        let mut table = Self {
            entries: settings.into_iter().map(Entry::new).collect(),
            ..Self::default()
        };
        for (place, entry) in table.entries.iter().enumerate() {
            let prefix = entry.literal_prefix();
            table.prefix_lengths.push(prefix.len());
            table
                .by_prefix
                .entry(prefix.into())
                .or_default()
                .push(place);
        }
        table.prefix_lengths.sort_unstable();
        table.prefix_lengths.dedup();
        table
    }

    /// Looks up a decoded path with its leading slash.
    pub(crate) fn look_up(&self, path: Option<&str>) -> Lookup<'_> {
        let Some(path) = path.and_then(|path| path.strip_prefix('/')) else {
            return Lookup::NotText;
        };
        for entry in self.candidates(path) {
            let matching = match &entry.pattern {
                Some(pattern) => pattern.matches(path),
                None => Matching::Unsure,
            };
            match matching {
                Matching::Yes => return Lookup::Found(entry),
                Matching::Unsure => return Lookup::Uncertain(entry),
                Matching::No => {}
            }
        }
        Lookup::NotFound
    }

    /// In match order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entries whose literal prefix the path begins with, in match order.
    fn candidates(&self, path: &str) -> impl Iterator<Item = &Entry> {
        let mut places: Vec<usize> = self
            .prefix_lengths
            .iter()
            .take_while(|length| **length <= path.len())
            // `None` in the middle of a character, where no prefix can end.
            .filter_map(|length| self.by_prefix.get(path.get(..*length)?))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places
            .into_iter()
            .filter_map(|place| self.entries.get(place))
    }
}

#[cfg(test)]
mod tests;
