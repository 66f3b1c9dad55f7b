//! `yett token issue`: signs claims, and prints the token alone, for scripts.
//!
//! Nothing leaves it that `yett token verify` with the same key would refuse for its form.

use super::claims::ClaimsText;
use crate::{
    cli::{IssueArgs, IssuedType},
    config::Environment,
    keys::{KeyFile, Secret, fill_random, read_bounded, read_file},
    print::{Exit, Failure, JsonObjectText, Screen, times_json},
};
use anyhow::{Context as _, anyhow};
use serde_json::Value;
use std::{io, path::Path};
use yett_jwt::{
    DEFAULT_LONGEST_TOKEN, HeaderType, KeyId, RefusalKind, Rules, SignError, SigningKey,
    UnixSeconds, Verifier,
};
use zeroize::Zeroizing;

/// Claims that would make a longer token are not worth reading.
const LONGEST_CLAIMS: usize = DEFAULT_LONGEST_TOKEN;

/// Makes a token.
pub(super) fn issue(
    words: &IssueArgs,
    now: UnixSeconds,
    environment: &Environment,
    screen: Screen,
) -> Result<Exit, Failure> {
    let key = key(words, environment)?;
    let file = words.claims.as_deref().map(claims_file).transpose()?;
    let mut random = [0; 16];
    fill_random(&mut random)
        .context("no random bytes")
        .map_err(Failure::failed)?;
    let claims = ClaimsText::gather(words, file.as_deref(), now, random)?.json();
    let token = sign(&key, words.kind, &claims)?;
    check(&key, &token, now)?;
    if words.danger_no_expiry {
        screen.warn("the token never expires; only another key ends it");
    }
    screen.out(&if words.json {
        JsonObjectText::default()
            .with("token", token)
            .with("algorithm", key.algorithm().name())
            .with("key_id", key.key_id().map(KeyId::as_str))
            .raw("claims", &claims)
            .raw("times", &times_json(&claims, now).one_line())
            .with("at", now.get())
            .lines()
    } else {
        token + "\n"
    });
    Ok(Exit::Fine)
}

/// The key from the one place that was named, with its id.
fn key(words: &IssueArgs, environment: &Environment) -> Result<SigningKey, Failure> {
    let from = &words.key;
    let key = if let Some(path) = &from.key {
        KeyFile::read(path)?.signing(words.alg)
    } else if let Some(path) = &from.secret_file {
        Secret::of_file(path)?.signing(words.alg)
    } else {
        let name = from.secret_env.as_deref().unwrap_or_default();
        Secret::of_variable(name, environment)?.signing(words.alg)
    }?;
    Ok(match &words.kid {
        Some(id) => key.with_key_id(id.clone()),
        None => key,
    })
}

/// The JSON object of a file or of stdin.
fn claims_file(path: &Path) -> Result<String, Failure> {
    let bytes = if path == Path::new("-") {
        read_bounded(io::stdin().lock(), LONGEST_CLAIMS)
            .context("stdin: cannot be read")
            .map_err(Failure::usage)?
    } else {
        read_file(path, LONGEST_CLAIMS)?
    };
    claims_object(&bytes).map_err(|error| {
        Failure::usage(error.context(format!("{}: expected a JSON object", path.display())))
    })
}

/// The text of a JSON object. How strict the rest is, the library says when it signs.
fn claims_object(bytes: &Zeroizing<Vec<u8>>) -> Result<String, anyhow::Error> {
    let text = str::from_utf8(bytes).context("it is not UTF-8")?;
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        Ok(_) => Err(anyhow!("it is another JSON value")),
        // serde_json's own text may quote claims; where it is, is enough.
        Err(error) => Err(anyhow!(
            "it is not JSON at line {}, column {}",
            error.line(),
            error.column()
        )),
    }
}

fn sign(key: &SigningKey, kind: IssuedType, claims: &str) -> Result<String, Failure> {
    let token = key.sign(claims.as_bytes());
    let token = match kind {
        IssuedType::Jwt => token,
        // Signed once more under the other header; the first time has checked the claims.
        IssuedType::AccessToken => token.and_then(|_| {
            let mut header = JsonObjectText::default().with("alg", key.algorithm().name());
            if let Some(id) = key.key_id() {
                header = header.with("kid", id.as_str());
            }
            let header = header.with("typ", "at+jwt").one_line();
            key.sign_payload(&header, claims.as_bytes(), DEFAULT_LONGEST_TOKEN)
        }),
    };
    token.map_err(|error| {
        let failure = match error {
            SignError::Failed => Failure::failed,
            _ => Failure::usage,
        };
        failure(anyhow::Error::new(error).context("the token was not made"))
    })
}

/// Refuses to hand out a token whose registered claims have wrong types. When it begins and ends is
/// the user's affair.
fn check(key: &SigningKey, token: &str, now: UnixSeconds) -> Result<(), Failure> {
    let rules = Rules::new()
        .danger_any_audience()
        .header_type(HeaderType::DangerAny)
        .leeway(u32::MAX);
    match Verifier::new(key.verifying_key(), rules).verify(token, now) {
        Err(refusal) if !matches!(refusal.kind(), RefusalKind::Expired | RefusalKind::Immature) => {
            let error = anyhow::Error::new(refusal)
                .context("the token was not made, because every verifier would refuse it");
            Err(Failure::usage(error))
        }
        _ => Ok(()),
    }
}
