//! From a client's bytes to its messages (RFC 6455 section 5).
//!
//! Whoever drives it feeds bytes only while it holds less than [`HELD`], and takes what it hears
//! before feeding more. A message of at most [`MAX_CHUNK`] bytes is one piece, a longer one several;
//! pieces of a text are cut between characters.

use bytes::{Buf, Bytes, BytesMut};
use yett_link::frame::MAX_CHUNK;

use super::deflate::Inflater;
use super::frame::{Header, Opcode, Violation, may_be_sent, unmask};

/// How many bytes are enough for now. One feeding may go beyond it by what one read brings.
pub(super) const HELD: usize = 16 * 1024;

/// Compressed bytes that are taken up at a time.
const STEP: usize = 16 * 1024;

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A message, or a piece of one.
    Message {
        text: bool,
        more: bool,
        piece: Bytes,
    },
    Ping(Bytes),
    Pong,
    /// Nothing behind it counts. Without a code if the client gave none.
    Close(Option<(u16, String)>),
}

/// Reads one client.
#[derive(Debug)]
pub(super) struct Inbound {
    max_message: u64,
    may_compress: bool,
    input: BytesMut,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The message that is not whole.
    message: Option<Message>,
    /// What of it is not handed on.
    gathered: BytesMut,
    /// Messages are for nobody any more; only their frames are followed.
    deaf: bool,
}

#[derive(Debug)]
struct Frame {
    header: Header,
    /// Bytes of the payload that were taken.
    taken: u64,
}

impl Frame {
    const fn left(&self) -> u64 {
        self.header.len - self.taken
    }
}

#[derive(Debug)]
struct Message {
    text: bool,
    /// Bytes so far, inflated.
    len: u64,
    inflater: Option<Inflater>,
}

impl Inbound {
    pub(super) fn new(max_message: u64, may_compress: bool) -> Self {
        Self {
            max_message,
            may_compress,
            input: BytesMut::new(),
            frame: None,
            message: None,
            gathered: BytesMut::new(),
            deaf: false,
        }
    }

    /// From now on messages are skipped, which costs no inflating: only control frames are heard.
    pub(super) fn skip_messages(&mut self) {
        self.deaf = true;
        self.gathered = BytesMut::new();
        if let Some(message) = &mut self.message {
            message.inflater = None;
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Whether there is room for another read.
    pub(super) fn has_room(&self) -> bool {
        self.input.len() < HELD
    }

    /// What the client said next, `None` when that is not whole.
    ///
    /// # Errors
    /// [`Violation`]: nothing behind it may be read any more.
    pub(super) fn hear(&mut self) -> Result<Option<Heard>, Violation> {
        loop {
            if self.input.is_empty() {
                // A silent client holds no buffer.
                self.input = BytesMut::new();
            }
            let Some(frame) = &self.frame else {
                let Some((header, len)) = Header::parse(&self.input)? else {
                    return Ok(None);
                };
                self.input.advance(len);
                self.begin(header)?;
                continue;
            };
            if frame.header.opcode.is_control() {
                return self.control();
            }
            match self.data()? {
                Step::Heard(heard) => return Ok(Some(heard)),
                Step::Hungry => return Ok(None),
                Step::Again => {}
            }
        }
    }

    /// Looks at a header in the light of those before it.
    fn begin(&mut self, header: Header) -> Result<(), Violation> {
        if !header.opcode.is_control() {
            match (header.opcode, &self.message) {
                (Opcode::Continuation, Some(_)) if header.compressed => {
                    return Err(Violation::Reserved);
                }
                (Opcode::Continuation, Some(_)) => {}
                (Opcode::Continuation, None) | (_, Some(_)) => return Err(Violation::Order),
                (_, None) if header.compressed && !self.may_compress => {
                    return Err(Violation::Reserved);
                }
                (opcode, None) => {
                    self.message = Some(Message {
                        text: opcode == Opcode::Text,
                        len: 0,
                        inflater: (header.compressed && !self.deaf).then(Inflater::new),
                    });
                }
            }
            let message = self.message.as_ref();
            if let Some(Message {
                len,
                inflater: None,
                ..
            }) = message
                && len.saturating_add(header.len) > self.max_message
            {
                return Err(Violation::TooLong);
            }
        }
        self.frame = Some(Frame { header, taken: 0 });
        Ok(())
    }

    fn control(&mut self) -> Result<Option<Heard>, Violation> {
        // At most 125, or `Header::parse` would have refused it.
        let Some(header) = self.frame.as_ref().map(|frame| frame.header) else {
            return Ok(None);
        };
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        if self.input.len() < len {
            return Ok(None);
        }
        let mut payload = self.input.split_to(len);
        unmask(&mut payload, header.mask, 0);
        self.frame = None;
        // A copy: a pong that waits must not hold the whole read that the ping came with.
        let payload = Bytes::copy_from_slice(&payload);
        Ok(Some(match header.opcode {
            Opcode::Ping => Heard::Ping(payload),
            Opcode::Close => Heard::Close(close(payload)?),
            _ => Heard::Pong,
        }))
    }

    /// Takes up what there is of a data frame.
    fn data(&mut self) -> Result<Step, Violation> {
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else {
            return Err(Violation::Order);
        };
        if self.deaf {
            let skipped = take(&mut self.input, frame, usize::MAX);
            if frame.left() > 0 {
                return Ok(if skipped.is_empty() {
                    Step::Hungry
                } else {
                    Step::Again
                });
            }
            if frame.header.fin {
                self.message = None;
            }
            self.frame = None;
            return Ok(Step::Again);
        }
        let room = MAX_CHUNK - self.gathered.len();
        let before = self.gathered.len();
        let mut ended = false;
        let mut hungry = false;
        match &mut message.inflater {
            None => {
                let piece = take(&mut self.input, frame, room);
                self.gathered.extend_from_slice(&piece);
                ended = frame.left() == 0;
                hungry = piece.is_empty() && !ended;
            }
            Some(inflater) if !inflater.is_hungry() => {
                inflater.inflate(&mut self.gathered, MAX_CHUNK)?;
            }
            Some(inflater) => {
                if frame.left() > 0 {
                    let piece = take(&mut self.input, frame, STEP);
                    hungry = piece.is_empty();
                    inflater.feed(piece);
                } else {
                    ended = !(frame.header.fin && inflater.end());
                }
            }
        }
        message.len += (self.gathered.len() - before) as u64;
        if message.len > self.max_message {
            return Err(Violation::TooLong);
        }
        if ended {
            let fin = frame.header.fin;
            self.frame = None;
            return if fin {
                self.piece(false).map(Step::Heard)
            } else {
                Ok(Step::Again)
            };
        }
        if self.gathered.len() == MAX_CHUNK {
            return self.piece(true).map(Step::Heard);
        }
        Ok(if hungry { Step::Hungry } else { Step::Again })
    }

    /// Hands on what is gathered.
    fn piece(&mut self, more: bool) -> Result<Heard, Violation> {
        let text = self.message.as_ref().is_some_and(|message| message.text);
        let mut piece = std::mem::take(&mut self.gathered);
        if text && let Err(error) = std::str::from_utf8(&piece) {
            if !more || error.error_len().is_some() {
                return Err(Violation::Utf8);
            }
            // A character whose rest is still to come.
            self.gathered = BytesMut::from(piece.get(error.valid_up_to()..).unwrap_or_default());
            piece.truncate(error.valid_up_to());
        }
        if !more {
            self.message = None;
        }
        Ok(Heard::Message {
            text,
            more,
            piece: piece.freeze(),
        })
    }
}

/// What taking up a data frame led to.
enum Step {
    Heard(Heard),
    /// More bytes must come first.
    Hungry,
    Again,
}

/// Takes at most `most` bytes of a frame's payload, unmasked.
fn take(input: &mut BytesMut, frame: &mut Frame, most: usize) -> BytesMut {
    let left = usize::try_from(frame.left()).unwrap_or(usize::MAX);
    let mut piece = input.split_to(left.min(most).min(input.len()));
    unmask(&mut piece, frame.header.mask, frame.taken);
    frame.taken += piece.len() as u64;
    piece
}

/// RFC 6455 section 5.5.1.
fn close(mut payload: Bytes) -> Result<Option<(u16, String)>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    if payload.len() < 2 {
        return Err(Violation::Close);
    }
    let code = payload.get_u16();
    if !may_be_sent(code) {
        return Err(Violation::Close);
    }
    let reason = std::str::from_utf8(&payload).map_err(|_| Violation::Utf8)?;
    Ok(Some((code, reason.to_owned())))
}

#[cfg(test)]
mod tests;
