//! Anything as a stored hash: refused, or of bounded work, and never a panic.

use proptest::prelude::*;

use super::*;

#[test]
fn hash_that_asks_for_endless_work_is_refused_before_any() {
    for (text, bound) in [
        ("pbkdf2_sha256$4294967295$salt$AAAA", Bound::Iterations),
        (
            "pbkdf2_sha256$99999999999999999999999$salt$AAAA",
            Bound::Iterations,
        ),
        ("pbkdf2_sha1$0$salt$AAAA", Bound::Iterations),
        ("scrypt$1073741824$salt$8$5$AAAA", Bound::WorkFactor),
        ("scrypt$16384$salt$4294967295$5$AAAA", Bound::BlockSize),
        ("scrypt$16384$salt$8$4294967295$AAAA", Bound::Parallelism),
        (
            "argon2$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAA",
            Bound::Memory,
        ),
        (
            "argon2$argon2id$v=19$m=1024,t=4294967295,p=1$c29tZXNhbHQ$AAAAAAAA",
            Bound::TimeCost,
        ),
        (
            "argon2$argon2id$v=19$m=1024,t=1,p=16777216$c29tZXNhbHQ$AAAAAAAA",
            Bound::Parallelism,
        ),
        (
            "argon2$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$",
            Bound::DigestLength,
        ),
        (
            "bcrypt$$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
            Bound::Cost,
        ),
        (
            "bcrypt$$2b$99$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
            Bound::Cost,
        ),
    ] {
        let refused = Stored::parse(text).err();
        assert_eq!(refused, Some(HashError::OutOfBounds(bound)), "{text}");
    }
}

#[test]
fn text_of_another_form_is_malformed() {
    for text in [
        "pbkdf2_sha256$",
        "pbkdf2_sha256$1000$salt",
        "pbkdf2_sha256$1000$salt$AAAA$AAAA",
        "pbkdf2_sha256$+1000$salt$AAAA",
        "pbkdf2_sha256$01000$salt$AAAA",
        "pbkdf2_sha256$ 1000$salt$AAAA",
        "pbkdf2_sha256$1_000$salt$AAAA",
        "pbkdf2_sha256$-1$salt$AAAA",
        "pbkdf2_sha256$١$salt$AAAA",
        "scrypt$16$salt$8$AAAA",
        "argon2$argon2x$v=19$m=64,t=2,p=4$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=18$m=64,t=2,p=4$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$t=2,m=64,p=4$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=2,p=4,p=4$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=2,p=4,keyid=AA$c29tZXNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=2,p=4$c29tZXNhbHQ=$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=2,p=4$c2FsdA$AAAAAAAA",
        "bcrypt$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
        "bcrypt$$2$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
        "bcrypt$$2b$4$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
        "bcrypt$$2b$04$abcdefghijklmnopqrstu",
        "bcrypt$$2b$04$abcdefghijklmnopqrstuz",
        "bcrypt$$2b$04$éééééééééééé",
    ] {
        assert_eq!(
            Stored::parse(text).err(),
            Some(HashError::Malformed),
            "{text}"
        );
    }
}

#[test]
fn unusable_and_unknown_hashes_are_told_apart() {
    for (text, expected) in [
        ("!", HashError::Unusable),
        ("!pbkdf2_sha256$1000$salt$AAAA", HashError::Unusable),
        ("", HashError::UnknownAlgorithm),
        (
            "d41d8cd98f00b204e9800998ecf8427e",
            HashError::UnknownAlgorithm,
        ),
        ("md5$salt$AAAA", HashError::UnknownAlgorithm),
        ("PBKDF2_sha256$1000$salt$AAAA", HashError::UnknownAlgorithm),
    ] {
        assert_eq!(Stored::parse(text).err(), Some(expected), "{text}");
    }
    let long = format!("pbkdf2_sha256$1${}$AAAA", "s".repeat(LONGEST_STORED));
    assert_eq!(Stored::parse(&long).err(), Some(HashError::StoredTooLong));
}

#[test]
fn hash_that_is_no_ones_matches_nothing() {
    for text in MADE_BY_DJANGO {
        for other in [format!("{text}!"), text[..text.len() - 4].to_owned()] {
            assert!(!verifies(&other, LETMEIN.as_bytes()), "{other}");
        }
    }
    assert!(!verifies("pbkdf2_sha256$1000$salt$locked", b""));
    assert!(!verifies("pbkdf2_sha256$1000$salt$", b""));
}

/// Texts that come close: the right shape with wrong numbers and letters.
fn nearly() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<u32>().prop_map(|n| n.to_string()),
        (0_u32..40).prop_map(|n| n.to_string()),
        (0_u32..22).prop_map(|bits| (1_u32 << bits).to_string()),
        "[0-9+_ -]{0,24}",
    ];
    let part = prop_oneof![
        number,
        "[A-Za-z0-9+/.=]{0,70}",
        "[mtpv]=[0-9]{1,10}",
        ".{0,8}"
    ];
    let name = prop_oneof![
        Just("pbkdf2_sha256"),
        Just("pbkdf2_sha1"),
        Just("scrypt"),
        Just("argon2$argon2id$v=19"),
        Just("argon2$argon2i"),
        Just("bcrypt_sha256$"),
        Just("bcrypt$$2b"),
    ];
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>())
        .prop_map(|(m, t, p)| format!("argon2$argon2id$m={m},t={t},p={p}$c29tZXNhbHQ$AAAAAAAA"));
    prop_oneof![
        4 => (name, prop::collection::vec(part, 0..6))
            .prop_map(|(name, parts)| format!("{name}${}", parts.join("$"))),
        1 => numbers,
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        let _ = Stored::parse(&text);
    }

    #[test]
    fn any_near_miss_is_refused_or_of_bounded_work(text in nearly()) {
        if let Ok(stored) = Stored::parse(&text) {
            prop_assert!(within_bounds(stored.scheme()), "{text}");
        }
    }

    #[test]
    fn any_changed_letter_is_another_hash(
        (which, at, to) in (0..MADE_BY_DJANGO.len(), any::<prop::sample::Index>(), "[ -~]"),
    ) {
        let text = MADE_BY_DJANGO[which];
        let at = at.index(text.len());
        let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        prop_assume!(changed != text);
        // A changed letter may ask for seconds of work, which is allowed but too slow for here.
        let before_salt = changed.rmatch_indices('$').nth(1).map_or(0, |(place, _)| place);
        prop_assume!(at > before_salt || Stored::parse(&changed).is_err());
        if let Ok(stored) = Stored::parse(&changed) {
            prop_assert_eq!(stored.verify(password(LETMEIN)), Ok(false), "{}", changed);
        }
    }

    #[test]
    fn any_password_verifies_its_own_hash(
        which in 0..MADE_BY_DJANGO.len(),
        secret in any::<Vec<u8>>(),
        other in any::<Vec<u8>>(),
    ) {
        let scheme = *Stored::parse(MADE_BY_DJANGO[which]).unwrap().scheme();
        let hash = scheme.encode(Password::new(&secret).unwrap(), SALT).unwrap();
        prop_assert!(verifies(&hash, &secret));
        // HMAC fills short keys with zeros, and so does bcrypt's plain form within 72 bytes.
        let ends = |bytes: &[u8]| bytes.last() == Some(&0) || bytes.len() > 64;
        prop_assume!(secret != other && !ends(&secret) && !ends(&other));
        prop_assert!(!verifies(&hash, &other));
    }
}

fn within_bounds(scheme: &Scheme) -> bool {
    let bounded = match scheme {
        Scheme::Pbkdf2(pbkdf2) => (1..=20_000_000).contains(&pbkdf2.iterations()),
        Scheme::Bcrypt(bcrypt) => (4..=16).contains(&bcrypt.cost()),
        Scheme::Argon2(argon2) => {
            u64::from(argon2.memory_kib()) * u64::from(argon2.passes()) <= 1 << 22
        }
        Scheme::Scrypt(scrypt) => {
            let (n, r, p) = scrypt.costs();
            u64::from(n) * u64::from(r) * u64::from(p) <= 1 << 24
        }
    };
    bounded && scheme.memory_kib() <= MOST_MEMORY_KIB + 512
}
