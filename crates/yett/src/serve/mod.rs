//! `yett serve`: wires settings, edge and supervisor together, and runs them until a stop.
//!
//! The order is the promise: everything is checked, then the sockets are bound, then Python
//! starts, and only when the first release is ready are clients answered. Until then they wait in
//! the sockets' backlogs.

mod bridge;
mod descriptors;
mod develop;
mod insight;
mod inspect;
mod interpreter;
mod issuer;
mod listeners;
mod manifest;
mod mounts;
mod pid_file;
mod release;
mod signals;
mod tls;
mod writable;

use crate::{
    config::{self, Environment, Listen, Preload, RawServe, ServeSettings, Settled},
    control::{ControlServer, ServerInfo},
    discover::{self, AppSpec, Python},
    print::{Banner, Exit, Failure, GuardedPaths, Screen, banner},
};
use bridge::{EdgeFloor, Printer, SupervisorNews};
use develop::Developer;
use insight::Incidents;
use listeners::bind;
use pid_file::PidFile;
use release::Releaser;
use std::{
    ffi::OsString,
    fs,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tls::Certificates;
use tokio::sync::mpsc;
use yett_edge::{
    Edge, EdgeSettings, FilesSettings, Sendfile,
    admin::{Admin, Insight},
    floor::{Floor, try_shared_memory},
    listen::Listener,
    log::{AccessLog, Out, Troubles, Writer},
    tls::Tls,
};
use yett_supervisor::{FailureStage, Keyboard, Supervisor, run};

pub(crate) use inspect::{check, routes};

/// Everything that is known before anything is started.
pub(crate) struct Plan {
    settings: ServeSettings,
    warnings: Vec<String>,
    app: AppSpec,
    python: Python,
    tls: Option<Arc<Tls>>,
}

impl Plan {
    /// Reads and checks the settings, and finds the app and its interpreter.
    pub(crate) fn make(words: RawServe, environment: &Environment) -> Result<Self, Failure> {
        let Settled {
            settings,
            mut warnings,
            file,
        } = config::load(words, environment)?;
        let app = discover::app(&settings, file.as_deref())?;
        let python = discover::python(settings.python.as_ref(), environment)?;
        let tls = tls::load(&settings)?;
        warnings.extend(writable::spool_warning(&settings));
        warnings.extend(memory_warning());
        Ok(Self {
            settings,
            warnings,
            app,
            python,
            tls,
        })
    }

    fn app_name(&self) -> Option<String> {
        match &self.app {
            AppSpec::Named(name) => Some(name.to_string()),
            AppSpec::DjangoProject(_) => None,
        }
    }

    fn supervisor_settings(&self) -> yett_supervisor::Settings {
        let settings = &self.settings;
        let mut supervised = yett_supervisor::Settings::new(
            self.python.path.clone(),
            settings.folder.clone(),
            settings.workers.get(),
        );
        let args = serde_json::json!({
            "app": self.app_name(),
            "chdir": settings.folder,
            "interface": settings.interface.name(),
            "threads": settings.threads.of_wsgi(),
            "executor": settings.threads.of_executor(),
            "preload": settings.preload == Preload::On,
            "loop": settings.event_loop.name(),
            "lifespan": settings.lifespan.name(),
            "grace": settings.graceful_timeout.as_secs_f64(),
            "last_part": last_part(settings.graceful_timeout).as_secs_f64(),
        });
        if let serde_json::Value::Object(args) = args {
            supervised.worker_args = args;
        }
        supervised.graceful_timeout = settings.graceful_timeout;
        supervised.import_timeout = settings.start_timeout;
        supervised.max_rss = settings.max_rss;
        // A traceback that the interpreter's death keeps in a buffer helps nobody.
        supervised.env = vec![(OsString::from("PYTHONUNBUFFERED"), OsString::from("1"))];
        supervised
    }

    fn edge_settings(&self) -> EdgeSettings {
        let settings = &self.settings;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        EdgeSettings {
            // Python needs the cores; one thread carries tens of thousands of requests a second.
            threads: (cores / 2).clamp(1, 4),
            max_connections: settings.limits.max_connections.get(),
            max_connections_per_address: settings.limits.max_connections_per_address,
            max_head: settings.limits.max_head,
            max_headers: settings.limits.max_headers,
            max_body: settings.limits.max_body,
            head_timeout: settings.limits.head_timeout,
            body_timeout: settings.limits.body_timeout,
            send_timeout: settings.limits.send_timeout,
            min_rate: settings.limits.min_rate,
            keep_alive: settings.limits.keep_alive,
            spool_dir: settings.limits.spool_dir.clone(),
            max_spool: settings.limits.max_spool,
            max_spool_files: settings.limits.max_spool_files,
            max_answer_spool: settings.limits.max_answer_spool,
            head: settings.head.clone(),
            security_headers: settings.security_headers,
            routes: settings.routes.clone(),
            sendfile: settings
                .sendfile
                .iter()
                .map(|one| Sendfile {
                    url: one.url.clone(),
                    folder: one.folder.clone(),
                })
                .collect(),
            worker_threads: settings.threads.of_wsgi(),
            max_queue: settings.limits.queue.get(),
            queue_timeout: settings.limits.queue_timeout,
            request_timeout: settings.timeout,
            max_requests: settings.max_requests.map(std::num::NonZero::get),
            max_requests_jitter: settings.max_requests_jitter,
            http2: settings.http2.clone(),
            compression: settings.compression.clone(),
            slow_request: settings.log.slow_request,
            files: FilesSettings {
                open: settings.files.open.get(),
                memory: settings.files.memory,
                types: Arc::clone(&settings.files.types),
            },
            websocket: settings.websocket.clone(),
            tls: self.tls.clone(),
            // It is made of digits and fixed words.
            hsts: settings.hsts.as_ref().and_then(|text| text.parse().ok()),
            ..EdgeSettings::default()
        }
    }
}

/// Serves until a stop; says how to leave.
pub(crate) fn serve(
    plan: Plan,
    environment: &Environment,
    screen: Screen,
) -> Result<Exit, Failure> {
    if let Some(warning) = descriptors::make_room(&plan.settings) {
        screen.warn(&warning);
    }
    let mut hindrances = writable::hindrances(&plan).into_iter().map(Failure::usage);
    if let Some(last) = hindrances.next_back() {
        for other in hindrances {
            screen.err(&other.text(screen.err_paint()));
        }
        return Err(last);
    }
    let log = insight::log(&plan.settings)?;
    let listeners = bind(&plan.settings)?;
    let admin = insight::bind(&plan.settings)?;
    let addresses: Vec<String> = listeners.iter().map(ToString::to_string).collect();
    let _pid_file = plan
        .settings
        .pid_file
        .as_deref()
        .map(PidFile::write)
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let sockets = Sockets {
        listeners,
        addresses,
        admin,
    };
    let messages = messages().map_err(Failure::failed)?;
    let screen = screen.with_aside(messages);
    let served = runtime.block_on(run_all(
        &plan,
        sockets,
        (log, messages),
        environment,
        screen,
    ));
    // By the way of all others, and before that ends: who does not read it holds up no end.
    let exit = served.unwrap_or_else(|failure| screen.failure(&failure));
    messages.close();
    Ok(exit)
}

/// Writes to stderr for as long as the program runs. One thread does for all, so that nobody else
/// waits when it is not read.
fn messages() -> std::io::Result<&'static Arc<Writer>> {
    let out = Out::Stream(Box::new(std::io::stderr()));
    let writer = Writer::start("yett-messages", out, |count| {
        format!("warning: {count} lines were not written, since standard error was not read\n")
    })?;
    Ok(Box::leak(Box::new(Arc::new(writer))))
}

/// What is bound before anything is started.
struct Sockets {
    listeners: Vec<Listener>,
    addresses: Vec<String>,
    admin: Vec<Listener>,
}

async fn run_all(
    plan: &Plan,
    sockets: Sockets,
    (log, messages): (Arc<AccessLog>, &Arc<Writer>),
    environment: &Environment,
    screen: Screen,
) -> Result<Exit, Failure> {
    let Sockets {
        listeners,
        addresses,
        admin,
    } = sockets;
    let told_at = admin.iter().map(|listener| listener.address().to_string());
    let told_at: Vec<String> = told_at.collect();
    let mut signals = signals::Signals::listen().map_err(Failure::failed)?;
    // Before the first import, so that no change of what it reads is missed.
    let developer = Developer::start(&plan.settings, &plan.python.path, &addresses, screen);
    let keyboard = developer.as_deref().map(Developer::keyboard);
    signals
        .count_workers(keyboard.unwrap_or(Keyboard::Apart))
        .map_err(Failure::failed)?;
    let (supervisor, inbox) = Supervisor::new();
    let troubles = Troubles::start(Arc::clone(messages));
    let incidents = Arc::<Incidents>::default();
    let news = SupervisorNews::new(supervisor.clone(), Arc::clone(&incidents));
    let floor = Floor::new(plan.edge_settings(), Box::new(news));
    let empty = release::empty_ruling().map_err(Failure::failed)?;
    let edge_settings = EdgeSettings {
        develop: developer.as_deref().map(Developer::shown),
        troubles: Some(Arc::clone(&troubles)),
        ..plan.edge_settings()
    };
    let edge = Edge::start(edge_settings, listeners, empty, floor, Arc::clone(&log))
        .map_err(Failure::failed)?;
    let edge = Arc::new(edge);
    let releaser = Releaser::new(&plan.settings, Arc::clone(&edge), screen, developer.clone());
    let releaser = Arc::new(releaser);
    let (announce, mut announced) = mpsc::channel(1);
    let printer = Printer::new(screen, announce, developer.clone(), Arc::clone(&incidents));
    let mut supervised = plan.supervisor_settings();
    if let Some(developer) = &developer {
        developer.adapt(&mut supervised);
        // Whoever asks before the first release is there waits for it, or sees why there is none.
        edge.accept();
    }
    let supervision = run(
        inbox,
        supervised,
        Arc::new(EdgeFloor::new(Arc::clone(&edge))),
        Arc::clone(&releaser) as Arc<dyn yett_supervisor::Releases>,
        Arc::new(printer),
    );
    let server = Arc::new(bridge::Running {
        supervisor: supervisor.clone(),
        edge: Arc::clone(&edge),
        log: Arc::clone(&log),
        incidents,
        drain_delay: plan.settings.drain_delay,
        graceful: plan.settings.graceful_timeout,
        stop: OnceLock::new(),
        stopping: tokio::sync::Notify::new(),
        addresses: addresses.clone(),
        certificates: Certificates::new(plan.tls.clone(), screen),
    });
    // Before the first import: whoever asks whether it has ended gets an answer.
    let hosts = insight::hosts(&plan.settings);
    let admin = Admin::start(admin, hosts, Arc::clone(&server) as Arc<dyn Insight>);
    let admin = admin.map_err(Failure::failed)?;
    let control = control(plan, &addresses, environment, &screen);
    let control = async {
        match control {
            Some(control) => control.run(Arc::clone(&server)).await,
            None => std::future::pending().await,
        }
    };
    let first_release = async {
        if announced.recv().await.is_some() && server.stop.get().is_none() {
            edge.accept();
            screen.err(&banner(
                &releaser.banner(plan, (&addresses, &told_at), developer.as_deref()),
                screen.err_paint(),
            ));
        }
        std::future::pending::<()>().await
    };
    let reloading = async {
        match &developer {
            Some(developer) => developer.run(&supervisor).await,
            None => std::future::pending().await,
        }
    };
    let reason = tokio::select! {
        reason = supervision => reason,
        () = control => unreachable_end(),
        () = first_release => unreachable_end(),
        () = reloading => unreachable_end(),
        () = signals.obey(&server, screen) => unreachable_end(),
        () = server.certificates.watch() => unreachable_end(),
        () = server.stop_when_asked(screen) => unreachable_end(),
    };
    admin.end();
    edge.end();
    log.close();
    troubles.close();
    match reason.failure() {
        None => Ok(Exit::Fine),
        Some(failure) => Err(not_started(&plan.python.path, failure)),
    }
}

/// A warning when links to workers can only be sockets.
fn memory_warning() -> Option<String> {
    let error = anyhow::Error::from(try_shared_memory().err()?);
    Some(format!(
        "{error:#}: requests go to workers over sockets, which takes more CPU, and what a frozen worker was sent \
         stays with it until timeout; let the process call memfd_create"
    ))
}

/// These futures never end by themselves; `select!` wants a value all the same.
fn unreachable_end() -> yett_supervisor::ExitReason {
    yett_supervisor::ExitReason::Stopped
}

/// A release failed, and there is none that serves, or none that is meant to.
pub(crate) fn not_started(python: &Path, failure: &yett_supervisor::Failure) -> Failure {
    let sentence = anyhow::anyhow!("{}", failure.summary).context(format!(
        "the app did not start (stage: {})",
        failure.stage.name()
    ));
    let mut failed = Failure::usage(sentence);
    if failure.stage == FailureStage::Zygote {
        failed = failed.hint(interpreter::advice(python));
    }
    // That a worker cannot start was told when it could not, with its traceback.
    if failure.traceback.is_empty() || failure.stage == FailureStage::Workers {
        failed
    } else {
        failed.details(failure.traceback.clone())
    }
}

fn control(
    plan: &Plan,
    addresses: &[String],
    environment: &Environment,
    screen: &Screen,
) -> Option<ControlServer> {
    let folder = std::env::current_dir().unwrap_or_else(|_| plan.settings.folder.clone());
    let info = ServerInfo {
        pid: std::process::id(),
        folder: fs::canonicalize(&folder).unwrap_or(folder),
        app: plan
            .app_name()
            .unwrap_or_else(|| String::from("Django project")),
        binds: addresses.to_vec(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    match ControlServer::bind(&info, environment) {
        Ok(control) => Some(control),
        Err(error) => {
            // Signals still work; not being able to say `yett reload` is no reason not to serve.
            let why = anyhow::Error::from(error);
            screen.err(&format!(
                "warning: `yett reload`, `stop` and `status` will not find this server: {why:#}\n"
            ));
            None
        }
    }
}

impl Releaser {
    fn banner(
        &self,
        plan: &Plan,
        (addresses, admin): (&[String], &[String]),
        developer: Option<&Developer>,
    ) -> Banner {
        let summary = self.summary();
        let settings = &plan.settings;
        let mut warnings = plan.warnings.clone();
        warnings.extend(tls::warnings(plan));
        warnings.extend(summary.warnings);
        let is_of_this_machine = |one: &Listen| one.bind.is_of_this_machine();
        if developer.is_some() && !settings.listeners.iter().all(is_of_this_machine) {
            warnings.push(String::from(
                "--reload shows code to everyone who reaches these addresses",
            ));
        }
        Banner {
            addresses: addresses.to_vec(),
            certificates: tls::lines(plan),
            admin: admin.to_vec(),
            app: summary.app,
            framework: summary.framework,
            interface: summary.interface.to_uppercase(),
            workers: settings.workers.get(),
            threads: settings.threads.of_wsgi(),
            concurrency: (summary.interface == "asgi").then_some(settings.concurrency.get()),
            python_version: summary.python,
            python_path: plan.python.path.display().to_string(),
            guarded: summary.django.then_some(GuardedPaths {
                guarded: summary.guarded,
                total: summary.routes,
            }),
            no_guard: summary.no_guard,
            mounts: summary.mounts,
            warnings,
            pid: std::process::id(),
            reload: developer.map(Developer::banner),
        }
    }
}

/// What a worker has, at least, when what it still runs is cut short; of very short periods half, so that
/// connections have something of a stop too.
fn last_part(graceful: Duration) -> Duration {
    yett_supervisor::last_part(graceful).min(graceful / 2)
}

/// The longest that a graceful stop can take: what is waited for, and then a moment to end processes.
pub(super) fn stops_within(drain_delay: Duration, graceful: Duration) -> Duration {
    drain_delay + graceful + Duration::from_secs(5)
}
