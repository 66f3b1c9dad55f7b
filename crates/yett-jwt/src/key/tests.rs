//! What becomes a key, and what of it can be seen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{JwkFault, KeyError, KeyMaterial, SHORTEST_HS256_SECRET, SigningKey};
use crate::testing::{SECRET, key, verifier};
use crate::{Algorithm, Jwk, Rules};

fn check(secret: &[u8], expected: KeyMaterial) {
    let shown = String::from_utf8_lossy(secret).into_owned();
    for made in [
        SigningKey::hs256(secret),
        SigningKey::danger_hs256_short(secret),
    ] {
        assert_eq!(
            made.expect_err(&shown),
            KeyError::OtherMaterial(expected),
            "{shown}"
        );
    }
}

#[test]
fn short_secret_is_refused() {
    let secret = [b'x'; SHORTEST_HS256_SECRET];
    assert!(SigningKey::hs256(&secret).is_ok());
    let (bytes, shortest) = (SHORTEST_HS256_SECRET - 1, SHORTEST_HS256_SECRET);
    assert_eq!(
        SigningKey::hs256(&secret[1..]).unwrap_err(),
        KeyError::TooShort { bytes, shortest }
    );
    assert!(SigningKey::danger_hs256_short(b"x").is_ok());
}

#[test]
fn empty_secret_is_always_refused() {
    assert_eq!(SigningKey::hs256(b"").unwrap_err(), KeyError::Empty);
    assert_eq!(
        SigningKey::danger_hs256_short(b"").unwrap_err(),
        KeyError::Empty
    );
}

#[test]
fn pem_is_refused_as_a_secret() {
    for label in [
        "PUBLIC KEY",
        "RSA PUBLIC KEY",
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "CERTIFICATE",
        "X509 CRL",
    ] {
        let pem = format!("-----BEGIN {label}-----\nMFkwEwYHKoZIzj0CAQ==\n-----END {label}-----\n");
        check(pem.as_bytes(), KeyMaterial::Pem);
        check(pem.replace('\n', "\r\n").as_bytes(), KeyMaterial::Pem);
        check(
            format!("Bag Attributes\n  name: x\n{pem}").as_bytes(),
            KeyMaterial::Pem,
        );
        check(
            format!("\"{}\"", pem.replace('\n', "\\n")).as_bytes(),
            KeyMaterial::Pem,
        );
    }
    check(
        b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2E=",
        KeyMaterial::Pem,
    );
}

#[test]
fn ssh_key_is_refused_as_a_secret() {
    for name in [
        "ssh-rsa",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "sk-ssh-ed25519@openssh.com",
    ] {
        check(
            format!("{name} AAAAB3NzaC1yc2EAAAADAQABAAAB me@here").as_bytes(),
            KeyMaterial::Ssh,
        );
    }
    check(
        b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\0\x80 and so on",
        KeyMaterial::Ssh,
    );
    // The binary form alone, in base64 alone, and behind options.
    let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIJGkCLO8eHuvQJgAjJ0ZU9hk3Hj0R9QmVdHxnpdGWVfZ";
    check(blob.as_bytes(), KeyMaterial::Ssh);
    check(
        format!("command=\"run\" ssh-ed25519 {blob} me").as_bytes(),
        KeyMaterial::Ssh,
    );
    check(
        b"\0\0\0\x0bssh-ed25519\0\0\0\x20 and thirty-two bytes more",
        KeyMaterial::Ssh,
    );
}

#[test]
fn pem_without_its_first_line_is_refused_as_a_secret() {
    let text =
        b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    check(text, KeyMaterial::Pem);
}

#[test]
fn jwk_or_jwk_set_is_refused_as_a_secret() {
    for text in [
        r#"{"kty":"RSA","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri","e":"AQAB"}"#,
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
        r#"[{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAA"}]"#,
        r#"{"\u006bty":"RSA","n":"AAAAAAAAAAAAAAAAAAAAAAAAAA","e":"AQAB"}"#,
        r#"{"type":"service_account","private_key_id":"0123456789"}"#,
        // Not quite JSON: a comma too many.
        r#"{"kty":"RSA","n":"AAAAAAAAAAAAAAAAAAAAAAAAAAAA","e":"AQAB",}"#,
    ] {
        check(text.as_bytes(), KeyMaterial::Json);
    }
}

/// DER of public structures: SubjectPublicKeyInfo of P-256 and Ed25519 keys, PKCS #1 and PKCS #8
/// skeletons.
fn der_samples() -> Vec<Vec<u8>> {
    let mut p256 = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01".to_vec();
    p256.extend(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04");
    p256.extend([7; 64]);
    let mut ed25519 = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
    ed25519.extend([9; 32]);
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([3; 32]);
    // RSAPublicKey with a 2048-bit modulus: lengths in the long form.
    let mut pkcs1 = b"\x30\x82\x01\x0a\x02\x82\x01\x01\x00".to_vec();
    pkcs1.extend([0xc3; 256]);
    pkcs1.extend(b"\x02\x03\x01\x00\x01");
    // A certificate: three elements, the first a SEQUENCE with its version in front.
    let mut certificate = b"\x30\x81\x8a\x30\x40\xa0\x03\x02\x01\x02\x02\x01\x05".to_vec();
    certificate.extend(b"\x04\x36");
    certificate.extend([1; 54]);
    certificate.extend(b"\x30\x05\x06\x03\x2b\x65\x70\x03\x3f\x00");
    certificate.extend([2; 62]);
    vec![p256, ed25519, pkcs8, pkcs1, certificate]
}

#[test]
fn der_is_refused_as_a_secret() {
    for der in der_samples() {
        check(&der, KeyMaterial::Der);
        check(&[&der[..], b"\n"].concat(), KeyMaterial::Der);
    }
}

#[test]
fn pem_without_its_armour_is_refused_as_a_secret() {
    for der in der_samples() {
        let body = STANDARD.encode(der);
        check(body.as_bytes(), KeyMaterial::Der);
        check(body.trim_end_matches('=').as_bytes(), KeyMaterial::Der);
        check(
            body.replace('+', "-").replace('/', "_").as_bytes(),
            KeyMaterial::Der,
        );
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|l| str::from_utf8(l).unwrap())
            .collect();
        check(lines.join("\n").as_bytes(), KeyMaterial::Der);
    }
}

/// As Kubernetes and environment files hold them.
#[test]
fn key_file_in_base64_is_refused_as_a_secret() {
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der_samples()[0])
    );
    for (file, found) in [
        (pem.as_str(), KeyMaterial::Pem),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", KeyMaterial::Ssh),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
            KeyMaterial::Json,
        ),
    ] {
        let body = STANDARD.encode(file);
        check(body.as_bytes(), found);
        check(body.trim_end_matches('=').as_bytes(), found);
        check(format!(" {body}\n").as_bytes(), found);
    }
}

#[test]
fn byte_order_mark_and_white_space_hide_nothing() {
    for front in [
        "\u{feff}",
        " ",
        "\n\t\r\n",
        "\u{b}",
        "\u{c}",
        " \u{feff} \u{feff}\n",
    ] {
        let with_front = |rest: &[u8]| [front.as_bytes(), rest].concat();
        check(
            &with_front(br#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA"}"#),
            KeyMaterial::Json,
        );
        check(
            &with_front(b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB"),
            KeyMaterial::Ssh,
        );
        check(
            &with_front(b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKo"),
            KeyMaterial::Pem,
        );
        for der in der_samples() {
            check(&with_front(&der), KeyMaterial::Der);
        }
    }
}

#[test]
fn utf16_hides_nothing() {
    for (text, expected) in [
        (
            r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA"}"#,
            KeyMaterial::Json,
        ),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB", KeyMaterial::Ssh),
        ("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKo", KeyMaterial::Pem),
    ] {
        for text in [text.to_owned(), format!("\u{feff}\n{text}")] {
            let units: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            check(&little, expected);
            check(&big, expected);
        }
    }
}

#[test]
fn ordinary_secrets_are_taken() {
    for secret in [
        "django-insecure-x4$1b@=-----begin_z)8t!c%2&ssh-rsa",
        "correct horse battery staple, and then some",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "{{ this is not JSON, only a secret with braces }}",
        "MIIBI is how a certificate's base64 begins, not all of it",
        "0* starts like a SEQUENCE of 42 bytes, and is not",
    ] {
        assert!(SigningKey::hs256(secret.as_bytes()).is_ok(), "{secret}");
    }
    assert!(SigningKey::hs256(&[0xff; 64]).is_ok());
    assert!(SigningKey::hs256(&[0; 64]).is_ok());
    assert!(SigningKey::hs256(&[0x30; 64]).is_ok());
}

#[test]
fn white_space_in_a_secret_counts() {
    let padded = [SECRET, b"\n"].concat();
    let token = SigningKey::hs256(&padded).unwrap().sign(b"{}").unwrap();
    let refusal = verifier(Rules::new())
        .verify(&token, crate::testing::NOW)
        .unwrap_err();
    assert_eq!(refusal, crate::Refusal::Signature);
}

#[test]
fn key_carries_one_algorithm() {
    assert_eq!(key().algorithm(), Algorithm::Hs256);
    assert_eq!(key().verifying_key().algorithm(), Algorithm::Hs256);
}

#[test]
fn keys_do_not_print_their_secret() {
    let secret = b"SECRETSECRETSECRETSECRETSECRETSECRET";
    let key = SigningKey::hs256(secret).unwrap();
    let verifier = crate::Verifier::new(key.verifying_key(), Rules::new());
    assert_eq!(format!("{key:?}"), "SigningKey(HS256, [secret])");
    assert_eq!(
        format!("{:?}", key.verifying_key()),
        "VerifyingKey(HS256, [secret])"
    );
    let shown = format!("{verifier:#?} {verifier:?}");
    assert!(
        shown.contains("[secret]") && !shown.contains("SECRET"),
        "{shown}"
    );
    // Neither as text nor as a list of numbers.
    assert!(!shown.contains("83, 69, 67"), "{shown}");
}

#[test]
fn key_errors_do_not_print_the_secret() {
    let errors = [
        SigningKey::hs256(b"SECRET").unwrap_err(),
        SigningKey::hs256(b"-----BEGIN SECRETSECRETSECRETSECRET").unwrap_err(),
        SigningKey::hs256(br#"{"kty":"SECRETSECRETSECRETSECRET"}"#).unwrap_err(),
    ];
    for error in errors {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}

#[test]
fn short_secret_of_a_jwk_needs_the_dangerous_way() {
    let jwk = |members: &str| {
        let json = format!(r#"{{"kty":"oct","k":"c2VjcmV0","kid":"1"{members}}}"#);
        Jwk::from_json(json.as_bytes()).unwrap()
    };
    let short = SigningKey::from_jwk(&jwk(""), Algorithm::Hs256);
    assert!(matches!(short, Err(KeyError::TooShort { bytes: 6, .. })));
    let key = SigningKey::danger_from_jwk_short(&jwk(""), Algorithm::Hs256).unwrap();
    assert_eq!(key.key_id().unwrap().as_str(), "1");

    // Nothing else is waived.
    let other = SigningKey::danger_from_jwk_short(&jwk(r#","alg":"HS512""#), Algorithm::Hs256);
    assert!(matches!(other, Err(KeyError::OtherNamedAlgorithm { .. })));
    let verify = jwk(r#","key_ops":["verify"]"#);
    let other = SigningKey::danger_from_jwk_short(&verify, Algorithm::Hs256);
    assert_eq!(other.unwrap_err(), KeyError::Jwk(JwkFault::OtherOperations));
}
