//! What all tests of password hashes share.

mod bounds;
mod checking;
mod hostile;
mod vectors;

use std::cell::RefCell;

use super::*;

thread_local! {
    static WORK: RefCell<Vec<Scheme>> = const { RefCell::new(Vec::new()) };
}

/// Called for each hash that is computed.
pub(super) fn note_work(scheme: Scheme) {
    WORK.with_borrow_mut(|work| work.push(scheme));
}

/// What was computed in this thread since the last call.
fn work_done() -> Vec<Scheme> {
    WORK.take()
}

/// Salt of sixteen bytes that suits every algorithm.
const SALT: &[u8; 16] = b"sixteen letters.";

/// Hashes of `lètmein` that Django 5.2 made, one of each algorithm, of little work.
const MADE_BY_DJANGO: [&str; 6] = [
    "pbkdf2_sha256$1000$seasaltandpepperABCDEF$A4prcg+TrpZwdOJH+SXH7BgSYofBeEWPHj1CeaUL2Po=",
    "pbkdf2_sha1$1000$seasaltandpepperABCDEF$IZrwdrCfWhwqEWyFEvk7kqROlCE=",
    "scrypt$16$seasaltandpepperABCDEF$8$5$wuiSMM1kIDbt3MGYprENXIXaKjM4WstT7jiYWQkt//JZ1N3D02HkWuxDjFlwuX84LgYXP1ZHRfiqUfrOZp7HwQ==",
    "argon2$argon2id$v=19$m=64,t=2,p=4$c2Vhc2FsdGFuZHBlcHBlckFCQ0RFRg$YCXy78cFZfG66NgBddHzRVXzeZHBCSzLcmOHPaQfXRU",
    "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S",
    "bcrypt$$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
];

const LETMEIN: &str = "lètmein";

fn password(text: &str) -> Password<'_> {
    Password::new(text.as_bytes()).unwrap()
}

fn verifies(text: &str, with: &[u8]) -> bool {
    let stored = Stored::parse(text).unwrap();
    stored.verify(Password::new(with).unwrap()).unwrap()
}
