//! What arrived on the link and nobody has taken yet.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;

use bytes::{Buf, Bytes};

use super::event::{BodyEnd, Event, MessageKind};
use super::{Credit, Incoming};
use crate::frame::{
    CUT_SHORT, ExchangeId, Frame, Kind, LAST, MORE, OVERDUE, RESPONSE_WINDOW, TEXT,
};
use crate::ring::{ClaimId, Memory};

/// So many requests may wait without a look at who was taken back.
const FEW: usize = 32;

/// Shared state; its lock is held for moments, never over a system call that waits.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    /// Some thread is reading the link now.
    pub(super) reading: bool,
    /// Threads that wait until the reading one hands something out.
    pub(super) followers: usize,
    /// No request will follow.
    pub(super) drained: bool,
    /// The link is at its end or broken.
    pub(super) closed: bool,
    /// Pings that wait for their answer.
    pub(super) pings: u32,
    /// With the claim that must be made good before a request is begun.
    pub(super) requests: VecDeque<(Incoming, Option<ClaimId>)>,
    /// Beyond so many, requests that the edge took back are thrown out.
    tidy_beyond: usize,
    /// Whether an event loop wants to be told; a worker that waits looks by itself.
    pub(super) tells: bool,
    /// What an event loop has yet to be told, apart from requests.
    pub(super) events: VecDeque<Event>,
    /// Per exchange that has arrived: what may still be sent for it, or that it is cancelled.
    windows: HashMap<ExchangeId, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    left: usize,
    cancelled: bool,
}

impl Inflow {
    pub(super) fn credit(&mut self, exchange: ExchangeId, len: usize) -> Option<Credit> {
        if self.closed {
            return Some(Credit::Cancelled);
        }
        let Some(window) = self.windows.get_mut(&exchange) else {
            return Some(Credit::Cancelled);
        };
        if window.cancelled {
            return Some(Credit::Cancelled);
        }
        if window.left >= len || window.left == RESPONSE_WINDOW {
            window.left = window.left.saturating_sub(len);
            return Some(Credit::Granted);
        }
        None
    }

    pub(super) fn is_cancelled(&self, exchange: ExchangeId) -> bool {
        let window = self.windows.get(&exchange);
        self.closed || window.is_none_or(|window| window.cancelled)
    }

    pub(super) fn forget(&mut self, exchange: ExchangeId) {
        self.windows.remove(&exchange);
    }

    /// Throws out requests that were taken back, if there are many: while no thread asks for requests,
    /// those that come and are taken back must not pile up. So at most about twice as many are held as
    /// the edge has sent and wants begun.
    pub(super) fn tidy(&mut self, memory: &Memory) {
        if self.requests.len() <= self.tidy_beyond.max(FEW) {
            return;
        }
        let windows = &mut self.windows;
        self.requests.retain(|(request, claim)| {
            let offered =
                claim.is_none_or(|claim| memory.claim(claim).is_offered(request.exchange));
            if !offered {
                windows.remove(&request.exchange);
            }
            offered
        });
        self.tidy_beyond = self.requests.len() * 2;
    }

    fn tell(&mut self, event: Event) {
        if self.tells {
            self.events.push_back(event);
        }
    }

    /// Takes in a frame. What it holds is bounded by the edge's rules: requests by the worker's
    /// capacity, bodies and messages by the credit that the worker gave.
    pub(super) fn take(&mut self, frame: Frame, body: Option<OwnedFd>) {
        let Frame {
            kind,
            flags,
            claim,
            exchange,
            mut payload,
        } = frame;
        match kind {
            Kind::Request => {
                // The window stands before anybody takes the request, so that a cancellation that
                // comes early is not lost.
                let window = Window {
                    left: RESPONSE_WINDOW,
                    cancelled: false,
                };
                self.windows.insert(exchange, window);
                let request = Incoming {
                    exchange,
                    flags,
                    payload,
                    body,
                };
                self.requests.push_back((request, claim));
            }
            Kind::Credit => {
                let granted = if payload.len() >= 4 {
                    payload.get_u32_le()
                } else {
                    0
                };
                if let Some(window) = self.windows.get_mut(&exchange) {
                    let granted = usize::try_from(granted).unwrap_or(usize::MAX);
                    window.left = window.left.saturating_add(granted).min(RESPONSE_WINDOW);
                    self.tell(Event::Credit(exchange));
                }
            }
            Kind::Cancel => {
                if let Some(window) = self.windows.get_mut(&exchange) {
                    window.cancelled = true;
                    if flags & OVERDUE != 0 {
                        self.tell(Event::Overdue(exchange));
                    }
                    self.tell(Event::Cancel(exchange));
                }
            }
            Kind::Body => self.tell(Event::Body {
                exchange,
                piece: payload,
                end: if flags & CUT_SHORT != 0 {
                    BodyEnd::CutShort
                } else if flags & LAST != 0 {
                    BodyEnd::Whole
                } else {
                    BodyEnd::Open
                },
            }),
            Kind::Message => self.tell(Event::Message {
                exchange,
                kind: if flags & TEXT != 0 {
                    MessageKind::Text
                } else {
                    MessageKind::Bytes
                },
                piece: payload,
                more: flags & MORE != 0,
            }),
            Kind::Disconnect => {
                let (code, reason) = disconnect(payload);
                self.tell(Event::Disconnect {
                    exchange,
                    code,
                    reason,
                });
            }
            Kind::Ping => self.pings = self.pings.saturating_add(1),
            Kind::Drain => {
                self.drained = true;
                if flags & CUT_SHORT != 0 {
                    self.tell(Event::CutShort);
                }
            }
            // The worker's own kinds never come from the edge; a newer edge does not exist, as both
            // ends are one build.
            Kind::Ready
            | Kind::Begun
            | Kind::Response
            | Kind::Chunk
            | Kind::Failed
            | Kind::BodyCredit
            | Kind::Hints
            | Kind::Trailers
            | Kind::Accept
            | Kind::Reply
            | Kind::Close
            | Kind::Pong => {}
        }
    }
}

fn disconnect(mut payload: Bytes) -> (u16, String) {
    if payload.len() < 2 {
        // RFC 6455 section 7.4.1: closed without a code.
        return (1005, String::new());
    }
    let code = payload.get_u16_le();
    (code, String::from_utf8_lossy(&payload).into_owned())
}
