//! Scenarios. Each name is a claim about what the server does for the people who run it.

mod memory;
mod releases;
mod stopping;
mod workers;
mod zygotes;

use std::time::Duration;

use super::*;
use crate::handle::StopMode;
use crate::ids::{GenerationId, WorkerId};
use crate::outcome::{Exit, Failure, FailureStage};
use crate::settings::Purpose;

const GRACEFUL: u64 = 30_000;
const IMPORT: u64 = 120_000;
const MAX_RSS: u64 = 100 << 20;

/// A server in the middle of its life. Actions are compared as short texts, notices apart.
struct Scene {
    state: State,
    now: Millis,
    told: Vec<String>,
    /// Whose memory was looked at.
    measured: Vec<u32>,
}

impl Scene {
    fn new(workers: usize) -> Self {
        let limits = Limits {
            workers,
            most_workers: 4,
            graceful: GRACEFUL,
            import: IMPORT,
            max_rss: Some(MAX_RSS),
            purpose: Purpose::Production,
        };
        Self {
            state: State::new(limits),
            now: Millis(1_000_000),
            told: Vec::new(),
            measured: Vec::new(),
        }
    }

    /// Generation 1 serves with workers 1 to `workers`, for a minute already.
    fn serving(workers: u32) -> Self {
        let mut scene = Self::new(workers as usize);
        scene.on(Event::Start);
        scene.import(1);
        for worker in 1..=workers {
            scene.start(worker);
        }
        scene.wait(60_000);
        scene.told.clear();
        scene.measured.clear();
        scene
    }

    /// What is done when this happens, without the notices and without looks at the memory, of
    /// which `memory.rs` is.
    fn on(&mut self, event: Event) -> Vec<String> {
        let mut done = Vec::new();
        for action in step(&mut self.state, event, self.now) {
            match action {
                Action::Notify(notice) => self.told.push(notice.to_string()),
                Action::Measure { worker } => self.measured.push(worker.get()),
                action => done.push(words(&action)),
            }
        }
        done
    }

    /// Lets time pass from deadline to deadline, as the loop does.
    fn wait(&mut self, millis: u64) -> Vec<String> {
        let end = self.now + millis;
        let mut done = Vec::new();
        while let Some(deadline) = self.state.next_deadline().filter(|due| *due <= end) {
            assert!(deadline > self.now, "a deadline in the past would spin");
            self.now = deadline;
            done.extend(self.on(Event::Tick));
        }
        self.now = end;
        done
    }

    fn import(&mut self, number: u64) -> Vec<String> {
        let generation = GenerationId::new(number);
        self.on(Event::ZygoteStarted {
            generation,
            pid: 100,
        });
        self.on(Event::Loaded { generation });
        self.on(Event::Prepared { generation })
    }

    fn start(&mut self, number: u32) -> Vec<String> {
        self.forked(number);
        self.on(Event::Ready {
            worker: WorkerId::new(number),
        })
    }

    fn forked(&mut self, number: u32) {
        let worker = WorkerId::new(number);
        let pid = 1_000 + number;
        assert_eq!(self.on(Event::Forked { worker, pid }), [""; 0]);
    }

    fn dies(&mut self, number: u32, exit: Exit) -> Vec<String> {
        let worker = WorkerId::new(number);
        self.on(Event::Exited { worker, exit })
    }

    fn reload(&mut self, ticket: u64) -> Vec<String> {
        let ticket = Ticket(ticket);
        self.on(Event::Reload { ticket })
    }

    fn zygote_dies(&mut self, number: u64) -> Vec<String> {
        self.on(Event::ZygoteExited {
            generation: GenerationId::new(number),
            exit: Exit::Signal(11),
        })
    }

    fn import_fails(&mut self, number: u64) -> Vec<String> {
        let failure = Failure {
            stage: FailureStage::Import,
            summary: "ImportError: no".to_owned(),
            traceback: "Traceback …\n".to_owned(),
        };
        self.on(Event::LoadFailed {
            generation: GenerationId::new(number),
            failure,
        })
    }

    fn stop(&mut self, mode: StopMode) -> Vec<String> {
        self.on(Event::Stop { mode })
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

/// A graceful stop that has all of its time.
fn in_time() -> StopMode {
    StopMode::Graceful {
        within: Duration::from_millis(GRACEFUL),
    }
}

fn words(action: &Action) -> String {
    match action {
        Action::StartZygote { generation } => format!("start zygote {generation}"),
        Action::Prepare { generation } => format!("prepare {generation}"),
        Action::Commit { generation } => format!("commit {generation}"),
        Action::Activate { generation } => format!("activate {generation}"),
        Action::Fork { worker, generation } => format!("fork {worker} of {generation}"),
        Action::Drain { worker } => format!("drain {worker}"),
        Action::Cut { worker } => format!("cut {worker}"),
        Action::Detach { worker } => format!("detach {worker}"),
        Action::Measure { worker } => format!("measure {worker}"),
        Action::Signal { worker, signal } => format!("{signal:?} {worker}"),
        Action::EndZygote { generation } => format!("end zygote {generation}"),
        Action::KillZygote { generation } => format!("kill zygote {generation}"),
        Action::KillGroup { generation } => format!("kill group {generation}"),
        Action::Forget { generation } => format!("forget {generation}"),
        Action::Answer { ticket, outcome } => match outcome {
            Ok(reloaded) => format!("answer {}: {} serves", ticket.0, reloaded.generation),
            Err(error) => format!("answer {}: {error}", ticket.0),
        },
        Action::Notify(notice) => notice.to_string(),
        Action::Exit(reason) => format!("exit: {reason}"),
    }
}

fn worker(number: u32) -> WorkerId {
    WorkerId::new(number)
}

fn generation(number: u64) -> GenerationId {
    GenerationId::new(number)
}

const NOTHING: [&str; 0] = [];

#[test]
fn picture_shows_generations_workers_and_ages() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Signal(9));
    scene.reload(1);
    scene.wait(500);
    let picture = scene.state.picture(scene.now);
    assert_eq!(
        serde_json::to_value(&picture).unwrap(),
        serde_json::json!({
            "active": 1, "releasing": 2, "workers_wanted": 2, "workers_ready": 1, "workers_died": 1,
            "generations": [
                {
                    "generation": 1, "state": "active", "zygote": "running", "zygote_pid": 100,
                    "age_millis": 60_500,
                    "workers": [
                        {
                            "worker": 2, "pid": 1002, "state": "ready", "age_millis": 60_500,
                            "restarts": 0, "last_exit": null, "last_words": null,
                            "resident_bytes": null
                        },
                        {
                            "worker": 3, "pid": null, "state": "starting", "age_millis": 500,
                            "restarts": 1, "last_exit": {"signal": 9}, "last_words": null,
                            "resident_bytes": null
                        }
                    ],
                    "crash_looping": []
                },
                {
                    "generation": 2, "state": "importing", "zygote": "running", "zygote_pid": null,
                    "age_millis": 500, "workers": [], "crash_looping": []
                }
            ]
        })
    );
}

#[test]
fn picture_shows_the_seat_whose_workers_die_too_soon() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Signal(9));
    scene.dies(3, Exit::Code(3));
    scene.start(4);
    scene.dies(4, Exit::Code(3));
    scene.wait(50);
    let picture = scene.state.picture(scene.now).aged(30);
    assert_eq!(
        serde_json::to_value(&picture.generations[0].crash_looping).unwrap(),
        serde_json::json!([{
            "restarts": 3, "last_exit": {"code": 3}, "last_words": null, "next_try_millis": 20
        }])
    );
    assert_eq!(scene.wait(50), ["fork 5 of 1"]);
    assert!(
        scene.state.picture(scene.now).generations[0]
            .crash_looping
            .is_empty()
    );
}
