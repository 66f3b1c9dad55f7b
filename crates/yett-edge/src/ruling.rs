//! What one release says about its requests: the gate, and the folders that its routes name.
//!
//! Immutable and swapped as a whole, so a request never sees the gate of one release and the
//! folders of another.

use std::sync::Arc;

use yett_gate::{Admitted, Gate, Judgement, KeysAtHand, KeysWanted, RequestHead, Verdict};
use yett_jwks::JwksClient;
use yett_jwt::UnixSeconds;

use crate::clock;
use crate::mount::Mount;

/// How a release's application is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// PEP 3333: a worker gets a request when its body is whole. It knows no WebSockets: who asks for
    /// one gets an ordinary answer.
    Wsgi,
    /// ASGI 3: a body that is long, or of unknown length, reaches the worker as it arrives.
    Asgi,
}

/// Gate and mounts of one release.
#[derive(Debug)]
pub struct Ruling {
    /// Judges requests.
    pub gate: Gate,
    /// Folders by [`yett_gate::MountId`] place.
    pub mounts: Vec<Arc<Mount>>,
    /// How the application is called.
    pub interface: Interface,
    /// Who publishes the keys of the project's tokens, if anybody does. Its background refresh is
    /// the program's to run.
    pub issuer: Option<JwksClient>,
}

impl Ruling {
    /// Judges with the issuer's newest keys at hand.
    pub(crate) fn judge(&self, head: RequestHead, now: UnixSeconds) -> Judgement {
        self.take_keys();
        self.gate.judge(head, now)
    }

    /// Judges anew what a mount's files leave to the application.
    pub(crate) fn judge_left_by_files(&self, admitted: Admitted, now: UnixSeconds) -> Judgement {
        self.take_keys();
        self.gate.judge_left_by_files(admitted, now)
    }

    /// Judges a request that waited for keys, after at most one fetch. Waits no longer than the
    /// client does: a fetch's timeout, and not at all within its cooldown.
    pub(crate) async fn judge_after_fetch(&self, wanted: KeysWanted) -> Verdict {
        let mut keys = KeysAtHand::Stale;
        if let Some(issuer) = &self.issuer {
            let before = issuer.status().last_success;
            // A failure needs no word here: it stands in the client's status, which the program
            // logs, and the gate judges with what there is.
            drop(match wanted.key_id() {
                Some(id) => issuer.keys_for(id.as_str()).await,
                None => issuer.keys().await,
            });
            if issuer.status().last_success != before {
                keys = KeysAtHand::Fresh;
            }
            self.take_keys();
        }
        self.gate
            .judge_with_keys_at_hand(wanted, keys, clock::unix_seconds())
    }

    fn take_keys(&self) {
        let Some(issuer) = &self.issuer else {
            return;
        };
        let mut newest = issuer.current();
        while let Some(set) = newest {
            self.gate.take_keys(&set);
            // Another thread may have brought a newer one in between, and ours on top of it would
            // bring a withdrawn key back.
            newest = issuer.current().filter(|newer| !Arc::ptr_eq(newer, &set));
        }
    }
}
