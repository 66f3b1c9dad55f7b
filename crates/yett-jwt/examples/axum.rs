//! An axum API with one open route and one that needs a token: the handler takes a `Caller`, which
//! only a proven token makes, so that a route cannot forget to ask.
//!
//! `cargo run -p yett-jwt --example axum`, then the `curl` lines that it prints.

#![expect(clippy::print_stdout, reason = "an example speaks to people")]

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use yett_jwt::{
    Algorithm, CacheSize, Rules, SigningKey, TokenCache, UnixSeconds, Verified, Verifier,
};

/// What every request shares.
struct Guard {
    verifier: Verifier,
    cache: TokenCache,
}

/// Whoever holds one has shown a good token.
struct Caller(Arc<Verified>);

/// All refusals look alike outside (RFC 6750 section 3.1); the log says why.
struct Refused;

impl FromRequestParts<Arc<Guard>> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, guard: &Arc<Guard>) -> Result<Self, Refused> {
        let token = bearer(&parts.headers).ok_or(Refused)?;
        match guard.cache.verify(&guard.verifier, token, now()) {
            Ok(verified) => Ok(Self(verified)),
            Err(refusal) => {
                println!("refused: {refusal}");
                Err(Refused)
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let challenge = [(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)];
        (StatusCode::UNAUTHORIZED, challenge).into_response()
    }
}

/// The token of `Authorization: Bearer …`. The scheme's case does not count (RFC 9110 section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[expect(clippy::disallowed_methods, reason = "this is the example's clock")]
fn now() -> UnixSeconds {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixSeconds::new(elapsed.map_or(0, |since| since.as_secs() as i64))
}

async fn index() -> &'static str {
    "open to everyone\n"
}

async fn me(State(_): State<Arc<Guard>>, caller: Caller) -> String {
    let subject = caller.0.claims().subject().unwrap_or("nobody");
    format!("you are {subject}\n")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(Algorithm::EdDsa)?;
    let rules = Rules::new()
        .issuer("https://login.example")
        .audience("example")
        .require("exp")
        .require("sub");
    let guard = Arc::new(Guard {
        verifier: Verifier::new(key.verifying_key(), rules),
        cache: TokenCache::new(CacheSize::default()),
    });
    let app = Router::new()
        .route("/", get(index))
        .route("/me", get(me))
        .with_state(guard);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let expires_at = now().get() + 300;
    let claims = format!(
        r#"{{"iss":"https://login.example","aud":"example","sub":"42","exp":{expires_at}}}"#
    );
    let token = key.sign(claims.as_bytes())?;
    println!("curl http://{address}/");
    println!("curl -i http://{address}/me");
    println!("curl -H 'Authorization: Bearer {token}' http://{address}/me");
    axum::serve(listener, app).await?;
    Ok(())
}
