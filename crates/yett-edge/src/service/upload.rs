//! A request's body that reaches the worker while it arrives.
//!
//! Only for applications that read while they work (ASGI), and only where it pays: a short body is
//! spooled as for everybody. The client's socket is not read beyond the window that the worker's
//! credit keeps open ([`Window`](crate::floor::Window)). The body passes through once: a request
//! of which a byte was sent goes to no other worker.

use bytes::Bytes;
use http_body::Body as _;
use yett_gate::BodyLength;
use yett_link::frame::MAX_CHUNK;
use yett_link::request::MAX_INLINE_BODY;

use super::pace;
use crate::conn::ClientBody;
use crate::floor::{Over, Uplink};
use crate::rate::Pace;
use crate::respond::Failure;
use crate::ruling::Interface;
use crate::settings::EdgeSettings;

/// A body on its way from the client to a worker.
#[derive(Debug)]
pub(super) struct Upload {
    incoming: ClientBody,
    /// What came from the client and has not been sent yet.
    held: Bytes,
    /// What came so far.
    len: u64,
    announced: Option<u64>,
    /// What may come.
    limit: u64,
    begun: bool,
    whole: bool,
    pace: Pace,
}

/// Whether a body of this length is streamed to an application of this interface.
pub(super) fn is_streamed(interface: Interface, length: BodyLength) -> bool {
    match (interface, length) {
        (Interface::Wsgi, _) | (Interface::Asgi, BodyLength::None) => false,
        (Interface::Asgi, BodyLength::Known(length)) => length > MAX_INLINE_BODY as u64,
        (Interface::Asgi, BodyLength::Chunked) => true,
    }
}

impl Upload {
    /// Takes the body, unless it fails.
    ///
    /// # Errors
    /// [`Failure::BodyTooLong`] when the client announces more than `limit`.
    pub(super) fn new(
        incoming: &mut ClientBody,
        length: BodyLength,
        limit: u64,
    ) -> Result<Self, Failure> {
        let announced = match length {
            BodyLength::None => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Chunked => None,
        };
        if announced.is_some_and(|length| length > limit) {
            return Err(Failure::BodyTooLong { limit });
        }
        Ok(Self {
            incoming: std::mem::take(incoming),
            held: Bytes::new(),
            len: 0,
            announced,
            limit,
            begun: false,
            whole: false,
            pace: Pace::default(),
        })
    }

    /// The length that the client announced.
    pub(super) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Bytes that came so far.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Whether a byte was sent: then no other worker can have the request.
    pub(super) const fn is_begun(&self) -> bool {
        self.begun
    }

    /// Whether all of it was sent.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// What of the body was not read.
    pub(super) fn into_rest(self) -> ClientBody {
        match self.whole {
            true => ClientBody::Gone,
            false => self.incoming,
        }
    }

    /// Carries the body until it is whole or the exchange has ended. May be dropped at any point and
    /// called again.
    ///
    /// # Errors
    /// The client's breach; the worker was told that the rest will not come.
    pub(super) async fn run(
        &mut self,
        uplink: &Uplink,
        settings: &EdgeSettings,
    ) -> Result<(), Failure> {
        let outcome = self.carry(uplink, settings).await;
        if outcome.is_err() {
            uplink.cut_short();
        }
        outcome
    }

    async fn carry(&mut self, uplink: &Uplink, settings: &EdgeSettings) -> Result<(), Failure> {
        while !self.whole {
            if !self.held.is_empty() {
                let len = self.held.len().min(MAX_CHUNK);
                let Ok(()) = uplink.window().take(len).await else {
                    return Ok(());
                };
                let piece = self.held.split_to(len);
                self.whole = self.held.is_empty() && self.incoming.is_end_stream();
                self.begun = true;
                uplink.send(piece, self.whole);
                continue;
            }
            let arrived = tokio::select! {
                biased;
                () = uplink.window().over() => Err(Over),
                arrived = pace::frame(&mut self.incoming, &mut self.pace, settings.body_rate()) => Ok(arrived),
            };
            let Ok(arrived) = arrived else {
                return Ok(());
            };
            match arrived? {
                None => {
                    self.whole = true;
                    self.begun = true;
                    uplink.send(Bytes::new(), true);
                }
                // ASGI has no place for a request's trailers.
                Some(frame) => {
                    if let Ok(data) = frame.into_data() {
                        self.len += data.len() as u64;
                        if self.len > self.limit {
                            return Err(Failure::BodyTooLong { limit: self.limit });
                        }
                        self.held = data;
                    }
                }
            }
        }
        Ok(())
    }
}
