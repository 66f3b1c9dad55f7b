//! Keeps an issuer's JWK set at hand.
//!
//! # What it is
//! [`JwksClient`] fetches a JWK set (RFC 7517 section 5) from one fixed `https` address, refreshes
//! it in the background, and hands it out without waiting. A set that was good serves until a
//! better one comes: an issuer that is down, slow, or answers nonsense changes nothing but
//! [`JwksStatus`]. A token with an unknown key id causes at most one fetch per cooldown, and
//! however many requests wait, one fetch runs.
//!
//! # What it keeps out
//! It keeps sockets, TLS, HTTP and time out of `yett-jwt`, which decides what a good set is.
//! Addresses from tokens (`jku`, `x5u`): the address is the operator's, once. Redirects, proxies
//! (also those of `HTTPS_PROXY` and its kin), credentials, cookies, compression, HTTP caching,
//! and the process-wide default of rustls. Logging: the caller reads [`JwksStatus`], or waits for
//! its changes, and logs in its own way.
//!
//! # Way in
//! ```no_run
//! use yett_jwks::{JwksClient, JwksSettings};
//! use yett_jwt::Algorithm;
//!
//! # async fn run(stop: impl std::future::Future) -> Result<(), Box<dyn std::error::Error>> {
//! let address = "https://issuer.example/.well-known/jwks.json";
//! let client = JwksClient::new(JwksSettings::new(address, [Algorithm::Es256]))?;
//! let set = client.keys_for("2026-11").await?;
//! client.refresh_until(stop).await;
//! # Ok(())
//! # }
//! ```
//! Then `client.rs`, the whole behaviour, and `fetch.rs`, one fetch from name to body. When a fetch
//! may start is `pace.rs`; where it may go is `address.rs`.
//!
//! # How it is tested
//! `pace.rs` alone, with made-up instants. The client with scripted issuers in paused time. One
//! fetch with real sockets and real TLS on 127.0.0.1, with certificates made by the test. No test
//! sleeps, and none needs a network.
#![forbid(unsafe_code)]

mod address;
mod client;
mod connect;
mod endpoint;
mod error;
mod exchange;
mod fetch;
mod flight;
mod pace;
mod settings;
mod status;
#[cfg(test)]
mod testing;
mod tls;

pub use client::JwksClient;
pub use endpoint::UrlFault;
pub use error::JwksError;
pub use settings::{
    COOLDOWNS, JwksSettings, JwksSettingsError, JwksSettingsErrors, LONGEST_BODIES, Loopback,
    REFRESHES, TIMEOUTS, Trust,
};
pub use status::JwksStatus;
