//! The cache of proven tokens, for every algorithm: what it answers is what the verifier answers.

use proptest::prelude::*;
use yett_jwt::{Algorithm, CacheSize, Rules, TokenCache, UnixSeconds, Verifier};

use super::{NOW, algorithms, any_algorithm, key, other_key, verifier};

#[test]
fn known_token_is_answered_for_every_algorithm() {
    let cache = TokenCache::new(CacheSize::default());
    for algorithm in algorithms() {
        let verifier = verifier(key(algorithm));
        let token = key(algorithm).sign(br#"{"sub":"1"}"#).unwrap();
        let first = cache.verify(&verifier, &token, NOW).unwrap();
        let again = cache.verify(&verifier, &token, NOW).unwrap();
        assert!(std::sync::Arc::ptr_eq(&first, &again), "{algorithm}");
    }
}

#[test]
fn known_token_is_unknown_to_another_key() {
    let cache = TokenCache::new(CacheSize::default());
    for algorithm in algorithms() {
        let token = key(algorithm).sign(b"{}").unwrap();
        assert!(cache.verify(&verifier(key(algorithm)), &token, NOW).is_ok());
        let stranger = verifier(other_key(algorithm));
        assert!(cache.verify(&stranger, &token, NOW).is_err(), "{algorithm}");
    }
}

#[test]
fn twin_of_an_ecdsa_token_is_another_token() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Es256k,
    ] {
        let cache = TokenCache::new(CacheSize::default());
        let verifier = verifier(key(algorithm));
        let token = key(algorithm).sign(br#"{"jti":"7"}"#).unwrap();
        let twin = super::ecdsa::twin(algorithm, &token);
        for token in [&token, &twin] {
            cache.verify(&verifier, token, NOW).unwrap();
        }
        assert_eq!(
            (cache.stats().misses, cache.stats().entries),
            (2, 2),
            "{algorithm}"
        );
        // Forgetting the one leaves the other; forgetting by what they say takes both.
        cache.forget(&token);
        assert_eq!(cache.stats().entries, 1);
        cache.verify(&verifier, &token, NOW).unwrap();
        cache.forget_where(|verified| verified.claims().token_id() == Some("7"));
        assert_eq!(cache.stats().entries, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn cache_and_verifier_agree_at_every_time(
        algorithm in any_algorithm(),
        expires_at in 0..40_i64,
        not_before in 0..40_i64,
        leeway in 0..5_u32,
        times in prop::collection::vec(0..40_i64, 1..12),
        change in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let cache = TokenCache::new(CacheSize { entries: 8, bytes: 64 * 1024 });
        let verifier = Verifier::new(key(algorithm).verifying_key(), Rules::new().leeway(leeway));
        let claims = format!(r#"{{"nbf":{not_before},"exp":{expires_at}}}"#);
        let mut tokens = vec![key(algorithm).sign(claims.as_bytes()).unwrap()];
        if let Some(at) = change {
            let mut changed = tokens[0].clone();
            changed.remove(at.index(changed.len()));
            tokens.push(changed);
        }
        for now in times.into_iter().map(UnixSeconds::new) {
            for token in &tokens {
                let expected = verifier.verify(token, now).map(|_| ());
                let answer = cache.verify(&verifier, token, now).map(|_| ());
                prop_assert_eq!(answer, expected);
            }
        }
    }
}
