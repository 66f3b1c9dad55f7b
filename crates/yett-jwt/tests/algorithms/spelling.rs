//! A token has one spelling: every other text is refused, and so is every change. (ECDSA has a
//! second right *signature*, which is another matter: see `ecdsa.rs`.)

use proptest::prelude::*;

use super::{NOW, algorithms, any_algorithm, decode, key, verifier};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_changed_byte_is_refused(
        algorithm in any_algorithm(),
        at: prop::sample::Index,
        with in prop_oneof!["[A-Za-z0-9_-]", "[.=+/ ]", any::<char>().prop_map(String::from)],
    ) {
        let token = key(algorithm).sign(br#"{"sub":"1","exp":1900000000}"#).unwrap();
        let at = at.index(token.len());
        prop_assume!(!token[at..].starts_with(&with));
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assert!(verifier(key(algorithm)).verify(&changed, NOW).is_err(), "{}", changed);
        prop_assert!(verifier(key(algorithm)).verify_payload(&changed).is_err(), "{}", changed);
    }

    #[test]
    fn any_flipped_bit_of_the_signature_is_refused(algorithm in any_algorithm(), at: prop::sample::Index) {
        let token = key(algorithm).sign(b"{}").unwrap();
        let (signed, mut signature) = super::take_apart(&token);
        let bit = at.index(signature.len() * 8);
        signature[bit / 8] ^= 1 << (bit % 8);
        let changed = format!("{signed}.{}", super::encode(signature));
        prop_assert!(verifier(key(algorithm)).verify(&changed, NOW).is_err());
    }

    #[test]
    fn anything_inserted_is_refused(
        algorithm in any_algorithm(),
        claims in "\\{\"a\":\"[a-z~?]{0,12}\"\\}",
        at: prop::sample::Index,
        what in "[= \t\r\n\u{b}\u{c}\u{0}\u{a0}\u{feff}.A]{1,4}",
    ) {
        let mut token = key(algorithm).sign(claims.as_bytes()).unwrap();
        token.insert_str(at.index(token.len() + 1), &what);
        prop_assert!(verifier(key(algorithm)).verify(&token, NOW).is_err(), "{}", token);
    }

    #[test]
    fn anything_removed_is_refused(algorithm in any_algorithm(), at: prop::sample::Index) {
        let mut token = key(algorithm).sign(br#"{"sub":"1"}"#).unwrap();
        token.remove(at.index(token.len()));
        prop_assert!(verifier(key(algorithm)).verify(&token, NOW).is_err(), "{}", token);
    }
}

#[test]
fn no_part_has_another_spelling_of_its_unused_bits() {
    for algorithm in algorithms() {
        // Payloads of all three lengths modulo 3.
        for claims in ["{}", "{ }", "{  }"] {
            let token = key(algorithm).sign(claims.as_bytes()).unwrap();
            for end in token
                .match_indices('.')
                .map(|(at, _)| at)
                .chain([token.len()])
            {
                for last in ALPHABET.chars() {
                    let respelt = format!("{}{last}{}", &token[..end - 1], &token[end..]);
                    let is_same = respelt == token;
                    let verdict = verifier(key(algorithm)).verify(&respelt, NOW);
                    assert_eq!(verdict.is_ok(), is_same, "{algorithm}: {respelt}");
                }
            }
        }
    }
}

#[test]
fn padded_parts_are_refused() {
    for algorithm in algorithms() {
        let token = key(algorithm).sign(br#"{"a":1}"#).unwrap();
        for end in token
            .match_indices('.')
            .map(|(at, _)| at)
            .chain([token.len()])
        {
            for padding in ["=", "==", "===", "%3D"] {
                let padded = format!("{}{padding}{}", &token[..end], &token[end..]);
                assert!(
                    verifier(key(algorithm)).verify(&padded, NOW).is_err(),
                    "{padded}"
                );
            }
        }
    }
}

#[test]
fn standard_alphabet_is_refused() {
    for algorithm in algorithms() {
        // Bytes that encode to both special characters, in the payload; signatures have some too.
        let token = key(algorithm)
            .sign("{\"a\":\"\u{3ff}\u{fb}~~?\"}".as_bytes())
            .unwrap();
        assert!(token.contains(['-', '_']), "{token}");
        let standard = token.replace('-', "+").replace('_', "/");
        assert!(verifier(key(algorithm)).verify(&standard, NOW).is_err());
        // One character alone, wherever it is.
        for (at, found) in token.match_indices(['-', '_']) {
            let other = if found == "-" { "+" } else { "/" };
            let mixed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(
                verifier(key(algorithm)).verify(&mixed, NOW).is_err(),
                "{mixed}"
            );
        }
    }
}

/// The decoder works on many characters at a time, and differently at the ends: each place of each
/// length must still be looked at. Under a right signature, so that nothing else refuses.
#[test]
fn no_character_outside_the_alphabet_is_taken_at_any_place() {
    let key = super::secret(1);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let verifier = verifier(super::key(yett_jwt::Algorithm::Hs256));
    let seal = |signed: &str| {
        let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", super::encode(signature))
    };
    let header = super::encode(r#"{"alg":"HS256"}"#);
    for length in (1..=80).chain([96, 127, 128, 129, 160]) {
        let payload: Vec<u8> = (0..length).map(|at| (at * 37 + 11) as u8).collect();
        let good = super::encode(&payload);
        let token = seal(&format!("{header}.{good}"));
        assert_eq!(verifier.verify_payload(&token).unwrap().payload(), payload);
        for at in 0..good.len() {
            for bad in [
                "+", "/", "=", " ", "\n", "\0", "@", "[", "`", "{", ",", ":", "^", "\u{7f}",
            ] {
                let respelt = format!("{}{bad}{}", &good[..at], &good[at + 1..]);
                let token = seal(&format!("{header}.{respelt}"));
                assert!(verifier.verify_payload(&token).is_err(), "{respelt}");
            }
        }
        // Every last character: what is taken is what a careful reader takes.
        for last in ALPHABET.chars() {
            let respelt = format!("{}{last}", &good[..good.len() - 1]);
            let token = seal(&format!("{header}.{respelt}"));
            if let Ok(verified) = verifier.verify_payload(&token) {
                assert_eq!(super::encode(verified.payload()), respelt);
                assert_eq!(verified.payload(), decode(&respelt));
            }
        }
        // A lone character carries no byte.
        let token = seal(&format!(
            "{header}.{}A",
            super::encode(&payload[..length / 3 * 3])
        ));
        assert!(verifier.verify_payload(&token).is_err());
    }
}
