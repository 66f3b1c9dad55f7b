//! A WebSocket client in raw frames.

use bytes::{BufMut, BytesMut};
use yett_link::frame::Kind;
use yett_link::response::write_head;

use super::{Client, FakeWorker};

/// The mask of every frame that tests send.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A head that asks for a WebSocket, with further header lines.
pub(crate) fn asking(headers: &str) -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    )
}

/// A masked frame whose first byte is this.
pub(crate) fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0xfe);
            out.put_u16(len as u16);
        }
        len => {
            out.push(0xff);
            out.put_u64(len as u64);
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    out
}

/// A frame that the server sent: its first byte and its payload.
pub(crate) type Received = (u8, Vec<u8>);

impl Client {
    pub(crate) async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(framed(first, payload)).await;
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Received {
        let head = self.bytes(2).await;
        assert_eq!(head[1] & 0x80, 0, "a server masks nothing");
        let len = match head[1] {
            126 => {
                let len = self.bytes(2).await;
                usize::from(u16::from_be_bytes([len[0], len[1]]))
            }
            127 => {
                let len = self.bytes(8).await;
                u64::from_be_bytes(len.try_into().unwrap()) as usize
            }
            len => usize::from(len),
        };
        (head[0], self.bytes(len).await)
    }

    /// The next frame, which must be a close: its code, and its reason.
    pub(crate) async fn close(&mut self) -> String {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x88, "{payload:?}");
        match payload.split_first_chunk::<2>() {
            Some((code, reason)) => {
                let code = u16::from_be_bytes(*code);
                format!("{code} {}", std::str::from_utf8(reason).unwrap())
            }
            None => String::from("none"),
        }
    }
}

impl FakeWorker {
    /// Accepts a WebSocket.
    pub(crate) async fn accept(&self, exchange: u64, headers: &[(&str, &str)]) {
        let mut payload = BytesMut::new();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        write_head(&mut payload, 101, b"", headers).unwrap();
        self.send(Kind::Accept, 0, exchange, &payload).await;
    }

    /// Closes a WebSocket.
    pub(crate) async fn close(&self, exchange: u64, code: u16, reason: &str) {
        let payload = [&code.to_le_bytes(), reason.as_bytes()].concat();
        self.send(Kind::Close, 0, exchange, &payload).await;
    }

    /// The next frame, which must be a message: its flags and bytes.
    pub(crate) async fn message(&mut self) -> (u8, Vec<u8>) {
        let frame = self.expect(Kind::Message).await;
        (frame.flags, frame.payload.to_vec())
    }

    /// The next frame, which must say that a WebSocket is over: code and reason.
    pub(crate) async fn disconnect(&mut self) -> String {
        let frame = self.expect(Kind::Disconnect).await;
        let (code, reason) = frame.payload.split_first_chunk::<2>().unwrap();
        let code = u16::from_le_bytes(*code);
        format!("{code} {}", std::str::from_utf8(reason).unwrap())
    }
}
