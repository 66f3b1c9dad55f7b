//! The client's side: finds the servers of this user, removes the entries of dead ones, asks one of
//! them.

use super::{
    entry::{Entry, ServerInfo, entries},
    folder::ControlFolder,
    server::is_allowed,
    wire::{Answer, LONGEST_ANSWER, Request, encoded, read_line, write_line},
};
use std::{io, time::Duration};
use tokio::{net::UnixStream, time::timeout};

/// Accepting is the kernel's work; longer than this, something is stuck.
const CONNECT: Duration = Duration::from_secs(2);

/// A server that lives, and a connection to it that waits for the request.
#[derive(Debug)]
pub(super) struct Living {
    /// What it says about itself.
    pub(super) info: ServerInfo,
    stream: UnixStream,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The connection broke.
    #[error("the server closed the connection")]
    Broken(#[from] io::Error),
    /// It took too long.
    #[error("the server did not answer within {} seconds", .0.as_secs())]
    TooLong(Duration),
    /// Another version, or something else that listens there.
    #[error("the server's answer is not understood; it may be another version of yett")]
    NotUnderstood(#[source] serde_json::Error),
}

/// The living servers of these folders, by process id. An entry whose socket refuses, or is not
/// there, belonged to a server that died without cleaning up: it is removed.
///
/// Only the socket is asked, not the process table: the entry of a server in another PID namespace
/// (a container that shares `/tmp`) must not be removed.
pub(super) async fn living(folders: &[ControlFolder]) -> Vec<Living> {
    let mut living: Vec<Living> = Vec::new();
    for Entry { info, files, owner } in folders.iter().flat_map(entries) {
        match timeout(CONNECT, UnixStream::connect(&files.socket)).await {
            Ok(Ok(stream)) => {
                let honest = stream
                    .peer_cred()
                    .is_ok_and(|peer| is_allowed(peer.uid(), owner));
                if let Some(info) = info.filter(|_| honest) {
                    living.push(Living { info, stream });
                }
            }
            Ok(Err(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
                ) =>
            {
                files.remove();
            }
            // Too busy to be asked, or not to be reached: it may live.
            Ok(Err(_)) | Err(_) => {}
        }
    }
    living.sort_by_key(|server| server.info.pid);
    living.dedup_by_key(|server| server.info.pid);
    living
}

impl Living {
    /// The process id as this process sees it; the kernel translates between PID namespaces.
    pub(super) fn visible_pid(&self) -> Option<i32> {
        self.stream.peer_cred().ok()?.pid().filter(|pid| *pid > 0)
    }

    /// Sends the request and waits for the answer, at most `limit`.
    pub(super) async fn ask(
        mut self,
        request: Request,
        limit: Duration,
    ) -> Result<Answer, AskError> {
        let exchange = async {
            write_line(&mut self.stream, &encoded(&request).unwrap_or_default()).await?;
            read_line(&mut self.stream, LONGEST_ANSWER).await
        };
        let line = timeout(limit, exchange)
            .await
            .map_err(|_| AskError::TooLong(limit))??;
        if line.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        serde_json::from_slice(&line).map_err(AskError::NotUnderstood)
    }
}
