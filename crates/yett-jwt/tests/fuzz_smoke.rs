//! The checks of the fuzz targets, run here with their seeds and some thousand changes of these:
//! the same ones in every run for texts that do not hold fresh keys.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test throughout: a panic is its failure"
)]

#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/changes.rs"]
mod changes;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/checks.rs"]
mod checks;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/reference.rs"]
mod reference;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

/// What syntaxes turn on, so that changes hit more often.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"\\u0061",
    b"\\ud83d\\ude00",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"-",
    b"-0",
    b"e9",
    b".",
    b"0",
    b"null",
    b"\n",
    b" ",
    b"\0",
    "é".as_bytes(),
    b"\"exp\":1",
    b"\"alg\"",
    b"=",
    b"-----",
    b"\x30\x00",
    "\u{feff}".as_bytes(),
];

#[test]
fn any_token_is_judged_as_the_checks_say() {
    changes::run(&seeds::token(), PIECES, 30_000, checks::token);
}

#[test]
fn any_jwk_is_judged_as_the_checks_say() {
    changes::run(&seeds::jwk(), PIECES, 3000, checks::jwk);
}

#[test]
fn any_jwk_set_is_judged_as_the_checks_say() {
    changes::run(&seeds::jwk_set(), PIECES, 2500, checks::jwk_set);
}

#[test]
fn any_key_file_is_judged_as_the_checks_say() {
    changes::run(&seeds::pem(), PIECES, 1500, checks::pem);
}
