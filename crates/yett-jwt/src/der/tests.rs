//! Strictness of the reader, and structures told apart.

use proptest::prelude::*;

use super::structure::{self, Structure};
use super::{INTEGER, NotDer, OCTET_STRING, Reader, SEQUENCE};
use crate::testing::der;

#[test]
fn lengths_are_definite_and_minimal() {
    for bad in [
        &b"\x04"[..],
        b"\x04\x80\x00\x00",
        b"\x04\x81\x01a",
        b"\x04\x81\x7Fa",
        b"\x04\x82\x00\x80",
        b"\x04\x85\x01\x00\x00\x00\x00",
        b"\x04\xFF",
        b"\x04\x02a",
        b"\x1F\x01a",
        b"\x04\x84\xFF\xFF\xFF\xFF",
    ] {
        assert_eq!(Reader::new(bad).take(OCTET_STRING), Err(NotDer), "{bad:?}");
    }
    let long = [7; 300];
    assert_eq!(
        Reader::only(OCTET_STRING, &der(OCTET_STRING, &[&long])),
        Ok(&long[..])
    );
    assert_eq!(Reader::only(OCTET_STRING, b"\x04\x01ab"), Err(NotDer));
    assert_eq!(Reader::only(SEQUENCE, b"\x04\x01a"), Err(NotDer));
}

#[test]
fn integers_are_minimal_and_not_negative() {
    let check = |content: &[u8]| {
        let element = der(INTEGER, &[content]);
        Reader::new(&element)
            .take_unsigned()
            .map(<[u8]>::to_vec)
            .ok()
    };
    assert_eq!(check(&[0]), Some(vec![]));
    assert_eq!(check(&[1]), Some(vec![1]));
    assert_eq!(check(&[0x7F, 0]), Some(vec![0x7F, 0]));
    assert_eq!(check(&[0, 0x80]), Some(vec![0x80]));
    for bad in [
        &[][..],
        &[0x80],
        &[0xFF, 1],
        &[0, 0],
        &[0, 1],
        &[0, 0, 0x80],
    ] {
        assert_eq!(check(bad), None, "{bad:?}");
    }
}

#[test]
fn bit_strings_have_whole_bytes() {
    assert_eq!(Reader::new(b"\x03\x02\x00a").take_bits(), Ok(&b"a"[..]));
    for bad in [&b"\x03\x00"[..], b"\x03\x02\x01a", b"\x03\x02\x08a"] {
        assert_eq!(Reader::new(bad).take_bits(), Err(NotDer));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, tag: u8) {
        // In front of it a plausible start, so that more than the first byte is looked at.
        for bytes in [bytes.clone(), der(SEQUENCE, &[&bytes]), der(SEQUENCE, &[&der(tag, &[]), &bytes])] {
            let _ = Structure::recognize(&bytes);
            let _ = structure::subject_public_key(&bytes);
            let _ = structure::certificate_public_key(&bytes);
            let _ = structure::pkcs8(&bytes);
            let _ = structure::sec1(&bytes);
            let _ = structure::rsa_public_key(&bytes);
            let _ = structure::rsa_private_key(&bytes);
        }
    }
}
