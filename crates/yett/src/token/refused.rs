//! A refusal, and what to do about it. The verdict is the verifier's; here it only gets words for
//! people and a name for programs.

use super::inspect::ENCRYPTED_PARTS;
use crate::print::{JsonObjectText, from_now, members, one_line, utc_or_seconds};
use yett_jwt::{Refusal, RefusalKind, UnixSeconds, danger_peek};

/// The refusal's name for programs. Part of the documentation; never renamed.
pub(super) fn name(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Malformed => "malformed",
        RefusalKind::Algorithm => "algorithm",
        RefusalKind::Key => "key",
        RefusalKind::Signature => "signature",
        RefusalKind::Expired => "expired",
        RefusalKind::Immature => "immature",
        RefusalKind::MissingClaim => "missing_claim",
        RefusalKind::InvalidClaim => "invalid_claim",
        RefusalKind::Issuer => "issuer",
        RefusalKind::Audience => "audience",
        RefusalKind::Subject => "subject",
    }
}

/// The refusal on one line, with its cause.
pub(super) fn sentence(refusal: &Refusal) -> String {
    let mut text = refusal.to_string();
    let mut cause = std::error::Error::source(refusal);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The refusal for programs.
pub(super) fn json(refusal: &Refusal, hint: Option<&str>, now: UnixSeconds) -> String {
    let about = JsonObjectText::default()
        .with("kind", name(refusal.kind()))
        .with("message", sentence(refusal))
        .with("hint", hint);
    JsonObjectText::default()
        .with("verified", false)
        .raw("refusal", &about.one_line())
        .with("at", now.get())
        .lines()
}

/// What to try, or what stands in the token instead. `ids` are the key ids of the set, if there is
/// one.
pub(super) fn hint(refusal: &Refusal, token: &str, ids: Option<&[String]>) -> Option<String> {
    let clock = "--leeway forgives clocks that differ, --at looks as of another moment";
    match refusal {
        Refusal::Expired { expires_at, now } => Some(format!(
            "it expired {}, at {}; {clock}",
            from_now(*expires_at, *now),
            utc_or_seconds(*expires_at)
        )),
        Refusal::NotYetValid {
            not_before: at,
            now,
        }
        | Refusal::IssuedInFuture { issued_at: at, now } => Some(format!(
            "that is {}, at {}; {clock}",
            from_now(*at, *now),
            utc_or_seconds(*at)
        )),
        Refusal::AudienceUnexpected => Some(format!(
            "its aud is {}; say who you are with --audience, or --any-audience",
            claim(token, "aud")?
        )),
        Refusal::Audience => Some(format!("its aud is {}", claim(token, "aud")?)),
        Refusal::Issuer => Some(format!("its iss is {}", claim(token, "iss")?)),
        Refusal::HeaderType => Some(format!(
            "its typ is {}; --type says which one is expected",
            header(token, "typ")?
        )),
        Refusal::AlgorithmMismatch { .. } => Some(format!("its alg is {}", header(token, "alg")?)),
        Refusal::UnknownKey | Refusal::KeyAmbiguous => unknown_key(token, ids?),
        Refusal::Parts | Refusal::Encoding(_) | Refusal::Json { .. } => form_hint(token),
        _ => None,
    }
}

fn unknown_key(token: &str, ids: &[String]) -> Option<String> {
    let meant = match (header(token, "kid"), header(token, "alg")) {
        (Some(kid), _) => format!("it names the key {kid}"),
        (None, alg) => format!("it names no key, and the algorithm {}", alg?),
    };
    let ids: Vec<_> = ids.iter().map(|id| format!("{id:?}")).collect();
    Some(match ids.as_slice() {
        [] => format!("{meant}; no key of the set has an id"),
        ids => format!("{meant}; the set has {}", ids.join(", ")),
    })
}

/// A member of the token's header as it is written, if it can be read.
fn header(token: &str, name: &str) -> Option<String> {
    let unproven = danger_peek(token, token.len()).ok()?;
    member(unproven.header_json(), name)
}

/// A claim of the token as it is written, if it can be read.
fn claim(token: &str, name: &str) -> Option<String> {
    let unproven = danger_peek(token, token.len()).ok()?;
    member(unproven.payload(), name)
}

fn member(json: &[u8], name: &str) -> Option<String> {
    let members = members(str::from_utf8(json).ok()?);
    let (_, value) = members.iter().find(|(member, _)| member == name)?;
    Some(one_line(value))
}

/// What is wrong with a text that is not shaped as a token, as far as one can tell by looking.
pub(super) fn form_hint(token: &str) -> Option<String> {
    let trimmed = token.trim();
    let parts: Vec<&str> = token.split('.').collect();
    let starts_with = |word: &str| {
        trimmed
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if starts_with("bearer ")
        || starts_with("\"")
        || starts_with("'")
        || trimmed.len() < token.len()
    {
        return Some("give the token alone, without Bearer, quotes or white space".to_owned());
    }
    if trimmed.starts_with('{') {
        return Some("this is JSON; expected the compact form, three parts with dots".to_owned());
    }
    match parts.as_slice() {
        [_, _, _] => parts.iter().find_map(|part| part_hint(part)),
        parts if parts.len() == ENCRYPTED_PARTS => {
            Some("five parts: an encrypted token (JWE), which Yett does not read".to_owned())
        }
        [_] => Some("there is no dot in it; expected three parts with dots".to_owned()),
        parts => Some(format!(
            "it has {} parts, not three; is it cut?",
            parts.len()
        )),
    }
}

/// Why a part is not strict base64url (RFC 7515 section 2).
fn part_hint(part: &str) -> Option<String> {
    let alphabet = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let sentence = match part.chars().find(|c| !alphabet(*c)) {
        Some('=') => "there is padding (=), which tokens do not have".to_owned(),
        Some('+' | '/') => "there is + or /: base64, where tokens have base64url".to_owned(),
        Some('%') => "there is %: it is still encoded for a URL".to_owned(),
        Some(c) if c.is_whitespace() => {
            "there is white space inside, perhaps a line break from copying".to_owned()
        }
        Some(c) => format!("there is {c:?}, which no token has"),
        None if part.len() % 4 == 1 => {
            "the length of a part is impossible: a character is missing, or too many".to_owned()
        }
        None => return None,
    };
    Some(sentence)
}

#[cfg(test)]
mod tests;
