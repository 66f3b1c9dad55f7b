//! The gate: one generation's routes and guards, made of settings that were all checked.
//!
//! What it does with a request is `guard/judge.rs`, what it says of itself is `describe.rs`.

use http::header::{self, HeaderName};

use crate::guard::{Answers, SchemeRule, TokenRules};
use crate::request::{AllowedHosts, Host};
use crate::route::{GuardSettings, Mounts, RouteName, UrlTable};
use crate::settings::{GateSettings, GateSettingsError, GateSettingsErrors, SettingsFault};

/// Routes and guards of one generation. Immutable; share it between threads.
#[derive(Debug)]
pub struct Gate {
    pub(crate) mounts: Mounts,
    pub(crate) table: UrlTable,
    pub(crate) token_rules: Option<TokenRules>,
    pub(crate) answers: Answers,
    pub(crate) scheme: SchemeRule,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) identity_headers: Vec<HeaderName>,
    pub(crate) app: RouteName,
}

impl Gate {
    /// Makes a gate of its settings.
    ///
    /// # Errors
    /// Everything that is wrong with the settings, at once. A URL pattern that Rust cannot surely
    /// match as Python does is no error: its paths are left to the application.
    pub fn new(settings: GateSettings) -> Result<Self, GateSettingsErrors> {
        let GateSettings {
            mounts,
            app,
            identity_headers,
        } = settings;
        let mut errors = Vec::new();
        let mounts = Mounts::new(&mounts, &mut errors);
        let identity_headers = header_names(&identity_headers, &mut errors);
        let token_rules = app
            .token_rules
            .and_then(|rules| TokenRules::new(rules, &mut errors));
        let scheme = SchemeRule::new(app.scheme_header, &mut errors);
        let answer_count = app.answers.len();
        let answers = Answers::new(app.answers, &mut errors);
        let table = UrlTable::new(app.url_table);
        check_choices(&table, answer_count, &mut errors);
        GateSettingsErrors::none(errors)?;
        Ok(Self {
            mounts,
            table,
            token_rules,
            answers,
            scheme,
            allowed_hosts: AllowedHosts::new(app.allowed_hosts),
            identity_headers,
            app: RouteName::app(),
        })
    }

    /// Whether the project names this host as one of its own.
    #[must_use]
    pub fn allows_host(&self, host: &Host) -> bool {
        self.allowed_hosts.allow(host)
    }
}

/// Canonical header names: only hyphens, for names with an underscore are dropped anyway.
fn header_names(names: &[String], errors: &mut Vec<GateSettingsError>) -> Vec<HeaderName> {
    let mut parsed = Vec::with_capacity(names.len());
    for name in names {
        let fault = match HeaderName::from_bytes(name.replace('_', "-").as_bytes()) {
            Ok(name) if name == header::HOST || name == header::AUTHORIZATION => {
                SettingsFault::IdentityHeaderNeeded
            }
            Ok(name) => {
                parsed.push(name);
                continue;
            }
            Err(_) => SettingsFault::IdentityHeader,
        };
        let at = format!("identity header {name:?}");
        errors.push(GateSettingsError::new(at, fault));
    }
    parsed
}

/// Every answer that an entry chooses must be there.
fn check_choices(table: &UrlTable, answers: usize, errors: &mut Vec<GateSettingsError>) {
    for (place, entry) in table.iter().enumerate() {
        let GuardSettings::Token(choice) = &entry.settings().guard else {
            continue;
        };
        for chosen in choice.places().filter(|chosen| *chosen >= answers) {
            let at = format!("url table, entry {place} ({})", entry.settings().route);
            let fault = SettingsFault::NoSuchAnswer { chosen, answers };
            errors.push(GateSettingsError::new(at, fault));
        }
    }
}

#[cfg(test)]
mod tests;
