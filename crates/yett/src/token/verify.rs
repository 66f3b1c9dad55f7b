//! `yett token verify`: a key, rules and a token; the verdict is `yett-jwt`'s.
//!
//! Exit code 1 means that the token was judged and refused, or that the key set could not be
//! fetched; 2, that nothing was judged because the words or the key are wrong.

use super::{input, refused};
use crate::{
    cli::{TokenType, VerifyArgs},
    config::Environment,
    keys::{KeyFile, Secret, Shortness, read_file},
    print::{
        Exit, Failure, JsonObjectText, Paint, Screen, Style, TokenView, members, one_line,
        times_json, utc_or_seconds,
    },
};
use anyhow::{Context as _, anyhow};
use std::{fmt::Write as _, path::Path, sync::Arc};
use yett_jwks::{JwksClient, JwksSettings, Loopback};
use yett_jwt::{
    Algorithm, HeaderType, KeyId, KeySet, KeySetError, Keys, LONGEST_KEY_SET, Rules, SkippedKey,
    UnixSeconds, Verified, Verifier, danger_peek,
};

/// Verifies a token, and shows what it says or why not.
pub(super) fn verify(
    words: &VerifyArgs,
    now: UnixSeconds,
    environment: &Environment,
    screen: Screen,
) -> Result<Exit, Failure> {
    let keys = keys(words, environment)?;
    let text = input::read(words.token.as_ref(), screen)?;
    let token = input::without_line_end(&text);
    let ids = ids(&keys);
    let verifier = Verifier::new(keys, rules(words));
    match verifier.verify(token, now) {
        Ok(verified) => {
            let proof = Proof::of(&verified, token, now)?;
            screen.out(&if words.json {
                proof.json()
            } else {
                proof.text(words, screen.out_paint())
            });
            Ok(Exit::Fine)
        }
        Err(refusal) => {
            let hint = refused::hint(&refusal, token, ids.as_deref());
            if words.json {
                screen.out(&refused::json(&refusal, hint.as_deref(), now));
                return Ok(Exit::Failed);
            }
            let error = anyhow::Error::new(refusal).context("the token is refused");
            Err(match hint {
                Some(hint) => Failure::failed(error).hint(hint),
                None => Failure::failed(error),
            })
        }
    }
}

fn rules(words: &VerifyArgs) -> Rules {
    let mut rules = Rules::new()
        .leeway(words.leeway.unwrap_or(0))
        .header_type(match words.kind {
            TokenType::Jwt => HeaderType::Jwt,
            TokenType::AccessToken => HeaderType::AccessToken,
            TokenType::Any => HeaderType::DangerAny,
        });
    if words.any_audience {
        rules = rules.danger_any_audience();
    }
    for issuer in &words.issuer {
        rules = rules.issuer(issuer);
    }
    for audience in &words.audience {
        rules = rules.audience(audience);
    }
    for claim in &words.require {
        rules = rules.require(claim);
    }
    rules
}

/// The key or the set, from the one place that was named.
fn keys(words: &VerifyArgs, environment: &Environment) -> Result<Keys, Failure> {
    let from = &words.key;
    if let Some(path) = &from.jwks {
        return key_set(path, &words.alg).map(Keys::from);
    }
    if let Some(url) = &from.jwks_url {
        return fetched(url, words).map(Keys::from);
    }
    let algorithm = match words.alg.as_slice() {
        [] => None,
        [only] => Some(*only),
        _ => {
            return Err(Failure::usage(anyhow!("--alg: one key has one algorithm"))
                .hint("several are for key sets: --jwks, --jwks-url"));
        }
    };
    let shortness = if words.danger_short_secret {
        Shortness::Endured
    } else {
        Shortness::Refused
    };
    let key = if let Some(path) = &from.key {
        KeyFile::read(path)?.verifying(algorithm)
    } else if let Some(path) = &from.secret_file {
        Secret::of_file(path)?.verifying(algorithm, shortness)
    } else {
        let name = from.secret_env.as_deref().unwrap_or_default();
        Secret::of_variable(name, environment)?.verifying(algorithm, shortness)
    };
    key.map(Keys::from)
}

/// A set from a file. Without `--alg`, each key is for what it says itself.
fn key_set(path: &Path, named: &[Algorithm]) -> Result<KeySet, Failure> {
    let json = read_file(path, LONGEST_KEY_SET)?;
    let allowed = if named.is_empty() {
        Algorithm::ALL
    } else {
        named
    };
    KeySet::from_json(&json, allowed).map_err(|error| {
        let hint = set_hint(&error);
        let error =
            anyhow::Error::new(error).context(format!("{}: not a usable JWK set", path.display()));
        let failure = Failure::usage(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// A set from its issuer, by one fetch.
fn fetched(url: &str, words: &VerifyArgs) -> Result<Arc<KeySet>, Failure> {
    let allowed: Vec<_> = if words.alg.is_empty() {
        let all = Algorithm::ALL.iter().copied();
        all.filter(|algorithm| !algorithm.is_symmetric()).collect()
    } else {
        words.alg.clone()
    };
    let mut settings = JwksSettings::new(url, allowed);
    if words.allow_loopback {
        settings.loopback = Loopback::Allowed;
    }
    let client = JwksClient::new(settings)
        .context("--jwks-url cannot be used")
        .map_err(Failure::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("no event loop").map_err(Failure::failed)?;
    // The error does not repeat the address, which may hold a credential.
    runtime.block_on(client.keys()).map_err(|error| {
        let hint = match &error {
            yett_jwks::JwksError::KeySet(error) => set_hint(error),
            yett_jwks::JwksError::AddressRefused(_) => {
                Some("--allow-loopback takes keys from this machine".to_owned())
            }
            _ => None,
        };
        let error = anyhow::Error::new(error).context("the key set was not fetched");
        match hint {
            Some(hint) => Failure::failed(error).hint(hint),
            None => Failure::failed(error),
        }
    })
}

/// Why no key of a set is usable, key by key.
fn set_hint(error: &KeySetError) -> Option<String> {
    let KeySetError::NoUsableKey(skipped) = error else {
        return None;
    };
    let mut lines: Vec<String> = skipped
        .iter()
        .take(MOST_SKIPPED)
        .map(skipped_line)
        .collect();
    if skipped.len() > MOST_SKIPPED {
        lines.push(format!("and {} more", skipped.len() - MOST_SKIPPED));
    }
    lines.push("--alg says which algorithms are meant".to_owned());
    Some(lines.join("\n"))
}

/// Unusable keys that are named; the others are counted.
const MOST_SKIPPED: usize = 8;

fn skipped_line(key: &SkippedKey) -> String {
    let mut line = format!("key {}", key.index() + 1);
    if let Some(id) = key.key_id() {
        let _ = write!(line, " ({id})");
    }
    let mut error: Option<&dyn std::error::Error> = Some(key.reason());
    while let Some(cause) = error {
        let _ = write!(line, ": {cause}");
        error = cause.source();
    }
    line
}

fn ids(keys: &Keys) -> Option<Vec<String>> {
    let Keys::Set(set) = keys else {
        return None;
    };
    let ids = set.keys().filter_map(|key| key.key_id());
    Some(ids.map(|id| id.as_str().to_owned()).collect())
}

/// A proven token, with its texts.
struct Proof<'v> {
    verified: &'v Verified,
    header: String,
    claims: &'v str,
    now: UnixSeconds,
}

impl<'v> Proof<'v> {
    fn of(verified: &'v Verified, token: &str, now: UnixSeconds) -> Result<Self, Failure> {
        let unread = || Failure::failed(anyhow!("the proven token cannot be read again"));
        // The signature covers the header too; only the library does not hand it out.
        let unproven = danger_peek(token, token.len()).map_err(|_| unread())?;
        let header = str::from_utf8(unproven.header_json()).map_err(|_| unread())?;
        let claims = str::from_utf8(verified.payload_json()).map_err(|_| unread())?;
        Ok(Self {
            verified,
            header: header.to_owned(),
            claims,
            now,
        })
    }

    fn algorithm(&self) -> String {
        let members = members(&self.header);
        let found = members.iter().find(|(name, _)| name == "alg");
        found
            .and_then(|(_, value)| crate::print::string(value))
            .unwrap_or_default()
    }

    fn text(&self, words: &VerifyArgs, paint: Paint) -> String {
        let mut text = format!(
            "{} The signature ({}) is the key's, and the token is in its time at {}.\n",
            paint.text(Style::Good, "VERIFIED."),
            one_line(&self.algorithm()),
            utc_or_seconds(self.now)
        );
        for sentence in self.unchecked(words) {
            let _ = writeln!(
                text,
                "{} {sentence}",
                paint.text(Style::Warning, "not checked:")
            );
        }
        text.push('\n');
        let view = TokenView {
            header: &self.header,
            claims: Some(self.claims),
            now: self.now,
        };
        text.push_str(&view.text(paint));
        text
    }

    /// What the rules left open, so that nobody takes the word "verified" for more than it says.
    fn unchecked(&self, words: &VerifyArgs) -> Vec<&'static str> {
        let claims = self.verified.claims();
        let mut sentences = Vec::new();
        if claims.issuer().is_some() && words.issuer.is_empty() {
            sentences.push("the issuer (iss); --issuer says which one is expected");
        }
        if claims.claim("aud").is_some() && words.audience.is_empty() {
            sentences.push("the audience (aud); --audience says who you are");
        }
        if claims.expires_at().is_none() {
            sentences.push(
                "the end: there is no exp, so the token never expires; --require exp refuses it",
            );
        }
        if words.kind == TokenType::Any {
            sentences.push("the header's typ");
        }
        sentences
    }

    fn json(&self) -> String {
        JsonObjectText::default()
            .with("verified", true)
            .with("algorithm", self.algorithm())
            .with("key_id", self.verified.key_id().map(KeyId::as_str))
            .raw("header", &self.header)
            .raw("claims", self.claims)
            .raw("times", &times_json(self.claims, self.now).one_line())
            .with("at", self.now.get())
            .lines()
    }
}
