//! A request's body, gathered until it is whole.
//!
//! A worker is asked only when the whole body is here, so a client that uploads slowly holds a
//! connection and some disk, never a worker. Up to 64 KiB stay in memory; more goes to a file without a
//! name, which the worker gets as a descriptor. The file is opened when more has come, whatever length was
//! announced: who announces much and sends little holds none, and who finds no room is refused only then. A
//! body that is kept can also be sent again to another worker.
//!
//! Bounds: one body by `max_body` or its route's, all files together by `max_spool` and their number by
//! `max_spool_files`; beyond any the request is refused and its file is gone.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use yett_gate::BodyLength;
use yett_link::request::MAX_INLINE_BODY;

use super::pace;
use crate::conn::ClientBody;
use crate::rate::Pace;
use crate::respond::Failure;
use crate::room::{Budget, FileRoom};
use crate::settings::EdgeSettings;

/// A whole body.
#[derive(Debug, Default)]
pub(super) struct Spooled {
    pub(super) inline: Bytes,
    pub(super) file: Option<Arc<OwnedFd>>,
    pub(super) len: u64,
    _room: Option<FileRoom>,
}

/// Reads the body, of this announced length and of at most so many bytes, to its end; then it is gone.
pub(super) async fn spool(
    incoming: &mut ClientBody,
    (length, limit): (BodyLength, u64),
    settings: &EdgeSettings,
    budget: &Budget,
) -> Result<Spooled, Failure> {
    let too_long = Failure::BodyTooLong { limit };
    match length {
        BodyLength::None | BodyLength::Known(0) => return Ok(Spooled::default()),
        BodyLength::Known(length) if length > limit => return Err(too_long),
        BodyLength::Known(_) | BodyLength::Chunked => {}
    }
    // Most bodies come in one piece, which stays where it is; of several the memory is one.
    let mut piece = Bytes::new();
    let mut memory = BytesMut::new();
    let mut file: Option<SpoolFile> = None;
    let mut len: u64 = 0;
    let (mut pace, rate) = (Pace::default(), settings.body_rate());
    loop {
        let Some(frame) = pace::frame(incoming, &mut pace, rate).await? else {
            break;
        };
        // Trailers are not handed on: PEP 3333 has no place for them.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        len += data.len() as u64;
        if len > limit {
            return Err(too_long);
        }
        if file.is_none() && len > MAX_INLINE_BODY as u64 {
            let mut fresh = SpoolFile::create(settings, budget).await?;
            fresh.write(&std::mem::take(&mut piece)).await?;
            fresh.write(&std::mem::take(&mut memory)).await?;
            file = Some(fresh);
        }
        match &mut file {
            Some(file) => file.write(&data).await?,
            None if piece.is_empty() && memory.is_empty() => piece = data,
            None => {
                memory.extend_from_slice(&std::mem::take(&mut piece));
                memory.extend_from_slice(&data);
            }
        }
    }
    *incoming = ClientBody::Gone;
    match file {
        None => Ok(Spooled {
            inline: if memory.is_empty() {
                piece
            } else {
                memory.freeze()
            },
            len,
            ..Spooled::default()
        }),
        Some(file) => file.finish(len).await,
    }
}

/// A body's file while it is being written.
struct SpoolFile {
    file: File,
    room: FileRoom,
}

impl SpoolFile {
    async fn create(settings: &EdgeSettings, budget: &Budget) -> Result<Self, Failure> {
        let room = budget.of_request().ok_or(Failure::SpoolFiles)?;
        let folder = settings.spool_dir.clone();
        let opened = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        // The task neither panics nor is it cancelled while the runtime lives.
        let file = opened.map_err(|gone| Failure::Spool(io::Error::other(gone)))?;
        let file = file.map(File::from_std).map_err(Failure::Spool)?;
        Ok(Self { file, room })
    }

    async fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        if !self.room.bytes().take(data.len() as u64) {
            return Err(full());
        }
        self.file.write_all(data).await.map_err(Failure::Spool)
    }

    async fn finish(mut self, len: u64) -> Result<Spooled, Failure> {
        self.file.flush().await.map_err(Failure::Spool)?;
        let file = OwnedFd::from(self.file.into_std().await);
        Ok(Spooled {
            inline: Bytes::new(),
            file: Some(Arc::new(file)),
            len,
            _room: Some(self.room),
        })
    }
}

fn full() -> Failure {
    let full = "all bodies together are too long";
    Failure::Spool(io::Error::new(io::ErrorKind::StorageFull, full))
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
