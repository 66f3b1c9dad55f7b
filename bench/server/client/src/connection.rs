//! One connection that asks and hears in turn.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::answer::{Answer, State};
use crate::{Counts, Options};

/// What the connection does.
enum Step {
    /// So many bytes of the request are sent; none of them while it is still connecting.
    Sending(usize),
    /// Waits for the rest of the answer.
    Hearing,
    /// Waits for the server to close, as it said that it would.
    Leaving,
}

/// A connection, which is made again when the server ends it.
pub(crate) struct Connection {
    stream: TcpStream,
    number: usize,
    step: Step,
    since: Instant,
    answer: Answer,
}

impl Connection {
    /// Begin to connect.
    pub(crate) fn open(
        address: SocketAddr,
        number: usize,
        registry: &Registry,
    ) -> io::Result<Self> {
        Ok(Self {
            since: Instant::now(),
            stream: connect(address, number, registry)?,
            number,
            step: Step::Sending(0),
            answer: Answer::default(),
        })
    }

    /// Do what can be done without waiting.
    pub(crate) fn go_on(
        &mut self,
        options: &Options,
        registry: &Registry,
        buffer: &mut [u8],
        counts: &mut Counts,
    ) -> io::Result<()> {
        loop {
            let moved = match self.step {
                Step::Sending(sent) => self.send(sent, &options.request),
                Step::Hearing | Step::Leaving => self.hear(options, buffer, counts),
            };
            match moved {
                Ok(Next::Wait) => return Ok(()),
                Ok(Next::Go) => {}
                Ok(Next::Reconnect) => return self.reconnect(options.address, registry, counts),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    // A reset after an answer that announced the close is that close.
                    counts.broken += u64::from(!matches!(self.step, Step::Leaving));
                    return self.reconnect(options.address, registry, counts);
                }
            }
        }
    }

    fn send(&mut self, sent: usize, request: &[u8]) -> io::Result<Next> {
        let sent = sent + self.stream.write(request.get(sent..).unwrap_or_default())?;
        if sent < request.len() {
            self.step = Step::Sending(sent);
            return Ok(Next::Go);
        }
        self.step = Step::Hearing;
        // The answer cannot be there yet, and its coming is an event: reading now would be in vain.
        Ok(Next::Wait)
    }

    fn hear(
        &mut self,
        options: &Options,
        buffer: &mut [u8],
        counts: &mut Counts,
    ) -> io::Result<Next> {
        let count = self.stream.read(buffer)?;
        if count == 0 {
            counts.broken += u64::from(!matches!(self.step, Step::Leaving));
            return Ok(Next::Reconnect);
        }
        let was_full = count == buffer.len();
        let came = buffer.get(..count).unwrap_or_default();
        match self.answer.take(came, &options.expected) {
            State::Unfinished if was_full => Ok(Next::Go),
            // What comes after a read that was not full is a new event.
            State::Unfinished => Ok(Next::Wait),
            State::Malformed => {
                counts.broken += 1;
                Ok(Next::Reconnect)
            }
            State::Whole { right, closes } => {
                let now = Instant::now();
                counts.answers += 1;
                counts.wrong += u64::from(!right);
                counts.latencies.add(now - self.since);
                self.since = now;
                self.answer.clear();
                self.step = if closes {
                    Step::Leaving
                } else {
                    Step::Sending(0)
                };
                Ok(Next::Go)
            }
        }
    }

    fn reconnect(
        &mut self,
        address: SocketAddr,
        registry: &Registry,
        counts: &mut Counts,
    ) -> io::Result<()> {
        registry.deregister(&mut self.stream)?;
        counts.reconnects += 1;
        *self = Self::open(address, self.number, registry)?;
        Ok(())
    }
}

/// What follows a step.
enum Next {
    /// The next step can be taken at once.
    Go,
    /// An event will come.
    Wait,
    /// This connection is over.
    Reconnect,
}

fn connect(address: SocketAddr, number: usize, registry: &Registry) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    // Without an error here, a refusal is an event and the first write's error.
    let _ = stream.set_nodelay(true);
    registry.register(
        &mut stream,
        Token(number),
        Interest::READABLE | Interest::WRITABLE,
    )?;
    Ok(stream)
}
