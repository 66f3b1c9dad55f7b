//! A zygote's process: how it is started, spoken to and listened to.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::News;
use super::process::{Process, Reaped, Task, leaving, register};
use crate::control::{self, ControlError, FromZygote, ToZygote};
use crate::ids::GenerationId;
use crate::outcome::Exit;
use crate::settings::{Keyboard, MAX_WORKERS, Settings};

/// Orders that may wait until a zygote reads them. It can owe us two forks for each seat and an
/// `end`, so a full queue means that it has stopped reading for good.
const MAX_ORDERS: usize = 2 * MAX_WORKERS + 1;

/// A zygote could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpawnError {
    #[error("a control socket cannot be made")]
    Control(#[source] io::Error),
    #[error("`{python}` cannot be started in `{folder}`")]
    Python {
        python: String,
        folder: String,
        #[source]
        source: io::Error,
    },
    #[error("the zygote's process cannot be watched")]
    Watch(#[source] io::Error),
}

/// What a zygote's listener hears.
#[derive(Debug)]
pub(super) enum Heard {
    Message(FromZygote),
    Broken(ControlError),
    End,
    /// The process is gone; nothing more is heard.
    Left,
}

/// An order and, for a fork, the worker's end of its link.
type Order = (ToZygote, Option<OwnedFd>);

/// A zygote that was started and not reaped yet.
#[derive(Debug)]
pub(super) struct ZygoteProcess {
    child: Child,
    process: Process,
    orders: mpsc::Sender<Order>,
    keyboard: Keyboard,
    _listener: Task,
    _speaker: Task,
}

impl ZygoteProcess {
    /// Starts it; brings whatever it says, and the news that it left.
    pub(super) fn start(
        settings: &Settings,
        generation: GenerationId,
        bring: mpsc::Sender<News>,
    ) -> Result<Self, SpawnError> {
        let (ours, theirs) = control::pair().map_err(SpawnError::Control)?;
        let ours = register(Arc::new(ours), Interest::READABLE | Interest::WRITABLE);
        let ours = Arc::new(ours.map_err(SpawnError::Control)?);
        let mut child = spawn(settings, theirs)?;
        let watched = hold(&child).and_then(|process| Ok((process.watch()?, process)));
        let (watch, process) = match watched {
            Ok(watched) => watched,
            Err(error) => {
                // It cannot be left to itself; it has done nothing yet.
                let _ = child.kill();
                let _ = child.wait();
                return Err(SpawnError::Watch(error));
            }
        };
        let (orders, ordered) = mpsc::channel(MAX_ORDERS);
        let listener = listen(generation, Arc::clone(&ours), watch, bring.clone());
        let speaker = speak(generation, ours, ordered, bring);
        Ok(Self {
            child,
            process,
            orders,
            keyboard: settings.keyboard,
            _listener: Task::spawn(listener),
            _speaker: Task::spawn(speaker),
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it when the zygote reads. `Err`: it has stopped reading.
    pub(super) fn order(&self, order: ToZygote, link: Option<OwnedFd>) -> Result<(), ControlError> {
        self.orders.try_send((order, link)).map_err(|_| {
            let full = io::Error::new(io::ErrorKind::TimedOut, "the zygote does not read");
            ControlError::Socket(full)
        })
    }

    pub(super) fn kill(&self) {
        self.process.signal(Signal::KILL);
    }

    /// Kills the zygote's process group, or the zygote alone where the group is the server's own.
    /// Safe from hitting strangers: the group bears the number of a child that is not reaped yet.
    pub(super) fn kill_group(&self) {
        if self.keyboard == Keyboard::Shared {
            return self.kill();
        }
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }

    /// How it left; to be called once it is gone.
    pub(super) fn reap(self) -> Exit {
        match self.process.reap() {
            Reaped::Exit(exit) => exit,
            Reaped::NotOurs => Exit::Unknown,
        }
    }
}

fn hold(child: &Child) -> io::Result<Process> {
    // Our own child, not reaped yet: the number can mean nobody else.
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    Ok(Process::new(pidfd))
}

/// Starts the interpreter with `theirs` open in it.
fn spawn(settings: &Settings, theirs: OwnedFd) -> Result<Child, SpawnError> {
    let mut args = settings.worker_args.clone();
    args.insert("control".to_owned(), theirs.as_raw_fd().into());
    let mut command = Command::new(&settings.python);
    command
        .args(["-m", "yett.worker"])
        .arg(serde_json::Value::Object(args).to_string())
        .current_dir(&settings.chdir)
        .envs(settings.env.iter().map(|(name, value)| (name, value)));
    match settings.keyboard {
        Keyboard::Apart => command.stdin(Stdio::null()).process_group(0),
        Keyboard::Shared => command.stdin(Stdio::inherit()),
    };

    // The descriptor is inheritable only here, under a lock: of our own children only this one gets
    // it. Should other code start a process at this very moment, that one merely keeps the zygote's
    // end open, and we learn of the zygote's death by its pidfd as always.
    static SPAWNING: Mutex<()> = Mutex::new(());
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    fcntl_setfd(&theirs, FdFlags::empty()).map_err(|error| SpawnError::Control(error.into()))?;
    let child = command.spawn();
    drop(theirs);
    child.map_err(|source| SpawnError::Python {
        python: settings.python.display().to_string(),
        folder: settings.chdir.display().to_string(),
        source,
    })
}

/// Everything that the zygote said comes before the news that it left.
async fn listen(
    generation: GenerationId,
    control: Arc<AsyncFd<Arc<OwnedFd>>>,
    process: AsyncFd<Arc<OwnedFd>>,
    bring: mpsc::Sender<News>,
) {
    let mut open = true;
    while open {
        let received = tokio::select! {
            biased;
            received = control.async_io(Interest::READABLE, |socket| control::receive(socket)) => received,
            () = leaving(&process) => break,
        };
        let heard = understand(received);
        open = matches!(heard, Heard::Message(_));
        // The loop has ended if nobody hears; then so does this task.
        let _ = bring.send(News::Zygote(generation, heard)).await;
    }
    leaving(&process).await;
    // What it said last may not have been announced to the runtime yet.
    while open {
        let heard = match control::receive(control.get_ref()) {
            Ok(received) => understand(Ok(received)),
            Err(_) => break,
        };
        open = matches!(heard, Heard::Message(_));
        if open {
            let _ = bring.send(News::Zygote(generation, heard)).await;
        }
    }
    let _ = bring.send(News::Zygote(generation, Heard::Left)).await;
}

fn understand(received: io::Result<control::Received>) -> Heard {
    match received
        .map_err(ControlError::Socket)
        .and_then(control::Received::read)
    {
        Ok(Some(message)) => Heard::Message(message),
        // A zygote that was killed leaves with messages unread: not an error of its own.
        Ok(None) => Heard::End,
        Err(ControlError::Socket(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
            Heard::End
        }
        Err(error) => Heard::Broken(error),
    }
}

async fn speak(
    generation: GenerationId,
    control: Arc<AsyncFd<Arc<OwnedFd>>>,
    mut orders: mpsc::Receiver<Order>,
    bring: mpsc::Sender<News>,
) {
    while let Some((order, link)) = orders.recv().await {
        let text = order.encode();
        let send =
            |control: &Arc<OwnedFd>| control::send(control, &text, link.as_ref().map(AsFd::as_fd));
        match control.async_io(Interest::WRITABLE, send).await {
            Ok(()) => {}
            // It is leaving; the listener says so.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return,
            Err(error) => {
                let broken = Heard::Broken(ControlError::Socket(error));
                let _ = bring.send(News::Zygote(generation, broken)).await;
                return;
            }
        }
    }
}
