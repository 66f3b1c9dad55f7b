//! Compression of the application's answers.
//!
//! [`choose`] decides by the heads alone, with [`types`] (what is text), [`foreign`] (who may learn
//! something from a length) and [`tags`] (what caches compare). [`encoder`] has the encoders, and
//! [`stream`] a body that is coded while it is sent.
//!
//! A body of up to [`AT_ONCE`] bytes that is there as a whole is coded before its head is sent, so
//! its length is known. Any other is coded piece by piece while the client takes it: nothing is held
//! back when the application pauses, and other connections of the thread have their turn after every
//! [`stream::TURN`].
//!
//! Bounds: an encoder that waits for a client or for the application holds up to about 2 MiB, so
//! only [`CompressionSettings::max_encoders`] do at a time, over all connections. Further answers go
//! as they are.

mod choose;
mod encoder;
mod foreign;
mod stream;
mod tags;
#[cfg(test)]
pub(crate) mod testing;
mod types;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::HeaderMap;
use yett_gate::RequestHead;

pub(crate) use choose::Outline;
pub(crate) use encoder::EncoderFailed;
use encoder::{Encoder, Then};
pub(super) use stream::Coded;
pub(crate) use tags::OwnTags;

use super::coding::Coding;
use crate::meters::Meters;
use crate::rules::{Compression, RouteRules};

/// The longest body that is coded at once: a millisecond of br, a fifth of that of zstd.
pub(crate) const AT_ONCE: usize = 64 * 1024;

/// What is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressionSettings {
    /// Whether answers are compressed where no route says otherwise.
    pub compression: Compression,
    /// Bytes of a body; a shorter one is not compressed.
    pub min_size: u64,
    /// Bodies that are being compressed while they are sent, over all connections; further ones are
    /// sent as they are.
    pub max_encoders: usize,
}

impl Default for CompressionSettings {
    fn default() -> Self {
        Self {
            compression: Compression::On,
            min_size: 1024,
            max_encoders: 64,
        }
    }
}

/// Codes answers, and counts those that it is at.
#[derive(Debug)]
pub(crate) struct Compressor {
    settings: CompressionSettings,
    running: Arc<AtomicUsize>,
    meters: Arc<Meters>,
}

/// The right to one running encoder.
#[derive(Debug)]
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An encoder for a body that is coded while it is sent.
pub(crate) struct Runner {
    encoder: Encoder,
    coding: Coding,
    meters: Arc<Meters>,
    _running: Running,
}

impl Runner {
    /// Writes a piece of the body; what there is of output is appended to `out`.
    fn write(&mut self, piece: &[u8], then: Then, out: &mut Vec<u8>) -> Result<(), EncoderFailed> {
        let before = out.len();
        let written = self.encoder.write(piece, then, out);
        let made = out.len().saturating_sub(before);
        self.meters.compressed(self.coding, piece.len(), made);
        written
    }
}

/// Why a body is not coded while it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRunner {
    /// As many are running as may.
    Full,
    /// The encoder could not be made.
    Failed,
}

impl Compressor {
    pub(crate) fn new(settings: CompressionSettings, meters: Arc<Meters>) -> Self {
        Self {
            settings,
            running: Arc::default(),
            meters,
        }
    }

    /// How this answer should be coded, if at all. Says in its headers what it depends on.
    pub(crate) fn choose(
        &self,
        routes: &RouteRules,
        request: &RequestHead,
        answer: &mut Outline<'_>,
    ) -> Option<Coding> {
        let rule = routes.compression(request.target().path());
        choose::choose(&self.settings, rule, request, answer)
    }

    /// An encoder for a body that is sent in pieces.
    ///
    /// # Errors
    /// [`NoRunner`]; then the answer goes as it is.
    pub(crate) fn runner(&self, coding: Coding) -> Result<Runner, NoRunner> {
        let most = self.settings.max_encoders;
        let one_more = |now| (now < most).then_some(now + 1);
        self.running
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map_err(|_| NoRunner::Full)?;
        let running = Running(Arc::clone(&self.running));
        let encoder = Encoder::new(coding).map_err(|_| NoRunner::Failed)?;
        Ok(Runner {
            encoder,
            coding,
            meters: Arc::clone(&self.meters),
            _running: running,
        })
    }

    /// A whole body, coded. `None`: it goes as it is.
    pub(crate) fn at_once(&self, coding: Coding, body: &[u8]) -> Option<Bytes> {
        let mut out = Vec::with_capacity(body.len() / 2);
        let mut encoder = Encoder::new(coding).ok()?;
        encoder.write(body, Then::End, &mut out).ok()?;
        self.meters.compressed(coding, body.len(), out.len());
        Some(out.into())
    }
}

/// Makes an answer's headers speak of its coded body.
pub(crate) fn announce(headers: &mut HeaderMap, coding: Coding) {
    choose::announce(headers, coding);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_bodies_are_coded_while_they_are_sent() {
        let settings = CompressionSettings {
            max_encoders: 2,
            ..CompressionSettings::default()
        };
        let compressor = Compressor::new(settings, Arc::default());
        let first = compressor.runner(Coding::Gzip).ok();
        let second = compressor.runner(Coding::Zstd).ok();
        assert!(first.is_some() && second.is_some());
        let refused = compressor.runner(Coding::Gzip).err();
        assert_eq!(refused, Some(NoRunner::Full));
        drop(first);
        assert!(compressor.runner(Coding::Brotli).is_ok());
        assert!(compressor.runner(Coding::Brotli).is_ok());
    }

    #[test]
    fn whole_body_is_coded_at_once() {
        let body = "some text ".repeat(500);
        let compressor = Compressor::new(CompressionSettings::default(), Arc::default());
        for coding in Coding::ALL {
            let coded = compressor.at_once(coding, body.as_bytes()).unwrap();
            assert!(coded.len() < 200);
            assert_eq!(testing::decoded(coding, &coded), body.as_bytes());
        }
    }
}
