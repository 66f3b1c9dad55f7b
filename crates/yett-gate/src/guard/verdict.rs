//! What the gate says to a request head.

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
