//! The witness that a request may go on. This file alone makes one.
//!
//! Services take [`Admitted`], never a request head, so none can be reached around the guard. It
//! is made from a [`Warrant`]: a proven token, or the piece of configuration that declares the way
//! open. There is no third.

use std::fmt;
use std::sync::Arc;

use yett_jwt::Verified;

use super::{CredentialFault, Doubt};
use crate::request::RequestHead;
use crate::route::{RouteName, Service};

/// A request that may go on to its service.
#[derive(Debug)]
pub struct Admitted {
    head: RequestHead,
    route: RouteName,
    service: Service,
    warrant: Warrant,
}

/// What a request is admitted on.
#[derive(Debug)]
pub(super) enum Warrant {
    /// A token was proven.
    Proven(Identity),
    /// The configuration declares it open.
    Open(OpenBy),
}

/// Which configuration lets a request on without a proven token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenBy {
    /// A mount: its files are for everyone.
    Mount,
    /// The application gave no rules for tokens, so it checks every request itself.
    NoTokenRules,
    /// No URL pattern is known for the path; the application answers.
    NoPattern,
    /// It is not certain which URL pattern the application will choose.
    UncertainPattern,
    /// The pattern's view is one that the application guards, or that needs no token.
    AppGuards,
    /// The pattern's view needs a token, but what the application would answer to this request
    /// is not certain.
    AppAnswers {
        /// What is wrong with the credential.
        fault: CredentialFault,
        /// Why the edge does not answer.
        doubt: Doubt,
    },
}

/// A proven identity: the token and what it says. Prints neither.
#[derive(Clone)]
pub struct Identity {
    token: Box<str>,
    verified: Arc<Verified>,
}

impl Identity {
    /// Only a proof makes an identity.
    pub(super) fn new(token: &str, verified: Arc<Verified>) -> Self {
        Self {
            token: token.into(),
            verified,
        }
    }

    /// The token as the client sent it, without the scheme.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The claims: the JSON bytes that the token's signature covers.
    #[must_use]
    pub fn claims_json(&self) -> &[u8] {
        self.verified.payload_json()
    }

    /// The proof itself, for reading single claims.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([token])")
    }
}

impl Admitted {
    /// The one constructor.
    pub(super) const fn new(
        head: RequestHead,
        route: RouteName,
        service: Service,
        warrant: Warrant,
    ) -> Self {
        Self {
            head,
            route,
            service,
            warrant,
        }
    }

    /// The request.
    #[must_use]
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The request alone, to be judged anew.
    pub(super) fn into_head(self) -> RequestHead {
        self.head
    }

    /// The route's name, for logs and metrics.
    #[must_use]
    pub const fn route(&self) -> &RouteName {
        &self.route
    }

    /// The service that answers.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Who sent the request, if a token proved it.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match &self.warrant {
            Warrant::Proven(identity) => Some(identity),
            Warrant::Open(_) => None,
        }
    }

    /// Why the request may go on without a proven token; `None` when one was proven.
    #[must_use]
    pub const fn open_by(&self) -> Option<&OpenBy> {
        match &self.warrant {
            Warrant::Proven(_) => None,
            Warrant::Open(open_by) => Some(open_by),
        }
    }
}
