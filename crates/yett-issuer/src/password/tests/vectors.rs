//! Published vectors, and hashes that Django made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn pbkdf2(prf: Prf, secret: &str, salt: &str, iterations: u32) -> String {
    let scheme = Scheme::from(Pbkdf2::new(prf, iterations).unwrap());
    digest_of(&scheme.encode(password(secret), salt.as_bytes()).unwrap())
}

fn digest_of(text: &str) -> String {
    let digest = STANDARD.decode(text.rsplit('$').next().unwrap()).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn rfc_6070_pbkdf2_sha1_holds() {
    for (iterations, expected) in [
        (1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        (2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
        (4096, "4b007901b765489abead49d926f721d065a429c1"),
    ] {
        assert_eq!(pbkdf2(Prf::Sha1, "password", "salt", iterations), expected);
    }
}

#[test]
fn rfc_7914_section_11_pbkdf2_sha256_holds() {
    assert_eq!(
        pbkdf2(Prf::Sha256, "passwd", "salt", 1),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    );
    assert_eq!(
        pbkdf2(Prf::Sha256, "Password", "NaCl", 80_000),
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    );
}

#[test]
fn rfc_7914_section_12_scrypt_holds() {
    for (secret, salt, (n, r, p), expected) in [
        (
            "password",
            "NaCl",
            (1024, 8, 16),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
             2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
        ),
        (
            "pleaseletmein",
            "SodiumChloride",
            (16384, 8, 1),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
             d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
        ),
    ] {
        let scheme = Scheme::from(Scrypt::new(n, r, p).unwrap());
        let text = scheme.encode(password(secret), salt.as_bytes()).unwrap();
        assert_eq!(digest_of(&text), expected);
    }
}

/// The RFC's vector has a secret and associated data, which Django's form has no place for; so this
/// asks the crate below directly.
#[test]
fn rfc_9106_section_5_3_argon2id_holds() {
    let data = ::argon2::AssociatedData::new(&[4; 12]).unwrap();
    let params = ::argon2::ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(data)
        .output_len(32)
        .build()
        .unwrap();
    let mut memory = vec![::argon2::Block::new(); params.block_count()];
    let mut out = [0; 32];
    ::argon2::Argon2::new_with_secret(
        &[3; 8],
        ::argon2::Algorithm::Argon2id,
        ::argon2::Version::V0x13,
        params,
    )
    .unwrap()
    .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut out, &mut memory)
    .unwrap();
    let text: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        text,
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

/// Of the reference implementation's own tests and, the small ones, of argon2-cffi.
#[test]
fn argon2_of_every_variety_and_edition_verifies() {
    for text in [
        "argon2$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "argon2$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "argon2$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$JcTui6RIBUtJ78gE5Hi52CO+H5vS6Z9R1uxAB6OhUB8",
        "argon2$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ] {
        assert!(verifies(text, b"password"), "{text}");
        assert!(!verifies(text, b"passwore"), "{text}");
    }
}

/// Of jBCrypt and of crypt_blowfish.
#[test]
fn bcrypt_vectors_verify() {
    for (secret, text) in [
        (
            &b""[..],
            "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.",
        ),
        (
            b"a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
        (
            b"U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            b"\xa3",
            "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
        (
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
        ),
    ] {
        let text = format!("bcrypt${text}");
        assert!(verifies(&text, secret), "{text}");
        assert!(!verifies(&text, b"other"), "{text}");
    }
}

#[test]
fn what_django_made_verifies_and_is_made_again_letter_for_letter() {
    for text in MADE_BY_DJANGO {
        assert!(verifies(text, LETMEIN.as_bytes()), "{text}");
        assert!(!verifies(text, b"letmein"), "{text}");
        let stored = Stored::parse(text).unwrap();
        let again = stored.scheme().encode(password(LETMEIN), stored.salt());
        assert_eq!(again.unwrap(), text);
    }
}

#[test]
fn bcrypt_sha256_reads_all_of_a_long_password_and_bcrypt_72_bytes() {
    let long = "p".repeat(72);
    let longer = format!("{long}q");
    for (input, told_apart) in [(Input::Sha256, true), (Input::Plain, false)] {
        let scheme = Scheme::from(Bcrypt::new(input, 4).unwrap());
        let text = scheme.encode(password(&long), SALT).unwrap();
        assert_eq!(!verifies(&text, longer.as_bytes()), told_apart);
        assert!(!verifies(&text, &long.as_bytes()[..71]));
    }
}

#[test]
fn zero_bytes_end_no_password() {
    for text in MADE_BY_DJANGO {
        let scheme = *Stored::parse(text).unwrap().scheme();
        let hash = scheme.encode(password("a\0b"), SALT).unwrap();
        assert!(verifies(&hash, b"a\0b"));
        assert!(!verifies(&hash, b"a\0c"), "{hash}");
        assert!(!verifies(&hash, b"a"), "{hash}");
    }
}

#[test]
fn empty_password_is_a_password() {
    for text in MADE_BY_DJANGO {
        let scheme = *Stored::parse(text).unwrap().scheme();
        let hash = scheme.encode(password(""), SALT).unwrap();
        assert!(verifies(&hash, b""));
        assert!(!verifies(&hash, b" "));
    }
}
