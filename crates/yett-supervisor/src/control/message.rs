//! The messages, and how they look as JSON.

use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

use super::ControlError;
use crate::ids::WorkerId;
use crate::outcome::{Exit, FailureStage};

/// From the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ToZygote {
    /// Fork this worker; the worker's end of its link comes beside it.
    Fork {
        /// Its number.
        worker: WorkerId,
    },
    /// Fork nothing more, leave when the last child is gone.
    End,
}

impl ToZygote {
    /// The JSON of it.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Fork { worker } => format!(r#"{{"op":"fork","worker":{worker}}}"#).into_bytes(),
            Self::End => br#"{"op":"end"}"#.to_vec(),
        }
    }
}

/// From the zygote.
#[derive(Debug)]
pub enum FromZygote {
    /// The interpreter can run it: from here on, what goes wrong is the app's import.
    Importing,
    /// The app is imported.
    Loaded {
        /// A nameless file with the manifest.
        manifest: OwnedFd,
    },
    /// The app cannot be used.
    Failed {
        /// Where it failed; one of the first four stages.
        stage: FailureStage,
        /// One line.
        summary: String,
        /// A nameless file with the traceback.
        traceback: OwnedFd,
    },
    /// A worker was forked.
    Forked {
        /// Which.
        worker: WorkerId,
        /// Its process id, for people.
        pid: u32,
        /// Its process, for signals.
        pidfd: OwnedFd,
    },
    /// A worker that left could not start. Its `Exited` follows.
    Unfit {
        /// Which.
        worker: WorkerId,
        /// One line.
        summary: String,
        /// A nameless file with the traceback.
        traceback: OwnedFd,
    },
    /// A worker's process was reaped.
    Exited {
        /// Which.
        worker: WorkerId,
        /// How.
        exit: Exit,
    },
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Said {
    Importing,
    Loaded,
    Failed {
        stage: Stage,
        summary: String,
    },
    Forked {
        worker: WorkerId,
        pid: u32,
    },
    Unfit {
        worker: WorkerId,
        summary: String,
    },
    Exited {
        worker: WorkerId,
        code: Option<i32>,
        signal: Option<i32>,
    },
}

/// The stages that a zygote can name; the others are ours to say.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Python,
    Import,
    App,
    Manifest,
}

impl FromZygote {
    /// Reads one message with the descriptors that came beside it.
    pub fn decode(text: &[u8], descriptors: Vec<OwnedFd>) -> Result<Self, ControlError> {
        let said = serde_json::from_slice(text).map_err(ControlError::NotUnderstood)?;
        Ok(match said {
            Said::Importing => {
                none("importing", &descriptors)?;
                Self::Importing
            }
            Said::Loaded => Self::Loaded {
                manifest: one("loaded", descriptors)?,
            },
            Said::Failed { stage, summary } => Self::Failed {
                stage: stage.into(),
                summary,
                traceback: one("failed", descriptors)?,
            },
            Said::Forked { worker, pid } => Self::Forked {
                worker,
                pid,
                pidfd: one("forked", descriptors)?,
            },
            Said::Unfit { worker, summary } => Self::Unfit {
                worker,
                summary,
                traceback: one("unfit", descriptors)?,
            },
            Said::Exited {
                worker,
                code,
                signal,
            } => {
                none("exited", &descriptors)?;
                let exit = match (code, signal) {
                    (_, Some(signal)) => Exit::Signal(signal),
                    (Some(code), None) => Exit::Code(code),
                    (None, None) => Exit::Unknown,
                };
                Self::Exited { worker, exit }
            }
        })
    }
}

impl From<Stage> for FailureStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Python => Self::Python,
            Stage::Import => Self::Import,
            Stage::App => Self::App,
            Stage::Manifest => Self::Manifest,
        }
    }
}

fn one(op: &'static str, descriptors: Vec<OwnedFd>) -> Result<OwnedFd, ControlError> {
    let found = descriptors.len();
    match <[OwnedFd; 1]>::try_from(descriptors) {
        Ok([descriptor]) => Ok(descriptor),
        Err(_) => Err(ControlError::Descriptors {
            op,
            expected: 1,
            found,
        }),
    }
}

fn none(op: &'static str, descriptors: &[OwnedFd]) -> Result<(), ControlError> {
    match descriptors.len() {
        0 => Ok(()),
        found => Err(ControlError::Descriptors {
            op,
            expected: 0,
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn descriptors(count: usize) -> Vec<OwnedFd> {
        (0..count)
            .map(|_| File::open("/dev/null").unwrap().into())
            .collect()
    }

    /// The message's debug text without its descriptors' numbers, or the error's.
    fn read(text: &str, count: usize) -> String {
        match FromZygote::decode(text.as_bytes(), descriptors(count)) {
            Ok(FromZygote::Importing) => "importing".to_owned(),
            Ok(FromZygote::Loaded { .. }) => "loaded".to_owned(),
            Ok(FromZygote::Failed { stage, summary, .. }) => format!("failed {stage} {summary}"),
            Ok(FromZygote::Forked { worker, pid, .. }) => format!("forked {worker} {pid}"),
            Ok(FromZygote::Unfit {
                worker, summary, ..
            }) => format!("unfit {worker} {summary}"),
            Ok(FromZygote::Exited { worker, exit }) => format!("exited {worker} {exit}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_message_of_the_table_is_read() {
        let table = [
            (r#"{"op":"importing"}"#, 0, "importing"),
            (r#"{"op":"loaded"}"#, 1, "loaded"),
            (
                r#"{"op":"failed","stage":"import","summary":"ValueError: x"}"#,
                1,
                "failed import ValueError: x",
            ),
            (r#"{"op":"forked","worker":7,"pid":123}"#, 1, "forked 7 123"),
            (
                r#"{"op":"unfit","worker":7,"summary":"ValueError: x"}"#,
                1,
                "unfit 7 ValueError: x",
            ),
            (
                r#"{"op":"exited","worker":7,"pid":123,"code":3,"signal":null}"#,
                0,
                "exited 7 left with code 3",
            ),
            (
                r#"{"op":"exited","worker":7,"pid":123,"code":null,"signal":9}"#,
                0,
                "exited 7 was killed by signal 9",
            ),
        ];
        for (text, count, expected) in table {
            assert_eq!(read(text, count), expected);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let nonsense = "a control message cannot be understood";
        let table = [
            ("", 0, nonsense),
            ("[]", 0, nonsense),
            (r#"{"op":"sing"}"#, 0, nonsense),
            (r#"{"op":"forked","worker":-1,"pid":1}"#, 1, nonsense),
            (r#"{"op":"forked","worker":1,"pid":-1}"#, 1, nonsense),
            (
                r#"{"op":"failed","stage":"spawn","summary":""}"#,
                1,
                nonsense,
            ),
            (
                r#"{"op":"loaded"}"#,
                0,
                "the message `loaded` came with 0 descriptors instead of 1",
            ),
            (
                r#"{"op":"unfit","worker":1,"summary":"x"}"#,
                0,
                "the message `unfit` came with 0 descriptors instead of 1",
            ),
            (
                r#"{"op":"forked","worker":1,"pid":1}"#,
                2,
                "the message `forked` came with 2 descriptors instead of 1",
            ),
            (
                r#"{"op":"exited","worker":1,"pid":1,"code":0,"signal":null}"#,
                1,
                "the message `exited` came with 1 descriptors instead of 0",
            ),
        ];
        for (text, count, expected) in table {
            assert_eq!(read(text, count), expected, "{text}");
        }
    }

    #[test]
    fn orders_are_the_json_of_the_table() {
        for order in [
            ToZygote::Fork {
                worker: WorkerId::new(7),
            },
            ToZygote::End,
        ] {
            assert_eq!(order.encode(), serde_json::to_vec(&order).unwrap());
        }
        let fork = ToZygote::Fork {
            worker: WorkerId::new(7),
        };
        assert_eq!(fork.encode(), br#"{"op":"fork","worker":7}"#);
    }
}
