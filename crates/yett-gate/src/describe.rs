//! The gate for people: every route in match order, and what becomes of one path.
//!
//! Tells what the gate does, not what the settings wished for: a guard that cannot take effect
//! (no rules for tokens, an opaque pattern before it) is shown as the application's.

use std::fmt;

use http::{Method, Uri};

use crate::gate::Gate;
use crate::request::{BadRequest, Target};
use crate::route::{Entry, GuardSettings, Lookup};

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
    /// Who guards it, in effect.
    pub guard: RouteGuard,
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
        let mut opaque: Vec<&Entry> = Vec::new();
        let mut routes: Vec<RouteInfo> = mounts.collect();
        for entry in self.table.iter() {
            if entry.is_opaque() {
                opaque.push(entry);
            }
            let taken_by = opaque
                .iter()
                .copied()
                .find(|earlier| earlier.may_take(entry));
            routes.push(self.entry_info(entry, taken_by));
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
                Lookup::Found(entry) => self.entry_info(entry, None),
                Lookup::Uncertain(entry) => self.entry_info(entry, Some(entry)),
                Lookup::NotFound => return unknown(canonical, "no URL pattern matches"),
                Lookup::NotText => return unknown(canonical, "the path is not a path of text"),
            }
        };
        Explanation::Route {
            target: canonical,
            route,
        }
    }

    /// Describes an entry; `taken_by` is an entry that may take its paths before it.
    fn entry_info(&self, entry: &Entry, taken_by: Option<&Entry>) -> RouteInfo {
        let settings = entry.settings();
        let (guard, why) = match (&settings.guard, taken_by) {
            (GuardSettings::App, _) => (RouteGuard::App, settings.why.clone()),
            (GuardSettings::Token(_), Some(earlier)) => (
                RouteGuard::App,
                format!("the edge cannot tell which paths {} takes", earlier.name()),
            ),
            (GuardSettings::Token(_), None) if self.token_rules.is_none() => (
                RouteGuard::App,
                "the edge has no rules for tokens".to_owned(),
            ),
            (GuardSettings::Token(_), None) => (RouteGuard::Token, settings.why.clone()),
        };
        RouteInfo {
            methods: settings.methods.clone(),
            path: entry.name().as_str().to_owned(),
            name: settings.name.clone(),
            view: settings.view.clone(),
            authentication: settings.authentication.clone(),
            permission: settings.permission.clone(),
            guard,
            why,
        }
    }
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
        why: "files of a mount are for everyone".to_owned(),
    }
}

const fn unknown(target: String, why: &'static str) -> Explanation {
    Explanation::Unknown { target, why }
}

#[cfg(test)]
mod tests;
