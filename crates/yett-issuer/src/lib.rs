//! Credentials in, tokens out.
//!
//! # What it is
//! So far one piece: [`password`], the password hashes of Django, made and checked in Rust. Sessions,
//! rotation of refresh tokens and their stores will live here too.
//!
//! # What it keeps out
//! HTTP types: a login is a user name and a password, not a request. Random numbers and the clock:
//! salts and times are parameters.
//!
//! # Way in
//! ```
//! use yett_issuer::password::{Password, Pbkdf2, Prf, Scheme, Stored};
//!
//! let scheme = Scheme::from(Pbkdf2::new(Prf::Sha256, 1_000)?);
//! let text = scheme.encode(Password::new(b"lion")?, b"a salt of 22 letters..")?;
//! assert!(text.starts_with("pbkdf2_sha256$1000$"));
//!
//! let stored = Stored::parse(&text)?;
//! assert!(stored.verify(Password::new(b"lion")?)?);
//! assert!(!stored.verify(Password::new(b"lamb")?)?);
//! # Ok::<(), yett_issuer::password::HashError>(())
//! ```
//! Then `password/check.rs`: the whole of a login's check on one screen.
//!
//! # How it is tested
//! Published vectors (RFC 6070, 7914, 9106, those of bcrypt), hashes that Django made, any text
//! whatever as a stored hash, and from Python both ways against Django's own hashers
//! (`python/tests/test_hashers.py`).
#![forbid(unsafe_code)]

pub mod password;
