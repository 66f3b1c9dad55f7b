//! What is one block, and what is not.

use proptest::prelude::*;

use super::{Block, LONGEST_PEM, Label, encode};
use crate::key::{KeyError, PemFault};

fn read(text: &str) -> Result<(Label, Vec<u8>), KeyError> {
    Block::read(text.as_bytes()).map(|block| (block.label, block.der.to_vec()))
}

fn check(text: &str, expected: PemFault) {
    assert_eq!(read(text), Err(KeyError::Pem(expected)), "{text}");
}

const BLOCK: &str = "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n";

fn good() -> Result<(Label, Vec<u8>), KeyError> {
    Ok((Label::PublicKey, vec![1, 2, 3]))
}

#[test]
fn block_is_read_whatever_the_line_ends_and_the_text_around() {
    for text in [
        BLOCK.to_owned(),
        BLOCK.trim_end().to_owned(),
        BLOCK.replace('\n', "\r\n"),
        BLOCK.replace("AQID", "AQ\nID"),
        BLOCK.replace("AQID", "  AQID\t"),
        BLOCK.replace("AQID", "\n\nAQID\n"),
        format!("Subject: the shop\nKey:\n\n{BLOCK}\nthat was it -- bye\n"),
        format!("\u{feff}\n{BLOCK}"),
    ] {
        assert_eq!(read(&text), good(), "{text}");
    }
    let latin = [b"Stra\xDFe\n", BLOCK.as_bytes()].concat();
    assert!(Block::read(&latin).is_ok());
}

#[test]
fn text_without_a_block_is_refused() {
    for text in [
        "",
        "/etc/yett/key.pem",
        "AQID",
        "----- BEGIN PUBLIC KEY -----\nAQID\n",
        "x-----BEGIN",
        "-----BEGIN PUBLIC\nKEY-----\nAQID\n-----END PUBLIC\nKEY-----",
        "-----BEGIN PUBLIC KEY",
    ] {
        check(text, PemFault::NoBlock);
    }
}

#[test]
fn block_needs_its_own_end() {
    for text in [
        "-----BEGIN PUBLIC KEY-----\nAQID\n",
        "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY---\n",
        "-----BEGIN PUBLIC KEY-----AQID-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAQID-----END PUBLIC KEY-----\n",
    ] {
        check(text, PemFault::NoEnd);
    }
}

#[test]
fn body_is_strict_base64() {
    for body in [
        "AQI",
        "AQ=D",
        "AQI=D",
        "AQID====",
        "AQ ID",
        "AQ-_",
        "AQ*D",
        "AR==",
        "Comment: x\n\nAQID",
        "AQID\n-----BEGIN",
    ] {
        check(&BLOCK.replace("AQID", body), PemFault::Base64);
    }
}

#[test]
fn second_block_is_refused() {
    let private = BLOCK.replace("PUBLIC", "PRIVATE");
    let certificate = BLOCK.replace("PUBLIC KEY", "CERTIFICATE");
    for text in [
        format!("{BLOCK}{BLOCK}"),
        format!("{private}{certificate}"),
        format!("{certificate}{certificate}"),
        format!("{BLOCK}-----BEGIN "),
    ] {
        check(&text, PemFault::SeveralBlocks);
    }
}

#[test]
fn parameters_before_an_ec_key_are_passed_over() {
    let parameters = BLOCK.replace("PUBLIC KEY", "EC PARAMETERS");
    let key = BLOCK.replace("PUBLIC", "EC PRIVATE");
    let read = read(&format!("{parameters}{key}"));
    assert_eq!(read, Ok((Label::EcPrivateKey, vec![1, 2, 3])));
    check(&parameters, PemFault::ParametersAlone);
    check(&format!("{parameters}{BLOCK}"), PemFault::SeveralBlocks);
    check(&format!("{key}{parameters}"), PemFault::SeveralBlocks);
    check(&format!("{parameters}{key}{key}"), PemFault::SeveralBlocks);
}

#[test]
fn encrypted_keys_are_refused_as_such() {
    let pkcs8 = BLOCK.replace("PUBLIC", "ENCRYPTED PRIVATE");
    let old = BLOCK.replace("PUBLIC", "RSA PRIVATE").replace(
        "AQID",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID",
    );
    for text in [pkcs8, old] {
        assert_eq!(read(&text), Err(KeyError::Encrypted), "{text}");
    }
}

#[test]
fn other_kinds_of_blocks_are_refused() {
    for (label, fault) in [
        ("OPENSSH PRIVATE KEY", PemFault::OpenSsh),
        ("CERTIFICATE REQUEST", PemFault::Request),
        ("DSA PRIVATE KEY", PemFault::OtherLabel),
        ("PGP PUBLIC KEY BLOCK", PemFault::OtherLabel),
        ("PKCS7", PemFault::OtherLabel),
        ("public key", PemFault::OtherLabel),
        ("PUBLIC KEY ", PemFault::OtherLabel),
        ("", PemFault::OtherLabel),
    ] {
        check(&BLOCK.replace("PUBLIC KEY", label), fault);
    }
}

#[test]
fn long_text_is_refused() {
    let longest = LONGEST_PEM;
    let room = longest - BLOCK.len();
    let text = |spaces: usize| format!("{}\n{BLOCK}", " ".repeat(spaces));
    assert_eq!(read(&text(room - 1)), good());
    check(&text(room), PemFault::TooLong { longest });
}

#[test]
fn lines_have_64_characters() {
    let text = encode(Label::PrivateKey, &[7; 100]);
    let lengths: Vec<_> = text.lines().map(str::len).collect();
    assert_eq!(lengths, [27, 64, 64, 8, 25]);
    assert!(text.ends_with("-----\n"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(der in proptest::collection::vec(any::<u8>(), 1..300)) {
        let text = encode(Label::Certificate, &der);
        prop_assert_eq!(read(&text), Ok((Label::Certificate, der)));
    }

    #[test]
    fn no_text_makes_it_panic(text in "((-----(BEGIN|END) (EC PARAMETERS|EC PRIVATE KEY|PUBLIC KEY)-----|AQID|=|é|-|\r)\n?){0,9}", bytes: Vec<u8>) {
        let _ = read(&text);
        let _ = Block::read(&bytes);
    }
}
