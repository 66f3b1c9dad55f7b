//! The `django` part of the app manifest, as settings.
//!
//! The manifest is what the zygote learned by importing the project (`docs/notes/borders.md`). It
//! comes from our own Python package of the same release, so a shape that does not fit is an error;
//! what the project's settings say is judged by [`Gate::new`](crate::Gate::new). Unknown keys are
//! left alone: the other parts of the manifest are for others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::guard::{
    AnswerSettings, KeyLength, SchemeHeaderSettings, TokenKey, TokenKeySource, TokenRuleSettings,
};
use crate::route::{
    AnswerChoice, GuardSettings, MountSettings, SchemeAnswers, UrlEntrySettings, UrlPattern,
};
use crate::settings::{
    AppGuardSettings, GateSettings, GateSettingsError, GateSettingsErrors, SettingsFault,
};

/// What Django allows by itself with `DEBUG` and an empty `ALLOWED_HOSTS` (`HttpRequest.get_host`).
const DEBUG_HOSTS: [&str; 3] = [".localhost", "127.0.0.1", "[::1]"];

#[derive(Deserialize)]
struct Manifest {
    django: Option<Django>,
}

#[derive(Deserialize)]
struct Django {
    debug: bool,
    #[serde(rename = "static")]
    static_files: Option<StaticFiles>,
    allowed_hosts: Vec<String>,
    scheme_header: Option<SchemeHeader>,
    token_rules: Option<TokenRules>,
    #[serde(default)]
    url_table: Vec<UrlEntry>,
    #[serde(default)]
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct StaticFiles {
    url: Option<String>,
    root: Option<String>,
    /// In development, in place of the root; what they are is the edge's.
    #[serde(default)]
    places: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct SchemeHeader {
    name: String,
    secure: String,
}

#[derive(Deserialize)]
struct TokenRules {
    algorithm: String,
    /// Not with `jwk_url`.
    #[serde(default, deserialize_with = "wiped_after_use")]
    key: Zeroizing<String>,
    jwk_url: Option<String>,
    #[serde(default)]
    danger_short_key: bool,
    #[serde(default)]
    leeway_seconds: u32,
    issuer: Option<String>,
    audience: Option<Vec<String>>,
    token_type_claim: Option<String>,
    token_type: String,
    jti_claim: Option<String>,
    header_types: Vec<String>,
}

fn wiped_after_use<'de, D: Deserializer<'de>>(source: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(source).map(Zeroizing::new)
}

#[derive(Deserialize)]
struct UrlEntry {
    pieces: Vec<String>,
    opaque: bool,
    #[serde(default)]
    perhaps: bool,
    literal_prefix: String,
    route: String,
    name: Option<String>,
    #[serde(default)]
    view: String,
    #[serde(default)]
    methods: Vec<String>,
    authentication: Option<String>,
    permission: Option<String>,
    guard: Guard,
    #[serde(default)]
    why: String,
    answers: Option<SchemeChoices>,
}

#[derive(Deserialize)]
struct SchemeChoices {
    http: Option<AnswerChoice>,
    https: Option<AnswerChoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Guard {
    Token,
    App,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl GateSettings {
    /// Reads the manifest: mounts (the project's static files, if they have a directory and a path
    /// on this host), allowed hosts, token rules, URL table, answers. Without a `django` part the
    /// default, which leaves every request to the application.
    ///
    /// # Errors
    /// The first place where the document has another shape, or everything in it that cannot be
    /// taken over. Errors never repeat the key.
    pub fn from_manifest(manifest: &[u8]) -> Result<Self, GateSettingsErrors> {
        let mut errors = Vec::new();
        let django = match serde_json::from_slice::<Manifest>(manifest) {
            Ok(manifest) => manifest.django,
            Err(error) => {
                let fault = SettingsFault::Manifest(error);
                errors.push(GateSettingsError::new("app manifest", fault));
                None
            }
        };
        let settings = django.map(|django| django.into_settings(&mut errors));
        GateSettingsErrors::none(errors)?;
        Ok(settings.unwrap_or_default())
    }
}

impl Django {
    fn into_settings(self, errors: &mut Vec<GateSettingsError>) -> GateSettings {
        let mut allowed_hosts = self.allowed_hosts;
        if self.debug && allowed_hosts.is_empty() {
            allowed_hosts = DEBUG_HOSTS.map(str::to_owned).to_vec();
        }
        let mount = self.static_files.and_then(StaticFiles::into_mount);
        let token_rules = self
            .token_rules
            .and_then(|rules| rules.into_settings(errors));
        let url_table = self
            .url_table
            .into_iter()
            .enumerate()
            .map(|(place, entry)| entry.into_settings(place, errors))
            .collect();
        GateSettings {
            mounts: mount.into_iter().collect(),
            app: AppGuardSettings {
                allowed_hosts,
                scheme_header: self.scheme_header.map(SchemeHeader::into_settings),
                token_rules,
                url_table,
                answers: self
                    .answers
                    .into_iter()
                    .map(Answer::into_settings)
                    .collect(),
            },
            identity_headers: Vec::new(),
        }
    }
}

impl StaticFiles {
    /// A URL on another host, or the whole site, is not ours to serve.
    fn into_mount(self) -> Option<MountSettings> {
        if self.root.is_none() && self.places.is_empty() {
            return None;
        }
        let mut prefix = self.url?;
        if !prefix.ends_with('/') {
            prefix.push('/');
        }
        let ours = prefix.starts_with('/') && !prefix.starts_with("//") && prefix != "/";
        ours.then_some(MountSettings { prefix })
    }
}

impl SchemeHeader {
    fn into_settings(self) -> SchemeHeaderSettings {
        SchemeHeaderSettings {
            name: self.name,
            secure: self.secure,
        }
    }
}

impl SchemeChoices {
    fn into_settings(self) -> SchemeAnswers {
        SchemeAnswers {
            http: self.http.unwrap_or_default(),
            https: self.https.unwrap_or_default(),
        }
    }
}

impl TokenRules {
    fn into_settings(self, errors: &mut Vec<GateSettingsError>) -> Option<TokenRuleSettings> {
        let key = match (self.jwk_url, STANDARD.decode(self.key.as_bytes())) {
            (Some(_), _) => TokenKeySource::Issuer,
            (None, Ok(key)) => TokenKeySource::Here(TokenKey::new(key)),
            (None, Err(_)) => {
                let fault = SettingsFault::KeyEncoding;
                errors.push(GateSettingsError::new("token rules", fault));
                return None;
            }
        };
        Some(TokenRuleSettings {
            algorithm: self.algorithm,
            key,
            key_length: if self.danger_short_key {
                KeyLength::DangerShort
            } else {
                KeyLength::Enforced
            },
            leeway_seconds: self.leeway_seconds,
            issuer: self.issuer,
            audience: self.audience,
            token_type_claim: self.token_type_claim,
            token_type: self.token_type,
            jti_claim: self.jti_claim,
            header_types: self.header_types,
        })
    }
}

impl UrlEntry {
    fn into_settings(self, place: usize, errors: &mut Vec<GateSettingsError>) -> UrlEntrySettings {
        let mut methods = Vec::with_capacity(self.methods.len());
        for name in self.methods {
            match Method::from_bytes(name.as_bytes()) {
                Ok(method) => methods.push(method),
                Err(_) => errors.push(GateSettingsError::new(
                    format!("url table, entry {place} ({})", self.route),
                    SettingsFault::Method(name),
                )),
            }
        }
        UrlEntrySettings {
            pattern: if self.opaque {
                UrlPattern::Opaque
            } else if self.perhaps {
                UrlPattern::Perhaps(self.pieces)
            } else {
                UrlPattern::Pieces(self.pieces)
            },
            literal_prefix: self.literal_prefix,
            route: self.route,
            name: self.name,
            view: self.view,
            methods,
            authentication: self.authentication.unwrap_or_default(),
            permission: self.permission.unwrap_or_default(),
            guard: match self.guard {
                Guard::Token => GuardSettings::Token(
                    self.answers
                        .map(SchemeChoices::into_settings)
                        .map(Box::new)
                        .unwrap_or_default(),
                ),
                Guard::App => GuardSettings::App,
            },
            why: self.why,
        }
    }
}

impl Answer {
    fn into_settings(self) -> AnswerSettings {
        AnswerSettings {
            status: self.status,
            headers: self.headers,
            body: self.body,
        }
    }
}

#[cfg(test)]
mod tests;
