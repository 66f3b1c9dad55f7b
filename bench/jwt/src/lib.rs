//! What every program of this benchmark shares: the claims, the keys and tokens, and the clock.
//!
//! The inputs lie in `$BENCH_WORK`: `keys/{rsa,ec,ed}.pem` (PKCS #8), `keys/{rsa,ec,ed}.pub.pem` and
//! `jwt-tokens.json`. `yett-bench prepare` makes them where they are missing.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};
use std::{env, fs};

use serde::{Deserialize, Serialize};

/// The claims of every token, as an application would declare them.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Claims {
    /// simplejwt's type of a token.
    pub token_type: String,
    /// Seconds since 1970.
    pub exp: u64,
    /// Seconds since 1970.
    pub iat: u64,
    /// A UUID without dashes.
    pub jti: String,
    /// simplejwt's subject.
    pub user_id: String,
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
}

/// The same, lent: texts stay in the token's payload. jsonwebtoken has no such way.
#[derive(Deserialize, Debug)]
pub struct LentClaims<'t> {
    /// As in [`Claims`].
    pub token_type: &'t str,
    /// As in [`Claims`].
    pub exp: u64,
    /// As in [`Claims`].
    pub iat: u64,
    /// As in [`Claims`].
    pub jti: &'t str,
    /// As in [`Claims`].
    pub user_id: &'t str,
    /// As in [`Claims`].
    pub iss: &'t str,
    /// As in [`Claims`].
    pub aud: &'t str,
}

/// The audience and the issuer that the verifier expects.
pub const EXPECTED: (&str, &str) = ("notes", "https://issuer.example");

/// Algorithms with the name of their key files; HMAC has none.
pub const ALGORITHMS: [(&str, Option<&str>); 4] = [
    ("HS256", None),
    ("RS256", Some("rsa")),
    ("ES256", Some("ec")),
    ("EdDSA", Some("ed")),
];

/// The folder of keys and tokens.
pub fn work() -> PathBuf {
    env::var_os("BENCH_WORK")
        .expect("BENCH_WORK names the folder of keys and tokens")
        .into()
}

/// `jwt-tokens.json`: the claims, the secret, and a token for each algorithm.
pub fn tokens() -> serde_json::Value {
    let text = fs::read(work().join("jwt-tokens.json")).expect("jwt-tokens.json");
    serde_json::from_slice(&text).expect("JSON")
}

/// A key file.
pub fn key(file: &str) -> Vec<u8> {
    let path = work().join("keys").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The token with one character of its signature changed.
pub fn spoilt(token: &str) -> String {
    let at = token.rfind('.').expect("a dot") + 20;
    let other = if token[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs() as i64
}

/// Prints `library<TAB>operation<TAB>operations per second`, measured for so many seconds.
pub fn report<T>(library: &str, operation: &str, seconds: f64, mut work: impl FnMut() -> T) {
    black_box(work());
    let (mut done, start) = (0_u64, Instant::now());
    let rate = loop {
        for _ in 0..20 {
            black_box(work());
        }
        done += 20;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= seconds {
            break done as f64 / elapsed;
        }
    };
    println!("{library}\t{operation}\t{rate}");
}
