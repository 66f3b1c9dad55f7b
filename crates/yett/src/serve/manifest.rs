//! The app manifest as the program reads it: what the banner and the mounts need. The rest is the
//! gate's.

use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};
use yett_edge::Interface;

/// What the zygote learned by importing the app.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    /// The version of the Python package; must be the program's.
    pub(super) yett: String,
    /// The interpreter's version.
    pub(super) python: String,
    pub(super) app: App,
    /// Threads that importing the app started, and that a fork would not have taken along; if there
    /// are any, each worker imports the app for itself.
    #[serde(default)]
    pub(super) threads: Vec<String>,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    pub(super) django: Option<Django>,
}

#[derive(Debug, Deserialize)]
pub(super) struct App {
    pub(super) spec: String,
    pub(super) interface: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Django {
    pub(super) version: String,
    #[serde(default)]
    pub(super) debug: bool,
    #[serde(rename = "static")]
    pub(super) static_files: StaticFiles,
    pub(super) token_rules: Option<TokenRules>,
    pub(super) token_rules_why_not: Option<String>,
}

/// What is told to people, and where keys are published; a key itself is read by the gate alone.
#[derive(Debug, Deserialize)]
pub(super) struct TokenRules {
    pub(super) algorithm: String,
    pub(super) jwk_url: Option<String>,
    #[serde(default)]
    pub(super) danger_short_key: bool,
}

/// The project's static files.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StaticFiles {
    /// What `collectstatic` fills.
    pub(super) root: Option<PathBuf>,
    /// In development, in place of the root: where the finders look, in their order.
    #[serde(default)]
    pub(super) places: Vec<StaticPlace>,
    /// Where `ManifestStaticFilesStorage` says what it named.
    pub(super) hashed: Option<PathBuf>,
    /// A sentence for people.
    pub(super) why_not: Option<String>,
    /// The project uses it.
    pub(super) whitenoise: Option<WhiteNoise>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StaticPlace {
    pub(super) folder: PathBuf,
    pub(super) prefix: String,
}

/// What a project says of its files in WhiteNoise's settings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WhiteNoise {
    /// Seconds; `None`: answers say nothing of it.
    pub(super) max_age: Option<u64>,
    pub(super) any_origin: bool,
    pub(super) index: Option<String>,
    /// Files are looked at for each request.
    pub(super) autorefresh: bool,
    /// By extension.
    pub(super) types: BTreeMap<String, String>,
    /// By whole name.
    pub(super) types_by_name: BTreeMap<String, String>,
}

impl App {
    /// How the workers call it.
    pub(super) fn interface(&self) -> Interface {
        match self.interface.as_str() {
            "asgi" => Interface::Asgi,
            _ => Interface::Wsgi,
        }
    }
}

impl Manifest {
    /// Reads the document, and refuses one of another version.
    pub(super) fn read(document: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(document)
            .map_err(|error| format!("what the app's interpreter said cannot be read: {error}"))?;
        let ours = env!("CARGO_PKG_VERSION");
        if manifest.yett != ours {
            return Err(format!(
                "the program is yett {ours}, but the interpreter has yett {}: install both from one wheel",
                manifest.yett
            ));
        }
        Ok(manifest)
    }
}
