//! The processes as they really are: carries out actions. What is heard of them: `hearing.rs`.
//!
//! Decides nothing. What it knows of a process is only how to reach it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::error::Error;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Signal;
use tokio::sync::mpsc;

use super::process::{Process, Task};
use super::zygote::ZygoteProcess;
use super::{News, Program};
use crate::control::ToZygote;
use crate::handle::Inbox;
use crate::ids::{GenerationId, WorkerId};
use crate::machine::{Action, Event, WorkerSignal};
use crate::memory;
use crate::outcome::ExitReason;
use crate::settings::Settings;

/// News that may wait for the loop; whoever brings more waits until it has taken some.
const MAX_NEWS: usize = 64;

pub(super) struct Crew {
    pub(super) settings: Settings,
    pub(super) program: Program,
    pub(super) inbox: Inbox,
    pub(super) zygotes: HashMap<GenerationId, ZygoteProcess>,
    pub(super) manifests: HashMap<GenerationId, Vec<u8>>,
    pub(super) prepared: HashSet<GenerationId>,
    pub(super) workers: HashMap<WorkerId, WorkerProcess>,
    /// Follows from what was done or heard; the machine takes it in next.
    pub(super) events: VecDeque<Event>,
    pub(super) bring: mpsc::Sender<News>,
    pub(super) news: mpsc::Receiver<News>,
}

pub(super) struct WorkerProcess {
    pub(super) generation: GenerationId,
    /// From the moment the zygote has told of it.
    pub(super) hold: Option<Hold>,
    /// A signal that was to be sent before that.
    pub(super) wanted: Option<WorkerSignal>,
    /// It is gone, and its zygote has not told how yet.
    pub(super) left: bool,
}

pub(super) struct Hold {
    pub(super) process: Process,
    /// As the zygote told it.
    pub(super) pid: u32,
    pub(super) _watch: Task,
}

impl Crew {
    pub(super) fn new(inbox: Inbox, settings: Settings, program: Program) -> Self {
        let (bring, news) = mpsc::channel(MAX_NEWS);
        Self {
            settings,
            program,
            inbox,
            zygotes: HashMap::new(),
            manifests: HashMap::new(),
            prepared: HashSet::new(),
            workers: HashMap::new(),
            events: VecDeque::new(),
            bring,
            news,
        }
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Waits for something to happen and puts it into `events`.
    pub(super) async fn listen(&mut self) {
        tokio::select! {
            () = self.inbox.changed() => self.events.extend(self.inbox.take()),
            Some(news) = self.news.recv() => match news {
                News::Zygote(generation, heard) => self.hear(generation, heard),
                News::WorkerLeft(worker) => self.worker_left(worker),
            },
        }
    }

    pub(super) fn perform(&mut self, action: Action) -> ControlFlow<ExitReason> {
        match action {
            Action::StartZygote { generation } => self.start_zygote(generation),
            Action::Prepare { generation } => self.prepare(generation),
            Action::Commit { generation } => self.program.releases.commit(generation),
            Action::Activate { generation } => self.program.floor.activate(generation),
            Action::Fork { worker, generation } => self.fork(worker, generation),
            Action::Drain { worker } => self.program.floor.drain(worker),
            Action::Cut { worker } => self.program.floor.cut(worker),
            Action::Measure { worker } => self.measure(worker),
            Action::Detach { worker } => {
                // A worker without a link was never attached.
                if self.inbox.detached(worker) {
                    self.program.floor.detach(worker);
                }
            }
            Action::Signal { worker, signal } => self.signal(worker, signal),
            Action::EndZygote { generation } => self.order(generation, ToZygote::End, None),
            Action::KillZygote { generation } => {
                if let Some(zygote) = self.zygotes.get(&generation) {
                    zygote.kill();
                }
            }
            Action::KillGroup { generation } => {
                if let Some(zygote) = self.zygotes.get(&generation) {
                    zygote.kill_group();
                }
            }
            Action::Forget { generation } => {
                self.manifests.remove(&generation);
                if self.prepared.remove(&generation) {
                    self.program.releases.forget(generation);
                }
            }
            Action::Answer { ticket, outcome } => self.inbox.answer(ticket, outcome),
            Action::Notify(notice) => self.program.notices.notice(&notice),
            Action::Exit(reason) => return ControlFlow::Break(reason),
        }
        ControlFlow::Continue(())
    }

    fn start_zygote(&mut self, generation: GenerationId) {
        let event = match ZygoteProcess::start(&self.settings, generation, self.bring.clone()) {
            Ok(zygote) => {
                let pid = zygote.pid();
                self.zygotes.insert(generation, zygote);
                Event::ZygoteStarted { generation, pid }
            }
            Err(error) => Event::SpawnFailed {
                generation,
                reason: chain(&error),
            },
        };
        self.events.push_back(event);
    }

    fn prepare(&mut self, generation: GenerationId) {
        let manifest = self.manifests.remove(&generation).unwrap_or_default();
        let event = match self.program.releases.prepare(generation, &manifest) {
            Ok(()) => {
                self.prepared.insert(generation);
                Event::Prepared { generation }
            }
            Err(reason) => Event::Refused { generation, reason },
        };
        self.events.push_back(event);
    }

    fn fork(&mut self, worker: WorkerId, generation: GenerationId) {
        let pair = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        );
        let (ours, theirs) = match pair {
            Ok(pair) => pair,
            Err(error) => {
                let reason = format!("a link cannot be made: {error}");
                self.events.push_back(Event::ForkFailed { worker, reason });
                return;
            }
        };
        let process = WorkerProcess {
            generation,
            hold: None,
            wanted: None,
            left: false,
        };
        self.workers.insert(worker, process);
        self.inbox.attached(worker);
        self.program.floor.attach(worker, generation, ours);
        self.order(generation, ToZygote::Fork { worker }, Some(theirs));
    }

    fn order(&mut self, generation: GenerationId, order: ToZygote, link: Option<OwnedFd>) {
        // Without a process `Left` has been heard already, and the machine knows.
        if let Some(zygote) = self.zygotes.get(&generation)
            && let Err(error) = zygote.order(order, link)
        {
            self.broken(generation, &error);
        }
    }

    fn measure(&mut self, worker: WorkerId) {
        let hold = self
            .workers
            .get(&worker)
            .and_then(|known| known.hold.as_ref());
        let Some(hold) = hold else {
            return;
        };
        let resident = memory::resident(hold.pid);
        // It lives after we looked, so it was this process and no other that got its number.
        if let Some(resident) = resident.filter(|_| !hold.process.has_left()) {
            self.events.push_back(Event::Measured { worker, resident });
        }
    }

    fn signal(&mut self, worker: WorkerId, signal: WorkerSignal) {
        let Some(worker) = self.workers.get_mut(&worker) else {
            return;
        };
        match &worker.hold {
            Some(hold) => hold.process.signal(number(signal)),
            None => worker.wanted = Some(signal),
        }
    }
}

pub(super) fn number(signal: WorkerSignal) -> Signal {
    match signal {
        WorkerSignal::Abort => Signal::ABORT,
        WorkerSignal::Term => Signal::TERM,
        WorkerSignal::Kill => Signal::KILL,
    }
}

/// An error and everything below it, as one phrase.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}
