//! One stream: its request is answered, and the answer sent as the client takes it.
//!
//! Its connection polls it when it is woken. It ends when its client resets the stream or goes away: then
//! the answer, or what is left of it, is dropped, and the worker hears of it, as over HTTP/1.1.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::HeaderMap;
use http::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::body::see_off;
use super::line::Share;
use super::response::{self, Sendable};
use super::traffic::Traffic;
use crate::conn::hints::MOST_WAITING;
use crate::rate::{Pace, Slow};
use crate::respond::Body;
use crate::service::{Answering, Services};
use crate::settings::EdgeSettings;

/// So much is handed to the connection at a time, so that streams take turns.
pub(super) const STEP: usize = 16 * 1024;
/// A piece shorter than this that the client's window made so short is tiny.
const TINY: usize = 256;

/// What a running request and its stream tell each other.
#[derive(Debug)]
pub(crate) struct StreamState {
    shared: Mutex<Shared>,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default)]
struct Shared {
    waker: Option<Waker>,
    /// Informational answers that are not sent yet, and the bytes in them.
    interim: Vec<(StatusCode, HeaderMap)>,
    len: usize,
    answered: bool,
    cut: Option<Slow>,
    /// A request's body that nobody reads any more, and that has not come to its end.
    left: Option<RecvStream>,
    /// Such a body is not kept.
    leaves_nothing: bool,
}

impl StreamState {
    pub(super) fn new(traffic: Arc<Traffic>) -> Self {
        Self {
            shared: Mutex::default(),
            traffic,
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends these fields as early hints (RFC 8297) before the answer, or drops them.
    pub(in crate::conn) fn hint(&self, fields: &HeaderMap) {
        if !fields.is_empty() {
            self.say(StatusCode::EARLY_HINTS, fields.clone());
        }
    }

    /// Tells the client to send its body.
    pub(super) fn go_on(&self) {
        self.say(StatusCode::CONTINUE, HeaderMap::new());
    }

    fn say(&self, status: StatusCode, fields: HeaderMap) {
        let len: usize = fields
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        let waker = {
            let mut shared = self.shared();
            if shared.answered || shared.len + len > MOST_WAITING {
                return;
            }
            shared.len += len;
            shared.interim.push((status, fields));
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer is known.
    pub(in crate::conn) fn answers(&self) {
        self.shared().answered = true;
    }

    /// Keeps a request's body that nobody reads any more, until its answer is sent.
    pub(super) fn leave(&self, body: RecvStream) {
        let mut shared = self.shared();
        if !shared.leaves_nothing {
            shared.left = Some(body);
        }
    }

    /// Keeps none: what a client sends of it would wait, and others' bodies behind it.
    fn leave_nothing(&self) {
        let left = {
            let mut shared = self.shared();
            shared.leaves_nothing = true;
            shared.left.take()
        };
        drop(left);
    }

    /// Takes in what the client still sends of a body that nobody has read to its end.
    async fn see_off(&self) {
        let left = self.shared().left.take();
        if let Some(left) = left {
            see_off(left).await;
        }
    }

    /// Why the answer is being cut, if its client takes it too slowly.
    pub(in crate::conn) fn cut(&self) -> Option<Slow> {
        self.shared().cut.or_else(|| self.traffic.cut())
    }

    /// What is to be said before the answer.
    fn take(&self, cx: &Context<'_>) -> Vec<(StatusCode, HeaderMap)> {
        let mut shared = self.shared();
        let same = |waker: &Waker| waker.will_wake(cx.waker());
        if !shared.waker.as_ref().is_some_and(same) {
            shared.waker = Some(cx.waker().clone());
        }
        shared.len = 0;
        std::mem::take(&mut shared.interim)
    }
}

/// One stream.
pub(super) struct Stream {
    pub(super) respond: SendResponse<Bytes>,
    pub(super) state: Arc<StreamState>,
    pub(super) services: Arc<Services>,
    pub(super) settings: Arc<EdgeSettings>,
    /// The method is HEAD.
    pub(super) headless: bool,
}

/// The client has reset the stream or gone away.
struct Gone;

impl Stream {
    #[expect(
        clippy::manual_async_fn,
        reason = "an async function's future has a second place for each of its arguments"
    )]
    pub(super) fn run(mut self, mut answer: Answering) -> impl Future<Output = ()> {
        async move {
            let Ok(response) = self.answered(&mut answer).await else {
                return;
            };
            // What it needed is not kept while a long answer is sent.
            drop(answer);
            let Sendable {
                response,
                mut body,
                left,
                ends,
            } = response::sendable(response, self.headless);
            let most = http_body::Body::size_hint(&body).upper();
            if !ends && most.is_none_or(|most| most > STEP as u64) {
                // Not beside a long answer.
                self.state.leave_nothing();
            }
            let Ok(stream) = self.respond.send_response(response, ends) else {
                return;
            };
            if ends {
                // The answer is over, and its record is written now.
                drop(body);
                return self.state.see_off().await;
            }
            let mut sender = Sender {
                stream,
                left,
                taking: Pace::default(),
                share: Share::new(self.state.traffic.carried(), Instant::now()),
            };
            match sender.send(&self, &mut body).await {
                Ok(()) => {
                    drop(body);
                    self.state.see_off().await;
                }
                Err(Stopped::Over) => {}
                Err(Stopped::Slow(slow)) => {
                    self.services.meters().met(slow.limit_of_taking());
                    self.state.shared().cut = Some(slow);
                    sender.stream.send_reset(Reason::CANCEL);
                }
            }
        }
    }

    /// Waits for the answer, and sends what comes before it.
    async fn answered(&mut self, answer: &mut Answering) -> Result<Response<Body>, Gone> {
        poll_fn(|cx| {
            let polled = Pin::new(&mut *answer).poll(cx);
            for (status, fields) in self.state.take(cx) {
                let mut interim = Response::new(());
                *interim.status_mut() = status;
                *interim.headers_mut() = response::of_no_connection(fields);
                // A stream that is over takes none, and says so below.
                let _stream_is_over = self.respond.send_informational(interim);
            }
            if let Poll::Ready(Ok(response)) = polled {
                return Poll::Ready(Ok(response));
            }
            self.respond.poll_reset(cx).map(|_reason| Err(Gone))
        })
        .await
    }
}

/// Why an answer was not sent to its end.
enum Stopped {
    /// The stream is over, or the body is.
    Over,
    /// The client takes it too slowly.
    Slow(Slow),
}

/// Sends one answer's body.
struct Sender {
    stream: SendStream<Bytes>,
    /// Bytes that the head has announced and that are still to come.
    left: Option<u64>,
    /// How the client's windows let it go.
    taking: Pace,
    /// What it had of the connection's line since that window began which `taking` is in.
    share: Share,
}

impl Sender {
    async fn send(&mut self, of: &Stream, body: &mut Body) -> Result<(), Stopped> {
        loop {
            let frame = poll_fn(
                |cx| match http_body::Body::poll_frame(Pin::new(&mut *body), cx) {
                    Poll::Ready(frame) => Poll::Ready(Ok(frame)),
                    Poll::Pending => self.stream.poll_reset(cx).map(|_| Err(Stopped::Over)),
                },
            )
            .await?;
            match frame {
                None => return self.data(Bytes::new(), true),
                Some(Err(_recorded)) => {
                    self.stream.send_reset(Reason::INTERNAL_ERROR);
                    return Err(Stopped::Over);
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let (data, full) = self.within(data);
                        let last = full || http_body::Body::is_end_stream(body);
                        self.piece(of, data, last).await?;
                        if last {
                            return Ok(());
                        }
                    }
                    Err(frame) => {
                        let fields = frame.into_trailers().unwrap_or_default();
                        let fields = response::of_no_connection(fields);
                        let sent = self.stream.send_trailers(fields);
                        return sent.map_err(|_| Stopped::Over);
                    }
                },
            }
        }
    }

    /// Cuts off what goes beyond the length that the head has announced; whether that was so.
    fn within(&mut self, mut data: Bytes) -> (Bytes, bool) {
        let Some(left) = &mut self.left else {
            return (data, false);
        };
        let room = usize::try_from(*left).unwrap_or(usize::MAX);
        let full = data.len() > room;
        data.truncate(room);
        *left -= data.len() as u64;
        (data, full)
    }

    /// Sends one piece as the client's windows allow.
    async fn piece(&mut self, of: &Stream, mut data: Bytes, last: bool) -> Result<(), Stopped> {
        if data.is_empty() {
            return if last { self.data(data, true) } else { Ok(()) };
        }
        while !data.is_empty() {
            let want = data.len().min(STEP);
            self.stream.reserve_capacity(want);
            let mut room = self.stream.capacity();
            if room == 0 {
                room = self.room(of).await?;
            }
            if room < want.min(TINY) {
                of.state.traffic.dribbled();
            }
            let piece = data.split_to(room.min(data.len()));
            self.taking.moved(piece.len() as u64, Instant::now);
            self.share.moved(piece.len() as u64);
            let ends = last && data.is_empty();
            self.data(piece, ends)?;
        }
        Ok(())
    }

    /// Waits until the client takes something.
    async fn room(&mut self, of: &Stream) -> Result<usize, Stopped> {
        loop {
            let now = Instant::now();
            self.taking.waits(now);
            let until = self.look(of, now).map_err(Stopped::Slow)?;
            let room = poll_fn(|cx| {
                if self.stream.poll_reset(cx).is_ready() {
                    return Poll::Ready(Err(Stopped::Over));
                }
                self.stream.poll_capacity(cx).map(|room| match room {
                    Some(Ok(room)) => Ok(room),
                    Some(Err(_)) | None => Err(Stopped::Over),
                })
            });
            let until = until.unwrap_or(now + of.settings.send_timeout);
            if let Ok(room) = timeout_at(until, room).await {
                return room;
            }
        }
    }

    /// Whether the client takes the answer fast enough, or as fast as its line lets all that it asked
    /// for through; and until when that can be said if nothing moves.
    fn look(&mut self, of: &Stream, now: Instant) -> Result<Option<Instant>, Slow> {
        let rate = of.settings.send_rate();
        let carried = of.state.traffic.carried();
        let before = self.taking;
        let looked = self.taking.look(rate, now);
        if looked.is_ok() && self.taking != before {
            // It has begun a new window.
            self.share = Share::new(carried, now);
        }
        let http2 = of.settings.http2.as_ref();
        let streams = http2.map_or(1, |http2| http2.max_streams);
        if looked.is_err() && self.share.is_fair(carried, streams, rate, now) {
            // Another window, but not a new share: who is passed over for long is found in the end.
            self.taking = Pace::default();
            self.taking.waits(now);
            return self.taking.look(rate, now);
        }
        looked
    }

    fn data(&mut self, data: Bytes, last: bool) -> Result<(), Stopped> {
        self.stream.send_data(data, last).map_err(|_| Stopped::Over)
    }
}
