//! What the gate says to a request head.

use yett_jwt::KeyId;

use super::{Admitted, Answer, CredentialFault};
use crate::request::RequestHead;
use crate::route::RouteName;

/// The end of the guard stage.
#[derive(Debug)]
pub enum Verdict {
    /// The request goes on to its service.
    Admitted(Admitted),
    /// The edge answers for the application.
    Refused(Refused),
}

/// A verdict, or what it needs first.
#[derive(Debug)]
pub enum Judgement {
    /// The verdict.
    Verdict(Verdict),
    /// The token names a key that the issuer may have published since the last set was brought, or
    /// there is no set yet: bring the newest, then judge with what there is.
    KeysWanted(KeysWanted),
}

/// A request that waits for the issuer's keys.
#[derive(Debug)]
pub struct KeysWanted {
    head: RequestHead,
    key_id: Option<KeyId>,
}

impl KeysWanted {
    pub(super) const fn new(head: RequestHead, key_id: Option<KeyId>) -> Self {
        Self { head, key_id }
    }

    /// The key that the token names, if there are keys but not that one. From an unproven header:
    /// a name to ask the issuer's set for, nothing else.
    #[must_use]
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    pub(super) fn into_head(self) -> RequestHead {
        self.head
    }
}

/// A request that the edge answers itself, with the project's own answer.
#[derive(Debug)]
pub struct Refused {
    head: RequestHead,
    route: RouteName,
    answer: Answer,
    fault: CredentialFault,
}

impl Refused {
    pub(super) const fn new(
        head: RequestHead,
        route: RouteName,
        answer: Answer,
        fault: CredentialFault,
    ) -> Self {
        Self {
            head,
            route,
            answer,
            fault,
        }
    }

    /// The request.
    #[must_use]
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The route's name, for logs and metrics.
    #[must_use]
    pub const fn route(&self) -> &RouteName {
        &self.route
    }

    /// The answer; to a HEAD request without its body, which the HTTP layer leaves out.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Takes the refusal apart: the head and the route for the access record, the answer for the
    /// client, the fault for the log.
    #[must_use]
    pub fn into_parts(self) -> (RequestHead, RouteName, Answer, CredentialFault) {
        (self.head, self.route, self.answer, self.fault)
    }

    /// What was wrong, precisely: for the log, never for the client.
    #[must_use]
    pub const fn reason(&self) -> &CredentialFault {
        &self.fault
    }
}
