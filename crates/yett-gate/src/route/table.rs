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
use crate::request::Scheme;

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
    /// Like `Pieces`, but the project's own code may refuse what they match (a converter of its
    /// own), so only a path that they do not match is sure.
    Perhaps(Vec<String>),
    /// Must not be matched here; may match anything below its literal prefix.
    Opaque,
}

/// Who answers a request whose token is missing or bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardSettings {
    /// The edge, with these answers; for a kind without an answer, the application.
    Token(Box<SchemeAnswers>),
    /// The application.
    App,
}

/// The answers over either scheme: `SecurityMiddleware` adds headers over https alone, or redirects
/// what comes in clear text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchemeAnswers {
    /// To requests that the application sees as http. Without any, it decides over http.
    pub http: AnswerChoice,
    /// To requests that the application sees as https. Without any, it decides over https.
    pub https: AnswerChoice,
}

impl SchemeAnswers {
    /// The answers over one scheme.
    #[must_use]
    pub const fn over(&self, scheme: Scheme) -> &AnswerChoice {
        match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        }
    }

    /// All places that occur.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        self.http.places().chain(self.https.places())
    }
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
    on_match: OnMatch,
    name: RouteName,
    settings: UrlEntrySettings,
}

/// What follows when the pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnMatch {
    Reached,
    /// The project's own code may still refuse.
    Unsure,
}

impl Entry {
    fn new(settings: UrlEntrySettings) -> Self {
        let (pattern, on_match) = match &settings.pattern {
            UrlPattern::Pieces(pieces) => (Pattern::compile(pieces), OnMatch::Reached),
            UrlPattern::Perhaps(pieces) => (Pattern::compile(pieces), OnMatch::Unsure),
            UrlPattern::Opaque => (None, OnMatch::Unsure),
        };
        Self {
            pattern,
            on_match,
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

    /// Whether a path that gets here may still go on to later entries.
    pub(crate) const fn is_unsure(&self) -> bool {
        self.pattern.is_none() || matches!(self.on_match, OnMatch::Unsure)
    }

    /// Which paths of another entry this unsure one, standing earlier, may take.
    pub(crate) fn may_take(&self, other: &Self) -> Taken {
        let (ours, theirs) = (self.literal_prefix(), other.literal_prefix());
        match &self.pattern {
            _ if !self.is_unsure() => Taken::None,
            None if theirs.starts_with(ours) => Taken::All,
            None if ours.starts_with(theirs) && !other.is_literal() => Taken::Some,
            None => Taken::None,
            Some(pattern) if other.is_literal() => match pattern.matches(theirs) {
                Matching::No => Taken::None,
                Matching::Yes | Matching::Unsure => Taken::All,
            },
            Some(_) if ours.starts_with(theirs) || theirs.starts_with(ours) => Taken::Some,
            Some(_) => Taken::None,
        }
    }

    /// Whether only one path matches, which is then its literal prefix.
    fn is_literal(&self) -> bool {
        self.pattern.as_ref().is_some_and(Pattern::is_literal)
    }

    fn look_at(&self, path: &str) -> Matching {
        match (&self.pattern, self.on_match) {
            (None, _) => Matching::Unsure,
            (Some(pattern), OnMatch::Reached) => pattern.matches(path),
            (Some(pattern), OnMatch::Unsure) => match pattern.matches(path) {
                Matching::No => Matching::No,
                Matching::Yes | Matching::Unsure => Matching::Unsure,
            },
        }
    }

    fn literal_prefix(&self) -> &str {
        match &self.pattern {
            Some(pattern) => pattern.literal_prefix(),
            None => &self.settings.literal_prefix,
        }
    }
}

/// How many of an entry's paths an earlier, unsure one may take: as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    None,
    Some,
    All,
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
            match entry.look_at(path) {
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
