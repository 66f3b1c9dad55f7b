//! What goes over the control socket: one request and one answer, each a JSON object on one line.
//!
//! ```text
//! → {"op":"stop","quick":false}
//! ← {"answer":"stopping","within_millis":30000}
//! ```
//!
//! Both sides bound what they read. An answer that would be too long loses the start of its
//! traceback, never its end.

use crate::cli::Manner;
use serde::{Deserialize, Serialize};
use std::{io, time::Duration};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

/// A request is a few words; more is not a client of ours.
pub(super) const LONGEST_REQUEST: usize = 4 << 10;

/// An answer may hold a traceback or a status of many workers.
pub(super) const LONGEST_ANSWER: usize = 1 << 20;

/// A reload ends by the supervisor's own limits long before; this is for a supervisor that does not
/// end it.
pub(super) const LONGEST_RELOAD: Duration = Duration::from_secs(15 * 60);

/// What is kept of a traceback that does not fit. JSON makes at most six bytes of one, so this
/// fits.
const TRACEBACK_TAIL: usize = 128 << 10;

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// Load new code.
    Reload {},
    /// Stop.
    Stop {
        /// Without waiting for requests in flight.
        #[serde(default)]
        quick: bool,
    },
    /// Say what is going on.
    Status {},
}

impl Request {
    /// A stop in this manner.
    pub(super) fn stop(manner: Manner) -> Self {
        Self::Stop {
            quick: manner == Manner::Quick,
        }
    }
}

/// How a reload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReloadAnswer {
    /// The new code serves.
    Reloaded {
        /// The generation that serves now.
        generation: u64,
        /// From the start of its zygote until traffic moved.
        millis: u64,
        /// What is wrong with the new certificates, if those from before stay in use.
        kept_certificates: Option<String>,
    },
    /// The new code does not start; the old code keeps serving.
    KeptOld {
        /// One line for people.
        summary: String,
        /// The Python traceback, or nothing.
        traceback: String,
    },
    /// It was not tried: a sentence without a full stop, such as "the server is stopping".
    NotTried(String),
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    /// The new code serves.
    Reloaded {
        /// The generation that serves now.
        generation: u64,
        /// How long it took.
        millis: u64,
        /// What is wrong with the new certificates, if those from before stay in use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_certificates: Option<String>,
    },
    /// The new code does not start; the old code keeps serving.
    KeptOld {
        /// One line.
        summary: String,
        /// The traceback, or nothing.
        traceback: String,
    },
    /// It stops.
    Stopping {
        /// The longest that it can take.
        within_millis: u64,
    },
    /// What is going on.
    Status {
        /// The server's own words.
        status: serde_json::Value,
    },
    /// It was not done: a sentence.
    Refused {
        /// Why.
        message: String,
    },
}

impl From<ReloadAnswer> for Answer {
    fn from(answer: ReloadAnswer) -> Self {
        match answer {
            ReloadAnswer::Reloaded {
                generation,
                millis,
                kept_certificates,
            } => Self::Reloaded {
                generation,
                millis,
                kept_certificates,
            },
            ReloadAnswer::KeptOld { summary, traceback } => Self::KeptOld { summary, traceback },
            ReloadAnswer::NotTried(message) => Self::Refused { message },
        }
    }
}

impl Answer {
    /// The answer as a line within the bound.
    pub(super) fn line(&self) -> Vec<u8> {
        if let Some(line) = encoded(self).filter(|line| line.len() <= LONGEST_ANSWER) {
            return line;
        }
        let shorter = match self {
            Self::KeptOld { summary, traceback } => Self::KeptOld {
                summary: head(summary).to_owned(),
                traceback: tail(traceback).to_owned(),
            },
            _ => Self::Refused {
                message: "the answer is longer than 1 MiB".to_owned(),
            },
        };
        encoded(&shorter).unwrap_or_default()
    }
}

/// The end of a text; a traceback's last lines are the ones that matter.
fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TRACEBACK_TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

/// The start of a sentence.
fn head(text: &str) -> &str {
    text.char_indices()
        .nth(1_000)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}

/// A value as one line of JSON.
pub(super) fn encoded(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(value).ok()?;
    line.push(b'\n');
    Some(line)
}

/// Reads one line of at most `longest` bytes, its end included. The end of the stream ends a line
/// too.
pub(super) async fn read_line(
    stream: impl AsyncRead + Unpin,
    longest: usize,
) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let bound = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    BufReader::new(stream.take(bound))
        .read_until(b'\n', &mut line)
        .await?;
    if line.len() > longest {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a line longer than {longest} bytes"),
        ));
    }
    Ok(line)
}

/// Writes one line.
pub(super) async fn write_line(mut stream: impl AsyncWrite + Unpin, line: &[u8]) -> io::Result<()> {
    stream.write_all(line).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_look_like_this() {
        let check = |request: Request, text: &str| {
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
            assert_eq!(serde_json::from_str::<Request>(text).unwrap(), request);
        };
        check(Request::Reload {}, r#"{"op":"reload"}"#);
        check(
            Request::Stop { quick: true },
            r#"{"op":"stop","quick":true}"#,
        );
        check(Request::Status {}, r#"{"op":"status"}"#);
        assert_eq!(
            serde_json::from_str::<Request>(r#"{"op":"stop"}"#).unwrap(),
            Request::Stop { quick: false }
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"op":"halt"}"#,
            r#"{"op":"stop","quick":1}"#,
            r#"{"op":"reload","now":true}"#,
        ] {
            assert!(serde_json::from_str::<Request>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn answers_look_like_this() {
        let check = |answer: Answer, text: &str| {
            assert_eq!(answer.line(), format!("{text}\n").into_bytes());
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
        };
        check(
            Answer::Reloaded {
                generation: 2,
                millis: 310,
                kept_certificates: None,
            },
            r#"{"answer":"reloaded","generation":2,"millis":310}"#,
        );
        check(
            Answer::KeptOld {
                summary: "s".into(),
                traceback: "t\n".into(),
            },
            r#"{"answer":"kept_old","summary":"s","traceback":"t\n"}"#,
        );
        check(
            Answer::Stopping {
                within_millis: 30_000,
            },
            r#"{"answer":"stopping","within_millis":30000}"#,
        );
        check(
            Answer::Status {
                status: serde_json::json!({"a": 1}),
            },
            r#"{"answer":"status","status":{"a":1}}"#,
        );
        check(
            Answer::Refused {
                message: "m".into(),
            },
            r#"{"answer":"refused","message":"m"}"#,
        );
    }

    #[test]
    fn a_traceback_that_does_not_fit_keeps_its_end() {
        let traceback = "\u{1}".repeat(LONGEST_ANSWER) + "é the end";
        let line = Answer::KeptOld {
            summary: "s".into(),
            traceback,
        }
        .line();
        assert!(line.len() <= LONGEST_ANSWER);
        let Ok(Answer::KeptOld { traceback, .. }) = serde_json::from_slice(&line) else {
            panic!()
        };
        assert!(traceback.ends_with("é the end"));
    }

    #[test]
    fn a_status_that_does_not_fit_is_refused() {
        let status = serde_json::Value::String("x".repeat(LONGEST_ANSWER));
        let line = Answer::Status { status }.line();
        assert_eq!(
            line,
            b"{\"answer\":\"refused\",\"message\":\"the answer is longer than 1 MiB\"}\n"
        );
    }

    #[tokio::test]
    async fn a_line_is_read_up_to_its_bound() {
        assert_eq!(read_line(&b"abc\ndef"[..], 4).await.unwrap(), b"abc\n");
        assert_eq!(read_line(&b"abc"[..], 4).await.unwrap(), b"abc");
        assert_eq!(
            read_line(&b"abcd\n"[..], 4).await.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
