//! Signatures of fixed width: `r` and `s`, each as long as the curve's order and between it and
//! zero. What else there is, is refused. What the standard leaves open is said here.

use yett_jwt::{Algorithm, Refusal};

use super::{NOW, encode, key, take_apart, verifier};

/// The orders of the curves' groups (SEC 2), big-endian.
const ORDERS: [(Algorithm, &str); 4] = [
    (
        Algorithm::Es256,
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    (
        Algorithm::Es384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        Algorithm::Es512,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
    (
        Algorithm::Es256k,
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    ),
];

fn from_hex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Big-endian, of one length; modulo 2 to the power of that length's bits.
fn minus(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut difference = left.to_vec();
    let mut borrow = 0_i16;
    for (digit, other) in difference.iter_mut().zip(right).rev() {
        let rest = i16::from(*digit) - i16::from(*other) - borrow;
        *digit = (rest & 0xFF) as u8;
        borrow = i16::from(rest < 0);
    }
    difference
}

/// A signed text, and the halves of its signature.
fn signed(algorithm: Algorithm) -> (String, Vec<u8>, Vec<u8>) {
    let token = key(algorithm).sign(br#"{"sub":"1"}"#).unwrap();
    let (signed, signature) = take_apart(&token);
    let (r, s) = signature.split_at(signature.len() / 2);
    (signed.to_owned(), r.to_vec(), s.to_vec())
}

/// The other token that has the same claims under a right signature: anybody can make it of the
/// first, without the key.
pub(crate) fn twin(algorithm: Algorithm, token: &str) -> String {
    let order = ORDERS
        .iter()
        .find(|(named, _)| *named == algorithm)
        .unwrap()
        .1;
    let (signed, signature) = take_apart(token);
    let (r, s) = signature.split_at(signature.len() / 2);
    let mirrored = minus(&from_hex(order), s);
    format!("{signed}.{}", encode([r, &mirrored].concat()))
}

#[test]
fn numbers_outside_the_group_are_refused() {
    for (algorithm, order) in ORDERS {
        let order = from_hex(order);
        let (text, r, s) = signed(algorithm);
        let zero = vec![0; r.len()];
        let ones = vec![0xFF; r.len()];
        let mut one = zero.clone();
        one[r.len() - 1] = 1;
        let beyond = minus(&order, &minus(&zero, &one));
        for (r, s) in [
            (&zero, &s),
            (&r, &zero),
            (&zero, &zero),
            (&order, &s),
            (&r, &order),
            (&order, &order),
            (&beyond, &one),
            (&one, &beyond),
            (&ones, &ones),
            (&one, &zero),
            (&zero, &one),
            (&one, &one),
            (&s, &r),
        ] {
            let token = format!("{text}.{}", encode([&r[..], &s[..]].concat()));
            let refusal = verifier(key(algorithm)).verify(&token, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::Signature, "{algorithm}");
        }
    }
}

#[test]
fn signatures_of_another_width_are_refused() {
    for (algorithm, _) in ORDERS {
        let (text, r, s) = signed(algorithm);
        for signature in [
            vec![],
            r.clone(),
            [&r[..], &s[..s.len() - 1]].concat(),
            [&r[1..], &s[1..]].concat(),
            [&r[..], &s[..], &[0]].concat(),
            [&[0], &r[..], &s[..]].concat(),
            [&[0], &r[..], &[0], &s[..]].concat(),
            [&r[..], &s[..], &r[..], &s[..]].concat(),
        ] {
            let token = format!("{text}.{}", encode(signature));
            let refusal = verifier(key(algorithm)).verify(&token, NOW).unwrap_err();
            assert_eq!(refusal, Refusal::Signature, "{algorithm}");
        }
    }
}

/// SEQUENCE of two INTEGERs, as certificates have it.
fn in_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<_> = number
            .iter()
            .copied()
            .skip_while(|digit| *digit == 0)
            .collect();
        let sign = if digits[0] >= 0x80 { vec![0] } else { vec![] };
        let content = [sign, digits].concat();
        [vec![2, content.len() as u8], content].concat()
    };
    let content = [integer(r), integer(s)].concat();
    let length = match content.len() {
        short @ 0..=0x7F => vec![short as u8],
        long => vec![0x81, long as u8],
    };
    [vec![0x30], length, content].concat()
}

#[test]
fn signatures_in_der_are_refused() {
    for (algorithm, _) in ORDERS {
        let (text, r, s) = signed(algorithm);
        let token = format!("{text}.{}", encode(in_der(&r, &s)));
        let refusal = verifier(key(algorithm)).verify(&token, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Signature, "{algorithm}");
    }
}

/// FIPS 186-5 accepts both, RFC 7515 does not forbid it, and other libraries make either: to refuse
/// one would refuse half of all honest tokens. Hence nothing may take a token's text for its
/// identity; see the known limits in `docs/security/threats.md`.
#[test]
fn mirrored_signature_is_the_standards_second_right_one() {
    for (algorithm, _) in ORDERS {
        let token = key(algorithm).sign(br#"{"sub":"1"}"#).unwrap();
        let twin = twin(algorithm, &token);
        assert_ne!(token, twin);
        for token in [token, twin] {
            let verified = verifier(key(algorithm)).verify(&token, NOW).unwrap();
            assert_eq!(verified.claims().subject(), Some("1"));
        }
    }
}

/// Ed25519 has no such twin: `s` must be below the order (RFC 8032 section 5.1.7).
#[test]
fn ed25519_scalar_plus_the_order_is_refused() {
    let order = from_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
        let token = key(algorithm).sign(b"{}").unwrap();
        let (text, signature) = take_apart(&token);
        // Little-endian there: turned for the sum, and back.
        let mut scalar: Vec<u8> = signature[32..].to_vec();
        scalar.reverse();
        let zero = vec![0; 32];
        let mut sum = minus(&scalar, &minus(&zero, &order));
        sum.reverse();
        let forged = format!("{text}.{}", encode([&signature[..32], &sum].concat()));
        let refusal = verifier(key(algorithm)).verify(&forged, NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Signature);
    }
}
