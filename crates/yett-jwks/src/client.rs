//! The client: the set at hand, and what makes it younger.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use yett_jwt::{KeyId, KeySet};

use crate::fetch::{Issuer, Source};
use crate::flight::{Join, Keeper};
use crate::pace::Errand;
use crate::{JwksError, JwksSettings, JwksSettingsErrors, JwksStatus};

/// How much longer than a fetch may take its end is waited for. The fetch watches its own time; this
/// is for the case that the runtime that it runs on has stopped moving.
const GRACE: Duration = Duration::from_secs(1);

/// One issuer's JWK set, kept at hand. Cheap to clone; clones share the set and its fetches.
///
/// Its methods run inside a tokio runtime with I/O and time, and a fetch runs on the runtime of
/// whoever caused it. Dropping a future of this type never
/// ends a fetch that others wait for; dropping every clone lets a running fetch end by itself.
#[derive(Clone)]
pub struct JwksClient {
    keeper: Arc<Keeper>,
}

impl JwksClient {
    /// A client that has fetched nothing yet. Reads the system's certificates, and nothing else.
    ///
    /// # Errors
    /// Everything wrong with the settings, at once.
    pub fn new(settings: JwksSettings) -> Result<Self, JwksSettingsErrors> {
        let issuer = Issuer::new(&settings)?;
        Ok(Self::over(Source::Issuer(Box::new(issuer)), settings))
    }

    pub(crate) fn over(source: Source, settings: JwksSettings) -> Self {
        Self {
            keeper: Arc::new(Keeper::new(source, settings)),
        }
    }

    /// The set at hand, if there is one. Never waits and takes no lock: for every request.
    ///
    /// The same [`Arc`] comes back as long as the issuer's answers stay the same byte for byte, so
    /// that what was made from it need not be made again: compare with [`Arc::ptr_eq`].
    #[must_use]
    pub fn current(&self) -> Option<Arc<KeySet>> {
        self.keeper.current()
    }

    /// The set at hand. When there is none, waits for one fetch, which all share.
    ///
    /// # Errors
    /// There is no set, and its fetch failed; or an earlier one did moments ago (then at once, with
    /// that fetch's error); or a thousand others wait already.
    pub async fn keys(&self) -> Result<Arc<KeySet>, JwksError> {
        match self.current() {
            Some(set) => Ok(set),
            None => self.after_one_fetch(Errand::Absence, None).await,
        }
    }

    /// The set at hand, after one fetch if it lacks `kid` and the cooldown allows one. Whether the
    /// returned set has `kid` is the caller's to see: a set that lacks it is not an error here.
    ///
    /// Waits at most for one fetch. In the cooldown, after a failure's pause began, or when a
    /// thousand others wait already, it does not wait at all.
    ///
    /// # Errors
    /// As [`keys`](Self::keys): only if there is no set at all. A fetch that fails while there is
    /// one shows in [`status`](Self::status) alone.
    pub async fn keys_for(&self, kid: &str) -> Result<Arc<KeySet>, JwksError> {
        if let Some(set) = self.current() {
            // A name that no key can have is not worth a fetch.
            if set.contains(kid) || KeyId::new(kid).is_none() {
                return Ok(set);
            }
        }
        self.after_one_fetch(Errand::UnknownKey, Some(kid)).await
    }

    /// Keeps the set young until `stop` is done: fetches when there is none, then every
    /// [`JwksSettings::refresh`], and after a failure again after 5 seconds, 10, 20 and so on up to
    /// that time. Each time is up to a tenth shorter or longer by chance, so that many machines do
    /// not ask at once.
    ///
    /// One call per client is enough; more do no harm.
    pub async fn refresh_until(self, stop: impl Future) {
        let mut stop = pin!(stop);
        let mut status = self.subscribe();
        loop {
            // A fetch on demand moves what is due, in either direction: every landing is a reason
            // to look again.
            status.mark_unchanged();
            let due = self.keeper.due().unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                _ = &mut stop => return,
                _ = status.changed() => continue,
                () = sleep_until(due) => {}
            }
            tokio::select! {
                biased;
                _ = &mut stop => return,
                _ = self.after_one_fetch(Errand::Refresh, None) => {}
            }
        }
    }

    /// How the fetches have gone.
    #[must_use]
    pub fn status(&self) -> JwksStatus {
        self.keeper.status().borrow().clone()
    }

    /// The status, and a wake-up whenever a fetch has ended: for the log. Who looks late sees the
    /// newest alone. Do not keep its `borrow()` for longer than a look: a fetch cannot end meanwhile.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<JwksStatus> {
        self.keeper.status().subscribe()
    }

    /// Waits for a fetch, if one runs or may start; then what is at hand.
    async fn after_one_fetch(
        &self,
        errand: Errand,
        lacking: Option<&str>,
    ) -> Result<Arc<KeySet>, JwksError> {
        let failure = match self.keeper.join(errand, lacking) {
            Join::Running(mut landing) => {
                let most = self.keeper.longest_flight() + GRACE;
                match timeout(most, landing.wait_for(Option::is_some)).await {
                    Ok(Ok(landed)) => landed.clone().and_then(Result::err),
                    Ok(Err(_)) | Err(_) => None,
                }
            }
            Join::Declined(failure) => failure,
        };
        self.current()
            .ok_or_else(|| failure.unwrap_or(JwksError::Interrupted))
    }
}

/// Only that it is one.
impl std::fmt::Debug for JwksClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwksClient").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
