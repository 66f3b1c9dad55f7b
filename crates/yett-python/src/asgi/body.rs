//! A request's body on its way to the application.
//!
//! Small ones came with the request, spooled ones as a file, streamed ones arrive piece by piece
//! under the credit that is given back here when the application has taken them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use bytes::{BufMut as _, Bytes, BytesMut};
use yett_link::frame::{ExchangeId, Kind, REQUEST_WINDOW, put_frame};
use yett_link::worker::{BodyEnd, LinkError, WorkerEnd};

/// Bytes of a spooled body that the application gets at a time.
const FILE_PIECE: usize = 64 * 1024;

/// Credit goes back in steps of this size, so that small pieces do not cost a frame each.
const CREDIT_STEP: usize = REQUEST_WINDOW / 4;

/// What asking for the next piece came to.
pub(super) enum Piece {
    /// Bytes, and whether more may follow.
    Bytes(Bytes, bool),
    /// Nothing has arrived yet.
    NotYet,
    /// The client left in the middle.
    CutShort,
    /// All of it was taken before.
    Taken,
}

enum Source {
    /// All that is left, at once.
    Whole(Bytes),
    File(File),
    Stream {
        pieces: VecDeque<Bytes>,
        end: BodyEnd,
    },
    Taken,
}

/// One request's body.
pub(super) struct RequestBody {
    source: Source,
    /// Bytes that were taken and not yet acknowledged.
    owed: usize,
}

impl RequestBody {
    /// The body that came inside the request, perhaps empty.
    pub(super) const fn inline(bytes: Bytes) -> Self {
        Self {
            source: Source::Whole(bytes),
            owed: 0,
        }
    }

    /// The body in a file, which stands at its start.
    pub(super) fn file(file: OwnedFd) -> Self {
        Self {
            source: Source::File(File::from(file)),
            owed: 0,
        }
    }

    /// The body that is still arriving.
    pub(super) const fn streamed() -> Self {
        Self {
            source: Source::Stream {
                pieces: VecDeque::new(),
                end: BodyEnd::Open,
            },
            owed: 0,
        }
    }

    /// A further piece arrived.
    pub(super) fn arrived(&mut self, piece: Bytes, now: BodyEnd) {
        if let Source::Stream { pieces, end } = &mut self.source
            && *end == BodyEnd::Open
        {
            if !piece.is_empty() {
                pieces.push_back(piece);
            }
            *end = now;
        }
    }

    /// The next piece for the application.
    ///
    /// # Errors
    /// When a spooled body cannot be read, or the link fails.
    pub(super) fn next(&mut self, end: &WorkerEnd, id: ExchangeId) -> Result<Piece, BodyError> {
        match &mut self.source {
            Source::Taken => Ok(Piece::Taken),
            Source::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.source = Source::Taken;
                Ok(Piece::Bytes(bytes, false))
            }
            Source::File(file) => {
                let mut piece = vec![0; FILE_PIECE];
                let count = file.read(&mut piece).map_err(BodyError::File)?;
                piece.truncate(count);
                if count == 0 {
                    self.source = Source::Taken;
                }
                Ok(Piece::Bytes(piece.into(), count > 0))
            }
            Source::Stream { pieces, end: ended } => {
                let Some(piece) = pieces.pop_front() else {
                    match ended {
                        BodyEnd::CutShort => return Ok(Piece::CutShort),
                        BodyEnd::Open => {
                            // All that came was taken: perhaps the edge waits for just this.
                            self.pay(end, id)?;
                            return Ok(Piece::NotYet);
                        }
                        BodyEnd::Whole => {
                            self.source = Source::Taken;
                            return Ok(Piece::Bytes(Bytes::new(), false));
                        }
                    }
                };
                if pieces.is_empty() && *ended == BodyEnd::Whole {
                    self.source = Source::Taken;
                    return Ok(Piece::Bytes(piece, false));
                }
                self.owed += piece.len();
                if self.owed >= CREDIT_STEP {
                    self.pay(end, id)?;
                }
                Ok(Piece::Bytes(piece, true))
            }
        }
    }

    fn pay(&mut self, end: &WorkerEnd, id: ExchangeId) -> Result<(), BodyError> {
        pay(end, id, std::mem::take(&mut self.owed)).map_err(BodyError::Link)
    }
}

/// Tells the edge that the application took so many bytes.
pub(super) fn pay(end: &WorkerEnd, id: ExchangeId, owed: usize) -> Result<(), LinkError> {
    if owed == 0 {
        return Ok(());
    }
    let mut payload = BytesMut::with_capacity(4);
    payload.put_u32_le(u32::try_from(owed).unwrap_or(u32::MAX));
    let mut frame = BytesMut::with_capacity(24);
    put_frame(&mut frame, Kind::BodyCredit, 0, id, &payload)?;
    end.send(&[&frame])
}

/// Why a body could not be read.
pub(super) enum BodyError {
    /// The spooled file.
    File(std::io::Error),
    /// The link.
    Link(LinkError),
}
