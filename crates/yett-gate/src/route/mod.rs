//! Stage "route": which part of the server a canonical target belongs to.
//!
//! Two tables, both over decoded paths: [`Mounts`] by prefix, for files; and [`UrlTable`], Django's
//! own URL patterns in Django's own order. The second never decides where a request goes (it goes
//! to the application), only what is known about the view that it will reach.

mod dialect;
mod mounts;
mod pattern;
mod table;

use std::fmt;
use std::sync::Arc;

pub(crate) use mounts::Mounts;
pub use mounts::{MountSettings, Rest};
pub use table::{AnswerChoice, GuardSettings, SchemeAnswers, UrlEntrySettings, UrlPattern};
pub(crate) use table::{Entry, Lookup, Taken, UrlTable};

/// The name of a route in logs and metrics: one per mount and per URL pattern, plus
/// [`RouteName::app`], so a client cannot make up new ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RouteName(Arc<str>);

impl RouteName {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The name for what goes to the application without a known pattern.
    #[must_use]
    pub fn app() -> Self {
        Self::new("app")
    }

    /// The name, for example `/static/` or `/api/notes/<int:pk>/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which service answers an admitted request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// The Python application.
    App,
    /// Files below a mount.
    Files {
        /// Which mount: its place in [`GateSettings::mounts`](crate::GateSettings::mounts).
        mount: MountId,
        /// The path below the mount.
        rest: Rest,
    },
}

/// A mount, by its place in [`GateSettings::mounts`](crate::GateSettings::mounts), from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountId(usize);

impl MountId {
    pub(crate) const fn new(place: usize) -> Self {
        Self(place)
    }

    /// The place in the settings.
    #[must_use]
    pub const fn place(self) -> usize {
        self.0
    }
}
