//! The bridges between edge, supervisor and control socket: each speaks in the words of the other.

use super::{develop::Developer, insight::Incidents, last_part, tls::Certificates};
use crate::{
    cli::Manner,
    control::{ControlTarget, ReloadAnswer},
    print::{Screen, without_controls},
};
use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, mpsc};
use yett_edge::{Edge, floor::WorkerNews, log::AccessLog};
use yett_supervisor::{
    FailureStage, GenerationId, Level, Notice, Notices, ReloadError, StopMode, Supervisor, WorkerId,
};

/// What the supervisor orders of the edge.
pub(super) struct EdgeFloor {
    edge: Arc<Edge>,
}

impl EdgeFloor {
    pub(super) fn new(edge: Arc<Edge>) -> Self {
        Self { edge }
    }
}

impl yett_supervisor::Floor for EdgeFloor {
    fn attach(&self, worker: WorkerId, generation: GenerationId, link: OwnedFd) {
        self.edge.attach(worker.get(), generation.get(), link);
    }

    fn activate(&self, generation: GenerationId) {
        self.edge.floor().activate(generation.get());
    }

    fn drain(&self, worker: WorkerId) {
        self.edge.floor().drain(worker.get());
    }

    fn cut(&self, worker: WorkerId) {
        self.edge.floor().cut(worker.get());
    }

    fn detach(&self, worker: WorkerId) {
        self.edge.floor().detach(worker.get());
    }
}

/// What the edge tells the supervisor.
pub(super) struct SupervisorNews {
    supervisor: Supervisor,
    incidents: Arc<Incidents>,
}

impl SupervisorNews {
    pub(super) fn new(supervisor: Supervisor, incidents: Arc<Incidents>) -> Self {
        Self {
            supervisor,
            incidents,
        }
    }
}

impl WorkerNews for SupervisorNews {
    fn ready(&self, worker: u32) {
        self.supervisor.worker_ready(WorkerId::new(worker));
    }

    fn hampered(&self, worker: u32) {
        self.supervisor.worker_hampered(WorkerId::new(worker));
    }

    fn stuck(&self, worker: u32) {
        self.supervisor.worker_stuck(WorkerId::new(worker));
    }

    fn spent(&self, worker: u32) {
        self.incidents.spent();
        self.supervisor.worker_spent(WorkerId::new(worker));
    }

    fn lost(&self, worker: u32) {
        self.supervisor.link_lost(WorkerId::new(worker));
    }
}

/// Prints what the supervisor has to say, and announces the first release.
pub(super) struct Printer {
    screen: Screen,
    first: mpsc::Sender<()>,
    served: AtomicBool,
    developer: Option<Arc<Developer>>,
    incidents: Arc<Incidents>,
}

impl Printer {
    pub(super) fn new(
        screen: Screen,
        first: mpsc::Sender<()>,
        developer: Option<Arc<Developer>>,
        incidents: Arc<Incidents>,
    ) -> Self {
        Self {
            screen,
            first,
            served: AtomicBool::new(false),
            developer,
            incidents,
        }
    }
}

impl Notices for Printer {
    fn notice(&self, notice: &Notice) {
        self.incidents.hear(notice);
        if let Notice::ReleaseActive { .. } = notice {
            self.served.store(true, Ordering::Relaxed);
            // Full or closed: it was announced before.
            let _ = self.first.try_send(());
        }
        if let Some(developer) = &self.developer
            && developer.notice(notice)
        {
            return;
        }
        let traceback = traceback(notice).trim_end();
        if !traceback.is_empty() {
            self.screen
                .err(&format!("{}\n", without_controls(traceback)));
        }
        let word = match notice.level() {
            // The banner says it; what follows an order is worth a line only when it goes wrong.
            Level::Info => "yett:",
            Level::Warning => "warning:",
            Level::Error => "error:",
        };
        // A first release that fails is the program's own last word, said once and with a hint.
        let first_failed = match notice {
            Notice::ReleaseFailed { serving: None, .. } => true,
            Notice::GenerationEnded { .. } => !self.served.load(Ordering::Relaxed),
            _ => false,
        };
        if !first_failed {
            self.screen.err(&format!(
                "{word} {}\n",
                without_controls(&notice.to_string())
            ));
        }
    }
}

/// What is printed above a notice. Each traceback is printed once: that of a worker which cannot
/// start when it cannot, and not again when its release fails for it.
fn traceback(notice: &Notice) -> &str {
    match notice {
        Notice::ReleaseFailed {
            failure,
            serving: Some(_),
            ..
        } if failure.stage != FailureStage::Workers => &failure.traceback,
        Notice::WorkerUnfit { traceback, .. } => traceback,
        _ => "",
    }
}

/// The running server, as the control socket and the signals steer it.
pub(super) struct Running {
    pub(super) supervisor: Supervisor,
    pub(super) edge: Arc<Edge>,
    pub(super) log: Arc<AccessLog>,
    pub(super) incidents: Arc<Incidents>,
    pub(super) drain_delay: Duration,
    pub(super) graceful: Duration,
    pub(super) stop: OnceLock<()>,
    pub(super) stopping: Notify,
    pub(super) addresses: Vec<String>,
    pub(super) certificates: Certificates,
}

impl Running {
    /// Begins a stop. A second, quick one overrules a graceful one.
    pub(super) fn begin_stop(&self, manner: Manner) {
        match manner {
            Manner::Quick => {
                self.incidents.stopping();
                self.supervisor.stop(StopMode::Quick);
            }
            Manner::Graceful => {
                self.incidents.stopping();
                if self.stop.set(()).is_ok() {
                    self.stopping.notify_one();
                }
            }
        }
    }

    /// Opens the log's file anew. Does not wait for it: a disk may be slow.
    pub(super) fn reopen_log(&self, screen: Screen) {
        let log = Arc::clone(&self.log);
        // The runtime's last task may be cut; then nothing is logged any more.
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = log.reopen() {
                let why = format!("{:#}", anyhow::Error::from(error));
                screen.err(&format!(
                    "error: {}; the log goes on in the file from before\n",
                    without_controls(&why)
                ));
            }
        }));
    }

    /// Carries out a graceful stop when one is asked for: first those who send us clients, then the
    /// clients, then the workers.
    pub(super) async fn stop_when_asked(&self, screen: Screen) {
        self.stopping.notified().await;
        // Whoever did not serve yet was never told to a load balancer as ready.
        let delay = if self.incidents.has_served() {
            self.drain_delay
        } else {
            Duration::ZERO
        };
        screen.err(if delay.is_zero() {
            "yett: asked to stop: no new connections; what has begun is answered\n"
        } else {
            "yett: asked to stop: connections are taken until the drain delay is over\n"
        });
        self.supervisor.refuse_reloads();
        self.edge.leave();
        tokio::time::sleep(delay).await;
        let begun = Instant::now();
        let connections = self.graceful - last_part(self.graceful);
        // They may go on for ever, and their clients need time to see the end.
        let sockets = connections.min(self.graceful - self.graceful / 4);
        let _open = self.edge.stop(connections, sockets).await;
        let within = self.graceful.saturating_sub(begun.elapsed());
        self.supervisor.stop(StopMode::Graceful { within });
        std::future::pending::<()>().await
    }
}

impl ControlTarget for Running {
    async fn reload(&self) -> ReloadAnswer {
        let certificates = self.certificates.reload();
        match self.supervisor.reload().wait().await {
            Ok(reloaded) => ReloadAnswer::Reloaded {
                generation: reloaded.generation.get(),
                millis: reloaded.millis,
                kept_certificates: certificates.await,
            },
            Err(ReloadError::Failed(failure)) => ReloadAnswer::KeptOld {
                summary: failure.summary,
                traceback: failure.traceback,
            },
            Err(not_tried) => ReloadAnswer::NotTried(not_tried.to_string()),
        }
    }

    fn stops_within(&self, manner: Manner) -> Duration {
        match manner {
            Manner::Graceful => super::stops_within(self.drain_delay, self.graceful),
            Manner::Quick => Duration::from_secs(5),
        }
    }

    fn stop(&self, manner: Manner) {
        self.begin_stop(manner);
    }

    fn status(&self) -> serde_json::Value {
        let (waiting, in_flight) = self.edge.floor().load();
        serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "addresses": self.addresses,
            "tls": self.certificates.status(),
            "connections": self.edge.connections(),
            "requests_waiting": waiting,
            "requests_in_flight": in_flight,
            "websockets": self.edge.floor().sockets(),
            "supervisor": self.supervisor.status(),
        })
    }
}
