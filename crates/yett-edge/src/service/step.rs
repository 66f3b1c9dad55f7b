//! How far a request comes at once, and what it waits for.
//!
//! Nearly every request needs nothing but its application: whether it may have it is known without
//! waiting. Who needs an issuer's keys, files, or code that is being loaded takes further steps. A
//! future is as large as the largest thing that it may wait for, and is moved as a whole; so the
//! common way has no future of its own, and what is rare is behind a box.

use std::sync::Arc;

use http::Response;
use yett_gate::{Admitted, BadRequest, Judgement, KeysWanted, RequestHead, Service, Verdict};

use super::{Services, broken, files, of_the_server, redirect, refuse};
use crate::clock;
use crate::develop::{self, Develop, Outcome};
use crate::log::{Record, ServiceKind};
use crate::mount::Mount;
use crate::respond::{self, Body, Failure};
use crate::ruling::{Interface, Ruling};

/// How far a request has come.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is nearly every request's"
)]
pub(super) enum Step {
    /// To its end.
    Last(Last),
    /// It waits.
    Waits(Box<Waits>),
}

/// What becomes of a request.
pub(super) enum Last {
    /// It is answered.
    Answered(Response<Body>),
    /// It may have the application.
    App(ToApp),
}

/// A request that the gate admitted to the application.
pub(super) struct ToApp {
    pub(super) admitted: Admitted,
    pub(super) interface: Interface,
    /// Until it is taken by who asks the application.
    pub(super) record: Option<Record>,
}

/// A request that waits, and for what.
pub(super) struct Waits {
    on: On,
    record: Record,
    /// In development: how it stands with the code.
    outcome: Option<Outcome>,
}

enum On {
    /// Code that is being loaded.
    Code(Arc<Develop>, RequestHead),
    /// The issuer's keys.
    Keys(Arc<Ruling>, KeysWanted),
    /// The files of a mount.
    Files(Arc<Mount>, Admitted),
}

impl Services {
    /// The first step.
    pub(super) fn begin(&self, head: Result<RequestHead, BadRequest>, mut record: Record) -> Step {
        let head = match head {
            Ok(head) => head,
            Err(bad) => {
                return Step::answered(respond::failed(&Failure::BadRequest(bad), record));
            }
        };
        #[cfg(test)]
        crate::testing::panic_where_asked(&head, crate::testing::PANICS[0]);
        record.client(head.client());
        record.scheme(head.scheme());
        if head.target().path() == b"*" {
            return Step::answered(of_the_server(record));
        }
        if let Some(port) = self.redirect {
            return Step::answered(redirect::to_https(&head, port, record));
        }
        match &self.settings.develop {
            None => self.judge(head, record, None),
            Some(develop) => Waits::on(On::Code(Arc::clone(develop), head), record, None),
        }
    }

    /// All steps that are left.
    pub(super) async fn wait(&self, mut waits: Waits) -> Last {
        loop {
            match self.next(waits).await {
                Step::Last(last) => return last,
                Step::Waits(further) => waits = *further,
            }
        }
    }

    /// The step after what is waited for.
    async fn next(&self, waits: Waits) -> Step {
        let Waits {
            on,
            record,
            outcome,
        } = waits;
        match on {
            On::Code(develop, head) if head.target().path() == develop::NEWS => {
                Step::answered(broken::news(&develop, &head, record).await)
            }
            On::Code(develop, head) => {
                let outcome = develop.outcome().await;
                self.judge(head, record, Some(outcome))
            }
            On::Keys(ruling, wanted) => {
                let verdict = ruling.judge_after_fetch(wanted).await;
                self.decided(&ruling, verdict, record, outcome)
            }
            On::Files(mount, admitted) => {
                let Service::Files { rest, .. } = admitted.service() else {
                    // It is nothing else that waits for files.
                    return Step::answered(respond::failed(&Failure::NoSuchFile, record));
                };
                match self.files.answer(&admitted, &mount, rest, record).await {
                    files::Outcome::Answered(response) => Step::answered(response),
                    // The mount's word opened its files, nothing of the application.
                    files::Outcome::LeftToTheApp(record) => {
                        let ruling = self.ruling.load();
                        let now = clock::unix_seconds();
                        let judgement = ruling.judge_left_by_files(admitted, now);
                        self.judged(&ruling, judgement, record, outcome)
                    }
                }
            }
        }
    }

    fn judge(&self, head: RequestHead, record: Record, outcome: Option<Outcome>) -> Step {
        let ruling = self.ruling.load();
        let judgement = ruling.judge(head, clock::unix_seconds());
        self.judged(&ruling, judgement, record, outcome)
    }

    fn judged(
        &self,
        ruling: &Arc<Ruling>,
        judgement: Judgement,
        record: Record,
        outcome: Option<Outcome>,
    ) -> Step {
        match judgement {
            Judgement::Verdict(verdict) => self.decided(ruling, verdict, record, outcome),
            Judgement::KeysWanted(wanted) => {
                Waits::on(On::Keys(Arc::clone(ruling), wanted), record, outcome)
            }
        }
    }

    /// What follows from the gate's word. Of the ruling that gave it nothing is held any longer: a request
    /// may run for long, and would keep a whole old ruling alive.
    fn decided(
        &self,
        ruling: &Ruling,
        verdict: Verdict,
        mut record: Record,
        outcome: Option<Outcome>,
    ) -> Step {
        let admitted = match verdict {
            Verdict::Admitted(admitted) => admitted,
            Verdict::Refused(refused) => return Step::answered(refuse(&refused, record)),
        };
        if let Service::Files { mount, rest } = admitted.service() {
            record.routed(admitted.route(), ServiceKind::Files);
            let Some(mount) = ruling.mounts.get(mount.place()) else {
                // A ruling's gate names only its own mounts.
                return Step::answered(respond::failed(&Failure::NoSuchFile, record));
            };
            return match self.files.answer_at_once(&admitted, mount, rest, record) {
                Ok(response) => Step::answered(response),
                Err(record) => Waits::on(On::Files(Arc::clone(mount), admitted), record, outcome),
            };
        }
        record.routed(admitted.route(), ServiceKind::App);
        if let Some(outcome) = &outcome
            && let Some(broken) = &outcome.broken
        {
            let audience = broken::Audience::of(admitted.head(), &ruling.gate);
            let answer = broken::answer(outcome, broken, admitted.head(), audience, record);
            return Step::answered(answer);
        }
        Step::Last(Last::App(ToApp {
            admitted,
            interface: ruling.interface,
            record: Some(record),
        }))
    }
}

impl Step {
    const fn answered(response: Response<Body>) -> Self {
        Self::Last(Last::Answered(response))
    }

    /// The answer, if this was the end.
    pub(super) fn into_answer(self) -> Option<Response<Body>> {
        match self {
            Self::Last(Last::Answered(response)) => Some(response),
            Self::Last(Last::App(_)) | Self::Waits(_) => None,
        }
    }
}

impl Waits {
    fn on(on: On, record: Record, outcome: Option<Outcome>) -> Step {
        Step::Waits(Box::new(Self {
            on,
            record,
            outcome,
        }))
    }
}
