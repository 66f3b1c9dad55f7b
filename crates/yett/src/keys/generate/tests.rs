//! New keys in every form, and words that do not go together.

use super::*;
use crate::{
    cli::{KeysCommand, Order, parse},
    print::Paint,
};
use yett_jwt::{Jwk, VerifyingKey};

fn words(line: &str) -> GenerateArgs {
    let words = format!("yett keys generate {line}");
    match parse(words.split_whitespace().map(std::ffi::OsString::from)) {
        Ok(Order::Keys(KeysCommand::Generate(words))) => words,
        other => panic!("{other:?}"),
    }
}

fn new_key(line: &str) -> NewKey {
    let words = words(line);
    if words.alg.is_symmetric() {
        NewKey::secret(&words).unwrap()
    } else {
        NewKey::pair(&words).unwrap()
    }
}

#[test]
fn both_halves_are_read_back() {
    for algorithm in Algorithm::ALL.iter().filter(|one| !one.is_symmetric()) {
        let bits = if algorithm.key_type() == KeyType::Rsa {
            "--bits 2048"
        } else {
            ""
        };
        let key = new_key(&format!("--alg {algorithm} {bits}"));
        let signing = SigningKey::from_pem(*algorithm, key.private.as_bytes()).unwrap();
        let public = VerifyingKey::from_pem(*algorithm, key.public.unwrap().as_bytes()).unwrap();
        assert_eq!(signing.verifying_key().thumbprint(), public.thumbprint());
        assert_eq!(key.thumbprint, public.thumbprint());

        let key = new_key(&format!("--alg {algorithm} {bits} --format jwk"));
        let jwk = Jwk::from_json(key.private.as_bytes()).unwrap();
        SigningKey::from_jwk(&jwk, *algorithm).unwrap();
        let public = Jwk::from_json(key.public.unwrap().as_bytes()).unwrap();
        assert!(!public.is_private());
        assert_eq!(
            public.key_id().map(KeyId::as_str),
            key.thumbprint.as_deref()
        );
    }
}

#[test]
fn a_new_secret_is_as_long_as_its_hash() {
    for (algorithm, characters) in [("HS256", 43), ("HS384", 64), ("HS512", 86)] {
        let key = new_key(&format!("--alg {algorithm}"));
        assert_eq!(key.private.len(), characters);
        let algorithm = algorithm.parse().unwrap();
        SigningKey::hmac(algorithm, key.private.as_bytes()).unwrap();

        let key = new_key(&format!("--alg {algorithm} --format jwk --kid a\"b"));
        let jwk = Jwk::from_json(key.private.as_bytes()).unwrap();
        let signing = SigningKey::from_jwk(&jwk, algorithm).unwrap();
        assert_eq!(signing.key_id().map(KeyId::as_str), Some("a\"b"));
    }
    assert_ne!(
        *new_key("--alg HS256").private,
        *new_key("--alg HS256").private
    );
}

#[test]
fn a_given_name_is_the_id() {
    let key = new_key("--alg ES256 --format jwk --kid 2026-11");
    assert_eq!(key.key_id.as_deref(), Some("2026-11"));
    assert!(key.public.unwrap().contains(r#""kid":"2026-11""#));
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    let mistake = |line: &str| check(&words(line)).unwrap_err().text(Paint::Off);
    assert_eq!(
        mistake("--alg ES256 --bits 2048"),
        "error: --bits is for RSA keys; ES256 has keys of one size\n"
    );
    assert_eq!(
        mistake("--alg HS256 --format pem"),
        "error: HS256 takes a shared secret, which has no PEM form\n"
    );
    assert_eq!(
        mistake("--alg HS256 --public-out x"),
        "error: HS256 takes a shared secret, which has no public half\n"
    );
    assert_eq!(
        mistake("--alg HS256 --format jwk --kid auto"),
        "error: a shared secret gets no thumbprint: it would help to guess it\n"
    );
    assert_eq!(
        mistake("--alg ES256 --kid a"),
        "error: --kid: only a JWK has a place for a key's id\n\
         hint: add --format jwk, or give the id to yett token issue and yett keys jwks\n"
    );
    assert_eq!(
        mistake("--alg ES256 --out x --public-out x"),
        "error: --out and --public-out are the same file\n"
    );
}
