//! One key, one algorithm: a token gets nowhere by naming another.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yett_jwt::{
    Algorithm, Jwk, KeyError, KeyId, KeySet, KeySetError, KeyType, Refusal, Rules, SigningKey,
    Verifier, VerifyingKey,
};

use super::{NOW, algorithms, encode, key, verifier};

#[test]
fn token_is_refused_under_every_other_algorithm() {
    for signer in algorithms() {
        let token = key(signer).sign(b"{}").unwrap();
        for judge in algorithms() {
            let verdict = verifier(key(judge)).verify(&token, NOW);
            if judge.admits(signer) {
                assert!(verdict.is_ok(), "{signer} under {judge}");
            } else {
                let expected = Refusal::AlgorithmMismatch { key: judge };
                assert_eq!(verdict.unwrap_err(), expected, "{signer} under {judge}");
            }
        }
    }
}

#[test]
fn signature_of_another_algorithm_is_refused_under_the_right_name() {
    // The header says what the key wants; the signature was made with another algorithm. Where two
    // share their material (RSA, HMAC), nothing but the algorithm differs.
    for signer in algorithms() {
        let token = key(signer).sign(b"{}").unwrap();
        let (_, signature) = super::take_apart(&token);
        for judge in algorithms().filter(|judge| !judge.admits(signer)) {
            let honest = key(judge).sign(b"{}").unwrap();
            let (signed, _) = super::take_apart(&honest);
            let forged = format!("{signed}.{}", encode(&signature));
            let refusal = verifier(key(judge)).verify(&forged, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::Signature, "{signer} under {judge}");
        }
    }
}

/// Signs any text with the first RSA key and any scheme.
fn rsa_seal(header: &str, scheme: &'static dyn RsaEncoding) -> String {
    let pem = key(Algorithm::Rs256).danger_to_pem().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
    let signed = format!("{}.e30", encode(header));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        scheme,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", encode(signature))
}

#[test]
fn rsa_schemes_and_hashes_are_told_apart_over_the_same_text() {
    let schemes: [(Algorithm, &'static dyn RsaEncoding); 6] = [
        (Algorithm::Rs256, &signature::RSA_PKCS1_SHA256),
        (Algorithm::Rs384, &signature::RSA_PKCS1_SHA384),
        (Algorithm::Rs512, &signature::RSA_PKCS1_SHA512),
        (Algorithm::Ps256, &signature::RSA_PSS_SHA256),
        (Algorithm::Ps384, &signature::RSA_PSS_SHA384),
        (Algorithm::Ps512, &signature::RSA_PSS_SHA512),
    ];
    for (named, _) in schemes {
        for (used, scheme) in schemes {
            let token = rsa_seal(&format!(r#"{{"alg":"{named}"}}"#), scheme);
            let verdict = verifier(key(named)).verify(&token, NOW).map(|_| ());
            let expected = if named == used {
                Ok(())
            } else {
                Err(Refusal::Signature)
            };
            assert_eq!(verdict, expected, "{used} called {named}");
        }
    }
}

#[test]
fn rsa_signature_plus_the_modulus_is_refused() {
    // The same number to a careless verifier. It must fit in as many bytes, which it does for six
    // in ten signatures of this key, whose modulus is small for its length; PSS makes another one
    // each time.
    let examples = include_str!("../vectors/rfc7520.json");
    let examples: serde_json::Value = serde_json::from_str(examples).unwrap();
    let jwk = &examples["compact"][0]["private"];
    let modulus = super::decode(jwk["n"].as_str().unwrap());
    let jwk = Jwk::from_json(jwk.to_string().as_bytes()).unwrap();
    let key = SigningKey::from_jwk(&jwk, Algorithm::Ps256).unwrap();
    let mut found = 0;
    for _ in 0..40 {
        let token = key.sign(b"{}").unwrap();
        let (signed, mut sum) = super::take_apart(&token);
        let mut carry = 0_u16;
        for (digit, other) in sum.iter_mut().zip(&modulus).rev() {
            let total = u16::from(*digit) + u16::from(*other) + carry;
            *digit = (total & 0xFF) as u8;
            carry = total >> 8;
        }
        if carry == 0 {
            found += 1;
            let forged = format!("{signed}.{}", encode(sum));
            let refusal = verifier(&key).verify(&forged, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::Signature);
        }
    }
    assert!(found > 0);
}

#[test]
fn public_key_used_as_hmac_secret_signs_nothing_that_counts() {
    for judge in algorithms().filter(|algorithm| !algorithm.is_symmetric()) {
        let public = key(judge).verifying_key();
        let pem = public.to_pem().unwrap();
        let jwk = public.to_jwk().unwrap().to_json();
        let der = STANDARD
            .decode(
                pem.lines()
                    .filter(|line| !line.starts_with('-'))
                    .collect::<String>(),
            )
            .unwrap();
        for secret in [pem.as_bytes(), pem.trim().as_bytes(), jwk.as_bytes(), &der] {
            let secret_key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let signed = format!("{}.e30", encode(r#"{"alg":"HS256"}"#));
            let tag = hmac::sign(&secret_key, signed.as_bytes());
            let token = format!("{signed}.{}", encode(tag));
            let refusal = verifier(key(judge)).verify(&token, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::AlgorithmMismatch { key: judge });
            // And nobody who holds such a text can make an HMAC key of it by mistake.
            assert!(matches!(
                VerifyingKey::danger_hmac_short(Algorithm::Hs256, secret),
                Err(KeyError::OtherMaterial(_))
            ));
        }
    }
}

#[test]
fn key_files_are_taken_for_the_algorithms_of_their_kind_alone() {
    for made_for in algorithms().filter(|algorithm| !algorithm.is_symmetric()) {
        let public = key(made_for).verifying_key().to_pem().unwrap();
        let private = key(made_for).danger_to_pem().unwrap();
        for wanted in algorithms() {
            let is_same_kind = match (made_for.key_type(), wanted.key_type()) {
                (KeyType::Rsa, KeyType::Rsa) | (KeyType::Okp, KeyType::Okp) => true,
                _ => made_for == wanted,
            };
            let taken = VerifyingKey::from_pem(wanted, public.as_bytes());
            assert_eq!(taken.is_ok(), is_same_kind, "{made_for} as {wanted}");
            let taken = SigningKey::from_pem(wanted, private.as_bytes());
            assert_eq!(taken.is_ok(), is_same_kind, "{made_for} as {wanted}");
        }
    }
}

#[test]
fn jwk_is_taken_for_the_algorithm_that_it_names_alone() {
    for named in algorithms().filter(|algorithm| !algorithm.is_symmetric()) {
        let jwk = key(named).verifying_key().to_jwk().unwrap().to_json();
        let jwk = Jwk::from_json(jwk.as_bytes()).unwrap();
        for wanted in algorithms() {
            let taken = VerifyingKey::from_jwk(&jwk, wanted);
            assert_eq!(taken.is_ok(), named.admits(wanted), "{named} as {wanted}");
        }
    }
}

#[test]
fn set_of_all_algorithms_gives_each_token_its_own_key() {
    let id = |algorithm: Algorithm| KeyId::new(&format!("key of {algorithm}")).unwrap();
    let pairs = algorithms().filter(|algorithm| !algorithm.is_symmetric());
    let keys = pairs.clone().map(|algorithm| {
        key(algorithm)
            .clone()
            .with_key_id(id(algorithm))
            .verifying_key()
    });
    let verifier = Verifier::new(KeySet::new(keys).unwrap(), Rules::new());
    for signer in pairs.clone() {
        for named in pairs.clone() {
            let token = key(signer)
                .clone()
                .with_key_id(id(named))
                .sign(b"{}")
                .unwrap();
            let verdict = verifier.verify(&token, NOW).map(|_| ());
            let expected = if named.admits(signer) {
                Ok(())
            } else {
                Err(Refusal::AlgorithmMismatch { key: named })
            };
            assert_eq!(verdict, expected, "{signer} with the id of {named}");
        }
    }
}

#[test]
fn secrets_never_share_a_set_with_public_keys() {
    for pair in algorithms().filter(|algorithm| !algorithm.is_symmetric()) {
        let keys = [
            key(Algorithm::Hs256).verifying_key(),
            key(pair).verifying_key(),
        ];
        assert_eq!(KeySet::new(keys).unwrap_err(), KeySetError::Mixed, "{pair}");
    }
}
