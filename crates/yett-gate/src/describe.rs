//! The gate for people: every route in match order, and what becomes of one path.
//!
//! Tells what the gate does, not what the settings wished for: a guard that cannot take effect
//! (no rules for tokens, an opaque pattern before it) is shown as the application's.

use std::fmt;

use http::{Method, Uri};

use crate::gate::Gate;
use crate::request::{BadRequest, Scheme, Target};
use crate::route::{AnswerChoice, Entry, GuardSettings, Lookup, SchemeAnswers, Taken};

/// One line of `yett routes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The methods; empty: any.
    pub methods: Vec<Method>,
    /// The path with its placeholders, for example `/api/notes/<int:pk>/` or `/static/`.
    pub path: String,
    /// Django's name of the pattern.
    pub name: Option<String>,
    /// The view's dotted name, or `files`.
    pub view: String,
    /// The view's authentication; empty: none known.
    pub authentication: String,
    /// The view's permission; empty: none known.
    pub permission: String,
    /// Who guards it, in effect: who answers a bad token.
    pub guard: RouteGuard,
    /// Who answers a request without a token.
    pub missing: RouteGuard,
    /// The schemes over which the edge answers; empty where it does not.
    pub schemes: Vec<Scheme>,
    /// One sentence: why.
    pub why: String,
}

/// Who guards a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteGuard {
    /// Nobody: its configuration declares it open.
    Open,
    /// The edge, which answers requests without a good token.
    Token,
    /// The application, for every request.
    App,
}

impl fmt::Display for RouteGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Token => "token",
            Self::App => "app",
        })
    }
}

/// What becomes of one request line. `Display` is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// The text is no request target.
    NotATarget,
    /// Refused before any route.
    Refused(BadRequest),
    /// A route takes it.
    Route {
        /// The canonical target.
        target: String,
        /// The route; for an uncertain path the pattern that makes it so.
        route: RouteInfo,
    },
    /// The application gets it, and no pattern is known for it.
    Unknown {
        /// The canonical target.
        target: String,
        /// One sentence: why.
        why: &'static str,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATarget => f.write_str("refused: this is no request target"),
            Self::Refused(bad) => write!(f, "refused with {}: {bad}", bad.status().as_u16()),
            Self::Route { target, route } => write!(
                f,
                "{target} goes to {} ({}), guard {}: {}",
                route.path, route.view, route.guard, route.why
            ),
            Self::Unknown { target, why } => write!(f, "{target} goes to the app: {why}"),
        }
    }
}

impl Gate {
    /// Every route in match order: mounts first, longest prefix first, then the URL patterns.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteInfo> {
        let mounts = self
            .mounts
            .iter()
            .map(|mount| mount_info(mount.name().as_str()));
        let mut unsure: Vec<&Entry> = Vec::new();
        let mut routes: Vec<RouteInfo> = mounts.collect();
        for entry in self.table.iter() {
            if entry.is_unsure() {
                unsure.push(entry);
            }
            let taking = |how_many| {
                unsure
                    .iter()
                    .copied()
                    .find(|earlier| earlier.may_take(entry) == how_many)
            };
            let taken = if entry.is_unsure() {
                Before::TakesAll(entry)
            } else if let Some(earlier) = taking(Taken::All) {
                Before::TakesAll(earlier)
            } else if let Some(earlier) = taking(Taken::Some) {
                Before::TakesSome(earlier)
            } else {
                Before::Nothing
            };
            routes.push(self.entry_info(entry, &taken));
        }
        routes
    }

    /// What becomes of a request to this path, spelled as a client would send it.
    #[must_use]
    pub fn explain(&self, method: &Method, path: &str) -> Explanation {
        let Ok(uri) = path.parse::<Uri>() else {
            return Explanation::NotATarget;
        };
        let target = match Target::parse(method, &uri) {
            Ok(target) => target,
            Err(bad) => return Explanation::Refused(bad),
        };
        let canonical = target.uri().to_owned();
        let route = if let Some((mount, _)) = self.mounts.find(target.path()) {
            mount_info(mount.name().as_str())
        } else {
            match self.table.look_up(target.path_str()) {
                Lookup::Found(entry) => self.entry_info(entry, &Before::Nothing),
                Lookup::Uncertain(entry) => self.entry_info(entry, &Before::TakesAll(entry)),
                Lookup::NotFound => return unknown(canonical, "no URL pattern matches"),
                Lookup::NotText => return unknown(canonical, "the path is not a path of text"),
            }
        };
        Explanation::Route {
            target: canonical,
            route,
        }
    }

    /// Describes an entry; `before` is what may take its paths before it.
    fn entry_info(&self, entry: &Entry, before: &Before<'_>) -> RouteInfo {
        let settings = entry.settings();
        let (answers, why) = match (&settings.guard, before) {
            (GuardSettings::App, _) => (None, settings.why.clone()),
            (GuardSettings::Token(_), Before::TakesAll(earlier)) => (
                None,
                format!("the edge cannot tell which paths {} takes", earlier.name()),
            ),
            (GuardSettings::Token(_), _) if self.token_rules.is_none() => {
                (None, "the edge has no rules for tokens".to_owned())
            }
            (GuardSettings::Token(answers), Before::TakesSome(earlier)) => (
                Some(answers),
                format!(
                    "{}; not where {} may take the path",
                    settings.why,
                    earlier.name()
                ),
            ),
            (GuardSettings::Token(answers), Before::Nothing) => {
                (Some(answers), settings.why.clone())
            }
        };
        let schemes = answers.map(|answers| schemes(answers)).unwrap_or_default();
        let guard_of = |answered: bool| match answered {
            true => RouteGuard::Token,
            false => RouteGuard::App,
        };
        let missing = answers.is_some_and(|answers| {
            answers.http.missing.is_some() || answers.https.missing.is_some()
        });
        RouteInfo {
            methods: settings.methods.clone(),
            path: entry.name().as_str().to_owned(),
            name: settings.name.clone(),
            view: settings.view.clone(),
            authentication: settings.authentication.clone(),
            permission: settings.permission.clone(),
            guard: guard_of(!schemes.is_empty()),
            missing: guard_of(missing),
            schemes,
            why,
        }
    }
}

/// What stands before an entry, and may take its paths.
enum Before<'a> {
    Nothing,
    TakesSome(&'a Entry),
    TakesAll(&'a Entry),
}

/// The schemes over which there is any answer.
fn schemes(answers: &SchemeAnswers) -> Vec<Scheme> {
    [Scheme::Http, Scheme::Https]
        .into_iter()
        .filter(|scheme| *answers.over(*scheme) != AnswerChoice::default())
        .collect()
}

fn mount_info(prefix: &str) -> RouteInfo {
    RouteInfo {
        methods: vec![Method::GET, Method::HEAD],
        path: prefix.to_owned(),
        name: None,
        view: "files".to_owned(),
        authentication: String::new(),
        permission: String::new(),
        guard: RouteGuard::Open,
        missing: RouteGuard::Open,
        schemes: Vec::new(),
        why: "files of a mount are for everyone".to_owned(),
    }
}

const fn unknown(target: String, why: &'static str) -> Explanation {
    Explanation::Unknown { target, why }
}

#[cfg(test)]
mod tests;
