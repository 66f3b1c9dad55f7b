//! The judgement: the whole of it on one screen.

use yett_jwt::UnixSeconds;

use super::admitted::Warrant;
use super::certain::check_certain;
use super::token::Trial;
use super::{Admitted, Answer, CredentialFault, Doubt, OpenBy, Refused, Verdict};
use crate::gate::Gate;
use crate::request::{RequestHead, Spelling};
use crate::route::{GuardSettings, Lookup, Service};

impl Gate {
    /// Judges a request: where it goes, and whether it may. Verifies a token at most once.
    ///
    /// A good token is handed on whatever guards the view. A bad or missing one is refused here
    /// only where the project's own answer is known and sure; else the application decides.
    #[must_use]
    pub fn judge(&self, mut head: RequestHead, now: UnixSeconds) -> Verdict {
        head.drop_headers(&self.identity_headers);
        if let Some((mount, rest)) = self.mounts.find(head.target().path()) {
            let (route, mount) = (mount.name().clone(), mount.id());
            let service = Service::Files { mount, rest };
            let warrant = Warrant::Open(OpenBy::Mount);
            return Verdict::Admitted(Admitted::new(head, route, service, warrant));
        }
        self.judge_for_app(head, now)
    }

    fn judge_for_app(&self, head: RequestHead, now: UnixSeconds) -> Verdict {
        let lookup = self.table.look_up(head.target().path_str());
        let route = match lookup {
            Lookup::Found(entry) => entry.name().clone(),
            Lookup::NotFound | Lookup::Uncertain(_) | Lookup::NotText => self.app.clone(),
        };
        let trial = self
            .token_rules
            .as_ref()
            .map(|rules| rules.try_credential(&head, now));
        let warrant = match trial {
            None => Warrant::Open(OpenBy::NoTokenRules),
            Some(Trial::Good(identity)) => Warrant::Proven(identity),
            Some(Trial::Bad(fault, spelling)) => {
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
