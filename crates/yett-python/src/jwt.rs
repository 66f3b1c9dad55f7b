//! JSON Web Tokens for Python, by `yett-jwt`.
//!
//! What `yett.jwt` is made of, which has PyJWT's call shapes; `yett.drf` calls that. One call does
//! everything: [`prepared`] finds the key, [`decode`] proves, `yett-jwt`'s rules judge, [`claims`]
//! makes the dictionary.
//!
//! The clock comes from Python at every call, so that tools which freeze time there work.

mod checks;
mod claims;
mod decode;
mod encode;
mod errors;
mod key;
mod prepared;

pub(crate) use checks::Checks;
pub(crate) use decode::{
    check_claims, danger_split, jws_verify, jwt_decode, jwt_decode_complete, read_claims, read_json,
};
pub(crate) use encode::{check_payload, jws_sign};
pub(crate) use key::Key;
pub(crate) use prepared::Algorithms;

/// Tokens of more bytes are neither made nor read by `yett.jwt`. PyJWT has no bound; servers bound
/// headers at 8 to 64 KiB.
const LONGEST_TOKEN: usize = 64 * 1024;

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
