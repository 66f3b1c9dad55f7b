//! Makes a release's manifest into what the edge rules by, before the release gets a request.

use super::{
    develop::Developer,
    issuer::{self, Watch},
    manifest::Manifest,
    mounts::{FileSettings, Mounted},
};
use crate::{
    config::ServeSettings,
    print::{Screen, without_controls},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use yett_edge::{
    Edge, Interface, Mount, Ruling,
    floor::{Runs, WorkerKind},
};
use yett_gate::{Gate, GateSettings, GateSettingsErrors, MountSettings, RouteGuard};
use yett_supervisor::{GenerationId, Releases};

/// What a release says about itself, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    pub(super) app: String,
    pub(super) interface: String,
    pub(super) python: String,
    pub(super) framework: Option<String>,
    pub(super) django: bool,
    pub(super) guarded: Vec<String>,
    pub(super) routes: usize,
    pub(super) no_guard: Option<String>,
    pub(super) mounts: Vec<(String, String)>,
    pub(super) warnings: Vec<String>,
}

/// A ruling and its summary.
pub(super) type Prepared = (Ruling, Summary);

/// Prepares releases and puts them in force.
pub(super) struct Releaser {
    preparation: Preparation,
    threads: usize,
    concurrency: usize,
    edge: Arc<Edge>,
    screen: Screen,
    developer: Option<Arc<Developer>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    prepared: HashMap<GenerationId, Prepared>,
    summary: Summary,
    /// Of the release in force.
    issuer: Option<Watch>,
}

impl Releaser {
    pub(super) fn new(
        settings: &ServeSettings,
        edge: Arc<Edge>,
        screen: Screen,
        developer: Option<Arc<Developer>>,
    ) -> Self {
        Self {
            preparation: Preparation::new(settings),
            threads: settings.threads.of_wsgi(),
            concurrency: settings.concurrency.get(),
            edge,
            screen,
            developer,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of the release in force.
    pub(super) fn summary(&self) -> Summary {
        self.state().summary.clone()
    }
}

impl Releases for Releaser {
    fn prepare(&self, generation: GenerationId, manifest: &[u8]) -> Result<(), String> {
        // Also of a release that is refused: the next change may be the one that mends it.
        if let Some(developer) = &self.developer {
            developer.learn(manifest);
        }
        let prepared = self.preparation.prepare(manifest)?;
        let kind = match prepared.1.interface.as_str() {
            "asgi" => WorkerKind {
                runs: Runs::EventLoop,
                capacity: self.concurrency,
            },
            _ => WorkerKind {
                runs: Runs::Threads,
                capacity: self.threads,
            },
        };
        self.edge.floor().describe(generation.get(), kind);
        self.state().prepared.insert(generation, prepared);
        Ok(())
    }

    fn commit(&self, generation: GenerationId) {
        let prepared = self.state().prepared.remove(&generation);
        if let Some((ruling, summary)) = prepared {
            let issuer = ruling.issuer.clone();
            self.edge.rule(ruling);
            let mut state = self.state();
            // The banner has those of the first release.
            if !state.summary.app.is_empty() {
                let new = |warning: &&String| !state.summary.warnings.contains(warning);
                for warning in summary.warnings.iter().filter(new) {
                    let warning = without_controls(warning);
                    self.screen.err(&format!("warning: {warning}\n"));
                }
            }
            state.summary = summary;
            state.issuer = issuer.map(|client| Watch::start(client, self.screen));
        }
    }

    fn forget(&self, generation: GenerationId) {
        self.edge.floor().forget(generation.get());
        self.state().prepared.remove(&generation);
    }
}

/// The ruling before the first release: nothing is accepted yet, so nothing is asked of it.
pub(super) fn empty_ruling() -> Result<Ruling, GateSettingsErrors> {
    Ok(Ruling {
        gate: Gate::new(GateSettings::default())?,
        mounts: Vec::new(),
        interface: Interface::Wsgi,
        issuer: None,
    })
}

/// What of the settings decides about a release: the same for `serve` and `check`.
pub(super) struct Preparation {
    files: FileSettings,
    /// Somebody is believed what he says of a request's scheme.
    trusts: bool,
}

impl Preparation {
    pub(super) fn new(settings: &ServeSettings) -> Self {
        Self {
            files: FileSettings::new(settings),
            trusts: !settings.head.proxies.is_empty(),
        }
    }

    /// Reads a manifest and makes its ruling. The error is a sentence for people.
    pub(super) fn prepare(&self, document: &[u8]) -> Result<Prepared, String> {
        prepare(&self.files, self.trusts, document)
    }
}

fn prepare(files: &FileSettings, trusts: bool, document: &[u8]) -> Result<Prepared, String> {
    let manifest = Manifest::read(document)?;
    let mut settings =
        GateSettings::from_manifest(document).map_err(|errors| errors.to_string())?;
    let mut warnings = manifest.warnings.clone();
    let of_issuer = manifest.django.as_ref().and_then(|django| {
        let rules = django.token_rules.as_ref()?;
        Some(issuer::client(rules, django.debug))
    });
    let issuer = match of_issuer {
        None => None,
        Some(Ok(client)) => client,
        Some(Err(why)) => {
            settings.app.token_rules = None;
            warnings.push(format!("JWK_URL: {why}; the app checks every token itself"));
            None
        }
    };
    let of_project = std::mem::take(&mut settings.mounts);
    let url = of_project.into_iter().next().map(|mount| mount.prefix);
    let mounted = files.mounts(&manifest, url, &mut warnings);
    settings.mounts = mounted
        .iter()
        .map(|(url, _)| MountSettings {
            prefix: url.clone(),
        })
        .collect();
    let scheme_header = settings.app.scheme_header.as_ref();
    if let Some(header) = scheme_header.filter(|one| yett_gate::speaks_of_origin(&one.name))
        && !trusts
    {
        warnings.push(format!(
            "SECURE_PROXY_SSL_HEADER names {}, and no proxy is trusted, so that header is dropped: \
             name the proxy with --trust-proxy, or leave the setting away",
            header.name
        ));
    }
    let gate = Gate::new(settings).map_err(|errors| errors.to_string())?;
    let summary = summarise(&manifest, &gate, &mounted, warnings);
    let mounts = mounted.into_iter().map(|(_, mount)| mount).collect();
    let ruling = Ruling {
        gate,
        mounts,
        interface: manifest.app.interface(),
        issuer,
    };
    Ok((ruling, summary))
}

/// Where a mount's files are, for people.
fn places(mount: &Mount) -> String {
    match mount.places.as_slice() {
        [one] => one.folder.display().to_string(),
        several => format!("{} folders (the staticfiles finders')", several.len()),
    }
}

fn summarise(
    manifest: &Manifest,
    gate: &Gate,
    mounted: &[Mounted],
    mut warnings: Vec<String>,
) -> Summary {
    let routes = gate.routes();
    let guarded: Vec<String> = routes
        .iter()
        .filter(|route| route.guard == RouteGuard::Token)
        .map(|route| route.path.clone())
        .collect();
    if !manifest.threads.is_empty() {
        warnings.push(format!(
            "importing the app started threads, which a fork does not take along: {}. So each worker \
             imports the app for itself: no memory is shared, and a worker takes longer to start. Start \
             threads at their first use to have it back, or say --no-preload to agree",
            manifest.threads.join(", ")
        ));
    }
    let django = manifest.django.as_ref();
    if django.is_some_and(|django| django.debug) {
        warnings.push(String::from(
            "DEBUG is on: error pages show settings and code to everyone",
        ));
    }
    let rules = django.and_then(|django| django.token_rules.as_ref());
    if rules.is_some_and(|rules| rules.danger_short_key) {
        warnings.push(String::from(
            "danger_short_key: the signing key of the tokens is shorter than its hash, so it can be guessed",
        ));
    }
    Summary {
        app: manifest.app.spec.clone(),
        interface: manifest.app.interface.clone(),
        python: manifest.python.clone(),
        framework: django.map(|django| format!("Django {}", django.version)),
        django: django.is_some(),
        routes: routes.len().saturating_sub(mounted.len()),
        guarded,
        no_guard: django.and_then(|django| django.token_rules_why_not.clone()),
        mounts: mounted
            .iter()
            .map(|(url, mount)| (url.clone(), places(mount)))
            .collect(),
        warnings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn header_of_a_proxy_that_nobody_trusts_is_warned_of_whoever_prepares() {
        let manifest = |header: serde_json::Value| {
            let django = json!({
                "version": "6.0", "debug": false, "scheme_header": header, "static": {"root": null},
                "token_rules": null, "token_rules_why_not": null,
                "url_table": [], "answers": [], "allowed_hosts": [],
            });
            let manifest = json!({
                "yett": env!("CARGO_PKG_VERSION"), "python": "3.14.0",
                "app": {"spec": "site.wsgi", "interface": "wsgi"}, "django": django,
            });
            manifest.to_string().into_bytes()
        };
        let check = |trusts: bool, header: serde_json::Value, warnings: usize| {
            let files = FileSettings::default();
            let preparation = Preparation { files, trusts };
            let (_, summary) = preparation.prepare(&manifest(header)).unwrap();
            assert_eq!(summary.warnings.len(), warnings, "{:?}", summary.warnings);
        };
        let header = json!({"name": "X-Forwarded-Proto", "secure": "https"});
        check(false, header.clone(), 1);
        check(true, header, 0);
        check(false, json!(null), 0);
    }
}
