//! What must hold of a link for any bytes whatever that its other end writes.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use bytes::BytesMut;
use yett_link::frame::{
    ExchangeId, Frame, FrameError, HEADER_LEN, Inbox, Kind, LAST, MAX_PAYLOAD, put_claim, put_frame,
};
use yett_link::request::RequestView;
use yett_link::response::ResponseView;
use yett_link::ring::{Claim, ClaimId, Direction, Memory, Reader, Writer};
use yett_link::worker::{Event, WorkerEnd};

/// Most bytes that are written to a socket: it takes them without waiting.
const LONGEST: usize = 32 * 1024;

/// Frames of either direction: cut anywhere they are the same ones, as is the end; whatever is in them
/// can be looked at.
pub fn frames(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else {
        return;
    };
    let (whole, whole_end) = cut(data, data.len().max(1));
    let (pieces, pieces_end) = cut(data, usize::from(step) + 1);
    assert_eq!((&whole, &whole_end), (&pieces, &pieces_end));
    let mut length = 0;
    for frame in &whole {
        assert!(frame.payload.len() <= MAX_PAYLOAD);
        length += HEADER_LEN + frame.payload.len();
        look_into(frame);
    }
    assert!(length <= data.len());
    worker(data);
}

fn cut(data: &[u8], step: usize) -> (Vec<Frame>, Option<FrameError>) {
    let mut inbox = Inbox::new();
    let mut frames = Vec::new();
    for piece in data.chunks(step) {
        inbox.feed(piece);
        loop {
            match inbox.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn look_into(frame: &Frame) {
    if let Ok(view) = RequestView::parse(&frame.payload) {
        let names: usize = view.headers().map(|(_, value)| value.len()).sum();
        assert!(names <= frame.payload.len());
        assert!(view.inline_body.len() <= frame.payload.len());
    }
    if let Ok(view) = ResponseView::parse(&frame.payload) {
        assert_eq!(view.headers().count(), view.header_count());
        assert!(view.body(&frame.payload).len() <= frame.payload.len());
    }
}

/// The worker's end over a socket comes to an end, and tells no more than came.
fn worker(data: &[u8]) {
    let data = data.get(..LONGEST).unwrap_or(data);
    let Ok((mut edge, socket)) = UnixStream::pair() else {
        return;
    };
    let Ok(end) = WorkerEnd::new(socket).for_event_loop() else {
        return;
    };
    if edge.write_all(data).is_err() {
        return;
    }
    drop(edge);
    let mut told = 0;
    while let Ok(Some(event)) = end.try_event() {
        told += 1;
        assert!(told <= data.len());
        match event {
            Event::Request(request) => {
                let _nonsense = RequestView::parse(&request.payload).is_ok();
                let _credit = end.try_credit(request.exchange, 1);
                end.finish(request.exchange);
            }
            Event::Finished => break,
            _ => {}
        }
    }
}

/// One end of a ring whose other end writes what it likes where it likes: its words, its bytes, its
/// claims. Nothing is ever more than a ring's size, and nothing waits.
pub fn ring(data: &[u8]) {
    let Ok(memory) = Memory::create().map(Arc::new) else {
        return;
    };
    let mut reader = Reader::new(Arc::clone(&memory), Direction::Responses);
    let mut writer = Writer::new(Arc::clone(&memory), Direction::Requests);
    let (mut inbox, mut bytes) = (Inbox::new(), BytesMut::new());
    let mut rest = data;
    while let Some(((&op, argument), further)) = rest
        .split_first_chunk::<5>()
        .map(|(step, further)| ((&step[0], [step[1], step[2], step[3], step[4]]), further))
    {
        rest = further;
        let number = u32::from_le_bytes(argument);
        let len = usize::from(u16::from_le_bytes([argument[0], argument[1]]));
        match op % 10 {
            0 => poke(
                &memory,
                u64::from(argument[3] % 32) * 128,
                &number.to_le_bytes(),
            ),
            1 => poke(
                &memory,
                u64::from(number) % (4 << 20),
                further.get(..64).unwrap_or(further),
            ),
            2 => {
                let near = reader.memory().read_to(Direction::Responses);
                let tail = near.wrapping_add(u32::from(argument[0]) << (argument[1] % 24));
                poke(&memory, 4 * 128, &tail.to_le_bytes());
            }
            3 => {
                bytes.clear();
                if let Ok(read) = reader.read(&mut bytes) {
                    assert!(read == bytes.len() && read <= Direction::Responses.size() as usize);
                }
            }
            4 => {
                if inbox.read(&mut reader).is_err() {
                    return;
                }
                loop {
                    match inbox.next_frame() {
                        Ok(Some(frame)) => look_into(&frame),
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
            5 => {
                let text = vec![argument[2]; len];
                if let Ok(written) = writer.write(&[&text, &text]) {
                    assert!(written <= 2 * len && written <= Direction::Requests.size() as usize);
                }
                let _wake = writer.must_wake();
            }
            6 => {
                let _room = writer.wait_for_room();
                let _fits = writer.room_for(len);
            }
            7 => {
                let _sleeps = reader.lie_down();
                reader.get_up();
                let _wake = reader.must_wake();
            }
            8 => hints(&memory, number),
            _ => claim(&memory, len, u64::from(argument[2])),
        }
    }
}

fn poke(memory: &Memory, at: u64, bytes: &[u8]) {
    // Through the file, as the other process's mapping would.
    let _beyond = rustix::io::pwrite(memory.descriptor().as_fd(), bytes, at);
}

fn hints(memory: &Memory, number: u32) {
    memory.worked(std::time::Duration::from_nanos(u64::from(number)));
    let _pace = (memory.nanos_a_request(), memory.may_defer(number));
    for direction in [Direction::Requests, Direction::Responses] {
        let _guess = (
            memory.unread(direction),
            memory.reader_seems_asleep(direction),
        );
    }
}

fn claim(memory: &Memory, place: usize, exchange: u64) {
    let place = u16::try_from(place).unwrap_or(u16::MAX);
    let (Some(id), exchange) = (ClaimId::new(place), ExchangeId::new(exchange)) else {
        return;
    };
    let claim: Claim<'_> = memory.claim(id);
    if claim.recall(exchange) {
        assert!(!claim.is_begun(exchange) && !claim.begin(exchange));
    }
    claim.offer(exchange);
    assert!(claim.is_offered(exchange) && claim.begin(exchange) && !claim.recall(exchange));
}

/// Good frames of every kind, in one stream and alone, behind the byte that says where to cut.
pub fn frame_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut stream = vec![3];
    for (number, kind) in (1_u64..).zip(Kind::OF_EDGE.into_iter().chain(Kind::OF_WORKER)) {
        let mut frame = BytesMut::new();
        let exchange = ExchangeId::new(number);
        let payload: &[u8] = match kind {
            Kind::Response | Kind::Accept => b"\xc8\0\0\0\0\0\0\0body",
            Kind::Credit | Kind::BodyCredit => b"\0\0\x01\0",
            Kind::Close | Kind::Disconnect => b"\xe8\x03bye",
            _ => b"some bytes",
        };
        if put_frame(&mut frame, kind, LAST, exchange, payload).is_ok() {
            if let (Kind::Request, Some(claim)) = (kind, ClaimId::new(7)) {
                put_claim(&mut frame, claim);
            }
            stream.extend_from_slice(&frame);
            seeds.push([&[1], &frame[..]].concat());
        }
    }
    seeds.push(stream);
    seeds.push(vec![
        0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    seeds
}

/// Scripts of five bytes a step.
pub fn ring_seeds() -> Vec<Vec<u8>> {
    let step = |op: u8, number: u32| [&[op], &number.to_le_bytes()[..]].concat();
    vec![
        [step(5, 100), step(2, 100), step(3, 0), step(7, 0)].concat(),
        [
            step(0, u32::MAX),
            step(3, 0),
            step(4, 0),
            step(6, 9),
            step(5, 9),
        ]
        .concat(),
        [
            step(5, 65_535),
            step(5, 65_535),
            step(6, 1),
            step(8, 77),
            step(9, 1),
            step(9, 1024),
        ]
        .concat(),
        [
            step(1, 4096),
            step(9, 1),
            step(1, 143_360),
            step(2, 0x0600_0040),
            step(4, 0),
        ]
        .concat(),
    ]
}

/// What frames turn on.
pub const PIECES: &[&[u8]] = &[
    &[0; 16],
    &[0xff; 8],
    &[16, 0, 0, 0, 18, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    &[0, 0, 16, 0],
    &[2, 0, 0, 2, 0],
    &[3, 0, 0, 0, 0],
    &[5, 0xff, 0xff, 0, 0],
    &[0, 0, 0, 0, 4],
];
