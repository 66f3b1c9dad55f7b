//! The keys that tokens are proven with: fixed ones, or those that an issuer publishes and changes.
//! Never fetches: whoever has sockets brings the issuer's sets, and this file says when one is
//! missing.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use yett_jwt::{
    KeyId, KeySet, Refusal, Rules, TokenCache, UnixSeconds, Verified, Verifier, danger_peek_key_id,
};

/// What tokens are proven with.
pub(super) enum ProofKeys {
    /// The project's own key.
    Fixed(Verifier),
    /// The keys of an issuer, as far as they were brought.
    Published {
        rules: Rules,
        newest: ArcSwapOption<Newest>,
    },
}

/// The issuer's last set, ready to prove with.
pub(super) struct Newest {
    set: Arc<KeySet>,
    verifier: Verifier,
}

/// Why a token was not proven.
#[derive(Debug)]
pub(super) enum Unproven {
    /// It is bad.
    Refused(Refusal),
    /// No set of the issuer has been brought yet.
    NoKeys,
    /// The last set that was brought lacks the key that the token names.
    UnknownKey(KeyId),
}

impl ProofKeys {
    pub(super) const fn published(rules: Rules) -> Self {
        Self::Published {
            rules,
            newest: ArcSwapOption::const_empty(),
        }
    }

    /// Proves with this set from now on. Costs next to nothing if it is the last one again, so it
    /// may be called for every request.
    pub(super) fn take(&self, set: &Arc<KeySet>) {
        let Self::Published { rules, newest } = self else {
            return;
        };
        let is_known = newest
            .load()
            .as_ref()
            .is_some_and(|newest| Arc::ptr_eq(&newest.set, set));
        if !is_known {
            // A new verifier: what the cache knows of the older one does not count any more.
            newest.store(Some(Arc::new(Newest {
                set: Arc::clone(set),
                verifier: Verifier::new(Arc::clone(set), rules.clone()),
            })));
        }
    }

    pub(super) fn prove(
        &self,
        cache: &TokenCache,
        token: &str,
        now: UnixSeconds,
    ) -> Result<Arc<Verified>, Unproven> {
        let (rules, newest) = match self {
            Self::Fixed(verifier) => {
                return cache
                    .verify(verifier, token, now)
                    .map_err(Unproven::Refused);
            }
            Self::Published { rules, newest } => (rules, newest.load()),
        };
        let Some(newest) = newest.as_ref() else {
            return Err(Unproven::NoKeys);
        };
        match cache.verify(&newest.verifier, token, now) {
            Err(Refusal::UnknownKey) => {
                // Without a name there is nothing to ask the issuer for.
                let named = danger_peek_key_id(token, rules.bound()).ok().flatten();
                Err(named.map_or(Unproven::Refused(Refusal::UnknownKey), Unproven::UnknownKey))
            }
            proof => proof.map_err(Unproven::Refused),
        }
    }
}

impl fmt::Debug for ProofKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(_) => "Fixed",
            Self::Published { .. } => "Published",
        })
    }
}
