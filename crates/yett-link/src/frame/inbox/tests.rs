//! Bytes in, frames out: in any pieces, over a ring of any history, with a block for each long frame.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{LAST, put_frame, put_header};
use super::*;
use crate::ring::{Direction, Memory, Writer};

fn stream(lengths: &[usize]) -> BytesMut {
    let mut stream = BytesMut::new();
    for (number, length) in lengths.iter().enumerate() {
        let payload = vec![number as u8; *length];
        put_frame(
            &mut stream,
            Kind::Chunk,
            LAST,
            ExchangeId(number as u64),
            &payload,
        )
        .unwrap();
    }
    stream
}

fn frames(inbox: &mut Inbox) -> Vec<Frame> {
    std::iter::from_fn(|| inbox.next_frame().unwrap()).collect()
}

fn ring() -> (Writer, Reader) {
    let memory = Arc::new(Memory::create().unwrap());
    let writer = Writer::new(Arc::clone(&memory), Direction::Responses);
    (writer, Reader::new(memory, Direction::Responses))
}

fn assert_are(frames: &[Frame], lengths: &[usize]) {
    assert_eq!(frames.len(), lengths.len());
    for (number, (frame, length)) in frames.iter().zip(lengths).enumerate() {
        assert_eq!(frame.exchange.get(), number as u64);
        assert_eq!(frame.payload, vec![number as u8; *length]);
    }
}

proptest! {
    #[test]
    fn frames_survive_any_cutting(
        lengths in proptest::collection::vec(0_usize..50, 1..6),
        step in 1_usize..40,
    ) {
        let mut inbox = Inbox::new();
        let mut seen = Vec::new();
        for piece in stream(&lengths).chunks(step) {
            inbox.feed(piece);
            seen.extend(frames(&mut inbox));
        }
        assert_are(&seen, &lengths);
        prop_assert!(!inbox.is_mid_frame());
    }

    #[test]
    fn frames_survive_a_ring_that_is_filled_in_any_pieces(
        lengths in proptest::collection::vec(
            prop_oneof![0_usize..300, (LONG - 40)..(LONG + 40), 60_000_usize..70_000],
            1..16,
        ),
        steps in proptest::collection::vec(
            prop_oneof![1_usize..40, 15_000_usize..17_000, 1_usize..600_000],
            1..20,
        ),
    ) {
        let (mut writer, mut reader) = ring();
        let mut inbox = Inbox::new();
        let mut seen = Vec::new();
        let stream = stream(&lengths);
        let (mut rest, mut steps) = (&stream[..], steps.iter().cycle());
        // Tiny steps alone would take long.
        for turn in 0.. {
            if rest.is_empty() {
                break;
            }
            let step = steps.next().unwrap() + if turn > 20 { 100_000 } else { 0 };
            let written = writer.write(&[&rest[..step.min(rest.len())]]).unwrap();
            rest = &rest[written..];
            prop_assert_eq!(inbox.read(&mut reader).unwrap(), written);
            prop_assert!(!reader.has_news());
            if turn % 3 != 0 {
                seen.extend(frames(&mut inbox));
            }
        }
        seen.extend(frames(&mut inbox));
        assert_are(&seen, &lengths);
        prop_assert!(!inbox.is_mid_frame());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut inbox = Inbox::new();
        inbox.feed(&bytes);
        while let Ok(Some(_)) = inbox.next_frame() {}
    }

    #[test]
    fn arbitrary_bytes_in_a_ring_never_panic(
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 1..200),
    ) {
        let bytes = bytes.repeat(20_000 / bytes.len());
        let (mut writer, mut reader) = ring();
        writer.write(&[&bytes]).unwrap();
        let mut inbox = Inbox::new();
        prop_assert_eq!(inbox.read(&mut reader).unwrap(), bytes.len());
        while let Ok(Some(_)) = inbox.next_frame() {}
    }
}

#[test]
fn long_frame_has_its_block_to_itself_whatever_stands_around_it() {
    let (mut writer, mut reader) = ring();
    let mut inbox = Inbox::new();
    let lengths = [100, 60_000, 200, LONG, 300, 65_536, 65_536, 100];
    let stream = stream(&lengths);
    // Once as it comes, once in the middle of a frame.
    for split in [0, 150_000] {
        let (first, second) = stream.split_at(split);
        for part in [first, second] {
            assert_eq!(writer.write(&[part]), Ok(part.len()));
            inbox.read(&mut reader).unwrap();
        }
        let seen = frames(&mut inbox);
        assert_are(&seen, &lengths);
        // All are alive meanwhile: who is alone in its block could be written to.
        let mut kept = Vec::new();
        for frame in seen {
            let is_long = frame.payload.len() >= LONG;
            match frame.payload.try_into_mut() {
                Ok(own) if is_long => kept.push(own.freeze()),
                Ok(_) => {}
                Err(shared) => {
                    assert!(!is_long, "{}", shared.len());
                    kept.push(shared);
                }
            }
        }
    }
}

#[test]
fn short_frame_behind_a_long_one_takes_no_more_than_its_own() {
    let (mut writer, mut reader) = ring();
    let mut inbox = Inbox::new();
    let lengths = [65_536, 200, 200, 12_000, 200];
    let mut seen = Vec::new();
    let mut rest = &stream(&lengths)[..];
    // Each comes by itself.
    for length in lengths {
        let (now, later) = rest.split_at(HEADER_LEN + length);
        assert_eq!(writer.write(&[now]), Ok(now.len()));
        inbox.read(&mut reader).unwrap();
        seen.extend(frames(&mut inbox));
        rest = later;
    }
    assert_are(&seen, &lengths);
    drop(inbox);
    for frame in seen {
        let len = frame.payload.len();
        let own = frame.payload.try_into_mut().unwrap();
        assert!(own.capacity() < len + LONG, "{len}: {}", own.capacity());
    }
}

#[test]
fn what_is_no_frame_is_refused_again_and_again() {
    let (mut writer, mut reader) = ring();
    let mut inbox = Inbox::new();
    let mut stream = stream(&[60_000, 60_000]);
    stream[4] = 0;
    assert_eq!(writer.write(&[&stream]), Ok(stream.len()));
    inbox.read(&mut reader).unwrap();
    for _ in 0..3 {
        assert_eq!(inbox.next_frame(), Err(FrameError::UnknownKind(0)));
    }
}

#[test]
fn short_frames_share_blocks_that_are_not_long() {
    let (mut writer, mut reader) = ring();
    let mut inbox = Inbox::new();
    let lengths = [5_000; 80];
    let stream = stream(&lengths);
    assert_eq!(writer.write(&[&stream]), Ok(stream.len()));
    inbox.read(&mut reader).unwrap();
    assert!(inbox.blocks.iter().all(|block| block.len() <= BLOCK));
    assert_are(&frames(&mut inbox), &lengths);
}

#[test]
fn frame_longer_than_the_limit_is_refused_before_it_arrives() {
    let mut inbox = Inbox::new();
    let mut header = BytesMut::new();
    put_header(&mut header, Kind::Chunk, 0, ExchangeId(1), u32::MAX);
    inbox.feed(&header);
    assert_eq!(inbox.next_frame(), Err(FrameError::TooLong(u32::MAX)));
}
