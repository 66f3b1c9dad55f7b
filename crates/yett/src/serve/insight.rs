//! What the admin address tells: edge, supervisor and what happened to both, put together.
//!
//! Counts are kept here and in the edge, in the one process that outlives every worker and every
//! release, so none ever goes back.

use super::{bridge::Running, listeners};
use crate::{
    config::{Bind, ServeSettings},
    control::ControlTarget,
    print::Failure,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use yett_edge::{
    admin::{Hosts, Insight},
    clock,
    listen::{Listener, Permissions},
    log::{AccessLog, LogFile, Out},
    meters::Page,
};
use yett_supervisor::{GenerationState, Notice, Status, WorkerState, WorkerStatus};

/// Binds the admin address, if there is one.
pub(super) fn bind(settings: &ServeSettings) -> Result<Vec<Listener>, Failure> {
    let Some(admin) = &settings.admin else {
        return Ok(Vec::new());
    };
    let addresses = listeners::addresses(admin)?.into_iter();
    addresses
        // Who measures is not who proxies: a Unix socket of its own is for nobody's group.
        .map(|address| {
            Listener::bind_for(&address, Permissions::OWN)
                .map_err(|error| listeners::cannot_listen(error, "--admin"))
        })
        .collect()
}

/// Under which names it answers: those that were named, and the one that it is bound by.
pub(super) fn hosts(settings: &ServeSettings) -> Hosts {
    let mut names = settings.admin_hosts.clone();
    if let Some(Bind::Name { host, .. }) = &settings.admin {
        names.push(host.clone());
    }
    Hosts::new(&names)
}

/// Starts the access log.
pub(super) fn log(settings: &ServeSettings) -> Result<Arc<AccessLog>, Failure> {
    let out = match &settings.log.file {
        None => Out::Stream(Box::new(std::io::stdout())),
        Some(path) => Out::File(LogFile::open(path).map_err(Failure::usage)?),
    };
    AccessLog::start_at(settings.log.format.clone(), out).map_err(Failure::failed)
}

/// What happened to releases and workers since the start.
#[derive(Debug)]
pub(super) struct Incidents {
    began: Duration,
    stopping: AtomicBool,
    served: AtomicU64,
    failed: AtomicU64,
    zygotes: AtomicU64,
    workers: [AtomicU64; Incident::ALL.len()],
}

/// Something that befalls a worker. One that hangs is `Stuck` and, when it is killed for that,
/// `Died` as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incident {
    Died,
    Unfit,
    TooLarge,
    NotForked,
    NotReady,
    Hampered,
    Stuck,
    Overstayed,
    LinkLost,
    Spent,
}

impl Incident {
    const ALL: [Self; 10] = [
        Self::Died,
        Self::Unfit,
        Self::TooLarge,
        Self::NotForked,
        Self::NotReady,
        Self::Hampered,
        Self::Stuck,
        Self::Overstayed,
        Self::LinkLost,
        Self::Spent,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::Unfit => "unfit",
            Self::TooLarge => "too_large",
            Self::NotForked => "not_forked",
            Self::NotReady => "not_ready",
            Self::Hampered => "hampered",
            Self::Stuck => "stuck",
            Self::Overstayed => "overstayed",
            Self::LinkLost => "link_lost",
            Self::Spent => "spent",
        }
    }

    const fn of(notice: &Notice) -> Option<Self> {
        Some(match notice {
            Notice::WorkerDied { .. } => Self::Died,
            Notice::WorkerUnfit { .. } => Self::Unfit,
            Notice::WorkerTooLarge { .. } => Self::TooLarge,
            Notice::WorkerNotForked { .. } => Self::NotForked,
            Notice::WorkerNotReady { .. } => Self::NotReady,
            Notice::WorkerHampered { .. } => Self::Hampered,
            Notice::WorkerStuck { .. } => Self::Stuck,
            Notice::WorkerOverstayed { .. } => Self::Overstayed,
            Notice::WorkerLinkLost { .. } => Self::LinkLost,
            _ => return None,
        })
    }
}

impl Default for Incidents {
    fn default() -> Self {
        Self {
            began: clock::since_epoch(),
            stopping: AtomicBool::new(false),
            served: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            zygotes: AtomicU64::new(0),
            workers: Default::default(),
        }
    }
}

impl Incidents {
    /// The server was told to stop.
    pub(super) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// A worker has had as many requests as it should have.
    pub(super) fn spent(&self) {
        self.count(Incident::Spent);
    }

    /// Whether any release ever came to serve.
    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed) > 0
    }

    pub(super) fn hear(&self, notice: &Notice) {
        let counter = match notice {
            Notice::ReleaseActive { .. } => &self.served,
            Notice::ReleaseFailed { .. }
            | Notice::ReloadRefused {
                given_up: Some(_), ..
            } => &self.failed,
            Notice::ZygoteDied { .. } | Notice::ZygoteBroken { .. } => &self.zygotes,
            notice => {
                if let Some(incident) = Incident::of(notice) {
                    self.count(incident);
                }
                return;
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, incident: Incident) {
        if let Some(counter) = self.workers.get(incident as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&self, page: &mut Page) {
        page.counter(
            "yett_releases",
            "Releases that were started, by whether they came to serve.",
        )
        .add(
            &[("outcome", "served")],
            self.served.load(Ordering::Relaxed),
        )
        .add(
            &[("outcome", "failed")],
            self.failed.load(Ordering::Relaxed),
        );
        let mut family = page.counter(
            "yett_worker_incidents",
            "What befell workers. One worker may have several.",
        );
        for (incident, counter) in Incident::ALL.iter().zip(&self.workers) {
            let labels = [("incident", incident.name())];
            family.add(&labels, counter.load(Ordering::Relaxed));
        }
        page.counter("yett_zygote_losses", "Zygotes that died or were killed.")
            .add(&[], self.zygotes.load(Ordering::Relaxed));
        let began = self.began;
        page.gauge(
            "process_start_time_seconds",
            "When the server started, in seconds since the Unix epoch.",
        )
        .add(
            &[],
            format_args!("{}.{:03}", began.as_secs(), began.subsec_millis()),
        );
    }
}

impl Insight for Running {
    fn hindrances(&self) -> Vec<String> {
        let status = self.supervisor.status();
        hindrances(&status, self.incidents.stopping.load(Ordering::Relaxed))
    }

    fn measure(&self, page: &mut Page) {
        self.edge.measure(page);
        page.counter(
            "yett_log_dropped",
            "Access records that were not written because the log could not take them.",
        )
        .add(&[], self.log.lost());
        self.incidents.write(page);
        let status = self.supervisor.status();
        write_status(page, &status);
        let ready = hindrances(&status, self.incidents.stopping.load(Ordering::Relaxed)).is_empty();
        page.gauge("yett_ready", "1 while /readyz says that it is ready.")
            .add(&[], u8::from(ready));
        page.gauge("yett_build_info", "Always 1; the version stands beside it.")
            .add(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    }

    fn status(&self) -> serde_json::Value {
        without_paths(ControlTarget::status(self))
    }
}

/// The state without what tells where files are: whoever reaches the admin address can read it, and
/// the control socket, which tells all of it, only who may stop the server.
fn without_paths(mut status: serde_json::Value) -> serde_json::Value {
    let mut each = |pointer: &str, mend: fn(&mut serde_json::Value)| {
        let list = status.pointer_mut(pointer);
        let list = list.and_then(serde_json::Value::as_array_mut);
        list.into_iter().flatten().for_each(mend);
    };
    each("/addresses", |address| {
        if address
            .as_str()
            .is_some_and(|text| text.starts_with("unix:"))
        {
            *address = "unix".into();
        }
    });
    each("/tls/certificates", |certificate| {
        if let Some(certificate) = certificate.as_object_mut() {
            certificate.remove("file");
        }
    });
    status
}

/// Why the server should get no requests.
fn hindrances(status: &Status, stopping: bool) -> Vec<String> {
    let mut hindrances = Vec::new();
    if stopping {
        hindrances.push("the server is stopping".to_owned());
    }
    if status.active.is_none() {
        hindrances.push("no release of the app serves yet".to_owned());
    } else if status.workers_ready == 0 {
        let wanted = status.workers_wanted;
        hindrances.push(format!("none of {wanted} workers is ready"));
    }
    hindrances
}

fn write_status(page: &mut Page, status: &Status) {
    page.gauge(
        "yett_workers_wanted",
        "Workers that the serving generation should have.",
    )
    .add(&[], status.workers_wanted);
    let workers = || {
        let generations = status.generations.iter();
        generations.flat_map(|generation| &generation.workers)
    };
    let mut family = page.gauge(
        "yett_workers",
        "Workers of all generations by what they do.",
    );
    for (state, name) in [
        (WorkerState::Starting, "starting"),
        (WorkerState::Ready, "ready"),
        (WorkerState::Draining, "draining"),
        (WorkerState::Ending, "ending"),
    ] {
        let count = workers().filter(|worker| worker.state == state).count();
        family.add(&[("state", name)], count);
    }
    let mut family = page.gauge(
        "yett_worker_resident_memory_bytes",
        "Resident memory of each worker, together with what it shares with others.",
    );
    for generation in &status.generations {
        for worker in &generation.workers {
            memory(&mut family, worker, &generation.generation.to_string());
        }
    }
    page.gauge(
        "yett_generation",
        "The number of the generation that serves; 0 before the first.",
    )
    .add(&[], status.active.map_or(0, |active| active.get()));
    let releasing = status.generations.iter().filter(|generation| {
        matches!(
            generation.state,
            GenerationState::Importing | GenerationState::Preparing | GenerationState::Starting
        )
    });
    page.gauge(
        "yett_generations_starting",
        "Generations that are being started.",
    )
    .add(&[], releasing.count());
}

fn memory(family: &mut yett_edge::meters::Family<'_>, worker: &WorkerStatus, generation: &str) {
    if let Some(bytes) = worker.resident_bytes {
        let number = worker.worker.to_string();
        family.add(&[("worker", &number), ("generation", generation)], bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_incident_has_its_own_counter() {
        let incidents = Incidents::default();
        for (place, incident) in Incident::ALL.iter().enumerate() {
            assert_eq!(*incident as usize, place);
            incidents.count(*incident);
        }
        let counts = incidents.workers.iter();
        assert!(
            counts
                .into_iter()
                .all(|count| count.load(Ordering::Relaxed) == 1)
        );
    }

    #[test]
    fn admin_address_tells_no_path_of_a_file() {
        let told = without_paths(serde_json::json!({
            "addresses": ["http://127.0.0.1:8000", "unix:/run/secret/yett.sock"],
            "tls": {"certificates": [{"names": ["a"], "file": "/etc/pki/a.pem"}], "handshakes": {"full": 1}},
            "pid": 1,
        }));
        let expected = serde_json::json!({
            "addresses": ["http://127.0.0.1:8000", "unix"],
            "tls": {"certificates": [{"names": ["a"]}], "handshakes": {"full": 1}},
            "pid": 1,
        });
        assert_eq!(told, expected);
        let plain = serde_json::json!({"addresses": [], "tls": null});
        assert_eq!(without_paths(plain.clone()), plain);
    }

    #[test]
    fn server_is_ready_with_one_ready_worker_until_it_stops() {
        let mut status = Status::default();
        assert_eq!(
            hindrances(&status, false),
            ["no release of the app serves yet"]
        );
        status.active = Some(yett_supervisor::GenerationId::new(1));
        status.workers_wanted = 4;
        assert_eq!(hindrances(&status, false), ["none of 4 workers is ready"]);
        status.workers_ready = 1;
        assert!(hindrances(&status, false).is_empty());
        assert_eq!(hindrances(&status, true), ["the server is stopping"]);
    }
}
