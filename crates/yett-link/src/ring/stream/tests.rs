//! One ring: bytes in order whatever the pieces, a second process that dies, positions that lie.

use std::thread;

use proptest::prelude::*;

use super::*;
use crate::frame::{ExchangeId, Inbox, Kind, MAX_PAYLOAD, put_header};

fn ring(direction: Direction) -> (Writer, Reader, Arc<Memory>) {
    let memory = Arc::new(Memory::create().unwrap());
    let writer = Writer::new(Arc::clone(&memory), direction);
    let reader = Reader::new(Arc::clone(&memory), direction);
    (writer, reader, memory)
}

proptest! {
    #[test]
    fn bytes_come_out_as_they_went_in_however_often_it_goes_round(
        lengths in proptest::collection::vec(0_usize..90_000, 1..40),
    ) {
        let (mut writer, mut reader, _memory) = ring(Direction::Requests);
        let (mut sent, mut got) = (0_u32, 0_u32);
        for length in lengths {
            let piece: Vec<u8> = (0..length).map(|i| (sent as usize + i) as u8).collect();
            let written = writer.write(&[&piece[..length / 2], &piece[length / 2..]]).unwrap();
            sent += written as u32;
            prop_assert!(written == length || writer.room().unwrap() == 0);
            if length % 3 == 0 {
                let mut out = BytesMut::new();
                reader.read(&mut out).unwrap();
                for byte in out {
                    prop_assert_eq!(byte, got as u8);
                    got += 1;
                }
            }
        }
        let mut out = BytesMut::new();
        reader.read(&mut out).unwrap();
        prop_assert_eq!(got + out.len() as u32, sent);
    }

    #[test]
    fn lying_positions_are_refused_and_never_read_outside(tail in any::<u32>(), head in any::<u32>()) {
        let (mut writer, mut reader, memory) = ring(Direction::Responses);
        memory.tail(Direction::Responses).store(tail, Ordering::Release);
        let mut out = BytesMut::new();
        match reader.read(&mut out) {
            Ok(len) => prop_assert!(len == out.len() && len <= Direction::Responses.size() as usize),
            Err(Broken) => prop_assert!(tail > Direction::Responses.size()),
        }
        memory.head(Direction::Responses).store(head, Ordering::Release);
        let _refused_or_within = writer.write(&[&[1; 100]]);
    }
}

#[test]
fn two_threads_pass_a_long_stream_without_loss() {
    const TOTAL: usize = 20_000_000;
    let (mut writer, mut reader, _memory) = ring(Direction::Requests);
    let writing = thread::spawn(move || {
        let mut sent = 0_usize;
        while sent < TOTAL {
            let len = (sent % 7919 + 1).min(TOTAL - sent);
            let piece: Vec<u8> = (sent..sent + len).map(|i| (i % 251) as u8).collect();
            let mut rest = &piece[..];
            while !rest.is_empty() {
                let written = writer.write(&[rest]).unwrap();
                rest = &rest[written..];
                if written == 0 {
                    thread::yield_now();
                }
            }
            sent += len;
        }
    });
    let mut got = 0_usize;
    let mut out = BytesMut::new();
    while got < TOTAL {
        out.clear();
        if reader.read(&mut out).unwrap() == 0 {
            thread::yield_now();
        }
        for byte in &out {
            assert_eq!(*byte, (got % 251) as u8);
            got += 1;
        }
    }
    writing.join().unwrap();
}

/// Lays headers where the reader looks next, over and over, most of them of short frames that follow each
/// other, and moves the position up to which it may read.
fn scribble(memory: &Memory, is_enough: impl Fn() -> bool) {
    const SHORT: u32 = 100;
    let direction = Direction::Responses;
    let mut header = BytesMut::new();
    let mut seed = 1_u32;
    while !is_enough() {
        // Marsaglia's xorshift.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let others = [0, 10_000, 65_536, MAX_PAYLOAD as u32, seed];
        let other = others.get(seed as usize >> 8 & 63).copied();
        header.clear();
        let length = other.unwrap_or(SHORT);
        put_header(&mut header, Kind::Chunk, 0, ExchangeId::new(7), length);
        let place = seed % 100 * (header.len() as u32 + SHORT);
        let head = memory.head(direction).load(Ordering::Relaxed);
        memory.copy_in(direction, head.wrapping_add(place), &header);
        let tail = head.wrapping_add(seed % 70_000);
        memory.tail(direction).store(tail, Ordering::Release);
    }
}

#[test]
fn writer_that_changes_what_is_being_read_gets_nothing_but_nonsense_or_an_end() {
    let memory = Arc::new(Memory::create().unwrap());
    let mut reader = Reader::new(Arc::clone(&memory), Direction::Responses);
    let reading = thread::spawn(move || {
        let mut inbox = Inbox::new();
        let mut seen = 0;
        while seen < 2_000 {
            let Ok(taken) = inbox.read(&mut reader) else {
                continue;
            };
            assert!(taken <= Direction::Responses.size() as usize);
            while let Some(frame) = inbox.next_frame().unwrap_or_else(|_no_frame| {
                inbox = Inbox::new();
                None
            }) {
                assert!(frame.payload.len() <= MAX_PAYLOAD);
                seen += 1;
            }
        }
    });
    scribble(&memory, || reading.is_finished());
    reading.join().unwrap();
}

#[test]
fn memory_of_another_size_or_unsealed_is_refused() {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    let file = memfd_create("other", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&file, 1 << 20).unwrap();
    assert!(Memory::open(file).is_err());
    let ours = Memory::create().unwrap();
    let again = rustix::io::dup(ours.descriptor()).unwrap();
    assert!(ftruncate(&again, 0).is_err(), "the size is sealed");
    assert!(Memory::open(again).is_ok());
}
