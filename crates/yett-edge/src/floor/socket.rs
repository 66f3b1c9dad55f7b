//! One WebSocket at a worker, seen from the connection that it belongs to.
//!
//! A request for a WebSocket takes a place of its worker's capacity like every other, until the
//! application accepts it. From then on it counts apart.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::HeaderMap;
use tokio::sync::{mpsc, oneshot};
use yett_link::frame::{ExchangeId, Frame, FrameError, Kind, MAX_CHUNK, MORE, TEXT, put_frame};

use super::carrier::Outgoing;
use super::exchange::{AppHead, BadHeader, CREDIT_STEP, Exchange, Lost};
use super::link::{Link, OpenError};
use super::pending::{Departure, Toll, Turn};
use super::{Floor, Ticket};

/// What the client's side tells the application when nobody said goodbye (RFC 6455 section 7.1.5).
const VANISHED: u16 = 1006;

/// What is told to an application whose worker is about to be ended.
const RESTART: u16 = 1012;

/// The application's word on a request for a WebSocket.
pub(crate) enum Handshake {
    Accepted(Accepted),
    /// An ordinary answer instead.
    Refused(Box<AppHead>),
    /// Closed before it was open, which means 403 (ASGI, `websocket.close`).
    Closed,
}

/// An accepted WebSocket.
pub(crate) struct Accepted {
    /// For the answer with status 101.
    pub(crate) headers: Result<HeaderMap, BadHeader>,
    /// Unbounded in form; the link holds the worker to one window.
    pub(super) events: mpsc::UnboundedReceiver<FromApp>,
}

/// What comes from the application over an open WebSocket.
#[derive(Debug)]
pub(crate) enum FromApp {
    /// A message, or a piece of one.
    Reply {
        text: bool,
        /// The message goes on.
        more: bool,
        piece: Bytes,
    },
    /// The application closes.
    Close { code: u16, reason: String },
    /// The application failed, or its worker is gone.
    Lost(Lost),
}

/// The connection's end of a request for a WebSocket. Dropping it tells the application that the
/// client left.
pub(crate) struct Asking {
    side: Side,
    answer: oneshot::Receiver<Result<Handshake, Lost>>,
}

/// The connection's end of an open WebSocket. Dropping it before its end tells the application that
/// the client vanished.
pub(crate) struct SocketExchange {
    side: Side,
    events: mpsc::UnboundedReceiver<FromApp>,
    owed: usize,
}

/// What both have of the link. Says goodbye when it is dropped before the end.
struct Side {
    floor: Arc<Floor>,
    link: Arc<Link>,
    id: ExchangeId,
    toll: Arc<Toll>,
    ended: bool,
}

impl Side {
    /// Ends the exchange for the edge; the worker is told why. The second time it does nothing.
    fn leave(&mut self, code: u16, reason: &str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        match self.link.pending.leave_socket(self.id) {
            Departure::Nothing => {}
            Departure::BeforeAnswer => self.link.disconnect(self.id, code, reason),
            Departure::SocketOver => {
                self.link.disconnect(self.id, code, reason);
                self.floor.turn(self.link.worker(), Turn::SocketOver, 1);
            }
            Departure::Cancel => self.link.cancel(self.id),
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.leave(VANISHED, "");
    }
}

impl Ticket {
    /// Asks the ticket's worker for a WebSocket.
    pub(crate) fn ask_socket(
        self,
        encode: impl FnOnce(ExchangeId) -> Result<Outgoing, FrameError>,
    ) -> Result<Asking, OpenError> {
        let Some(link) = self.link.clone() else {
            return Err(OpenError::Closed);
        };
        let floor = Arc::clone(&self.floor);
        let id = link.next_id();
        let frame = encode(id).map_err(OpenError::Frame)?;
        let begun = link.pending.begin_socket(id, link.closed_flag());
        let (answer, toll) = begun.ok_or(OpenError::Closed)?;
        link.send(frame);
        // From here on the end of the exchange at the worker gives the place back.
        let _link = self.redeem();
        let side = Side {
            floor,
            link,
            id,
            toll,
            ended: false,
        };
        Ok(Asking { side, answer })
    }
}

/// The answer to a request for a WebSocket.
pub(crate) enum Answered {
    Accepted {
        headers: Result<HeaderMap, BadHeader>,
        exchange: SocketExchange,
    },
    Refused(Box<AppHead>, Exchange),
    Closed,
}

impl Asking {
    /// Waits for the application's word.
    pub(crate) async fn answer(mut self) -> Result<Answered, Lost> {
        // The link fails its exchanges before it goes, so a dropped sender is a closed link.
        let answer = (&mut self.answer).await;
        match answer.unwrap_or(Err(Lost::Worker { begun: true })) {
            Ok(Handshake::Accepted(accepted)) => Ok(Answered::Accepted {
                headers: accepted.headers,
                exchange: SocketExchange {
                    side: self.side,
                    events: accepted.events,
                    owed: 0,
                },
            }),
            Ok(Handshake::Refused(head)) => {
                self.side.ended = true;
                let link = Arc::clone(&self.side.link);
                let exchange = Exchange::with_head(link, self.side.id, &head);
                Ok(Answered::Refused(head, exchange))
            }
            Ok(Handshake::Closed) => Ok(Answered::Closed),
            Err(lost) => {
                if lost == Lost::Timeout {
                    self.side.link.disconnect(self.side.id, VANISHED, "");
                }
                Err(lost)
            }
        }
    }
}

impl SocketExchange {
    /// Whether the application's window has room for so many bytes of a message.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.side.toll.has_room(len)
    }

    /// Hands a piece of a message to the application. There must be room for it, and it has at most
    /// `MAX_CHUNK` bytes.
    pub(crate) fn send(&self, text: bool, more: bool, piece: &[u8]) {
        debug_assert!(piece.len() <= MAX_CHUNK);
        let mut flags = 0;
        if text {
            flags |= TEXT;
        }
        if more {
            flags |= MORE;
        }
        let mut frame = BytesMut::with_capacity(16 + piece.len());
        if put_frame(&mut frame, Kind::Message, flags, self.side.id, piece).is_ok() {
            self.side.toll.sent(piece.len());
            self.side.link.send(frame.into());
        }
    }

    /// The next word of the application's if `words` are wanted, or `None` when there may be more
    /// room in its window, if `room` is wanted. May be dropped while it waits.
    pub(crate) async fn next_or_room(&mut self, words: bool, room: bool) -> Option<FromApp> {
        // Not before: with less than a step outstanding there is room for a longest piece, and a frame
        // for each small message would wake the worker each time.
        if words && self.owed >= CREDIT_STEP {
            self.pay();
        }
        let event = tokio::select! {
            event = self.events.recv(), if words => event,
            () = self.side.toll.changed(), if room => return None,
            else => std::future::pending().await,
        };
        match &event {
            Some(FromApp::Reply { piece, .. }) if piece.is_empty() => self.side.toll.took_empty(),
            Some(FromApp::Reply { piece, .. }) => self.owed += piece.len(),
            Some(FromApp::Close { .. } | FromApp::Lost(_)) => self.side.ended = true,
            None => {}
        }
        Some(event.unwrap_or(FromApp::Lost(Lost::Worker { begun: true })))
    }

    /// Says that the WebSocket is over and why. The second time it does nothing.
    pub(crate) fn disconnect(&mut self, code: u16, reason: &str) {
        self.side.leave(code, reason);
    }

    fn pay(&mut self) {
        self.side.link.credit(self.side.id, self.owed);
        self.owed = 0;
    }
}

impl Link {
    fn disconnect(self: &Arc<Self>, id: ExchangeId, code: u16, reason: &str) {
        let mut payload = BytesMut::with_capacity(2 + reason.len());
        payload.put_u16_le(code);
        payload.extend_from_slice(reason.as_bytes());
        self.send_small(Kind::Disconnect, 0, id, &payload);
    }

    pub(super) fn hand_to_socket(
        self: &Arc<Self>,
        frame: Frame,
        floor: &Arc<Floor>,
    ) -> Result<(), FrameError> {
        let turn = self.pending.deliver_to_socket(frame)?;
        floor.turn(self.worker(), turn, 1);
        Ok(())
    }
}

impl Floor {
    /// WebSockets that are open.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.state().seats.iter().map(|seat| seat.sockets).sum()
    }

    /// Ends a worker's WebSockets: its grace period is nearly over. Applications and clients are
    /// told 1012; requests that would become WebSockets fail.
    pub(super) fn cut_sockets(self: &Arc<Self>, worker: u32) {
        let link = {
            let state = self.state();
            let seat = state.seats.iter().find(|seat| seat.worker == worker);
            seat.map(|seat| Arc::clone(&seat.link))
        };
        if let Some(link) = link {
            let (told, open) = link.pending.cut_sockets();
            for id in told {
                link.disconnect(id, RESTART, "");
            }
            self.turn(worker, Turn::SocketOver, open);
        }
    }

    /// Counts what `count` exchanges changed in what a worker has.
    fn turn(self: &Arc<Self>, worker: u32, turn: Turn, count: usize) {
        if turn == Turn::Nothing || count == 0 {
            return;
        }
        let mut state = self.state();
        if let Some(seat) = state.seats.iter_mut().find(|seat| seat.worker == worker) {
            match turn {
                Turn::Nothing => {}
                Turn::RequestOver => seat.in_flight = seat.in_flight.saturating_sub(count),
                Turn::Opened => {
                    seat.in_flight = seat.in_flight.saturating_sub(count);
                    seat.sockets += count;
                }
                Turn::SocketOver => seat.sockets = seat.sockets.saturating_sub(count),
            }
            let is_request = matches!(turn, Turn::RequestOver | Turn::Opened);
            if is_request && seat.has_ended(count) {
                self.news.spent(worker);
            }
            seat.drain_when_empty();
        }
        self.pump(&mut state);
    }
}
