//! The project's own answers to bad credentials, prepared for the edge to give.
//!
//! An answer is given to many clients, so one that is made for a single client is not used: with a
//! cookie, or one that varies with what a request says. `Vary` names the request headers that
//! an answer depends on (RFC 9110, 12.5.5); it was recorded without them, so it is given to
//! requests without them. That way a cross-origin request gets the application's own CORS headers,
//! and a request with `Accept-Language` its own translation, where the project has such things.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{Doubt, FaultKind};
use crate::route::AnswerChoice;
use crate::settings::{GateSettingsError, SettingsFault};

/// An answer as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSettings {
    /// The status. An answer with another than 400 to 499 is kept, and never given.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, as it is sent.
    pub body: String,
}

/// An answer that the edge gives for the application.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those that the HTTP layer sets itself.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Headers of a recorded answer that the HTTP layer sets itself.
const FRAMING: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::SERVER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[derive(Debug)]
struct Prepared {
    answer: Answer,
    given_to: GivenTo,
}

/// Which requests an answer is sure for.
#[derive(Debug, PartialEq, Eq)]
enum GivenTo {
    /// Requests without any of these headers.
    Without(Vec<HeaderName>),
    Nobody(Doubt),
}

/// The prepared answers, by their place in the settings.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    prepared: Vec<Prepared>,
}

impl Answers {
    /// Prepares the answers; adds an error for each that is none.
    pub(crate) fn new(settings: Vec<AnswerSettings>, errors: &mut Vec<GateSettingsError>) -> Self {
        let mut prepared = Vec::with_capacity(settings.len());
        for (place, answer) in settings.into_iter().enumerate() {
            match Prepared::new(answer) {
                Ok(answer) => prepared.push(answer),
                Err(fault) => errors.push(GateSettingsError::new(format!("answer {place}"), fault)),
            }
        }
        Self { prepared }
    }

    /// The answer that an entry has for a fault, if it is the same for this request.
    pub(crate) fn find(
        &self,
        choice: &AnswerChoice,
        kind: FaultKind,
        request: &HeaderMap,
    ) -> Result<&Answer, Doubt> {
        let prepared = choice
            .place(kind)
            .and_then(|place| self.prepared.get(place))
            .ok_or(Doubt::NoAnswer)?;
        match &prepared.given_to {
            GivenTo::Nobody(doubt) => Err(*doubt),
            GivenTo::Without(names) if names.iter().any(|name| request.contains_key(name)) => {
                Err(Doubt::AnswerVaries)
            }
            GivenTo::Without(_) => Ok(&prepared.answer),
        }
    }
}

impl AnswerChoice {
    /// The place of the answer to a kind of fault.
    #[must_use]
    pub const fn place(&self, kind: FaultKind) -> Option<usize> {
        match kind {
            FaultKind::Missing => self.missing,
            FaultKind::Malformed => self.malformed,
            FaultKind::Invalid => self.invalid,
            FaultKind::Expired => self.expired,
            FaultKind::WrongType => self.wrong_type,
            FaultKind::NoType => self.no_type,
            FaultKind::NoId => self.no_id,
            FaultKind::NoExp => self.no_exp,
        }
    }

    /// All places that occur.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        [
            self.missing,
            self.malformed,
            self.invalid,
            self.expired,
            self.wrong_type,
            self.no_type,
            self.no_id,
            self.no_exp,
        ]
        .into_iter()
        .flatten()
    }
}

impl Prepared {
    fn new(settings: AnswerSettings) -> Result<Self, SettingsFault> {
        let status = StatusCode::from_u16(settings.status)
            .map_err(|_| SettingsFault::AnswerStatus(settings.status))?;
        let mut headers = HeaderMap::with_capacity(settings.headers.len());
        for (name, value) in settings.headers {
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_str(&value).ok());
            let (name, value) = parsed.ok_or(SettingsFault::AnswerHeader(name))?;
            if !FRAMING.contains(&name) {
                headers.append(name, value);
            }
        }
        let given_to = if status.is_client_error() {
            given_to(&headers)
        } else {
            GivenTo::Nobody(Doubt::NoRefusal)
        };
        Ok(Self {
            answer: Answer {
                status,
                headers,
                body: Bytes::from(settings.body),
            },
            given_to,
        })
    }
}

/// Reads whom an answer is for off its headers.
fn given_to(headers: &HeaderMap) -> GivenTo {
    if headers.contains_key(header::SET_COOKIE) {
        return GivenTo::Nobody(Doubt::AnswerVaries);
    }
    let mut names = Vec::new();
    for value in headers.get_all(header::VARY) {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            let name = name.trim_ascii();
            match HeaderName::from_bytes(name) {
                _ if name.is_empty() => {}
                // The guard judges these three itself.
                Ok(header::ACCEPT | header::AUTHORIZATION | header::HOST) => {}
                Ok(name) if name.as_str() != "*" => names.push(name),
                _ => return GivenTo::Nobody(Doubt::AnswerVaries),
            }
        }
    }
    GivenTo::Without(names)
}

#[cfg(test)]
mod tests {
    use http::header::HeaderMap;

    use super::{Doubt, GivenTo, given_to};

    fn check(headers: &[(&'static str, &'static str)], expected: Option<&[&'static str]>) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let expected = match expected {
            Some(names) => {
                GivenTo::Without(names.iter().map(|name| name.parse().unwrap()).collect())
            }
            None => GivenTo::Nobody(Doubt::AnswerVaries),
        };
        assert_eq!(given_to(&headers), expected, "{headers:?}");
    }

    #[test]
    fn answer_varies_with_what_it_says() {
        check(&[], Some(&[]));
        check(&[("vary", "Accept, Authorization, Host")], Some(&[]));
        check(
            &[("vary", "Accept-Language, Cookie")],
            Some(&["accept-language", "cookie"]),
        );
        check(&[("vary", "*")], None);
        check(&[("vary", "a b")], None);
    }

    #[test]
    fn answer_with_a_cookie_is_for_one_client_alone() {
        check(&[("set-cookie", "csrftoken=x")], None);
    }
}
