//! The claims of a token to be issued: from a file, from flags, and what is added without asking.
//!
//! They stay text: what the user wrote is what is signed, digit by digit. A name comes once; a flag
//! never silently replaces what a file says.

use crate::{
    cli::IssueArgs,
    print::{Failure, JsonObjectText, members},
};
use anyhow::anyhow;
use serde_json::Value;
use yett_jwt::UnixSeconds;

/// Claims in their order.
#[derive(Debug, Default)]
pub(super) struct ClaimsText {
    members: Vec<(String, String)>,
}

impl ClaimsText {
    /// The claims of the words. `file` is the JSON object of `--claims`, checked to be one; `random`
    /// is for the token's own id.
    pub(super) fn gather(
        words: &IssueArgs,
        file: Option<&str>,
        now: UnixSeconds,
        random: [u8; 16],
    ) -> Result<Self, Failure> {
        let mut claims = Self::default();
        for (name, value) in members(file.unwrap_or_default()) {
            claims.add(&name, value)?;
        }
        for (name, value) in &words.claim {
            claims.add(name, &text(value))?;
        }
        for (name, json) in &words.claim_json {
            claims.add(name, json)?;
        }
        if let Some(issuer) = &words.issuer {
            claims.add("iss", &text(issuer))?;
        }
        if let Some(subject) = &words.subject {
            claims.add("sub", &text(subject))?;
        }
        match words.audience.as_slice() {
            [] => {}
            [only] => claims.add("aud", &text(only))?,
            several => claims.add("aud", &Value::from(several).to_string())?,
        }
        claims.add_times(words, now)?;
        if !words.no_jti && !claims.has("jti") {
            claims.add("jti", &text(&hex(random)))?;
        }
        Ok(claims)
    }

    fn add_times(&mut self, words: &IssueArgs, now: UnixSeconds) -> Result<(), Failure> {
        let later = |seconds: u32| now.get().saturating_add(i64::from(seconds)).to_string();
        match words.expires_in {
            Some(seconds) => self.add("exp", &later(seconds))?,
            None if words.danger_no_expiry && self.has("exp") => {
                return Err(Failure::usage(anyhow!(
                    "--danger-no-expiry: the claims have exp already"
                )));
            }
            None if self.has("exp") => {}
            None if words.danger_no_expiry => {}
            None => {
                let error = anyhow!("--expires-in is needed: how long the token is good");
                return Err(Failure::usage(error).hint(
                    "for example --expires-in 5m; --danger-no-expiry makes one that never expires",
                ));
            }
        }
        if let Some(seconds) = words.not_before {
            self.add("nbf", &later(seconds))?;
        }
        if !self.has("iat") {
            self.add("iat", &now.get().to_string())?;
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    fn add(&mut self, name: &str, json: &str) -> Result<(), Failure> {
        if self.has(name) {
            let error = anyhow!("the claim {name:?} is given twice");
            return Err(Failure::usage(error).hint("a flag does not replace what --claims says"));
        }
        self.members.push((name.to_owned(), json.to_owned()));
        Ok(())
    }

    /// The JSON object.
    pub(super) fn json(&self) -> String {
        let object = JsonObjectText::default();
        let object = self
            .members
            .iter()
            .fold(object, |object, (name, json)| object.raw(name, json));
        object.one_line()
    }
}

/// A JSON string.
fn text(value: &str) -> String {
    Value::from(value).to_string()
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
