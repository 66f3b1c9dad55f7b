//! What is heard of processes, turned into events.

use std::os::fd::OwnedFd;

use super::News;
use super::crew::{Crew, Hold, chain, number};
use super::process::{Process, Reaped, Task, leaving};
use super::zygote::Heard;
use crate::control::{ControlError, FromZygote, read_document};
use crate::ids::{GenerationId, WorkerId};
use crate::machine::Event;
use crate::outcome::{Exit, Failure, FailureStage};

impl Crew {
    pub(super) fn hear(&mut self, generation: GenerationId, heard: Heard) {
        match heard {
            Heard::Message(message) => {
                if let Err(error) = self.message(generation, message) {
                    self.broken(generation, &error);
                }
            }
            Heard::Broken(error) => self.broken(generation, &error),
            Heard::End => self.events.push_back(Event::ControlEnded { generation }),
            Heard::Left => self.zygote_left(generation),
        }
    }

    fn message(
        &mut self,
        generation: GenerationId,
        message: FromZygote,
    ) -> Result<(), ControlError> {
        let event = match message {
            FromZygote::Importing => Event::Importing { generation },
            FromZygote::Loaded { manifest } => match read_document(manifest) {
                Ok(manifest) => {
                    self.manifests.insert(generation, manifest);
                    Event::Loaded { generation }
                }
                Err(error) => Event::LoadFailed {
                    generation,
                    failure: Failure::new(FailureStage::Manifest, chain(&error)),
                },
            },
            FromZygote::Failed {
                stage,
                summary,
                traceback,
            } => {
                let failure = Failure {
                    stage,
                    summary,
                    traceback: text(traceback),
                };
                Event::LoadFailed {
                    generation,
                    failure,
                }
            }
            FromZygote::Forked { worker, pid, pidfd } => {
                self.take_hold(generation, worker, pid, pidfd)?;
                Event::Forked { worker, pid }
            }
            FromZygote::Unfit {
                worker,
                summary,
                traceback,
            } => {
                self.know(generation, worker, "unfit")?;
                Event::Unfit {
                    worker,
                    summary,
                    traceback: text(traceback),
                }
            }
            FromZygote::Exited { worker, exit } => {
                self.know(generation, worker, "exited")?;
                self.workers.remove(&worker);
                Event::Exited { worker, exit }
            }
        };
        self.events.push_back(event);
        Ok(())
    }

    /// A zygote may speak of the workers that it has forked.
    fn know(
        &self,
        generation: GenerationId,
        worker: WorkerId,
        op: &'static str,
    ) -> Result<(), ControlError> {
        let its_own = self
            .workers
            .get(&worker)
            .is_some_and(|process| process.generation == generation && process.hold.is_some());
        if its_own {
            Ok(())
        } else {
            Err(ControlError::WrongWorker { op, worker })
        }
    }

    fn take_hold(
        &mut self,
        generation: GenerationId,
        worker: WorkerId,
        pid: u32,
        pidfd: OwnedFd,
    ) -> Result<(), ControlError> {
        let known = self
            .workers
            .get_mut(&worker)
            .filter(|process| process.generation == generation && process.hold.is_none());
        let Some(known) = known else {
            return Err(ControlError::WrongWorker {
                op: "forked",
                worker,
            });
        };
        let process = Process::new(pidfd);
        let watched = process.watch().map_err(ControlError::NotAProcess)?;
        let bring = self.bring.clone();
        let watch = async move {
            leaving(&watched).await;
            let _ = bring.send(News::WorkerLeft(worker)).await;
        };
        if let Some(signal) = known.wanted {
            process.signal(number(signal));
        }
        known.hold = Some(Hold {
            process,
            pid,
            _watch: Task::spawn(watch),
        });
        Ok(())
    }

    pub(super) fn worker_left(&mut self, worker: WorkerId) {
        let Some(known) = self.workers.get_mut(&worker) else {
            return;
        };
        let reaped = known.hold.as_ref().map(|hold| hold.process.reap());
        let exit = match reaped {
            Some(Reaped::Exit(exit)) => exit,
            _ if self.zygotes.contains_key(&known.generation) => {
                // Its zygote's child: that one says how it left.
                known.left = true;
                self.events.push_back(Event::Gone { worker });
                return;
            }
            _ => Exit::Unknown,
        };
        self.workers.remove(&worker);
        self.events.push_back(Event::Exited { worker, exit });
    }

    /// From now on the workers that are left are our own children (we are their subreaper).
    fn zygote_left(&mut self, generation: GenerationId) {
        let Some(zygote) = self.zygotes.remove(&generation) else {
            return;
        };
        let exit = zygote.reap();
        let of_it = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.generation == generation);
        let left = of_it
            .clone()
            .filter(|(_, worker)| worker.left)
            .map(|(&id, _)| id);
        let unseen = of_it
            .filter(|(_, worker)| worker.hold.is_none())
            .map(|(&id, _)| id);
        let unseen: Vec<WorkerId> = unseen.collect();
        for worker in left.collect::<Vec<_>>() {
            self.worker_left(worker);
        }
        for worker in unseen {
            // The machine gives these up by itself.
            self.workers.remove(&worker);
        }
        self.events
            .push_back(Event::ZygoteExited { generation, exit });
    }

    pub(super) fn broken(&mut self, generation: GenerationId, error: &ControlError) {
        let reason = chain(error);
        self.events
            .push_back(Event::ControlBroken { generation, reason });
    }
}

/// A document as text. Better a failure without its traceback than another failure in its place.
fn text(document: OwnedFd) -> String {
    let text = read_document(document).unwrap_or_else(|error| chain(&error).into());
    String::from_utf8_lossy(&text).into_owned()
}
