//! A signing key is replaced while its tokens are still around: nobody is logged out, and in the
//! end the old key is refused.
//!
//! `cargo run -p yett-jwt --example rotate`

#![expect(clippy::print_stdout, reason = "an example speaks to people")]

use std::error::Error;

use yett_jwt::{Algorithm, KeyId, KeySet, Rules, SigningKey, UnixSeconds, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    let now = UnixSeconds::new(1_700_000_000);
    let allowed = [Algorithm::Es256];
    let spring = named("spring")?;
    let token = spring.sign(br#"{"sub":"42","exp":1700000300}"#)?;

    // Both keys are published before the first token of the new one is signed.
    let summer = named("summer")?;
    let set = KeySet::new([spring.verifying_key(), summer.verifying_key()])?;
    println!("published: {}", set.to_json());

    let verifier = Verifier::new(
        KeySet::from_json(set.to_json().as_bytes(), &allowed)?,
        rules(),
    );
    let newer = summer.sign(br#"{"sub":"42","exp":1700000600}"#)?;
    for token in [&token, &newer] {
        let verified = verifier.verify(token, now)?;
        println!(
            "accepted: signed with {:?}",
            verified.key_id().map(KeyId::as_str)
        );
    }

    // When the last token of the old key has expired, the key leaves the set.
    let verifier = Verifier::new(KeySet::new([summer.verifying_key()])?, rules());
    match verifier.verify(&token, now) {
        Ok(_) => println!("accepted, which is wrong"),
        Err(refusal) => println!("refused: {refusal}"),
    }
    Ok(())
}

fn rules() -> Rules {
    Rules::new().require("exp")
}

fn named(id: &str) -> Result<SigningKey, Box<dyn Error>> {
    let id = KeyId::new(id).ok_or("the id is too long")?;
    Ok(SigningKey::generate(Algorithm::Es256)?.with_key_id(id))
}
