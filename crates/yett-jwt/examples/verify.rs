//! Signs a token, verifies it, and shows what the log would say of three that are refused.
//!
//! `cargo run -p yett-jwt --example verify`

#![expect(clippy::print_stdout, reason = "an example speaks to people")]

use std::error::Error;

use yett_jwt::{Rules, SigningKey, UnixSeconds, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    // In a server the secret comes from the settings and `now` from its clock module.
    let key = SigningKey::hs256(b"change me: at least thirty-two bytes of secret")?;
    let rules = Rules::new()
        .issuer("https://shop.example")
        .leeway(5)
        .require("exp")
        .require("jti");
    let verifier = Verifier::new(key.verifying_key(), rules);
    let now = UnixSeconds::new(1_700_000_000);

    let claims =
        br#"{"iss":"https://shop.example","exp":1700000300,"jti":"c0ffee","user_id":"42"}"#;
    let token = key.sign(claims)?;
    println!("{token}");

    let verified = verifier.verify(&token, now)?;
    println!("accepted: user {:?}", verified.claims().claim("user_id"));

    let padded = format!("{token}=");
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    for (token, now) in [
        (token.as_str(), UnixSeconds::new(1_700_000_305)),
        (padded.as_str(), now),
        (unsigned, now),
    ] {
        if let Err(refusal) = verifier.verify(token, now) {
            println!("refused, {:?}: {refusal}", refusal.kind());
        }
    }
    Ok(())
}
