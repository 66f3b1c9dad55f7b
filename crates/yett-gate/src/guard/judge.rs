//! The judgement: the whole of it on one screen.

use std::sync::Arc;

use yett_jwt::{KeySet, UnixSeconds};

use super::admitted::Warrant;
use super::certain::check_certain;
use super::token::{Outcome, Trial};
use super::{
    Admitted, Answer, CredentialFault, Doubt, Judgement, KeysAtHand, KeysWanted, OpenBy, Refused,
    Verdict,
};
use crate::gate::Gate;
use crate::request::{RequestHead, Spelling};
use crate::route::{GuardSettings, Lookup, Service};

impl Gate {
    /// Judges a request: where it goes, and whether it may. Verifies a token at most once.
    ///
    /// A good token is handed on whatever guards the view. A bad or missing one is refused here
    /// only where the project's own answer is known and sure; else the application decides. Where an
    /// issuer publishes the keys, they can be wanted first.
    #[must_use]
    pub fn judge(&self, mut head: RequestHead, now: UnixSeconds) -> Judgement {
        head.drop_headers(&self.identity_headers);
        if let Some((mount, rest)) = self.mounts.find(head.target().path()) {
            let (route, mount) = (mount.name().clone(), mount.id());
            let service = Service::Files { mount, rest };
            let warrant = Warrant::Open(OpenBy::Mount);
            let admitted = Admitted::new(head, route, service, warrant);
            return Judgement::Verdict(Verdict::Admitted(admitted));
        }
        self.judge_past_mounts(head, now)
    }

    /// Judges anew what was admitted to a mount whose files leave it to the application: the mount's
    /// word opened its files, and nothing of the application.
    #[must_use]
    pub fn judge_left_by_files(&self, admitted: Admitted, now: UnixSeconds) -> Judgement {
        let mut head = admitted.into_head();
        // The gate that admitted it may have been an earlier one.
        head.drop_headers(&self.identity_headers);
        self.judge_past_mounts(head, now)
    }

    fn judge_past_mounts(&self, head: RequestHead, now: UnixSeconds) -> Judgement {
        match self.try_credential(&head, now) {
            None => Judgement::Verdict(self.judge_for_app(head, None)),
            Some(Trial::Ended(outcome)) => {
                Judgement::Verdict(self.judge_for_app(head, Some(outcome)))
            }
            Some(Trial::KeysWanted(id, _)) => Judgement::KeysWanted(KeysWanted::new(head, id)),
        }
    }

    /// Judges a request that waited for keys, with those that there are. A key that a fresh set lacks
    /// is unknown to the application too; with an older one, or none, the application decides.
    #[must_use]
    pub fn judge_with_keys_at_hand(
        &self,
        wanted: KeysWanted,
        keys: KeysAtHand,
        now: UnixSeconds,
    ) -> Verdict {
        let head = wanted.into_head();
        let outcome = self.try_credential(&head, now).map(|trial| trial.end(keys));
        self.judge_for_app(head, outcome)
    }

    /// Proves tokens with this set of the issuer's keys from now on, if the project's keys are an
    /// issuer's. Costs next to nothing if it is the last set again.
    pub fn take_keys(&self, set: &Arc<KeySet>) {
        if let Some(rules) = &self.token_rules {
            rules.take_keys(set);
        }
    }

    fn try_credential(&self, head: &RequestHead, now: UnixSeconds) -> Option<Trial> {
        let rules = self.token_rules.as_ref()?;
        Some(rules.try_credential(head, now))
    }

    fn judge_for_app(&self, head: RequestHead, outcome: Option<Outcome>) -> Verdict {
        let lookup = self.table.look_up(head.target().path_str());
        let route = match lookup {
            Lookup::Found(entry) => entry.name().clone(),
            Lookup::NotFound | Lookup::Uncertain(_) | Lookup::NotText => self.app.clone(),
        };
        let warrant = match outcome {
            None => Warrant::Open(OpenBy::NoTokenRules),
            Some(Outcome::Good(identity)) => Warrant::Proven(identity),
            Some(Outcome::Bad(fault, spelling)) => {
                match self.answer(&head, lookup, &fault, spelling) {
                    Ok(answer) => {
                        return Verdict::Refused(Refused::new(head, route, answer, fault));
                    }
                    Err(open_by) => Warrant::Open(open_by),
                }
            }
        };
        Verdict::Admitted(Admitted::new(head, route, Service::App, warrant))
    }

    /// The project's answer to a faulty credential; or what leaves it to the application.
    fn answer(
        &self,
        head: &RequestHead,
        lookup: Lookup<'_>,
        fault: &CredentialFault,
        spelling: Spelling,
    ) -> Result<Answer, OpenBy> {
        let entry = match lookup {
            Lookup::Found(entry) => entry.settings(),
            Lookup::NotFound => return Err(OpenBy::NoPattern),
            Lookup::Uncertain(_) | Lookup::NotText => return Err(OpenBy::UncertainPattern),
        };
        let GuardSettings::Token(answers) = &entry.guard else {
            return Err(OpenBy::AppGuards);
        };
        let left_to_app = |doubt| OpenBy::AppAnswers {
            fault: fault.clone(),
            doubt,
        };
        if matches!(fault, CredentialFault::NoKeys) {
            return Err(left_to_app(Doubt::NoKeys));
        }
        check_certain(head, &self.allowed_hosts, &entry.methods).map_err(left_to_app)?;
        match spelling {
            Spelling::AsConfigured => {}
            Spelling::OtherCase => return Err(left_to_app(Doubt::Spelling)),
        }
        let scheme = self.scheme.scheme(head);
        let scheme = scheme.ok_or_else(|| left_to_app(Doubt::Scheme))?;
        self.answers
            .find(answers.over(scheme), fault.kind(), head.headers())
            .cloned()
            .map_err(left_to_app)
    }
}
