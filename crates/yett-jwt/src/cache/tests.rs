//! The cache against the verifier that it stands for, its ends of life, its bounds.

use std::sync::Arc;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{CacheSize, Found, HASHED_TAIL, Miss, TokenCache, lock, weight};
use crate::testing::{HEADER, NOW, key, token, verifier};
use crate::{Refusal, RefusalKind, Rules, SigningKey, UnixSeconds, Verified, Verifier};

/// One set: every token is in the others' way.
const ONE_SET: CacheSize = CacheSize {
    entries: 8,
    bytes: 8 * 1024,
};

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::new(NOW.get() + seconds)
}

fn cache() -> TokenCache {
    TokenCache::new(CacheSize::default())
}

/// A token that ends so many seconds after `NOW`.
fn ending(subject: &str, seconds: i64) -> String {
    let exp = at(seconds);
    token(HEADER, format!(r#"{{"sub":"{subject}","exp":{exp}}}"#))
}

fn miss<'t>(cache: &TokenCache, verifier: &Verifier, token: &'t str) -> Option<Miss<'t>> {
    match cache.look_up(verifier, token, NOW) {
        Found::Judged(_) => None,
        Found::Unknown(miss) => Some(miss),
    }
}

fn knows(cache: &TokenCache, verifier: &Verifier, token: &str) -> bool {
    miss(cache, verifier, token).is_none()
}

fn is_subject(verified: &Verified, subject: &str) -> bool {
    verified.claims().subject() == Some(subject)
}

#[test]
fn hit_returns_the_same_arc() {
    let (cache, verifier, token) = (cache(), verifier(Rules::new()), ending("a", 60));
    let first = cache.verify(&verifier, &token, NOW).unwrap();
    let again = cache.verify(&verifier.clone(), &token, at(59)).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    assert_eq!(stats.bytes, weight(&token, &first));
}

#[test]
fn known_token_expires_at_its_second_and_goes() {
    let (cache, verifier, token) = (cache(), verifier(Rules::new()), ending("a", 60));
    cache.verify(&verifier, &token, at(59)).unwrap();
    let refusal = cache.verify(&verifier, &token, at(60)).unwrap_err();
    assert_eq!(refusal, verifier.verify(&token, at(60)).unwrap_err());
    assert_eq!(refusal.kind(), RefusalKind::Expired);
    assert_eq!(cache.stats().hits, 1);
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn known_token_expires_under_the_leeway_of_its_verifier() {
    let (cache, token) = (cache(), ending("a", 60));
    let lenient = verifier(Rules::new().leeway(10));
    cache.verify(&lenient, &token, at(0)).unwrap();
    cache.verify(&lenient, &token, at(69)).unwrap();
    assert!(cache.verify(&lenient, &token, at(70)).is_err());
}

#[test]
fn known_token_is_immature_when_the_clock_steps_back() {
    let (cache, verifier) = (cache(), verifier(Rules::new()));
    for claim in ["nbf", "iat"] {
        let token = token(HEADER, format!(r#"{{"{claim}":{NOW}}}"#));
        let first = cache.verify(&verifier, &token, at(0)).unwrap();
        assert_eq!(
            cache.verify(&verifier, &token, at(-1)).unwrap_err(),
            verifier.verify(&token, at(-1)).unwrap_err()
        );
        let again = cache.verify(&verifier, &token, at(0)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
    }
}

#[test]
fn new_verifier_knows_nothing_of_the_old_one() {
    let (cache, token) = (cache(), ending("a", 60));
    cache.verify(&verifier(Rules::new()), &token, NOW).unwrap();

    assert!(!knows(&cache, &verifier(Rules::new()), &token));
    let key = SigningKey::hs256(b"another secret of the tests, just as long").unwrap();
    let other_key = Verifier::new(key.verifying_key(), Rules::new());
    assert_eq!(
        cache.verify(&other_key, &token, NOW).unwrap_err(),
        Refusal::Signature
    );
    let other_rules = verifier(Rules::new().issuer("somebody"));
    assert!(cache.verify(&other_rules, &token, NOW).is_err());
}

#[test]
fn forgotten_token_is_proven_again() {
    let forget: [fn(&TokenCache, &str); 3] = [
        |cache, token| cache.forget(token),
        |cache, _| cache.forget_where(|verified| is_subject(verified, "a")),
        |cache, _| cache.clear(),
    ];
    for forget in forget {
        let (cache, token) = (cache(), ending("a", 60));
        let (one, two) = (verifier(Rules::new()), verifier(Rules::new()));
        let first = cache.verify(&one, &token, NOW).unwrap();
        cache.verify(&two, &token, NOW).unwrap();
        forget(&cache, &token);
        assert_eq!(cache.stats().entries, 0);
        let again = cache.verify(&one, &token, NOW).unwrap();
        assert!(!Arc::ptr_eq(&first, &again));
        assert_eq!(cache.stats().misses, 3);
    }
}

#[test]
fn proof_that_began_before_a_revocation_is_not_kept_after_it() {
    let forget: [fn(&TokenCache, &str); 3] = [
        |cache, token| cache.forget(token),
        |cache, _| cache.forget_where(|_| false),
        |cache, _| cache.clear(),
    ];
    for forget in forget {
        let (cache, verifier, token) = (cache(), verifier(Rules::new()), ending("a", 60));
        let began = miss(&cache, &verifier, &token).unwrap();
        let proven = verifier.verify(&token, NOW).unwrap();
        forget(&cache, &token);
        let answer = cache.keep(began, proven, NOW);
        assert!(is_subject(&answer, "a"));
        assert_eq!(cache.stats().entries, 0);

        let began = miss(&cache, &verifier, &token).unwrap();
        cache.keep(began, verifier.verify(&token, NOW).unwrap(), NOW);
        assert_eq!(cache.stats().entries, 1);
    }
}

#[test]
fn proof_that_ends_while_tokens_are_being_forgotten_is_not_kept() {
    let (cache, verifier) = (TokenCache::new(ONE_SET), verifier(Rules::new()));
    let (held, late) = (ending("held", 60), ending("late", 60));
    cache.verify(&verifier, &held, NOW).unwrap();
    let began = miss(&cache, &verifier, &late).unwrap();
    let mut late_proof = Some((began, verifier.verify(&late, NOW).unwrap()));
    // Also shows that the question may use the cache.
    cache.forget_where(|_| {
        let (began, proven) = late_proof.take().unwrap();
        cache.keep(began, proven, NOW);
        false
    });
    assert!(knows(&cache, &verifier, &held));
    assert!(!knows(&cache, &verifier, &late));
}

#[test]
fn threads_that_prove_one_token_at_once_get_one_arc() {
    let (cache, verifier, token) = (cache(), verifier(Rules::new()), ending("a", 60));
    let [one, two] = [(); 2].map(|()| miss(&cache, &verifier, &token).unwrap());
    let one = cache.keep(one, verifier.verify(&token, NOW).unwrap(), NOW);
    let two = cache.keep(two, verifier.verify(&token, NOW).unwrap(), NOW);
    assert!(Arc::ptr_eq(&one, &two));
    assert_eq!(cache.stats().entries, 1);
}

#[test]
fn only_what_is_asked_for_is_forgotten() {
    let (cache, verifier) = (cache(), verifier(Rules::new()));
    let tokens = ["a", "b", "c"].map(|subject| ending(subject, 60));
    for token in &tokens {
        cache.verify(&verifier, token, NOW).unwrap();
    }
    cache.forget(&tokens[0]);
    cache.forget_where(|verified| is_subject(verified, "b"));
    let known = tokens.map(|token| knows(&cache, &verifier, &token));
    assert_eq!(known, [false, false, true]);
}

#[test]
fn token_that_differs_in_one_byte_is_unknown_although_its_tail_is_the_same() {
    let (cache, verifier, token) = (cache(), verifier(Rules::new()), ending("a", 60));
    cache.verify(&verifier, &token, NOW).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = String::from_utf8(bytes).unwrap();
        if at < token.len() - HASHED_TAIL {
            assert_eq!(cache.hash(&changed), cache.hash(&token));
        }
        assert!(!knows(&cache, &verifier, &changed));
    }
    for other in [format!("a{token}"), token[1..].to_owned(), String::new()] {
        assert!(!knows(&cache, &verifier, &other));
    }
    assert!(knows(&cache, &verifier, &token));
}

#[test]
fn refused_tokens_are_never_kept() {
    let (cache, verifier) = (cache(), verifier(Rules::new()));
    let good = ending("a", 60);
    let forged = format!("{}A{}", &good[..good.len() - 2], &good[good.len() - 1..]);
    for token in [ending("a", 0), forged, token(HEADER, r#"{"sub":1}"#)] {
        assert!(cache.verify(&verifier, &token, NOW).is_err());
        assert!(!knows(&cache, &verifier, &token));
    }
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn in_a_full_set_the_expired_go_first() {
    let (cache, verifier) = (TokenCache::new(ONE_SET), verifier(Rules::new()));
    let tokens: Vec<_> = (0..8).map(|i| ending("a", 60 - i)).collect();
    for token in &tokens {
        cache.verify(&verifier, token, NOW).unwrap();
    }
    // The one that was used last has just expired.
    cache.verify(&verifier, &ending("new", 90), at(53)).unwrap();
    for token in &tokens[..7] {
        assert!(knows(&cache, &verifier, token));
    }
    assert!(!knows(&cache, &verifier, &tokens[7]));
}

#[test]
fn in_a_full_set_the_longest_unused_goes_next() {
    let (cache, verifier) = (TokenCache::new(ONE_SET), verifier(Rules::new()));
    let tokens: Vec<_> = (0..9).map(|i| ending(&i.to_string(), 60)).collect();
    for token in &tokens[..8] {
        cache.verify(&verifier, token, NOW).unwrap();
    }
    cache.verify(&verifier, &tokens[0], NOW).unwrap();
    cache.verify(&verifier, &tokens[8], NOW).unwrap();
    assert!(!knows(&cache, &verifier, &tokens[1]));
    for token in tokens[2..].iter().chain(&tokens[..1]) {
        assert!(knows(&cache, &verifier, token));
    }
}

#[test]
fn token_heavier_than_a_set_is_accepted_and_not_kept() {
    let (cache, verifier) = (TokenCache::new(ONE_SET), verifier(Rules::new()));
    let (short, long) = (ending("a", 60), ending(&"x".repeat(4096), 60));
    cache.verify(&verifier, &short, NOW).unwrap();
    cache.verify(&verifier, &long, NOW).unwrap();
    assert!(!knows(&cache, &verifier, &long));
    assert!(knows(&cache, &verifier, &short));
}

#[test]
fn cache_without_room_still_answers() {
    for (entries, bytes) in [(0, 0), (0, usize::MAX), (usize::MAX, 1023)] {
        let cache = TokenCache::new(CacheSize { entries, bytes });
        let (verifier, token) = (verifier(Rules::new()), ending("a", 60));
        cache.verify(&verifier, &token, NOW).unwrap();
        assert!(cache.verify(&verifier, &token, at(60)).is_err());
        cache.forget(&token);
        cache.forget_where(|_| true);
        cache.clear();
        assert_eq!(cache.stats(), super::CacheStats::default());
    }
}

#[test]
fn lock_of_a_thread_that_panicked_is_taken_over() {
    let (cache, verifier, token) = (
        TokenCache::new(ONE_SET),
        verifier(Rules::new()),
        ending("a", 60),
    );
    cache.verify(&verifier, &token, NOW).unwrap();
    let panicked = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _held = lock(&cache.sets[0]);
            panic!("of the test");
        });
        thread.join().is_err()
    });
    assert!(panicked && cache.sets[0].is_poisoned());
    assert!(knows(&cache, &verifier, &token));
    cache.forget(&token);
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn debug_shows_no_token() {
    let (cache, verifier) = (TokenCache::new(ONE_SET), verifier(Rules::new()));
    cache.verify(&verifier, &ending("a", 60), NOW).unwrap();
    assert_eq!(
        format!("{cache:?}"),
        "TokenCache { sets: 1, ways: 8, bytes_per_set: 8192, .. }"
    );
}

#[test]
fn many_threads_agree_with_the_verifier() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 50;
    let small = CacheSize {
        entries: 16,
        bytes: 16 * 1024,
    };
    let (cache, verifier) = (TokenCache::new(small), verifier(Rules::new()));
    let tokens: Vec<_> = (0..24).map(|i| ending(&i.to_string(), i)).collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cache, verifier, tokens) = (&cache, &verifier, &tokens);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    for token in tokens {
                        let now = at((round % 12) as i64);
                        assert_same(cache, verifier, token, now);
                    }
                    match (thread, round % 10) {
                        (0, 9) => cache.clear(),
                        (1, 7) => cache.forget_where(|verified| is_subject(verified, "20")),
                        (2, 5) => cache.forget(&tokens[21]),
                        _ => {}
                    }
                }
            });
        }
    });
    let stats = cache.stats();
    let calls = THREADS * ROUNDS * tokens.len();
    assert_eq!(stats.hits + stats.misses, calls as u64);
    assert!(stats.entries <= small.entries && stats.bytes <= small.bytes);
}

fn assert_same(cache: &TokenCache, verifier: &Verifier, token: &str, now: UnixSeconds) {
    let by_cache = cache.verify(verifier, token, now);
    let by_verifier = verifier.verify(token, now);
    assert_eq!(
        by_cache.as_ref().map(|verified| verified.payload_json()),
        by_verifier.as_ref().map(Verified::payload_json)
    );
    let claims = |verified: &Verified| format!("{verified:?}");
    assert_eq!(
        by_cache.ok().map(|verified| claims(&verified)),
        by_verifier.ok().map(|verified| claims(&verified))
    );
}

/// What can be done to a cache; numbers choose among few tokens and verifiers.
#[derive(Clone, Debug)]
enum Act {
    Verify {
        verifier: usize,
        token: usize,
        second: i64,
    },
    Forget(usize),
    ForgetEnding(i64),
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        20 => (0..4_usize, 0..20_usize, -3..6_i64)
            .prop_map(|(verifier, token, second)| Act::Verify { verifier, token, second }),
        2 => (0..20_usize).prop_map(Act::Forget),
        1 => (-3..6_i64).prop_map(Act::ForgetEnding),
        1 => Just(Act::Clear),
    ]
}

fn four_verifiers() -> [Verifier; 4] {
    let plain = verifier(Rules::new());
    let other = SigningKey::hs256(b"another secret of the tests, just as long").unwrap();
    [
        plain.clone(),
        verifier(Rules::new().leeway(2)),
        Verifier::new(other.verifying_key(), Rules::new()),
        plain,
    ]
}

fn twenty_tokens() -> Vec<String> {
    let times = (0..18).map(|i| {
        let claim = ["exp", "nbf", "iat"][i % 3];
        let seconds = at(i as i64 / 3 - 1);
        token(HEADER, format!(r#"{{"{claim}":{seconds}}}"#))
    });
    let forged = ending("a", 60).replace('.', ".A");
    times.chain([forged, "no token".to_owned()]).collect()
}

proptest! {
    #[test]
    fn whatever_happens_the_cache_answers_as_the_verifier(
        entries in 0..20_usize,
        acts in vec(act(), 1..80),
    ) {
        let cache = TokenCache::new(CacheSize { entries, bytes: 20 * 1024 });
        let (verifiers, tokens) = (four_verifiers(), twenty_tokens());
        for act in acts {
            match act {
                Act::Verify { verifier, token, second } => {
                    assert_same(&cache, &verifiers[verifier], &tokens[token], at(second));
                }
                Act::Forget(token) => cache.forget(&tokens[token]),
                Act::ForgetEnding(second) => cache.forget_where(|verified| {
                    verified.claims().expires_at() == Some(at(second))
                }),
                Act::Clear => cache.clear(),
            }
        }
    }

    #[test]
    fn bounds_hold_and_what_fits_is_kept(
        entries in 0..40_usize,
        bytes in 0..64_usize * 1024,
        lengths in vec(0..4000_usize, 1..60),
    ) {
        let cache = TokenCache::new(CacheSize { entries, bytes });
        let verifier = verifier(Rules::new());
        for (i, length) in lengths.into_iter().enumerate() {
            let claims = format!(r#"{{"n":{i},"x":"{}"}}"#, "x".repeat(length));
            let token = key().sign(claims.as_bytes()).unwrap();
            let verified = cache.verify(&verifier, &token, NOW).unwrap();
            let fits = weight(&token, &verified) <= cache.room;
            prop_assert_eq!(knows(&cache, &verifier, &token), fits);
            let stats = cache.stats();
            prop_assert!(stats.entries <= entries && stats.bytes <= bytes);
        }
    }
}
