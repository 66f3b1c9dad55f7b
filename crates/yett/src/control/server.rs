//! The server's side: listens in the control folder, asks the kernel who is there, hands requests
//! to the [`ControlTarget`].
//!
//! A reload may take long, so each connection has its own task; a status gets through meanwhile.

use super::{
    entry::{EntryFiles, ServerInfo},
    folder::{ControlFolder, FolderError},
    wire::{Answer, LONGEST_RELOAD, LONGEST_REQUEST, ReloadAnswer, Request, read_line, write_line},
};
use crate::{cli::Manner, config::Environment};
use rustix::process::geteuid;
use std::{future::Future, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::{sleep, timeout},
};

/// A client that is slower than this to say its line, or to take its answer, is left.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many clients at once; the next one waits in the socket's backlog.
const MOST_CLIENTS: usize = 16;

/// What the control socket steers.
pub(crate) trait ControlTarget: Send + Sync + 'static {
    /// Loads new code; ends when the new code serves or has failed. It goes on if the client
    /// leaves.
    fn reload(&self) -> impl Future<Output = ReloadAnswer> + Send;

    /// The longest that a stop in this manner can take.
    fn stops_within(&self, manner: Manner) -> Duration;

    /// Begins to stop. Called after the client has its answer, so the process may end at once.
    fn stop(&self, manner: Manner);

    /// What is going on, as a JSON object.
    fn status(&self) -> serde_json::Value;
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// There is no folder for it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The socket or its description cannot be made.
    #[error("the control socket {path:?} cannot be made")]
    Entry {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// The listening socket and its entry, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct ControlServer {
    listener: UnixListener,
    files: EntryFiles,
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.files.remove();
    }
}

impl ControlServer {
    /// Makes this server's entry. To be called in a tokio runtime.
    pub(crate) fn bind(info: &ServerInfo, environment: &Environment) -> Result<Self, ControlError> {
        let folder = ControlFolder::make(environment)?;
        let files = EntryFiles::new(folder.path(), info.pid);
        let listener = files.make(info).map_err(|source| ControlError::Entry {
            path: files.socket.clone(),
            source,
        })?;
        Ok(Self { listener, files })
    }

    /// Serves clients until the future is dropped. Dropping it cuts the clients too.
    pub(crate) async fn run<T: ControlTarget>(self, target: Arc<T>) {
        let mut clients = JoinSet::new();
        loop {
            while clients.len() >= MOST_CLIENTS {
                clients.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    clients.spawn(serve(stream, Arc::clone(&target)));
                    while clients.try_join_next().is_some() {}
                }
                // Out of descriptors, mostly. The next attempt may have luck; a loop without a
                // pause would burn a CPU.
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

/// One client: one request, one answer. A client that fails to listen is its own affair.
async fn serve<T: ControlTarget>(mut stream: UnixStream, target: Arc<T>) {
    let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
    if !uid.is_some_and(|uid| is_allowed(uid, geteuid().as_raw())) {
        return;
    }
    let Ok(Ok(line)) = timeout(PATIENCE, read_line(&mut stream, LONGEST_REQUEST)).await else {
        return;
    };
    let (answer, stop) = match serde_json::from_slice(&line) {
        Err(_) => (refused("this is no request that the server knows"), None),
        Ok(Request::Reload {}) => match timeout(LONGEST_RELOAD, target.reload()).await {
            Ok(answer) => (answer.into(), None),
            Err(_) => (refused("the reload has not ended within 15 minutes"), None),
        },
        Ok(Request::Status {}) => (
            Answer::Status {
                status: target.status(),
            },
            None,
        ),
        Ok(Request::Stop { quick }) => {
            let manner = if quick {
                Manner::Quick
            } else {
                Manner::Graceful
            };
            let within = target.stops_within(manner).as_millis();
            (
                Answer::Stopping {
                    within_millis: u64::try_from(within).unwrap_or(u64::MAX),
                },
                Some(manner),
            )
        }
    };
    let _ = timeout(PATIENCE, write_line(&mut stream, &answer.line())).await;
    if let Some(manner) = stop {
        target.stop(manner);
    }
}

fn refused(message: &str) -> Answer {
    Answer::Refused {
        message: message.to_owned(),
    }
}

/// The same user, or root.
pub(super) fn is_allowed(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}
