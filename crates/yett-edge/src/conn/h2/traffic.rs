//! What passes over one connection, counted frame by frame, and what of it is too much.
//!
//! h2 holds a client to flow control, to the number of streams and to the size of a head. It answers
//! whatever else comes, as fast as it comes: PING and SETTINGS with their acknowledgement, RST_STREAM
//! with a stream less. That costs a client nothing and us something, so here frames that bring nothing
//! forward have a [`Budget`], and requests that are taken back have one of their own. Both come back
//! with time, and the first one with everything that is really carried.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use h2::Reason;
use tokio::time::Instant;

use super::budget::Budget;
use super::frames::{ACK, END_HEADERS, END_STREAM, Frame, Frames, Kind, Passed};
use crate::conn::Offence;
use crate::meters::Limit;
use crate::rate::{Pace, Rate, Slow};

/// Length of the client's preface (RFC 9113 section 3.4).
const PREFACE: usize = 24;

/// Frames beside requests, answers and their bodies. One download or upload earns its own.
const MOST_FRAMES: u32 = 1000;
const FRAMES_A_SECOND: u32 = 100;
/// What a frame that must be answered and applied costs; every other costs one.
const SETTINGS_COST: u32 = 4;
/// What an answer's piece costs that the client's window made tiny: more than it earns with the
/// WINDOW_UPDATE before it.
pub(super) const TINY_COST: u32 = 4;

/// Requests that the client takes back, or breaks so that they must be: a page full of pictures may
/// be left in the middle, and a map may be moved on.
const MOST_RESETS: u32 = 200;
const RESETS_A_SECOND: u32 = 50;

/// So many new streams are read before they are handed on: nobody can fill memory with requests that
/// are taken back before anybody has seen them.
const MOST_AT_ONCE: usize = 32;
/// Streams that were opened and neither handed on nor refused. Only a client that goes on opening
/// them after it was told to stop has so many.
const MOST_WAITING: usize = 1024;

/// DATA shorter than this, other than the last of a body, brings nothing forward.
const SMALL_DATA: u32 = 8;

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    /// Too many frames that carry nothing.
    Frames,
    /// Too many requests that were taken back or broken.
    Resets,
    /// A head, or another frame that is none of a body, did not arrive in time.
    Slow,
    /// The first frame is not SETTINGS (RFC 9113 section 3.4).
    NoSettings,
}

impl Breach {
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Frames | Self::Resets | Self::Slow => Reason::ENHANCE_YOUR_CALM,
            Self::NoSettings => Reason::PROTOCOL_ERROR,
        }
    }

    pub(super) const fn limit(self) -> Option<Limit> {
        match self {
            Self::Frames => Some(Limit::Http2Frames),
            Self::Resets => Some(Limit::Http2Resets),
            Self::Slow => Some(Limit::HeadTime),
            Self::NoSettings => None,
        }
    }
}

/// Why h2 reset a stream that never became a request.
fn offence(code: u32) -> Offence {
    match Reason::from(code) {
        Reason::REFUSED_STREAM => Offence::TooManyStreams,
        Reason::PROTOCOL_ERROR => Offence::Stream("PROTOCOL_ERROR"),
        Reason::FLOW_CONTROL_ERROR => Offence::Stream("FLOW_CONTROL_ERROR"),
        Reason::STREAM_CLOSED => Offence::Stream("STREAM_CLOSED"),
        _ => Offence::Stream("an error"),
    }
}

/// Shared by the socket, the connection's driver and its streams.
#[derive(Debug)]
pub(super) struct Traffic(Mutex<State>);

#[derive(Debug)]
struct State {
    /// What is left of the client's preface.
    preface: usize,
    inbound: Frames,
    outbound: Frames,
    /// The client's SETTINGS have come.
    begun: bool,
    /// A header block has begun and not ended.
    in_block: bool,
    head_since: Option<Instant>,
    /// How the socket takes what waits for it.
    taking: Pace,
    /// Bytes that the socket took.
    carried: u64,
    /// The connection is cut because of that pace.
    cut: Option<Slow>,
    /// The highest stream that the client has opened.
    highest: u32,
    /// Streams that were opened and that nobody has taken yet.
    waiting: Vec<u32>,
    /// How many were opened since streams were last handed on.
    opened: usize,
    /// Streams that were reset or answered by h2. They may be handed on all the same.
    refusals: Vec<(u32, Offence)>,
    /// h2 has told the client to keep calm.
    calmed: bool,
    frames: Budget,
    resets: Budget,
    breach: Option<Breach>,
}

impl Traffic {
    /// A connection whose client began to speak then.
    pub(super) fn new(begun: Instant) -> Self {
        Self(Mutex::new(State {
            preface: PREFACE,
            inbound: Frames::default(),
            outbound: Frames::default(),
            begun: false,
            in_block: false,
            head_since: Some(begun),
            taking: Pace::default(),
            carried: 0,
            cut: None,
            highest: 0,
            waiting: Vec::new(),
            opened: 0,
            refusals: Vec::new(),
            calmed: false,
            frames: Budget::new(MOST_FRAMES, FRAMES_A_SECOND),
            resets: Budget::new(MOST_RESETS, RESETS_A_SECOND),
            breach: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of these bytes of the client may go on now.
    pub(super) fn admit(&self, bytes: &[u8]) -> usize {
        self.state().admit(bytes)
    }

    /// Nothing more may go on until [`Traffic::go_on`], or ever.
    pub(super) fn is_held(&self) -> bool {
        let state = self.state();
        state.breach.is_some() || state.opened >= MOST_AT_ONCE
    }

    /// Streams were handed on; whether bytes had been held back for that.
    pub(super) fn go_on(&self) -> bool {
        std::mem::take(&mut self.state().opened) >= MOST_AT_ONCE
    }

    /// These bytes went to the client.
    pub(super) fn sent(&self, bytes: &[u8]) {
        self.state().sent(bytes);
    }

    /// The socket took so many bytes, or had no room.
    pub(super) fn wrote(&self, written: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        let bytes = state.taking.wrote(written);
        state.carried = state.carried.saturating_add(bytes);
    }

    /// Bytes that the socket took since the connection began.
    pub(super) fn carried(&self) -> u64 {
        self.state().carried
    }

    /// Until when it can be said that the socket takes fast enough what waits for it.
    pub(super) fn look(&self, rate: Rate, now: Instant) -> Result<Option<Instant>, Slow> {
        let mut state = self.state();
        state
            .taking
            .look(rate, now)
            .inspect_err(|slow| state.cut = Some(*slow))
    }

    /// Why the whole connection is cut.
    pub(super) fn cut(&self) -> Option<Slow> {
        self.state().cut
    }

    /// This stream is a request now.
    pub(super) fn taken(&self, stream: u32) {
        let mut state = self.state();
        state.waiting.retain(|waiting| *waiting != stream);
        state.refusals.retain(|(refused, _)| *refused != stream);
    }

    /// Whether h2 has ended the connection because of a limit of its own since this was last asked.
    pub(super) fn take_calmed(&self) -> bool {
        std::mem::take(&mut self.state().calmed)
    }

    /// The streams that h2 has refused since this was last asked. To be asked when all streams that
    /// there are have been handed on.
    pub(super) fn take_refusals(&self) -> Vec<(u32, Offence)> {
        std::mem::take(&mut self.state().refusals)
    }

    /// How many streams were opened, and became no request when the connection ended.
    pub(super) fn left_over(&self) -> usize {
        std::mem::take(&mut self.state().waiting).len()
    }

    /// The client made a piece of an answer tiny.
    pub(super) fn dribbled(&self) {
        let mut state = self.state();
        if !state.frames.spend(TINY_COST) {
            state.offend(Breach::Frames);
        }
    }

    pub(super) fn offend(&self, breach: Breach) {
        self.state().offend(breach);
    }

    pub(super) fn breach(&self) -> Option<Breach> {
        self.state().breach
    }

    /// Since when a head has been arriving.
    pub(super) fn head_since(&self) -> Option<Instant> {
        self.state().head_since
    }
}

impl State {
    fn offend(&mut self, breach: Breach) {
        self.breach.get_or_insert(breach);
    }

    fn admit(&mut self, bytes: &[u8]) -> usize {
        let mut at = self.preface.min(bytes.len());
        self.preface -= at;
        while self.breach.is_none() {
            if self.opened >= MOST_AT_ONCE && !self.in_block && !self.inbound.is_within() {
                break;
            }
            let (taken, passed) = self.inbound.next(bytes.get(at..).unwrap_or_default());
            match passed {
                None => {
                    at += taken;
                    break;
                }
                Some(Passed::Head(frame)) => match self.judge(frame) {
                    Ok(()) => at += taken,
                    Err(breach) => self.offend(breach),
                },
                Some(Passed::Whole(frame)) => {
                    at += taken;
                    if matches!(frame.kind, Kind::Headers | Kind::Continuation) {
                        self.in_block = !frame.has(END_HEADERS);
                    }
                    if !self.in_block {
                        self.head_since = None;
                    }
                }
            }
        }
        // A slow body is its request's affair.
        let of_a_body = self
            .inbound
            .running()
            .is_some_and(|frame| frame.kind == Kind::Data);
        if self.in_block || (self.inbound.is_within() && !of_a_body) {
            self.head_since.get_or_insert_with(Instant::now);
        }
        at
    }

    /// Looks at a frame whose head has come.
    fn judge(&mut self, frame: Frame) -> Result<(), Breach> {
        let begins = !std::mem::replace(&mut self.begun, true);
        if begins && (frame.kind != Kind::Settings || frame.has(ACK)) {
            return Err(Breach::NoSettings);
        }
        let cost = match frame.kind {
            Kind::Headers if frame.stream > self.highest => {
                self.highest = frame.stream;
                self.waiting.push(frame.stream);
                self.opened += 1;
                if self.waiting.len() > MOST_WAITING {
                    return Err(Breach::Frames);
                }
                self.frames.earn(8);
                0
            }
            Kind::Data if frame.len >= 1024 => {
                self.frames.earn(2 + frame.len / 4096);
                0
            }
            Kind::Data if frame.len >= SMALL_DATA || frame.has(END_STREAM) => 0,
            Kind::Settings if !frame.has(ACK) => SETTINGS_COST,
            Kind::Reset if !self.resets.spend(1) => return Err(Breach::Resets),
            _ => 1,
        };
        if self.frames.spend(cost) {
            Ok(())
        } else {
            Err(Breach::Frames)
        }
    }

    fn sent(&mut self, mut bytes: &[u8]) {
        loop {
            let (taken, passed) = self.outbound.next(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            match passed {
                None => return,
                Some(Passed::Head(_)) => {}
                Some(Passed::Whole(frame)) => self.note(frame),
            }
        }
    }

    /// Notes what a frame of ours says about the client.
    fn note(&mut self, frame: Frame) {
        match frame.kind {
            Kind::Data => self.frames.earn(2 + frame.len / 1024),
            // h2's own answer to a head that is too long.
            Kind::Headers => self.refuse(frame.stream, Offence::HeadTooLong),
            Kind::Reset => {
                let code = frame.code();
                self.refuse(frame.stream, offence(code));
                // Codes that we use ourselves say nothing about the client.
                let clients = matches!(
                    Reason::from(code),
                    Reason::PROTOCOL_ERROR
                        | Reason::FLOW_CONTROL_ERROR
                        | Reason::STREAM_CLOSED
                        | Reason::REFUSED_STREAM
                );
                if clients && !self.resets.spend(1) {
                    self.offend(Breach::Resets);
                }
            }
            Kind::GoAway => {
                let calm = Reason::from(frame.code()) == Reason::ENHANCE_YOUR_CALM;
                self.calmed |= calm && self.breach.is_none();
            }
            _ => {}
        }
    }

    fn refuse(&mut self, stream: u32, offence: Offence) {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| *waiting != stream);
        if self.waiting.len() < before {
            self.refusals.push((stream, offence));
        }
    }
}
