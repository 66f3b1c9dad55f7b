//! Where the records of an edge are closed: the one place from which log and metrics learn of a
//! request, so that what the one says and what the other counts cannot differ.

use std::sync::Arc;
use std::time::Duration;

use super::access::AccessLog;
use super::record::Fields;
use super::troubles::{Troubles, Warning};
use super::words::WordSet;
use crate::meters::{Limit, Meters};
use crate::settings::EdgeSettings;

/// What hears of every request that is over.
#[derive(Debug)]
pub(crate) struct Journal {
    access: Arc<AccessLog>,
    words: WordSet,
    troubles: Option<Arc<Troubles>>,
    slow: Option<Duration>,
    meters: Arc<Meters>,
}

impl Journal {
    pub(crate) fn new(
        access: Arc<AccessLog>,
        meters: Arc<Meters>,
        settings: &EdgeSettings,
    ) -> Self {
        Self {
            words: access.words(),
            access,
            troubles: settings.troubles.clone(),
            slow: settings.slow_request,
            meters,
        }
    }

    /// Which pieces of what a client said are shown anywhere.
    pub(super) const fn words(&self) -> WordSet {
        self.words
    }

    /// A request met this limit.
    pub(crate) fn met(&self, limit: Limit) {
        self.meters.met(limit);
    }

    /// Something is wrong, though no request has failed of it.
    pub(crate) fn tell(&self, what: &str) {
        if let Some(troubles) = &self.troubles {
            troubles.tell(what);
        }
    }

    /// Something is wrong that may be wrong of every connection.
    pub(crate) fn warn(&self, warning: Warning, what: impl FnOnce() -> String) {
        if let Some(troubles) = &self.troubles {
            troubles.warn(warning, what);
        }
    }

    /// A request is over.
    pub(super) fn close(&self, fields: &Fields) {
        self.meters.count(fields);
        self.access.write(fields);
        if let Some(troubles) = &self.troubles {
            troubles.hear(fields, self.slow);
        }
    }
}
