//! `yett check` and `yett routes`: imports the app as `serve` would, looks at what it said, and ends
//! without binding a socket.
//!
//! It runs the very supervisor that serves, and turns the first release down once its manifest is
//! there: so what is checked is what would run.

use super::{
    Plan, not_started,
    release::{Preparation, Prepared},
    tls, writable,
};
use crate::{
    cli::Form,
    print::{CheckReport, Exit, Failure, Mark, Paint, RouteRow, Screen, routes_json, routes_table},
};
use std::{
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};
use yett_gate::RouteGuard;
use yett_supervisor::{Floor, GenerationId, Notice, Notices, Releases, Supervisor, WorkerId, run};

/// The sentence that turns a release down after it was looked at; never shown.
const SEEN_ENOUGH: &str = "seen enough";

struct Onlooker {
    preparation: Preparation,
    prepared: Mutex<Option<Prepared>>,
}

impl Floor for Onlooker {
    fn attach(&self, _: WorkerId, _: GenerationId, _: OwnedFd) {}
    fn activate(&self, _: GenerationId) {}
    fn drain(&self, _: WorkerId) {}
    fn cut(&self, _: WorkerId) {}
    fn detach(&self, _: WorkerId) {}
}

impl Notices for Onlooker {
    fn notice(&self, _: &Notice) {}
}

impl Releases for Onlooker {
    fn prepare(&self, _: GenerationId, manifest: &[u8]) -> Result<(), String> {
        let prepared = self.preparation.prepare(manifest)?;
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared);
        Err(String::from(SEEN_ENOUGH))
    }

    fn commit(&self, _: GenerationId) {}
}

fn look(plan: &Plan) -> Result<Prepared, Failure> {
    let onlooker = Arc::new(Onlooker {
        preparation: Preparation::new(&plan.settings),
        prepared: Mutex::new(None),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let (_supervisor, inbox) = Supervisor::new();
    let reason = runtime.block_on(run(
        inbox,
        plan.supervisor_settings(),
        Arc::clone(&onlooker) as Arc<dyn Floor>,
        Arc::clone(&onlooker) as Arc<dyn Releases>,
        Arc::clone(&onlooker) as Arc<dyn Notices>,
    ));
    let prepared = onlooker
        .prepared
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match (prepared, reason.failure()) {
        (Some(prepared), _) => Ok(prepared),
        (None, Some(failure)) => Err(not_started(&plan.python.path, failure)),
        (None, None) => Err(Failure::failed(anyhow::anyhow!(
            "the app was not looked at"
        ))),
    }
}

/// Imports the app and reports what is in order and what is not.
pub(crate) fn check(plan: &Plan, screen: Screen) -> Result<Exit, Failure> {
    let mut report = CheckReport::default();
    report.add(Mark::Good, "configuration", "can be read");
    for warning in &plan.warnings {
        report.add(Mark::Warning, "configuration", warning);
    }
    for line in tls::lines(plan) {
        report.add(Mark::Good, "certificate", line);
    }
    for warning in tls::warnings(plan) {
        report.add(Mark::Warning, "certificate", warning);
    }
    for hindrance in writable::hindrances(plan) {
        if hindrance.is_of_this_user() {
            let sentence = format!("{:#}", anyhow::Error::from(hindrance));
            let text = format!("{sentence}: let serve run as a user who may");
            report.add(Mark::Warning, "files", text);
        } else {
            report.add(
                Mark::Bad,
                "files",
                Failure::usage(hindrance).text(Paint::Off),
            );
        }
    }
    let python = format!(
        "{} ({})",
        plan.python.path.display(),
        plan.python.whereabouts
    );
    report.add(Mark::Good, "python", python);
    match look(plan) {
        Err(failure) => report.add(Mark::Bad, "app", failure.text(Paint::Off)),
        Ok((_, summary)) => {
            let framework = summary
                .framework
                .map(|name| format!(", {name}"))
                .unwrap_or_default();
            let app = format!(
                "{} ({}{framework}) on Python {}",
                summary.app, summary.interface, summary.python
            );
            report.add(Mark::Good, "app", app);
            for (url, folder) in &summary.mounts {
                report.add(Mark::Good, "static", format!("{url} from {folder}"));
            }
            match summary.no_guard {
                Some(why) => report.add(
                    Mark::Warning,
                    "tokens",
                    format!("not checked at the edge: {why}"),
                ),
                None if summary.django => {
                    let text = format!(
                        "{} of {} routes are guarded at the edge",
                        summary.guarded.len(),
                        summary.routes
                    );
                    report.add(Mark::Good, "tokens", text);
                }
                None => {}
            }
            for warning in &summary.warnings {
                report.add(Mark::Warning, "app", warning);
            }
        }
    }
    screen.out(&report.text(screen.out_paint()));
    Ok(report.exit())
}

/// Who answers, in a word.
const fn answers(guard: RouteGuard) -> &'static str {
    match guard {
        RouteGuard::Open => "files",
        RouteGuard::Token => "edge",
        RouteGuard::App => "app",
    }
}

/// Prints the routes in the order in which they are tried.
pub(crate) fn routes(plan: &Plan, form: Form, screen: Screen) -> Result<Exit, Failure> {
    let (ruling, _) = look(plan)?;
    let rows: Vec<RouteRow> = ruling
        .gate
        .routes()
        .into_iter()
        .map(|route| RouteRow {
            method: route
                .methods
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(","),
            path: route.path,
            view: route.view,
            authentication: route.authentication,
            permission: route.permission,
            answered: answers(route.guard).to_owned(),
            missing: answers(route.missing).to_owned(),
            schemes: route.schemes.iter().map(|scheme| scheme.as_str()).collect(),
            why: route.why,
        })
        .collect();
    let text = match form {
        Form::Text => routes_table(&rows, screen.width(), screen.out_paint()),
        Form::Json => routes_json(&rows).map_err(Failure::failed)?,
    };
    screen.out(&text);
    Ok(Exit::Fine)
}
