//! The client's end of a connection: sends text, and reads answers in pieces that tests speak of.

use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf};

use super::{settle, soon};

/// A client's end of a connection.
pub(crate) struct Client {
    stream: DuplexStream,
    received: Vec<u8>,
}

impl Client {
    pub(crate) const fn new(stream: DuplexStream) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends a request without a body.
    pub(crate) async fn get(&mut self, target: &str) {
        self.request("GET", target, "").await;
    }

    /// Sends a request with further header lines, each with its line end.
    pub(crate) async fn request(&mut self, method: &str, target: &str, headers: &str) {
        self.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
        ))
        .await;
    }

    async fn more(&mut self) -> bool {
        let mut scratch = vec![0; 64 * 1024];
        let count = soon(self.stream.read(&mut scratch)).await.unwrap_or(0);
        self.received.extend_from_slice(&scratch[..count]);
        count > 0
    }

    /// Takes what stands up to and with this text.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let found = memchr::memmem::find(&self.received, text.as_bytes());
            if let Some(place) = found {
                return self.take(place + text.len());
            }
            assert!(
                self.more().await,
                "closed after {:?}",
                self.take(self.received.len())
            );
        }
    }

    /// Takes so many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            assert!(self.more().await, "closed before {count} bytes");
        }
        self.received.drain(..count).collect()
    }

    fn take(&mut self, count: usize) -> String {
        let taken: Vec<u8> = self.received.drain(..count).collect();
        String::from_utf8(taken).unwrap()
    }

    /// The next answer's head, without the date.
    pub(crate) async fn head(&mut self) -> String {
        let head = self.until("\r\n\r\n").await;
        let lines = head.split_inclusive("\r\n");
        lines.filter(|line| !line.starts_with("date: ")).collect()
    }

    /// The next answer: its status line and its body, which must have a length.
    pub(crate) async fn answer(&mut self) -> String {
        let head = self.head().await;
        let status = head.lines().next().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length
            .unwrap_or_else(|| panic!("no length: {head}"))
            .parse()
            .unwrap();
        while self.received.len() < length {
            assert!(self.more().await, "closed inside a body");
        }
        let body = self.take(length);
        format!("{status} | {}", body.trim_end())
    }

    /// The status of the next answer.
    pub(crate) async fn status(&mut self) -> u16 {
        let answer = self.answer().await;
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// All that comes until the connection closes, without dates.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await {}
        let rest = self.take(self.received.len());
        let lines = rest.split_inclusive("\r\n");
        lines.filter(|line| !line.starts_with("date: ")).collect()
    }

    /// Whether anything has come, also the end, that was not taken yet.
    pub(crate) async fn has_something(&mut self) -> bool {
        settle().await;
        let mut scratch = [0; 1024];
        let mut buffer = ReadBuf::new(&mut scratch);
        let mut cx = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut self.stream).poll_read(&mut cx, &mut buffer);
        self.received.extend_from_slice(buffer.filled());
        read.is_ready() || !self.received.is_empty()
    }

    /// Whether the connection is closed, and nothing came before that.
    pub(crate) async fn has_ended(&mut self) -> bool {
        self.has_something().await && !self.more().await && self.received.is_empty()
    }
}
