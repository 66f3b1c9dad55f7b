//! The client's end of an HTTP/2 connection: h2's own client, and raw frames for what it would not
//! do.

use std::future::{Future, poll_fn};
use std::task::Poll;

use bytes::Bytes;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use super::{settle, soon};

/// What a connection goes over.
pub(crate) trait Pipe: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Pipe for T {}

/// A client that keeps the rules.
pub(crate) struct H2Client {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// One request's answer as it arrives.
pub(crate) struct Arriving {
    pub(crate) response: ResponseFuture,
    /// The request's body.
    pub(crate) body: SendStream<Bytes>,
}

impl H2Client {
    pub(crate) async fn new(stream: impl Pipe) -> Self {
        Self::with(Builder::new(), stream).await
    }

    pub(crate) async fn with(builder: Builder, stream: impl Pipe) -> Self {
        let (sender, connection): (_, Connection<_, Bytes>) =
            soon(builder.handshake(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        settle().await;
        Self { sender, connection }
    }

    /// Sends a request; `whole`: without a body.
    pub(crate) async fn send(&mut self, request: Request<()>, whole: bool) -> Arriving {
        soon(poll_fn(|cx| self.sender.poll_ready(cx)))
            .await
            .unwrap();
        let (response, body) = self.sender.send_request(request, whole).unwrap();
        Arriving { response, body }
    }

    /// Sends a GET.
    pub(crate) async fn get(&mut self, path: &str) -> Arriving {
        self.send(get(path), true).await
    }

    /// How the connection ended.
    pub(crate) async fn end(self) -> Result<(), h2::Error> {
        drop(self.sender);
        soon(self.connection).await.unwrap()
    }

    /// Whether the connection has ended.
    pub(crate) async fn has_ended(&self) -> bool {
        settle().await;
        self.connection.is_finished()
    }
}

impl Arriving {
    /// The answer's head and its body as far as it is to come.
    pub(crate) async fn head(self) -> Response<RecvStream> {
        soon(self.response).await.unwrap()
    }

    /// The answer as `status | body`.
    pub(crate) async fn answer(self) -> String {
        let response = self.head().await;
        let status = response.status().as_u16();
        let (body, _) = rest(response.into_body()).await.unwrap();
        format!("{status} | {}", body.trim_end())
    }

    /// Why there is none.
    pub(crate) async fn refusal(self) -> Option<Reason> {
        soon(self.response).await.unwrap_err().reason()
    }
}

pub(crate) fn get(path: &str) -> Request<()> {
    let uri = format!("http://x{path}");
    Request::builder().uri(uri).body(()).unwrap()
}

pub(crate) fn post(path: &str) -> Request<()> {
    let mut request = get(path);
    *request.method_mut() = http::Method::POST;
    request
}

/// A GET with so many headers of its own.
pub(crate) fn crowded(headers: usize) -> Request<()> {
    let mut request = get("/");
    for number in 0..headers {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        request.headers_mut().insert(name, 1.into());
    }
    request
}

/// The rest of a body and its trailers.
pub(crate) async fn rest(mut body: RecvStream) -> Result<(String, Option<HeaderMap>), h2::Error> {
    let mut text = Vec::new();
    while let Some(data) = soon(body.data()).await {
        let data = data?;
        text.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    let trailers = soon(body.trailers()).await?;
    Ok((String::from_utf8(text).unwrap(), trailers))
}

/// A client that sends what it likes.
pub(crate) struct RawH2 {
    stream: DuplexStream,
    received: Vec<u8>,
}

/// A frame as it came: kind, flags, stream, payload.
pub(crate) type RawFrame = (u8, u8, u32, Vec<u8>);

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A POST of `/` at `x`: HPACK's static table, and the authority spelt out.
pub(crate) const POST_BLOCK: &[u8] = b"\x83\x84\x86\x41\x01x";
/// A GET likewise.
pub(crate) const GET_BLOCK: &[u8] = b"\x82\x84\x86\x41\x01x";

impl RawH2 {
    pub(crate) const fn new(stream: DuplexStream) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// A connection whose SETTINGS are exchanged.
    pub(crate) async fn greeted(stream: DuplexStream) -> Self {
        let mut raw = Self::new(stream);
        raw.bytes(PREFACE).await;
        raw.frame(4, 0, 0, b"").await;
        raw.frame(4, 1, 0, b"").await;
        settle().await;
        raw
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        // A connection that has been ended takes nothing.
        let _ended = soon(self.stream.write_all(bytes)).await;
    }

    pub(crate) async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.bytes(&frame(kind, flags, stream, payload)).await;
    }

    async fn more(&mut self) -> bool {
        let mut scratch = vec![0; 64 * 1024];
        let count = soon(self.stream.read(&mut scratch)).await.unwrap_or(0);
        self.received.extend_from_slice(&scratch[..count]);
        count > 0
    }

    /// Takes so many bytes, or those that there are.
    pub(crate) async fn sip(&mut self, most: usize) {
        let mut left = most;
        while left > 0 {
            let mut some = vec![0; left.min(100)];
            let mut read = std::pin::pin!(self.stream.read(&mut some));
            let polled = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
            let Poll::Ready(Ok(count @ 1..)) = polled else {
                return;
            };
            self.received.extend_from_slice(&some[..count]);
            left -= count;
            settle().await;
        }
    }

    /// How what came begins, as text.
    pub(crate) fn received(&self) -> String {
        let begin = self.received.get(..12).unwrap_or_default();
        String::from_utf8_lossy(begin).into_owned()
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<RawFrame> {
        loop {
            if let [a, b, c, kind, flags, s, t, u, v, rest @ ..] = &self.received[..] {
                let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
                if rest.len() >= len {
                    let frame = (
                        *kind,
                        *flags,
                        u32::from_be_bytes([*s, *t, *u, *v]),
                        rest[..len].to_vec(),
                    );
                    self.received.drain(..9 + len);
                    return Some(frame);
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next frame of this kind.
    pub(crate) async fn until(&mut self, kind: u8) -> RawFrame {
        loop {
            let frame = self.next().await.expect("the connection is open");
            if frame.0 == kind {
                return frame;
            }
        }
    }

    /// The code of the GOAWAY that ends the connection.
    pub(crate) async fn goodbye(&mut self) -> Reason {
        let (_, _, _, payload) = self.until(7).await;
        let code = payload[4..8].try_into().unwrap();
        let reason = Reason::from(u32::from_be_bytes(code));
        while self.next().await.is_some() {}
        reason
    }
}

/// A frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}
