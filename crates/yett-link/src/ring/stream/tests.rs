//! One ring: bytes in order whatever the pieces, a second process that dies, positions that lie.

use std::thread;

use proptest::prelude::*;

use super::*;

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
