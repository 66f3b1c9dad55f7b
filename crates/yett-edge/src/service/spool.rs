//! A request's body, gathered until it is whole.
//!
//! A worker is asked only when the whole body is here, so a client that uploads slowly holds a
//! connection and some disk, never a worker. Up to 64 KiB stay in memory; more goes to a file without a
//! name, which the worker gets as a descriptor. A body that is kept can also be sent again to
//! another worker.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use yett_gate::BodyLength;
use yett_link::request::MAX_INLINE_BODY;

use crate::respond::Failure;
use crate::settings::EdgeSettings;

/// A whole body.
#[derive(Debug, Clone)]
pub(super) struct Spooled {
    pub(super) inline: Bytes,
    pub(super) file: Option<Arc<OwnedFd>>,
    pub(super) len: u64,
}

/// Reads the body to its end.
pub(super) async fn spool(
    mut incoming: Incoming,
    length: BodyLength,
    settings: &EdgeSettings,
) -> Result<Spooled, Failure> {
    let too_long = Failure::BodyTooLong {
        limit: settings.max_body,
    };
    let expected = match length {
        BodyLength::None | BodyLength::Known(0) => {
            return Ok(Spooled {
                inline: Bytes::new(),
                file: None,
                len: 0,
            });
        }
        BodyLength::Known(length) if length > settings.max_body => return Err(too_long),
        BodyLength::Known(length) => length,
        BodyLength::Chunked => 0,
    };
    let mut memory = BytesMut::new();
    let mut file: Option<File> = None;
    let mut len: u64 = 0;
    if expected > MAX_INLINE_BODY as u64 {
        file = Some(nameless(settings).await?);
    }
    loop {
        let frame = timeout(settings.body_timeout, incoming.frame()).await;
        let Some(frame) = frame.map_err(|_| Failure::BodySlow)? else {
            break;
        };
        // Trailers are not handed on: PEP 3333 has no place for them.
        let Ok(data) = frame.map_err(Failure::BodyCut)?.into_data() else {
            continue;
        };
        len += data.len() as u64;
        if len > settings.max_body {
            return Err(too_long);
        }
        if file.is_none() && memory.len() + data.len() > MAX_INLINE_BODY {
            let mut fresh = nameless(settings).await?;
            fresh.write_all(&memory).await.map_err(Failure::Spool)?;
            memory = BytesMut::new();
            file = Some(fresh);
        }
        match &mut file {
            Some(file) => file.write_all(&data).await.map_err(Failure::Spool)?,
            None => memory.extend_from_slice(&data),
        }
    }
    let file = match file {
        None => None,
        Some(mut file) => {
            file.flush().await.map_err(Failure::Spool)?;
            Some(Arc::new(OwnedFd::from(file.into_std().await)))
        }
    };
    Ok(Spooled {
        inline: memory.freeze(),
        file,
        len,
    })
}

async fn nameless(settings: &EdgeSettings) -> Result<File, Failure> {
    let folder = settings.spool_dir.clone();
    let opened = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
    // The task neither panics nor is it cancelled while the runtime lives.
    let file = opened.map_err(|gone| Failure::Spool(std::io::Error::other(gone)))?;
    file.map(File::from_std).map_err(Failure::Spool)
}

impl Spooled {
    /// Puts the file back to its start: every worker that gets it reads it from there.
    pub(super) fn rewind(&self) -> Result<(), Failure> {
        if let Some(file) = &self.file {
            rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0))
                .map_err(|error| Failure::Spool(error.into()))?;
        }
        Ok(())
    }
}
