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
use yett_jwt::{Algorithm, KeySet};

use crate::fetch::Source;
use crate::pace::{Errand, Pace};
use crate::{JwksError, JwksSettings, JwksStatus};

/// More do not wait for one fetch; they get what is at hand. Tokens with made-up key ids could
/// otherwise gather here without bound for as long as the issuer is slow.
const MOST_WAITING: usize = 1000;

/// What all clones of a client share.
pub(crate) struct Keeper {
    source: Source,
    allowed: Vec<Algorithm>,
    timeout: Duration,
    at_hand: ArcSwapOption<KeySet>,
    status: watch::Sender<JwksStatus>,
    /// Held for moments, never over an await.
    state: Mutex<State>,
}

struct State {
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
pub(crate) enum Join {
    /// One runs: wait for it.
    Running(watch::Receiver<Landed>),
    /// None may start now, or too many wait; with what to say if there is no set.
    Declined(Option<JwksError>),
}

impl Keeper {
    pub(crate) fn new(source: Source, settings: JwksSettings) -> Self {
        Self {
            source,
            allowed: settings.allowed,
            timeout: settings.timeout,
            at_hand: ArcSwapOption::empty(),
            status: watch::Sender::new(JwksStatus::default()),
            state: Mutex::new(State {
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

    /// How long a fetch takes at most.
    pub(crate) const fn longest_flight(&self) -> Duration {
        self.timeout
    }

    /// When the background should fetch; `None` is at once.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.state().pace.due()
    }

    /// Joins the fetch that runs, or starts one if `errand` may. `lacking` is the key id that was
    /// missing a moment ago; a set that has come with it meanwhile is all that was wanted.
    pub(crate) fn join(self: &Arc<Self>, errand: Errand, lacking: Option<&str>) -> Join {
        let receiver = {
            let mut state = self.state();
            if let Some(flight) = &state.flight {
                if flight.receiver_count() >= MOST_WAITING && errand != Errand::Refresh {
                    return Join::Declined(Some(JwksError::Crowded));
                }
                return Join::Running(flight.subscribe());
            }
            let has_come = match (errand, self.current(), lacking) {
                (Errand::Refresh, ..) | (_, None, _) => false,
                (_, Some(set), Some(kid)) => set.contains(kid),
                (_, Some(_), None) => true,
            };
            if has_come || !state.pace.allows(errand, Instant::now()) {
                return Join::Declined(state.failure.clone());
            }
            let (sender, receiver) = watch::channel(None);
            state.flight = Some(sender);
            receiver
        };
        // Not under the lock: a runtime that shuts down drops the task, and so lands it, right here.
        let landing = Landing {
            keeper: Arc::clone(self),
            errand,
            outcome: Err(JwksError::Interrupted),
        };
        drop(tokio::spawn(landing.fly()));
        Join::Running(receiver)
    }

    /// Puts a good answer in the old one's place. Whether the set is another one than before.
    fn settle(&self, body: Vec<u8>) -> Result<bool, JwksError> {
        if self.current().is_some() && self.state().body == body {
            return Ok(false);
        }
        let set = KeySet::from_json(&body, &self.allowed)
            .map_err(|error| JwksError::KeySet(Arc::new(error)))?;
        // Only one fetch runs, so nobody else writes between these two.
        self.state().body = body;
        self.at_hand.store(Some(Arc::new(set)));
        Ok(true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a fetch, carried by its task.
struct Landing {
    keeper: Arc<Keeper>,
    errand: Errand,
    /// Whether the set at hand is another one now.
    outcome: Result<bool, JwksError>,
}

impl Landing {
    async fn fly(mut self) {
        let keeper = Arc::clone(&self.keeper);
        self.outcome = match keeper.source.fetch(keeper.timeout).await {
            Ok(body) => keeper.settle(body),
            Err(error) => Err(error),
        };
    }
}

impl Drop for Landing {
    /// In this order: the set was stored before; then the state and the status say so; then those who
    /// wait wake up and find all three. The status outside the lock: somebody may be reading it.
    fn drop(&mut self) {
        let now = Instant::now();
        let roll = RandomState::new().build_hasher().finish();
        let flight = {
            let mut state = self.keeper.state();
            match &self.outcome {
                Ok(_) => state.pace.succeeded(self.errand, now, roll),
                Err(_) => state.pace.failed(now, roll),
            }
            state.failure = self.outcome.as_ref().err().cloned();
            state.flight.take()
        };
        self.keeper
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
