//! One fetch at a time, however many want one. The fetch is a task of its own, so that whoever
//! stops waiting ends nothing for the others; its end is its *landing*, which happens exactly once,
//! even if the task panics or its runtime goes away.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::fetch::Source;
use crate::pace::{Errand, Pace};
use crate::{JwksError, JwksSettings, JwksStatus};
use yett_jwt::{Algorithm, KeySet};

/// More do not wait for one fetch; they get what is at hand. Tokens with made-up key ids could
/// otherwise gather here without bound for as long as the issuer is slow.
const MOST_WAITING: usize = 1000;

/// What all clones of a client share.
pub(crate) struct Hangar {
    source: Source,
    allowed: Vec<Algorithm>,
    timeout: Duration,
    at_hand: ArcSwapOption<KeySet>,
    status: watch::Sender<JwksStatus>,
    /// Held for moments, never over an await.
    desk: Mutex<Desk>,
}

struct Desk {
    pace: Pace,
    /// The fetch that runs, with everyone who waits for its landing.
    flight: Option<watch::Sender<Landed>>,
    /// What the set at hand was made from.
    body: Vec<u8>,
    /// Why the last fetch failed, if it did.
    failure: Option<JwksError>,
}

/// How a fetch ended; `None` while it runs.
type Landed = Option<Result<(), JwksError>>;

/// What became of the wish for a fetch.
pub(crate) enum Boarding {
    /// One runs: wait for it.
    Wait(watch::Receiver<Landed>),
    /// None may start now, or too many wait; with what to say if there is no set.
    Declined(Option<JwksError>),
}

impl Hangar {
    pub(crate) fn new(source: Source, settings: JwksSettings) -> Self {
        Self {
            source,
            allowed: settings.allowed,
            timeout: settings.timeout,
            at_hand: ArcSwapOption::empty(),
            status: watch::Sender::new(JwksStatus::default()),
            desk: Mutex::new(Desk {
                pace: Pace::new(settings.refresh, settings.cooldown),
                flight: None,
                body: Vec::new(),
                failure: None,
            }),
        }
    }

    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        self.at_hand.load_full()
    }

    pub(crate) const fn status(&self) -> &watch::Sender<JwksStatus> {
        &self.status
    }

    /// When the background should fetch; `None` is at once.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.desk().pace.due()
    }

    /// Joins the fetch that runs, or starts one if `errand` may. `lacking` is the key id that was
    /// missing a moment ago; a set that has come with it meanwhile is all that was wanted.
    pub(crate) fn board(self: &Arc<Self>, errand: Errand, lacking: Option<&str>) -> Boarding {
        let receiver = {
            let mut desk = self.desk();
            if let Some(flight) = &desk.flight {
                if flight.receiver_count() >= MOST_WAITING && errand != Errand::Refresh {
                    return Boarding::Declined(Some(JwksError::Crowded));
                }
                return Boarding::Wait(flight.subscribe());
            }
            let has_come = match (errand, self.current(), lacking) {
                (Errand::Refresh, ..) | (_, None, _) => false,
                (_, Some(set), Some(kid)) => set.contains(kid),
                (_, Some(_), None) => true,
            };
            if has_come || !desk.pace.allows(errand, Instant::now()) {
                return Boarding::Declined(desk.failure.clone());
            }
            let (sender, receiver) = watch::channel(None);
            desk.flight = Some(sender);
            receiver
        };
        // Not under the lock: a runtime that shuts down drops the task, and so lands it, right here.
        let landing = Landing {
            hangar: Arc::clone(self),
            errand,
            outcome: Err(JwksError::Interrupted),
        };
        drop(tokio::spawn(landing.fly()));
        Boarding::Wait(receiver)
    }

    /// Puts a good answer in the old one's place. Whether the set is another one than before.
    fn settle(&self, body: Vec<u8>) -> Result<bool, JwksError> {
        if self.current().is_some() && self.desk().body == body {
            return Ok(false);
        }
        let set = KeySet::from_json(&body, &self.allowed)
            .map_err(|error| JwksError::KeySet(Arc::new(error)))?;
        // Only one fetch runs, so nobody else writes between these two.
        self.desk().body = body;
        self.at_hand.store(Some(Arc::new(set)));
        Ok(true)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing under the lock can panic halfway through a change.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a fetch, carried by its task.
struct Landing {
    hangar: Arc<Hangar>,
    errand: Errand,
    /// Whether the set at hand is another one now.
    outcome: Result<bool, JwksError>,
}

impl Landing {
    async fn fly(mut self) {
        let hangar = Arc::clone(&self.hangar);
        self.outcome = match hangar.source.fetch(hangar.timeout).await {
            Ok(body) => hangar.settle(body),
            Err(error) => Err(error),
        };
    }
}

impl Drop for Landing {
    /// In this order: the set was stored before; then the desk and the status say so; then those who
    /// wait wake up and find all three. The status outside the lock: somebody may be reading it.
    fn drop(&mut self) {
        let now = Instant::now();
        let roll = RandomState::new().build_hasher().finish();
        let flight = {
            let mut desk = self.hangar.desk();
            match &self.outcome {
                Ok(_) => desk.pace.succeeded(self.errand, now, roll),
                Err(_) => desk.pace.failed(now, roll),
            }
            desk.failure = self.outcome.as_ref().err().cloned();
            desk.flight.take()
        };
        self.hangar
            .status
            .send_modify(|status| match &self.outcome {
                Ok(is_new) => status.succeeded(now, *is_new),
                Err(error) => status.failed(now, error.clone()),
            });
        if let Some(flight) = flight {
            flight.send_replace(Some(self.outcome.clone().map(|_| ())));
        }
    }
}
