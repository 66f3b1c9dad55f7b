//! The three encoders behind one way of calling them, made for speed and small windows.
//!
//! | coding | level | window | memory while it runs | kept for the next answer |
//! | --- | --- | --- | --- | --- |
//! | zstd | 3 | 128 KiB | 1.7 MiB | yes |
//! | br | 4 | 128 KiB | 2.2 MiB | no: it cannot be begun anew |
//! | gzip | 5 | 32 KiB | 0.4 MiB | yes |
//!
//! Bounds: each thread keeps [`KEPT`] idle encoders of a kind. How many run at a time is for
//! [`Running`](super::Running).

use std::cell::RefCell;

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{
    BrotliEncoderDestroyInstance, BrotliEncoderOperation, BrotliEncoderParameter,
    BrotliEncoderStateStruct,
};
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd::stream::raw::{CParameter, Encoder as Zstd, InBuffer, Operation, OutBuffer};

use crate::respond::coding::Coding;

/// Idle encoders that a thread keeps, of each kind.
const KEPT: usize = 2;

/// Room that is made for output at a time.
const ROOM: usize = 8 * 1024;

const GZIP_LEVEL: u32 = 5;
const GZIP_WINDOW: u8 = 15;
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 4;
/// Twice its logarithm's power: what zstd and br look back.
const WINDOW: u32 = 17;

thread_local! {
    static GZIPS: RefCell<Vec<Compress>> = const { RefCell::new(Vec::new()) };
    static ZSTDS: RefCell<Vec<Zstd<'static>>> = const { RefCell::new(Vec::new()) };
}

/// What follows behind the bytes that are being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// More; what is not full yet may stay inside.
    More,
    /// A pause: everything so far must be readable at the other end.
    Pause,
    /// Nothing.
    End,
}

/// An encoder failed; it has no reason to, but for want of memory.
#[derive(Debug, thiserror::Error)]
#[error("the {coding} encoder failed")]
pub(crate) struct EncoderFailed {
    coding: &'static str,
}

/// Codes one body.
pub(crate) struct Encoder {
    /// Taken out only when this is dropped.
    codec: Option<Codec>,
    coding: Coding,
}

enum Codec {
    Gzip(Compress),
    Zstd(Zstd<'static>),
    Brotli(Box<Brotli>),
}

impl Encoder {
    pub(super) fn new(coding: Coding) -> Result<Self, EncoderFailed> {
        let failed = EncoderFailed {
            coding: coding.name(),
        };
        let codec = match coding {
            Coding::Gzip => {
                let kept = GZIPS.with_borrow_mut(Vec::pop);
                let level = Compression::new(GZIP_LEVEL);
                Codec::Gzip(kept.unwrap_or_else(|| Compress::new_gzip(level, GZIP_WINDOW)))
            }
            Coding::Zstd => match ZSTDS.with_borrow_mut(Vec::pop) {
                Some(kept) => Codec::Zstd(kept),
                None => Codec::Zstd(new_zstd().map_err(|_| failed)?),
            },
            Coding::Brotli => Codec::Brotli(Box::new(Brotli::new())),
        };
        Ok(Self {
            codec: Some(codec),
            coding,
        })
    }

    /// Writes a piece of the body; what there is of output is appended to `out`.
    pub(super) fn write(
        &mut self,
        piece: &[u8],
        then: Then,
        out: &mut Vec<u8>,
    ) -> Result<(), EncoderFailed> {
        let done = match &mut self.codec {
            Some(Codec::Gzip(codec)) => gzip(codec, piece, then, out),
            Some(Codec::Zstd(codec)) => zstd(codec, piece, then, out).ok(),
            Some(Codec::Brotli(codec)) => codec.write(piece, then, out),
            None => None,
        };
        done.ok_or(EncoderFailed {
            coding: self.coding.name(),
        })
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        fn keep<T>(kept: &RefCell<Vec<T>>, codec: T) {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(codec);
            }
        }
        // At a thread's end there is nothing to keep it for.
        match self.codec.take() {
            Some(Codec::Gzip(mut codec)) => {
                codec.reset();
                let _ended = GZIPS.try_with(|kept| keep(kept, codec));
            }
            Some(Codec::Zstd(mut codec)) => {
                if codec.reinit().is_ok() {
                    let _ended = ZSTDS.try_with(|kept| keep(kept, codec));
                }
            }
            Some(Codec::Brotli(_)) | None => {}
        }
    }
}

fn gzip(codec: &mut Compress, mut piece: &[u8], then: Then, out: &mut Vec<u8>) -> Option<()> {
    let flush = match then {
        Then::More => FlushCompress::None,
        Then::Pause => FlushCompress::Sync,
        Then::End => FlushCompress::Finish,
    };
    loop {
        out.reserve(ROOM);
        let before = codec.total_in();
        let status = codec.compress_vec(piece, out, flush).ok()?;
        // Of one step, so it fits.
        let taken = (codec.total_in() - before) as usize;
        piece = piece.get(taken..).unwrap_or_default();
        let full = out.len() == out.capacity();
        match status {
            Status::StreamEnd => return Some(()),
            Status::Ok | Status::BufError if !full && then == Then::End => return None,
            Status::Ok | Status::BufError if !full && piece.is_empty() => return Some(()),
            Status::BufError if !full => return None,
            Status::Ok | Status::BufError => {}
        }
    }
}

fn new_zstd() -> std::io::Result<Zstd<'static>> {
    let mut codec = Zstd::new(ZSTD_LEVEL)?;
    codec.set_parameter(CParameter::WindowLog(WINDOW))?;
    Ok(codec)
}

fn zstd(
    codec: &mut Zstd<'static>,
    piece: &[u8],
    then: Then,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut input = InBuffer::around(piece);
    loop {
        out.reserve(ROOM);
        let at = out.len();
        let mut output = OutBuffer::around_pos(out, at);
        let left = if input.pos() < piece.len() {
            codec.run(&mut input, &mut output)?;
            1
        } else {
            match then {
                Then::More => 0,
                Then::Pause => codec.flush(&mut output)?,
                Then::End => codec.finish(&mut output, true)?,
            }
        };
        if left == 0 {
            return Ok(());
        }
    }
}

struct Brotli(BrotliEncoderStateStruct<StandardAlloc>);

impl Brotli {
    fn new() -> Self {
        let mut state = BrotliEncoderStateStruct::new(StandardAlloc::default());
        // Refused only once it has begun.
        state.set_parameter(BrotliEncoderParameter::BROTLI_PARAM_QUALITY, BROTLI_LEVEL);
        state.set_parameter(BrotliEncoderParameter::BROTLI_PARAM_LGWIN, WINDOW);
        Self(state)
    }

    fn write(&mut self, piece: &[u8], then: Then, out: &mut Vec<u8>) -> Option<()> {
        let operation = match then {
            Then::More => BrotliEncoderOperation::BROTLI_OPERATION_PROCESS,
            Then::Pause => BrotliEncoderOperation::BROTLI_OPERATION_FLUSH,
            Then::End => BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
        };
        let (mut left, mut at) = (piece.len(), 0);
        loop {
            let before = (left, out.len());
            // Without room of ours it keeps its output, to be taken without another copy.
            let fine = self.0.compress_stream(
                operation,
                &mut left,
                piece,
                &mut at,
                &mut 0,
                &mut [],
                &mut 0,
                &mut None,
                &mut |_, _, _, _| (),
            );
            if !fine {
                return None;
            }
            let mut size = 0;
            let taken = self.0.take_output(&mut size);
            // The slice goes on behind what there is of output.
            out.extend_from_slice(taken.get(..size)?);
            if left == 0 && !self.0.has_more_output() {
                return (then != Then::End || self.0.is_finished()).then_some(());
            }
            if before == (left, out.len()) {
                return None;
            }
        }
    }
}

impl Drop for Brotli {
    fn drop(&mut self) {
        BrotliEncoderDestroyInstance(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::decoded;
    use super::*;

    fn coded(coding: Coding, pieces: &[(&[u8], Then)]) -> Vec<u8> {
        let mut encoder = Encoder::new(coding).unwrap();
        let mut out = Vec::new();
        for (piece, then) in pieces {
            encoder.write(piece, *then, &mut out).unwrap();
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_is_decoded_is_what_was_written_however_it_was_cut(
            words in proptest::collection::vec("[a-e ]{0,40}", 0..400),
            noise in proptest::collection::vec(any::<u8>(), 0..3000),
            cuts in proptest::collection::vec((0_usize..5000, any::<bool>()), 0..30),
        ) {
            let text = [words.concat().into_bytes(), noise].concat();
            for coding in Coding::ALL {
                let mut rest = text.as_slice();
                let mut pieces = Vec::new();
                for (cut, pause) in &cuts {
                    let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                    pieces.push((piece, if *pause { Then::Pause } else { Then::More }));
                    rest = behind;
                }
                pieces.push((rest, Then::End));
                prop_assert_eq!(&decoded(coding, &coded(coding, &pieces)), &text);
            }
        }
    }

    #[test]
    fn what_was_written_before_a_pause_can_be_read_at_once() {
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut out = Vec::new();
            for (number, piece) in ["first", "second", "", "third"].iter().enumerate() {
                encoder
                    .write(piece.as_bytes(), Then::Pause, &mut out)
                    .unwrap();
                let all = ["first", "second", "", "third"][..=number].concat();
                assert_eq!(decoded(coding, &out), all.as_bytes(), "{coding:?}");
            }
        }
    }

    #[test]
    fn encoder_that_was_left_in_the_middle_begins_anew() {
        let secret = b"somebody else's answer".repeat(1000);
        for coding in Coding::ALL {
            for _ in 0..=KEPT {
                let mut left = Encoder::new(coding).unwrap();
                left.write(&secret, Then::More, &mut Vec::new()).unwrap();
                drop(left);
                let out = coded(coding, &[(b"mine", Then::End)]);
                assert_eq!(decoded(coding, &out), b"mine");
            }
        }
    }

    #[test]
    fn long_text_becomes_much_shorter() {
        let text = "0123456789 and the like, ".repeat(40_000);
        for coding in Coding::ALL {
            let out = coded(coding, &[(text.as_bytes(), Then::End)]);
            assert!(out.len() < text.len() / 50, "{coding:?} {}", out.len());
            assert_eq!(decoded(coding, &out), text.as_bytes());
        }
    }
}
