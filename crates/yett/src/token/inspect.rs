//! `yett token inspect`: takes a token apart and shows it. Proves nothing, and says so first.

use super::{
    input::{self, LONGEST_TOKEN_TEXT},
    refused::form_hint,
};
use crate::{
    cli::InspectArgs,
    print::{
        Exit, Failure, JsonObjectText, Paint, Screen, Style, TokenView, elements, members,
        one_line, string, times_json,
    },
};
use anyhow::anyhow;
use yett_jwt::{Algorithm, DEFAULT_LONGEST_TOKEN, UnixSeconds, danger_peek};

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A JWS: it has a signature, or room for one.
    Signed,
    /// Its header says `none`.
    Unsigned,
    /// A JWE: its claims cannot be read without its key.
    Encrypted,
}

/// A token taken apart. Nobody vouches for any of it.
#[derive(Debug)]
struct Inspection {
    kind: Kind,
    header: String,
    claims: Option<String>,
    warnings: Vec<String>,
}

/// Shows a token.
pub(super) fn inspect(
    words: &InspectArgs,
    now: UnixSeconds,
    screen: Screen,
) -> Result<Exit, Failure> {
    let text = input::read(words.token.as_ref(), screen)?;
    let inspection = Inspection::of(input::bare(&text))?;
    screen.out(&if words.json {
        inspection.json(now)
    } else {
        inspection.text(now, screen.out_paint())
    });
    Ok(Exit::Fine)
}

impl Inspection {
    /// Takes a token apart, as strictly as a verifier would.
    fn of(token: &str) -> Result<Self, Failure> {
        if token.split('.').count() == ENCRYPTED_PARTS {
            return Self::of_encrypted(token);
        }
        let unproven = danger_peek(token, LONGEST_TOKEN_TEXT).map_err(|refusal| {
            let error = anyhow::Error::new(refusal).context("this is no token");
            match form_hint(token) {
                Some(hint) => Failure::failed(error).hint(hint),
                None => Failure::failed(error),
            }
        })?;
        let header = text_of(unproven.header_json())?;
        let claims = text_of(unproven.payload())?;
        let kind = match algorithm(&header) {
            Some(name) if name.eq_ignore_ascii_case("none") => Kind::Unsigned,
            _ => Kind::Signed,
        };
        let mut warnings = header_warnings(&header);
        if kind == Kind::Unsigned {
            warnings.push(
                "alg is none: there is no signature, so anybody can write such a token; never accept one"
                    .to_owned(),
            );
        } else if token.ends_with('.') {
            warnings.push("the signature is empty".to_owned());
        }
        warnings.extend(claim_warnings(&claims));
        if token.len() > DEFAULT_LONGEST_TOKEN {
            warnings.push(format!(
                "the token has {} bytes; verifiers of Yett take {DEFAULT_LONGEST_TOKEN}",
                token.len()
            ));
        }
        Ok(Self {
            kind,
            header,
            claims: Some(claims),
            warnings,
        })
    }

    /// The header of a JWE (RFC 7516 section 3.1): it is all that can be read.
    fn of_encrypted(token: &str) -> Result<Self, Failure> {
        let header = token.split('.').next().unwrap_or_default();
        // The reader takes tokens of three parts; the other two are an empty object and nothing.
        let alone = format!("{header}.e30.");
        let unproven = danger_peek(&alone, LONGEST_TOKEN_TEXT + 8).map_err(|refusal| {
            let error = anyhow::Error::new(refusal).context("this is no encrypted token (JWE)");
            Failure::failed(error)
        })?;
        Ok(Self {
            kind: Kind::Encrypted,
            header: text_of(unproven.header_json())?,
            claims: None,
            warnings: Vec::new(),
        })
    }

    fn text(&self, now: UnixSeconds, paint: Paint) -> String {
        let mut text = match self.kind {
            Kind::Signed | Kind::Unsigned => format!(
                "{} This is what the token says; whether it is true, nobody has checked.\n\n",
                paint.text(Style::Warning, "NOTHING WAS VERIFIED.")
            ),
            Kind::Encrypted => format!(
                "{} The token is encrypted (JWE, five parts): only its header can be read.\n\n",
                paint.text(Style::Warning, "NOTHING WAS VERIFIED.")
            ),
        };
        text.push_str(&self.view(now).text(paint));
        if !self.warnings.is_empty() {
            text.push('\n');
        }
        for warning in &self.warnings {
            let label = paint.text(Style::Warning, "warning:");
            text.push_str(&format!("{label} {}\n", one_line(warning)));
        }
        text
    }

    fn json(&self, now: UnixSeconds) -> String {
        let kind = match self.kind {
            Kind::Signed => "signed",
            Kind::Unsigned => "unsigned",
            Kind::Encrypted => "encrypted",
        };
        let claims = self.claims.as_deref();
        let times = times_json(claims.unwrap_or_default(), now);
        JsonObjectText::default()
            .with("verified", false)
            .with("kind", kind)
            .raw("header", &self.header)
            .raw("claims", claims.unwrap_or("null"))
            .raw("times", &times.one_line())
            .with("at", now.get())
            .with("warnings", self.warnings.clone())
            .lines()
    }

    fn view(&self, now: UnixSeconds) -> TokenView<'_> {
        TokenView {
            header: &self.header,
            claims: self.claims.as_deref(),
            now,
        }
    }
}

/// Parts of a JWE.
pub(super) const ENCRYPTED_PARTS: usize = 5;

fn text_of(json: &[u8]) -> Result<String, Failure> {
    // The reader has checked it.
    str::from_utf8(json)
        .map(str::to_owned)
        .map_err(|_| Failure::failed(anyhow!("the token is not UTF-8")))
}

fn algorithm(header: &str) -> Option<String> {
    let members = members(header);
    let (_, value) = members.iter().find(|(name, _)| name == "alg")?;
    string(value)
}

/// What a verifier would refuse or ignore in a header.
fn header_warnings(header: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    match algorithm(header) {
        None => warnings.push("the header names no algorithm (alg)".to_owned()),
        Some(name) if name.eq_ignore_ascii_case("none") => {}
        Some(name) if name.parse::<Algorithm>().is_err() => {
            warnings.push(format!("{name:?} is no algorithm that Yett knows"));
        }
        Some(_) => {}
    }
    for (name, _) in members(header) {
        match name.as_str() {
            "crit" | "b64" => warnings.push(format!(
                "the header has {name}: verifiers of Yett refuse the token"
            )),
            "jwk" | "jku" | "x5c" | "x5u" => warnings.push(format!(
                "the header brings its own key ({name}): whoever wrote the token chose it; Yett ignores it"
            )),
            _ => {}
        }
    }
    warnings
}

/// Registered claims of a wrong type, which every verifier of Yett refuses, and no end.
fn claim_warnings(claims: &str) -> Vec<String> {
    let members = members(claims);
    let mut warnings = Vec::new();
    for (name, value) in &members {
        let expected = match name.as_str() {
            "iss" | "sub" | "jti" if string(value).is_none() => "a string",
            "exp" | "nbf" | "iat" if !is_number(value) => "a number",
            "aud" if !is_audience(value) => "a string or a list of strings",
            _ => continue,
        };
        warnings.push(format!(
            "claim {name} is not {expected}: verifiers refuse the token"
        ));
    }
    if !members.iter().any(|(name, _)| name == "exp") {
        warnings.push("there is no exp: the token never expires".to_owned());
    }
    warnings
}

fn is_number(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

fn is_audience(value: &str) -> bool {
    string(value).is_some()
        || (value.starts_with('[') && elements(value).iter().all(|item| string(item).is_some()))
}

#[cfg(test)]
mod tests;
