//! One answer as its bytes come, held against what it should be.

use std::error::Error;

/// A head longer than this is not one of a benchmark.
const LONGEST_HEAD: usize = 64 * 1024;

/// What every answer must be.
pub(crate) struct Expected {
    status: u16,
    length: usize,
    body: Option<Vec<u8>>,
}

impl Expected {
    /// Read what the command line says of the body: a file, or `length:N`.
    pub(crate) fn read(status: u16, body: &str) -> Result<Self, Box<dyn Error>> {
        let (length, body) = match body.strip_prefix("length:") {
            Some(number) => (number.parse()?, None),
            None => {
                let bytes = std::fs::read(body)?;
                (bytes.len(), Some(bytes))
            }
        };
        Ok(Self {
            status,
            length,
            body,
        })
    }
}

/// What is known after some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// More must come.
    Unfinished,
    /// The answer is whole.
    Whole {
        /// Status and body are the expected ones.
        right: bool,
        /// The server will close the connection.
        closes: bool,
    },
    /// Not an HTTP answer with a length, or more bytes than its length.
    Malformed,
}

/// An answer in the making.
#[derive(Default)]
pub(crate) struct Answer {
    head: Vec<u8>,
    body: Option<Body>,
}

/// What the head said, and how much of the body came.
#[derive(Clone, Copy)]
struct Body {
    length: usize,
    came: usize,
    right: bool,
    closes: bool,
}

impl Answer {
    /// Be ready for the next one.
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.body = None;
    }

    /// Take the bytes that came.
    pub(crate) fn take(&mut self, bytes: &[u8], expected: &Expected) -> State {
        if let Some(body) = self.body {
            return self.take_body(body, bytes, expected);
        }
        // Mostly the whole answer comes at once, and nothing needs to be kept.
        let kept = std::mem::take(&mut self.head);
        if kept.is_empty() {
            return self.take_head(bytes, expected);
        }
        let joined = [kept.as_slice(), bytes].concat();
        self.take_head(&joined, expected)
    }

    fn take_head(&mut self, bytes: &[u8], expected: &Expected) -> State {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() <= LONGEST_HEAD => {
                self.head = bytes.to_vec();
                return State::Unfinished;
            }
            _ => return State::Malformed,
        };
        let Some(body) = Body::announced(&head, expected) else {
            return State::Malformed;
        };
        self.take_body(body, bytes.get(length..).unwrap_or_default(), expected)
    }

    fn take_body(&mut self, mut body: Body, bytes: &[u8], expected: &Expected) -> State {
        let end = body.came + bytes.len();
        if let Some(wanted) = &expected.body {
            body.right &= wanted.get(body.came..end) == Some(bytes);
        }
        body.came = end;
        self.body = Some(body);
        match body.came.cmp(&body.length) {
            std::cmp::Ordering::Less => State::Unfinished,
            std::cmp::Ordering::Greater => State::Malformed,
            std::cmp::Ordering::Equal => State::Whole {
                right: body.right,
                closes: body.closes,
            },
        }
    }
}

impl Body {
    /// What a head announces; none without a length.
    fn announced(head: &httparse::Response<'_, '_>, expected: &Expected) -> Option<Self> {
        let value = |name: &str| {
            let found = head
                .headers
                .iter()
                .find(|each| each.name.eq_ignore_ascii_case(name));
            found.and_then(|each| std::str::from_utf8(each.value).ok())
        };
        let length: usize = value("content-length")?.trim().parse().ok()?;
        let connection = value("connection").unwrap_or_default();
        let keeps = connection.eq_ignore_ascii_case("keep-alive");
        Some(Self {
            length,
            came: 0,
            right: head.code == Some(expected.status) && length == expected.length,
            closes: connection.eq_ignore_ascii_case("close") || (head.version == Some(0) && !keeps),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 5\r\n\r\nHello";

    fn expected(body: &str) -> Expected {
        Expected {
            status: 200,
            length: body.len(),
            body: Some(body.as_bytes().to_vec()),
        }
    }

    fn judged(bytes: &[u8], expected: &Expected) -> State {
        Answer::default().take(bytes, expected)
    }

    fn whole(right: bool, closes: bool) -> State {
        State::Whole { right, closes }
    }

    #[test]
    fn right_answer_is_right_however_it_is_cut() {
        for cut in 1..WHOLE.len() {
            let mut answer = Answer::default();
            let (first, second) = WHOLE.split_at(cut);
            assert_eq!(answer.take(first, &expected("Hello")), State::Unfinished);
            assert_eq!(answer.take(second, &expected("Hello")), whole(true, false));
        }
    }

    #[test]
    fn other_status_length_or_byte_is_wrong() {
        assert_eq!(judged(WHOLE, &expected("Hallo")), whole(false, false));
        assert_eq!(judged(WHOLE, &expected("Hello!")), whole(false, false));
        let other = b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nHello";
        assert_eq!(judged(other, &expected("Hello")), whole(false, false));
    }

    #[test]
    fn close_is_heard_in_both_versions() {
        let new = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nHello";
        let old = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello";
        let kept = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nHello";
        assert_eq!(judged(new, &expected("Hello")), whole(true, true));
        assert_eq!(judged(old, &expected("Hello")), whole(true, true));
        assert_eq!(judged(kept, &expected("Hello")), whole(true, false));
    }

    #[test]
    fn answer_without_a_length_or_beyond_it_is_malformed() {
        let endless = b"HTTP/1.1 200 OK\r\n\r\nHello";
        assert_eq!(judged(endless, &expected("Hello")), State::Malformed);
        let longer = [WHOLE, b"!"].concat();
        assert_eq!(judged(&longer, &expected("Hello")), State::Malformed);
        assert_eq!(
            judged(b"what?\r\n\r\n", &expected("Hello")),
            State::Malformed
        );
    }
}
