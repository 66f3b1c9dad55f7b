//! A zygote that leaves, breaks or dies. Its workers live on: they need it only to be replaced.

use super::message::{Action, Millis};
use super::state::{Life, Phase, Zygote};
use super::turn::Turn;
use crate::ids::GenerationId;
use crate::notice::Notice;
use crate::outcome::{Exit, Failure, FailureStage};

/// What a zygote may take to leave after it closed its control socket.
const CLOSED_GRACE: u64 = 1_000;

impl Turn<'_> {
    /// Nearly always the process is gone as well and `zygote_exited` is about to say how.
    pub(super) fn control_ended(&mut self, generation: GenerationId) {
        let until = self.now + CLOSED_GRACE;
        if let Some(generation) = self.state.generations.get_mut(&generation)
            && generation.zygote == Zygote::Running
        {
            generation.zygote = Zygote::Ending { until };
        }
    }

    /// A zygote that breaks the protocol cannot be trusted with the next fork.
    pub(super) fn break_zygote(&mut self, id: GenerationId, reason: String) {
        let Some(generation) = self.state.generations.get(&id) else {
            return;
        };
        if matches!(generation.zygote, Zygote::Killed | Zygote::Gone) {
            return;
        }
        match generation.phase {
            Phase::Importing { .. } | Phase::Preparing | Phase::Starting => {
                self.fail_release(id, Failure::new(FailureStage::Zygote, reason));
            }
            Phase::Active | Phase::Retiring => {
                self.tell(Notice::ZygoteBroken {
                    generation: id,
                    reason,
                });
                self.act(Action::KillZygote { generation: id });
                self.set_zygote(id, Zygote::Killed);
            }
        }
    }

    pub(super) fn zygote_exited(&mut self, id: GenerationId, exit: Exit) {
        let Some(generation) = self.state.generations.get_mut(&id) else {
            return;
        };
        generation.zygote = Zygote::Gone;
        match generation.phase {
            Phase::Importing { .. } if generation.imports => {
                self.fail_release(id, import_ended(exit));
            }
            Phase::Importing { .. } | Phase::Preparing | Phase::Starting => {
                let summary = format!("the zygote {exit} before its workers were ready");
                self.fail_release(id, Failure::new(FailureStage::Zygote, summary));
            }
            Phase::Active => {
                let life = generation.active_since.map(|since| self.now.since(since));
                self.tell(Notice::ZygoteDied {
                    generation: id,
                    exit,
                });
                self.delay_revival(life);
            }
            Phase::Retiring => {}
        }
        self.give_up_unseen(id);
    }

    /// What only the zygote could have told about its workers is never told now.
    fn give_up_unseen(&mut self, id: GenerationId) {
        for worker in self.state.workers_of(id) {
            let Some(facts) = self.state.workers.get(&worker) else {
                continue;
            };
            // Without a pid the fork never happened, or we have no hold on its process: that one
            // sees the end of its link, and leaves by itself.
            if facts.pid.is_none() || matches!(facts.life, Life::Gone { .. }) {
                self.exited(worker, Exit::Unknown);
            }
        }
    }

    /// The zygote was to leave, and did not.
    pub(super) fn zygote_overstayed(&mut self, id: GenerationId) {
        match self.phase(id) {
            // Its workers have had their SIGKILL by now; whatever the app started besides them and
            // the zygote waits for goes too.
            Some(Phase::Retiring) => {
                self.act(Action::KillGroup { generation: id });
                self.set_zygote(id, Zygote::Killed);
            }
            Some(_) => {
                let reason = "it closed its control socket and did not leave";
                self.break_zygote(id, reason.to_owned());
            }
            None => {}
        }
    }

    /// The deadline of an import, if it is over.
    pub(super) fn import_overdue(&mut self, id: GenerationId, until: Millis) {
        if until <= self.now {
            let seconds = self.state.limits.import.div_ceil(1_000);
            let summary = format!("importing the app took longer than {seconds} s");
            self.fail_release(id, Failure::new(FailureStage::Timeout, summary));
        }
    }
}

/// The import ended the process instead of failing.
fn import_ended(exit: Exit) -> Failure {
    let look = match exit {
        Exit::Signal(9) => "; most often the system is out of memory then, and its log says so",
        Exit::Signal(_) => {
            "; the error output shows where it stood: look at the extension modules there"
        }
        Exit::Code(_) => "; something that it imports calls os._exit, or exit in C",
        Exit::Unknown => "",
    };
    let summary = format!("the process that imports the app {exit} while importing{look}");
    Failure::new(FailureStage::Import, summary)
}
