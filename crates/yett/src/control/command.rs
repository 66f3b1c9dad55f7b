//! `yett reload`, `yett stop` and `yett status`: which server, what to ask, what to print.

use super::{
    client::{Living, living},
    entry::ServerInfo,
    folder::ControlFolder,
    wire::{Answer, LONGEST_RELOAD, Request},
};
use crate::{
    cli::{Form, Manner, Which},
    config::Environment,
    print::{Failure, without_controls},
};
use anyhow::{Context as _, anyhow};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, geteuid, pidfd_open},
};
use serde_json::Value;
use std::{
    fmt::Write as _,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::Path,
    time::Duration,
};

/// A status and the beginning of a stop take no time; this is for a machine that is out of breath.
const SOON: Duration = Duration::from_secs(10);

/// What is added to the server's own word on how long a stop can take.
const AFTER_STOP: Duration = Duration::from_secs(5);

/// What to ask of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Load new code.
    Reload,
    /// Stop, and wait until the process has ended.
    Stop(Manner),
    /// Say what is going on.
    Status(Form),
}

/// Runs a command and returns what to print on stdout. `here` is the current folder.
pub(crate) fn run(
    command: Command,
    which: Which,
    here: &Path,
    environment: &Environment,
) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("no event loop").map_err(Failure::failed)?;
    match runtime.block_on(ask(command, which, here, folders(which, environment)))? {
        Outcome::Done(text) => Ok(text),
        Outcome::Stopping(stopping) => stopping.finished(),
    }
}

/// What came of a question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is done; this is to be printed.
    Done(String),
    /// The server stops; somebody has to wait for it.
    Stopping(Stopping),
}

/// Where to look: our own folders, and for root those of the named process's user.
fn folders(which: Which, environment: &Environment) -> Vec<ControlFolder> {
    let mut folders = ControlFolder::existing(environment);
    if let (Which::Pid(pid), true) = (which, geteuid().is_root())
        && let Ok(process) = std::fs::metadata(format!("/proc/{pid}"))
    {
        folders.extend(ControlFolder::existing_of(process.uid()));
    }
    folders
}

/// Finds the server and asks it.
pub(super) async fn ask(
    command: Command,
    which: Which,
    here: &Path,
    folders: Vec<ControlFolder>,
) -> Result<Outcome, Failure> {
    let server = choose(living(&folders).await, which, here)?;
    match command {
        Command::Reload => reload(server).await.map(Outcome::Done),
        Command::Stop(manner) => stop(server, manner).await.map(Outcome::Stopping),
        Command::Status(form) => status(server, form).await.map(Outcome::Done),
    }
}

/// The one server that is meant.
fn choose(servers: Vec<Living>, which: Which, here: &Path) -> Result<Living, Failure> {
    let all: Vec<String> = servers
        .iter()
        .map(|server| described(&server.info))
        .collect();
    let is_meant = |info: &ServerInfo| match which {
        Which::Pid(pid) => info.pid == pid,
        Which::StartedHere => info.folder == here,
    };
    let mut meant: Vec<Living> = servers
        .into_iter()
        .filter(|server| is_meant(&server.info))
        .collect();
    if meant.len() > 1 {
        let list: Vec<String> = meant.iter().map(|server| described(&server.info)).collect();
        let error = anyhow!(
            "{} servers were started in {}:\n{}",
            list.len(),
            here.display(),
            list.join("\n")
        );
        return Err(Failure::failed(error).hint("choose one with --pid"));
    }
    meant.pop().ok_or_else(|| {
        let error = match which {
            Which::Pid(pid) => anyhow!("no server of yett with the process id {pid} runs"),
            Which::StartedHere => anyhow!("no server runs that was started in {}", here.display()),
        };
        let hint = match (all.as_slice(), which) {
            ([], _) => "start one with yett serve".to_owned(),
            (all, Which::StartedHere) => format!("choose one with --pid:\n{}", all.join("\n")),
            (all, Which::Pid(_)) => format!("these run:\n{}", all.join("\n")),
        };
        Failure::failed(error).hint(hint)
    })
}

fn described(info: &ServerInfo) -> String {
    format!(
        "pid {}: {} at {} from {}",
        info.pid,
        info.app,
        info.binds.join(", "),
        info.folder.display()
    )
}

async fn reload(server: Living) -> Result<String, Failure> {
    match server
        .ask(Request::Reload {}, LONGEST_RELOAD.saturating_add(SOON))
        .await
        .map_err(Failure::failed)?
    {
        Answer::Reloaded {
            generation,
            millis,
            kept_certificates,
        } => {
            let reloaded = format!(
                "generation {generation} serves, after {}.{:01} s",
                millis / 1_000,
                millis % 1_000 / 100
            );
            match kept_certificates {
                None => Ok(format!("reloaded: {reloaded}\n")),
                Some(wrong) => Err(Failure::failed(anyhow!(
                    "the new certificates were not taken, and those from before stay in use: {wrong}"
                ))
                .hint(format!("the code was reloaded: {reloaded}"))),
            }
        }
        Answer::KeptOld { summary, traceback } => {
            let failure = Failure::failed(anyhow!("the new code does not start: {summary}"));
            let failure = if traceback.is_empty() {
                failure
            } else {
                failure.details(traceback)
            };
            Err(failure.hint("the old code keeps serving"))
        }
        other => Err(unexpected(other)),
    }
}

async fn stop(server: Living, manner: Manner) -> Result<Stopping, Failure> {
    let pid = server.info.pid;
    // Opened before the question, so that it is this process and not a later one with the same id.
    let visible = server.visible_pid().and_then(Pid::from_raw);
    let process = visible.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    match server
        .ask(Request::stop(manner), SOON)
        .await
        .map_err(Failure::failed)?
    {
        Answer::Stopping { within_millis } => {
            let within = Duration::from_millis(within_millis).saturating_add(AFTER_STOP);
            Ok(Stopping {
                pid,
                process,
                within,
                manner,
            })
        }
        other => Err(unexpected(other)),
    }
}

/// A server that has agreed to stop.
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) pid: u32,
    /// The process, if it can be watched from here.
    pub(super) process: Option<OwnedFd>,
    /// How long to wait for its end.
    pub(super) within: Duration,
    pub(super) manner: Manner,
}

impl Stopping {
    /// Waits until the process has ended, so that `yett stop && yett serve` finds its address free.
    pub(super) fn finished(self) -> Result<String, Failure> {
        let Self {
            pid,
            process,
            within,
            manner,
        } = self;
        let Some(process) = process else {
            return Ok(format!(
                "the server with the process id {pid} is stopping\n"
            ));
        };
        if has_ended(&process, within) {
            return Ok(format!("stopped the server with the process id {pid}\n"));
        }
        let error =
            anyhow!("the server with the process id {pid} was told to stop and has not ended");
        let hint = match manner {
            Manner::Graceful => format!("yett stop --quick --pid {pid} does not wait for requests"),
            Manner::Quick => format!("kill -KILL {pid} ends it for certain"),
        };
        Err(Failure::failed(error).hint(hint))
    }
}

/// Whether the process ends in time. pidfd_open(2): its descriptor becomes readable then.
fn has_ended(process: &OwnedFd, within: Duration) -> bool {
    let limit = Timespec::try_from(within).ok();
    loop {
        match poll(&mut [PollFd::new(process, PollFlags::IN)], limit.as_ref()) {
            Ok(ready) => return ready > 0,
            // A stopped and continued terminal; the limit begins anew, which harms nobody.
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

async fn status(server: Living, form: Form) -> Result<String, Failure> {
    let info = server.info.clone();
    let status = match server
        .ask(Request::Status {}, SOON)
        .await
        .map_err(Failure::failed)?
    {
        Answer::Status { status } => status,
        other => return Err(unexpected(other)),
    };
    match form {
        Form::Json => {
            let whole = serde_json::json!({ "server": info, "status": status });
            let text = serde_json::to_string_pretty(&whole)
                .context("the status is no JSON")
                .map_err(Failure::failed)?;
            Ok(text + "\n")
        }
        Form::Text => Ok(status_text(&info, &status)),
    }
}

fn unexpected(answer: Answer) -> Failure {
    match answer {
        Answer::Refused { message } => Failure::failed(anyhow!("the server refused: {message}")),
        _ => Failure::failed(anyhow!(
            "the server answered something else; it may be another version of yett"
        )),
    }
}

/// The status for people: what the server is, then its own words, indented by depth.
fn status_text(info: &ServerInfo, status: &Value) -> String {
    let mut text = format!("{}\nversion: {}\n", described(info), info.version);
    entries_text(&mut text, 0, status);
    without_controls(&text)
}

fn entries_text(text: &mut String, depth: usize, value: &Value) {
    let Value::Object(entries) = value else {
        return;
    };
    for (name, value) in entries {
        let indent = "  ".repeat(depth);
        let (label, value) = &in_units(name, value);
        let label = label.replace('_', " ");
        match value {
            Value::Null => {
                let _ = writeln!(text, "{indent}{label}: none");
            }
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{label}:");
                entries_text(text, depth + 1, value);
            }
            Value::Array(items) if items.is_empty() => {
                let _ = writeln!(text, "{indent}{label}: none");
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for item in items {
                    let _ = writeln!(text, "{indent}{label}:");
                    entries_text(text, depth + 1, item);
                }
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(plain).collect();
                let _ = writeln!(text, "{indent}{label}: {}", items.join(", "));
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let _ = writeln!(text, "{indent}{label}: {}", plain(value));
            }
        }
    }
}

/// A time or an amount of memory as people read it, and its name without the unit.
fn in_units<'a>(name: &'a str, value: &Value) -> (&'a str, Value) {
    let (label, one, unit) = if let Some(label) = name.strip_suffix("_millis") {
        (label, 1_000, "s")
    } else if let Some(label) = name.strip_suffix("_bytes") {
        (label, 1 << 20, "MiB")
    } else {
        return (name, value.clone());
    };
    match value.as_u64() {
        Some(number) => {
            let tenths = u128::from(number) * 10 / one;
            let text = format!("{}.{} {unit}", tenths / 10, tenths % 10);
            (label, text.into())
        }
        None => (label, value.clone()),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\n', " "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}
