//! Proves and mints JSON Web Tokens: strict by construction.
//!
//! # What it is
//! JWS and JWT (RFC 7515, 7519, 8725) in their compact form, with keys and JWK sets (RFC 7517).
//! [`Verifier::verify`] turns text into [`Verified`], and nothing else can make that type: whoever
//! holds one need not ask again whether the signature, the algorithm, the times, the issuer and the
//! audience were right. A key carries its one [`Algorithm`]; no function that verifies takes both,
//! so a token cannot choose how it is verified. A [`KeySet`] lets the token's `kid` choose among
//! keys, never how they are used. A [`TokenCache`] remembers what was accepted.
//!
//! # What it keeps out
//! I/O, async and the clock (`now` is a parameter). Unsigned tokens, encrypted tokens (JWE), the
//! JSON forms of a JWS, `crit` extensions, keys or addresses of keys from a token's header.
//! Leniency: padding, white space, unused bits, repeated member names, claims of a wrong type are
//! refused, never repaired. Token kinds (access, refresh) and revocation are the gate's and the
//! issuer's matter; they read [`Claims`].
//!
//! # Way in
//! ```
//! use yett_jwt::{Rules, SigningKey, UnixSeconds, Verifier};
//!
//! let key = SigningKey::hs256(b"at least thirty-two bytes of secret")?;
//! let token = key.sign(br#"{"sub":"42","exp":1700000300}"#)?;
//!
//! let verifier = Verifier::new(key.verifying_key(), Rules::new().require("exp"));
//! let verified = verifier.verify(&token, UnixSeconds::new(1_700_000_000))?;
//! assert_eq!(verified.claims().subject(), Some("42"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! Then `verify.rs`, which is the whole order of checks on one screen; `refusal.rs` lists every way
//! to fail; `README.md` has more examples.
//!
//! # How it is tested
//! Published vectors (RFC 7515, 7517, 7519, 7520, 7638, 8037, 9964, Wycheproof), a test per rule whose name is
//! the rule, property tests (every one-byte change and every re-encoding of a valid token is
//! refused, and no bytes whatever cause a panic), comparison with another library on random and
//! mutated tokens, and fuzzing (`fuzz/`). `docs/security/threats.md` maps known failures of other
//! libraries to these tests.
#![forbid(unsafe_code)]

mod algorithm;
mod bytes;
mod cache;
mod claims;
mod compact;
mod der;
mod header;
mod json;
mod jwk;
mod key;
mod key_set;
mod peek;
mod pem;
mod refusal;
mod rules;
mod sign;
#[cfg(test)]
mod testing;
mod time;
mod verify;

pub use algorithm::{Algorithm, KeyType, UnknownAlgorithm};
pub use cache::{CacheSize, CacheStats, TokenCache};
pub use claims::{Claims, Registered};
pub use compact::{DEFAULT_LONGEST_TOKEN, Part};
pub use header::{HeaderType, KeyId};
pub use json::{ClaimsError, DEEPEST_JSON, Json, JsonArray, JsonFault, JsonNumber, JsonObject};
pub use jwk::{Jwk, LONGEST_JWK};
pub use key::{
    Curve, JwkFault, KeyError, KeyMaterial, KeyShape, LARGEST_RSA_BITS, PemFault, RsaSize,
    SHORTEST_HS256_SECRET, SMALLEST_RSA_BITS, SigningKey, VerifyingKey,
};
pub use key_set::{KeySet, KeySetError, LONGEST_KEY_SET, MOST_KEYS, SkipReason, SkippedKey};
pub use peek::{
    Unproven, danger_peek, danger_peek_algorithm, danger_peek_key_id, danger_peek_payload,
};
pub use pem::LONGEST_PEM;
pub use refusal::{Refusal, RefusalKind};
pub use rules::Rules;
pub use sign::SignError;
pub use time::UnixSeconds;
pub use verify::{Keys, Verified, VerifiedPayload, Verifier};

/// The README's examples, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
