//! Fetches the JWK set of an address and shows the ids of its keys, and what was left out.
//!
//! `cargo run -p yett-jwks --example fetch -- https://www.googleapis.com/oauth2/v3/certs`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example speaks to people"
)]

use std::error::Error;
use std::process::ExitCode;

use yett_jwks::{JwksClient, JwksSettings};
use yett_jwt::{Algorithm, KeyId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: fetch URL");
        return ExitCode::from(2);
    };
    match show(url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut next: Option<&dyn Error> = Some(error.as_ref());
            while let Some(error) = next {
                eprintln!("{error}");
                next = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn show(url: String) -> Result<(), Box<dyn Error>> {
    // A server names the one or two that its issuer signs with.
    let allowed: Vec<Algorithm> = Algorithm::ALL
        .iter()
        .copied()
        .filter(|algorithm| !algorithm.is_symmetric())
        .collect();
    let client = JwksClient::new(JwksSettings::new(url, allowed))?;

    let set = client.keys().await?;
    for key in set.keys() {
        let id = key.key_id().map_or("(no id)", KeyId::as_str);
        println!("{} {}", key.algorithm(), id.escape_debug());
    }
    for skipped in set.skipped() {
        println!("key {} left out: {}", skipped.index(), skipped.reason());
    }
    Ok(())
}
