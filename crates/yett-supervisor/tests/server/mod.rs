//! A supervisor over the fake zygote, and a floor that speaks the fake workers' one-letter link.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not take for tests"
)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use yett_supervisor::{
    ExitReason, Floor, GenerationId, Notice, Notices, Releases, Settings, StopMode, Supervisor,
    WorkerId, run,
};

/// Long enough for a busy machine; only a failing test ever waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a fake zygote and its workers behave; see `tests/fake/yett/worker.py`.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) import: &'static str,
    pub(crate) worker: &'static str,
}

pub(crate) const GOOD: Plan = Plan {
    import: "good",
    worker: "good",
};

pub(crate) struct Server {
    pub(crate) supervisor: Supervisor,
    pub(crate) running: JoinHandle<ExitReason>,
    pub(crate) manifests: Arc<Mutex<Vec<String>>>,
    seen: mpsc::UnboundedReceiver<String>,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(workers: usize, plan: Plan) -> Self {
        Self::start_with(workers, plan, |_| {})
    }

    pub(crate) fn start_with(
        workers: usize,
        plan: Plan,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let (supervisor, inbox) = Supervisor::new();
        let (see, seen) = mpsc::unbounded_channel();
        let mut settings = Settings::new("python3".into(), folder.path().to_owned(), workers);
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake");
        settings.env = vec![
            ("PYTHONPATH".into(), fake.into()),
            ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
        ];
        let path = folder.path().join("plan").display().to_string();
        settings.worker_args.insert("plan".to_owned(), path.into());
        change(&mut settings);
        let manifests = Arc::<Mutex<Vec<String>>>::default();
        let program = Arc::new(Program {
            supervisor: supervisor.clone(),
            see,
            links: Mutex::default(),
            manifests: Arc::clone(&manifests),
        });
        write_plan(folder.path(), plan);
        let running = tokio::spawn(run(
            inbox,
            settings,
            program.clone(),
            program.clone(),
            program,
        ));
        Self {
            supervisor,
            running,
            manifests,
            seen,
            folder,
        }
    }

    /// The next generation will behave like this.
    pub(crate) fn plan(&self, plan: Plan) {
        write_plan(self.folder.path(), plan);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until this was seen: a notice's text, or a call of the floor.
    pub(crate) async fn see(&mut self, expected: &str) {
        let mut before = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, self.seen.recv()).await {
                Ok(Some(seen)) if seen == expected => return,
                Ok(Some(seen)) => before.push(seen),
                Ok(None) | Err(_) => panic!("never saw {expected:?}, only {before:#?}"),
            }
        }
    }

    /// Waits for the next notice or call of the floor that begins like this, and gives it.
    pub(crate) async fn next(&mut self, beginning: &str) -> String {
        loop {
            match tokio::time::timeout(PATIENCE, self.seen.recv()).await {
                Ok(Some(seen)) if seen.starts_with(beginning) => return seen,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => panic!("never saw {beginning:?}"),
            }
        }
    }

    /// A worker may be ready a moment before its zygote has told its process id.
    pub(crate) async fn pid(&self, worker: u32) -> u32 {
        let known = async {
            loop {
                let status = self.supervisor.status();
                let mut workers = status.generations.iter().flat_map(|known| &known.workers);
                let found = workers.find(|known| known.worker.get() == worker);
                match found.unwrap().pid {
                    Some(pid) => return pid,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, known).await.unwrap()
    }

    pub(crate) fn zygote_pid(&self, generation: u64) -> u32 {
        let status = self.supervisor.status();
        let mut known = status.generations.iter();
        let found = known.find(|known| known.generation.get() == generation);
        found.unwrap().zygote_pid.unwrap()
    }

    pub(crate) async fn end(self) -> ExitReason {
        tokio::time::timeout(PATIENCE, self.running)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn stop(self, mode: StopMode) -> ExitReason {
        self.supervisor.stop(mode);
        self.end().await
    }
}

fn write_plan(folder: &Path, plan: Plan) {
    let Plan { import, worker } = plan;
    let text = format!(r#"{{"import": "{import}", "worker": "{worker}"}}"#);
    // In one piece, so that no zygote ever reads half of it.
    std::fs::write(folder.join("new"), text).unwrap();
    std::fs::rename(folder.join("new"), folder.join("plan")).unwrap();
}

struct Program {
    supervisor: Supervisor,
    see: mpsc::UnboundedSender<String>,
    links: Mutex<HashMap<WorkerId, UnixStream>>,
    manifests: Arc<Mutex<Vec<String>>>,
}

impl Program {
    fn saw(&self, text: String) {
        // A test that is over sees no more.
        let _ = self.see.send(text);
    }
}

impl Floor for Program {
    fn attach(&self, worker: WorkerId, _generation: GenerationId, link: OwnedFd) {
        let link = UnixStream::from(link);
        let mut reader = link.try_clone().unwrap();
        self.links.lock().unwrap().insert(worker, link);
        let supervisor = self.supervisor.clone();
        std::thread::spawn(move || {
            let mut letter = [0];
            while reader.read(&mut letter).is_ok_and(|bytes| bytes > 0) {
                assert_eq!(&letter, b"R");
                supervisor.worker_ready(worker);
            }
            supervisor.link_lost(worker);
        });
    }

    fn activate(&self, generation: GenerationId) {
        self.saw(format!("activate {generation}"));
    }

    fn drain(&self, worker: WorkerId) {
        self.saw(format!("drain {worker}"));
        if let Some(link) = self.links.lock().unwrap().get_mut(&worker) {
            // It may be gone this moment.
            let _ = link.write(b"D");
        }
    }

    fn cut(&self, worker: WorkerId) {
        self.saw(format!("cut {worker}"));
    }

    fn detach(&self, worker: WorkerId) {
        self.saw(format!("detach {worker}"));
        if let Some(link) = self.links.lock().unwrap().remove(&worker) {
            let _ = link.shutdown(Shutdown::Both);
        }
    }
}

impl Releases for Program {
    fn prepare(&self, _generation: GenerationId, manifest: &[u8]) -> Result<(), String> {
        let manifest = String::from_utf8(manifest.to_vec()).map_err(|error| error.to_string())?;
        self.manifests.lock().unwrap().push(manifest);
        Ok(())
    }

    fn commit(&self, generation: GenerationId) {
        self.saw(format!("commit {generation}"));
    }

    fn forget(&self, generation: GenerationId) {
        self.saw(format!("forget {generation}"));
    }
}

impl Notices for Program {
    fn notice(&self, notice: &Notice) {
        self.saw(notice.to_string());
    }
}
