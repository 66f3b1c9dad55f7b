//! Key files of every form that tools write, and of forms that are not taken.

use proptest::prelude::*;

use super::pairs::key_for;
use super::{Curve, KeyError, KeyShape, SigningKey, VerifyingKey};
use crate::der::{
    BIT_STRING, CONTEXT_0, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, structure,
};
use crate::pem::{self, Block, Label};
use crate::testing::der;
use crate::{Algorithm, Jwk};

const RSA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01";
const RSA_PSS: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A";
const NULL_ELEMENT: &[u8] = &[NULL, 0];

/// The key's PKCS#8 and SubjectPublicKeyInfo.
fn both_der(key: &SigningKey) -> (Vec<u8>, Vec<u8>) {
    let private = key.danger_to_pem().unwrap();
    let public = key.verifying_key().to_pem().unwrap();
    let bytes = |pem: &str| Block::read(pem.as_bytes()).unwrap().der.to_vec();
    (bytes(&private), bytes(&public))
}

/// What lies in the BIT STRING of a SubjectPublicKeyInfo.
fn inner_public(spki: &[u8]) -> Vec<u8> {
    let mut body = crate::der::Reader::new(crate::der::Reader::only(SEQUENCE, spki).unwrap());
    body.take(SEQUENCE).unwrap();
    body.take_bits().unwrap().to_vec()
}

fn spki(identifier: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = der(SEQUENCE, &[identifier, parameters]);
    der(SEQUENCE, &[&algorithm, &der(BIT_STRING, &[&[0], key])])
}

fn pkcs8(identifier: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = der(SEQUENCE, &[identifier, parameters]);
    let version = der(INTEGER, &[&[0]]);
    der(
        SEQUENCE,
        &[&version, &algorithm, &der(OCTET_STRING, &[key])],
    )
}

/// A certificate around a public key: only its shape is right.
fn certificate(spki: &[u8], with_version: bool) -> Vec<u8> {
    let empty = der(SEQUENCE, &[]);
    let version = der(CONTEXT_0, &[&der(INTEGER, &[&[2]])]);
    let serial = der(INTEGER, &[&[9]]);
    let extensions = der(0xA3, &[&empty]);
    let body = der(
        SEQUENCE,
        &[
            if with_version { &version[..] } else { &[] },
            &serial,
            &empty,
            &empty,
            &empty,
            &empty,
            spki,
            &extensions,
        ],
    );
    der(SEQUENCE, &[&body, &empty, &der(BIT_STRING, &[&[0, 1]])])
}

fn verifies(signing: &SigningKey, verifying: Result<VerifyingKey, KeyError>) -> bool {
    let signature = signing.signature(b"message").unwrap();
    verifying
        .unwrap()
        .check_signature(b"message", signature.as_ref())
        .is_ok()
}

#[test]
fn pkcs1_keys_are_read() {
    let key = key_for(Algorithm::Ps384);
    let (private, public) = both_der(&key);
    let private = structure::pkcs8_key(&private).unwrap();
    let public = inner_public(&public);
    let algorithm = key.algorithm();

    assert!(verifies(&key, VerifyingKey::from_der(algorithm, &public)));
    let text = pem::encode(Label::RsaPublicKey, &public);
    assert!(verifies(
        &key,
        VerifyingKey::from_pem(algorithm, text.as_bytes())
    ));
    let text = pem::encode(Label::RsaPrivateKey, private);
    for read in [
        SigningKey::from_der(algorithm, private).unwrap(),
        SigningKey::from_pem(algorithm, text.as_bytes()).unwrap(),
    ] {
        assert!(verifies(&read, Ok(key.verifying_key())));
    }
    assert_eq!(
        SigningKey::from_der(algorithm, &public).unwrap_err(),
        KeyError::Public
    );
    assert_eq!(
        VerifyingKey::from_der(algorithm, private).unwrap_err(),
        KeyError::Private
    );
    assert_eq!(
        SigningKey::from_der(Algorithm::Es256, private).unwrap_err(),
        KeyError::OtherAlgorithm {
            found: KeyShape::Rsa,
            algorithm: Algorithm::Es256
        }
    );
}

#[test]
fn rsa_private_key_with_inconsistent_numbers_is_refused() {
    let (private, _) = both_der(&key_for(Algorithm::Rs256));
    let numbers = structure::rsa_private_key(structure::pkcs8_key(&private).unwrap()).unwrap();
    for place in 3..9 {
        let mut elements = vec![der(INTEGER, &[&[0]])];
        for (index, number) in numbers.iter().enumerate().skip(1) {
            let mut number = [&[0; 1], *number].concat();
            if index == place {
                *number.last_mut().unwrap() ^= 2;
            }
            let number = number
                .strip_prefix(&[0])
                .filter(|n| n[0] < 0x80)
                .unwrap_or(&number);
            elements.push(der(INTEGER, &[number]));
        }
        let elements: Vec<_> = elements.iter().map(Vec::as_slice).collect();
        assert_eq!(
            SigningKey::from_der(Algorithm::Rs256, &der(SEQUENCE, &elements)).unwrap_err(),
            KeyError::Invalid,
            "{place}"
        );
    }
}

/// The content of a curve's OBJECT IDENTIFIER as an element.
fn named(curve: Curve) -> Vec<u8> {
    let identifier: &[u8] = match curve {
        Curve::P256 => b"\x2A\x86\x48\xCE\x3D\x03\x01\x07",
        Curve::P384 => b"\x2B\x81\x04\x00\x22",
        Curve::P521 => b"\x2B\x81\x04\x00\x23",
        Curve::Secp256k1 => b"\x2B\x81\x04\x00\x0A",
    };
    der(OBJECT_IDENTIFIER, &[identifier])
}

#[test]
fn sec1_keys_are_read_if_their_curve_is_the_algorithms() {
    let version = der(INTEGER, &[&[1]]);
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
        let algorithm = curve.algorithm();
        let key = key_for(algorithm);
        let (private, _) = both_der(&key);
        let inner = structure::pkcs8_key(&private).unwrap();
        let (scalar, _) = structure::sec1_parts(inner).unwrap();
        let scalar = der(OCTET_STRING, &[scalar]);
        let with = |curve| {
            der(
                SEQUENCE,
                &[&version, &scalar, &der(CONTEXT_0, &[&named(curve)])],
            )
        };
        let without = der(SEQUENCE, &[&version, &scalar]);

        for good in [inner, &with(curve), &without] {
            let read = SigningKey::from_der(algorithm, good).unwrap();
            assert!(verifies(&read, Ok(key.verifying_key())));
            let text = pem::encode(Label::EcPrivateKey, good);
            assert!(SigningKey::from_pem(algorithm, text.as_bytes()).is_ok());
        }
        let other = if curve == Curve::P256 {
            Curve::P384
        } else {
            Curve::P256
        };
        assert_eq!(
            SigningKey::from_der(algorithm, &with(other)).unwrap_err(),
            KeyError::OtherAlgorithm {
                found: KeyShape::Ec(other),
                algorithm
            }
        );
        // PKCS#8 that says one curve outside and another inside.
        let torn = pkcs8(
            b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01",
            &named(curve),
            &with(other),
        );
        assert_eq!(
            SigningKey::from_der(algorithm, &torn).unwrap_err(),
            KeyError::Der
        );
        assert_eq!(
            SigningKey::from_der(Algorithm::Rs256, &without).unwrap_err(),
            KeyError::OtherAlgorithm {
                found: KeyShape::EcUnknown,
                algorithm: Algorithm::Rs256
            }
        );
    }
}

#[test]
fn ec_private_key_with_a_foreign_public_half_is_refused() {
    let (private, _) = both_der(&key_for(Algorithm::Es256));
    let inner = structure::pkcs8_key(&private).unwrap();
    let (scalar, _) = structure::sec1_parts(inner).unwrap();
    let (_, foreign) = both_der(&key_for(Algorithm::Es256));
    let foreign = der(BIT_STRING, &[&[0], &inner_public(&foreign)]);
    let torn = der(
        SEQUENCE,
        &[
            &der(INTEGER, &[&[1]]),
            &der(OCTET_STRING, &[scalar]),
            &der(0xA1, &[&foreign]),
        ],
    );
    assert_eq!(
        SigningKey::from_der(Algorithm::Es256, &torn).unwrap_err(),
        KeyError::Invalid
    );
}

/// Signing with a foreign public key beside the seed gives the seed away: two signatures of one
/// message, under two public keys, tell the private scalar.
#[test]
fn ed25519_private_key_with_a_foreign_public_half_is_refused() {
    let (private, own) = both_der(&key_for(Algorithm::EdDsa));
    let seed = structure::pkcs8_key(&private).unwrap();
    let (_, foreign) = both_der(&key_for(Algorithm::EdDsa));
    let with_public = |spki: &[u8]| {
        der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[b"\x2B\x65\x70"])]),
                &der(OCTET_STRING, &[seed]),
                &der(0x81, &[&[0], &inner_public(spki)]),
            ],
        )
    };
    assert!(SigningKey::from_der(Algorithm::EdDsa, &with_public(&own)).is_ok());
    assert_eq!(
        SigningKey::from_der(Algorithm::EdDsa, &with_public(&foreign)).unwrap_err(),
        KeyError::Invalid
    );
}

#[test]
fn public_key_of_a_certificate_is_read() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::Ed25519] {
        let key = key_for(algorithm);
        let (_, public) = both_der(&key);
        for with_version in [true, false] {
            let certificate = certificate(&public, with_version);
            let text = pem::encode(Label::Certificate, &certificate);
            assert!(verifies(
                &key,
                VerifyingKey::from_pem(algorithm, text.as_bytes())
            ));
            assert!(verifies(
                &key,
                VerifyingKey::from_der(algorithm, &certificate)
            ));
            assert_eq!(
                SigningKey::from_der(algorithm, &certificate).unwrap_err(),
                KeyError::Public
            );
        }
        // What the label says must be what is there.
        let text = pem::encode(Label::PublicKey, &certificate(&public, true));
        assert_eq!(
            VerifyingKey::from_pem(algorithm, text.as_bytes()).unwrap_err(),
            KeyError::Der
        );
    }
}

#[test]
fn compressed_point_is_the_same_key() {
    let key = key_for(Algorithm::Es256);
    let (_, public) = both_der(&key);
    let point = inner_public(&public);
    let sign = 2 + (point[64] & 1);
    let compressed = [&[sign], &point[1..33]].concat();
    let identifier = b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01";
    let with = |point: &[u8]| {
        VerifyingKey::from_der(
            Algorithm::Es256,
            &spki(identifier, &named(Curve::P256), point),
        )
    };
    let read = with(&compressed).unwrap();
    assert_eq!(read.to_pem(), key.verifying_key().to_pem());
    assert_eq!(read.thumbprint(), key.verifying_key().thumbprint());

    let mut off_curve = point.clone();
    off_curve[64] ^= 1;
    let hybrid = [&[4 + sign], &point[1..]].concat();
    for bad in [
        &off_curve[..],
        &hybrid,
        &[0],
        &[],
        &point[..64],
        &point[1..],
    ] {
        assert_eq!(with(bad).unwrap_err(), KeyError::Invalid, "{bad:?}");
    }
}

/// `RSASSA-PSS-params` for SHA-256 (`hash` 1) and its kin.
fn pss_parameters(hash: u8, mask_hash: u8, salt: u8) -> Vec<u8> {
    let sha = |n: u8| {
        let identifier = [b"\x60\x86\x48\x01\x65\x03\x04\x02", &[n][..]].concat();
        der(
            SEQUENCE,
            &[&der(OBJECT_IDENTIFIER, &[&identifier]), NULL_ELEMENT],
        )
    };
    let mask = der(
        SEQUENCE,
        &[
            &der(
                OBJECT_IDENTIFIER,
                &[b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x08"],
            ),
            &sha(mask_hash),
        ],
    );
    der(
        SEQUENCE,
        &[
            &der(0xA0, &[&sha(hash)]),
            &der(0xA1, &[&mask]),
            &der(0xA2, &[&der(INTEGER, &[&[salt]])]),
        ],
    )
}

#[test]
fn rsassa_pss_keys_are_for_ps_with_their_own_parameters() {
    let plain = key_for(Algorithm::Ps256);
    let (private, public) = both_der(&plain);
    let private = structure::pkcs8_key(&private).unwrap();
    let public = inner_public(&public);
    for (algorithm, hash, salt) in [
        (Algorithm::Ps256, 1, 32),
        (Algorithm::Ps384, 2, 48),
        (Algorithm::Ps512, 3, 64),
    ] {
        let right = pss_parameters(hash, hash, salt);
        for parameters in [&right[..], &[]] {
            let signing = pkcs8(RSA_PSS, parameters, private);
            let signing = SigningKey::from_der(algorithm, &signing).unwrap();
            let verifying = spki(RSA_PSS, parameters, &public);
            assert!(verifies(
                &signing,
                VerifyingKey::from_der(algorithm, &verifying)
            ));
        }
        for wrong in [
            pss_parameters(hash % 3 + 1, hash, salt),
            pss_parameters(hash, hash % 3 + 1, salt),
            pss_parameters(hash, hash, 20),
            der(SEQUENCE, &[]),
            NULL_ELEMENT.to_vec(),
        ] {
            let error = KeyError::OtherPssParameters(algorithm);
            let signing = pkcs8(RSA_PSS, &wrong, private);
            assert_eq!(
                SigningKey::from_der(algorithm, &signing).unwrap_err(),
                error
            );
            let verifying = spki(RSA_PSS, &wrong, &public);
            assert_eq!(
                VerifyingKey::from_der(algorithm, &verifying).unwrap_err(),
                error
            );
        }
    }
    assert_eq!(
        VerifyingKey::from_der(Algorithm::Rs256, &spki(RSA_PSS, &[], &public)).unwrap_err(),
        KeyError::OtherAlgorithm {
            found: KeyShape::RsaPss,
            algorithm: Algorithm::Rs256
        }
    );
}

/// A public RSA key of these numbers, as DER and as JWK.
fn rsa_both_ways(n: &[u8], e: &[u8]) -> KeyError {
    let number = |bytes: &[u8]| match bytes {
        [0x80..=0xFF, ..] => der(INTEGER, &[&[0], bytes]),
        _ => der(INTEGER, &[bytes]),
    };
    let key = spki(RSA, NULL_ELEMENT, &der(SEQUENCE, &[&number(n), &number(e)]));
    let from_der = VerifyingKey::from_der(Algorithm::Rs256, &key).unwrap_err();
    let encode = crate::testing::encode;
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, encode(n), encode(e));
    let jwk = Jwk::from_json(jwk.as_bytes()).unwrap();
    let from_jwk = VerifyingKey::from_jwk(&jwk, Algorithm::Rs256).unwrap_err();
    assert_eq!(from_der, from_jwk);
    from_der
}

#[test]
fn rsa_modulus_has_2048_to_8192_bits() {
    let exponent = [1, 0, 1];
    for (length, first, bits) in [
        (64, 0xFF, 512),
        (128, 0xFF, 1024),
        (256, 0x7F, 2047),
        (1025, 0x01, 8193),
        (2048, 0xFF, 16384),
    ] {
        let mut modulus = vec![0xFF; length];
        modulus[0] = first;
        assert_eq!(
            rsa_both_ways(&modulus, &exponent),
            KeyError::RsaSize { bits }
        );
    }
}

#[test]
fn rsa_numbers_that_cannot_be_right_are_refused() {
    let mut modulus = vec![0xC3; 256];
    for exponent in [&[1][..], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1], &[0x7F; 256]] {
        assert_eq!(rsa_both_ways(&modulus, exponent), KeyError::RsaNumbers);
    }
    modulus[255] = 0xC2;
    assert_eq!(rsa_both_ways(&modulus, &[1, 0, 1]), KeyError::RsaNumbers);
}

#[test]
fn small_private_rsa_key_is_refused_by_its_size() {
    let two = der(INTEGER, &[&[0x02]]);
    let modulus = der(INTEGER, &[&[0x71; 128]]);
    let zero = der(INTEGER, &[&[0]]);
    let key = der(
        SEQUENCE,
        &[&zero, &modulus, &two, &two, &two, &two, &two, &two, &two],
    );
    for der in [key.clone(), pkcs8(RSA, NULL_ELEMENT, &key)] {
        assert_eq!(
            SigningKey::from_der(Algorithm::Rs256, &der).unwrap_err(),
            KeyError::RsaSize { bits: 1023 }
        );
    }
}

#[test]
fn keys_of_other_kinds_are_named() {
    let ec = b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01";
    let brainpool = b"\x06\x09\x2B\x24\x03\x03\x02\x08\x01\x01\x07";
    for (identifier, parameters, found) in [
        (&b"\x06\x03\x2B\x65\x71"[..], &b""[..], KeyShape::Ed448),
        (b"\x06\x03\x2B\x65\x6E", b"", KeyShape::Agreement),
        (b"\x06\x07\x2A\x86\x48\xCE\x38\x04\x01", b"", KeyShape::Dsa),
        (ec, brainpool, KeyShape::EcUnknown),
        (ec, b"\x30\x00", KeyShape::EcUnknown),
        (b"\x06\x03\x2B\x65\x00", b"", KeyShape::Unknown),
    ] {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let error = KeyError::OtherAlgorithm { found, algorithm };
            let public = spki(identifier, parameters, &[7; 32]);
            assert_eq!(
                VerifyingKey::from_der(algorithm, &public).unwrap_err(),
                error
            );
            let private = pkcs8(identifier, parameters, &[7; 32]);
            assert_eq!(
                SigningKey::from_der(algorithm, &private).unwrap_err(),
                error
            );
        }
    }
    let encrypted = der(
        SEQUENCE,
        &[&der(SEQUENCE, &[]), &der(OCTET_STRING, &[b"x"])],
    );
    assert_eq!(
        SigningKey::from_der(Algorithm::Es256, &encrypted).unwrap_err(),
        KeyError::Encrypted
    );
}

#[test]
fn bytes_after_or_within_a_structure_are_refused() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let (private, public) = both_der(&key_for(algorithm));
        let longer = |der: &[u8]| [der, &[0]].concat();
        assert_eq!(
            SigningKey::from_der(algorithm, &longer(&private)).unwrap_err(),
            KeyError::Der
        );
        assert_eq!(
            VerifyingKey::from_der(algorithm, &longer(&public)).unwrap_err(),
            KeyError::Der
        );
    }
    let (_, public) = both_der(&key_for(Algorithm::Rs256));
    let key = inner_public(&public);
    for bad in [
        spki(RSA, &[], &key),
        spki(RSA, &[NULL, 1, 0], &key),
        spki(b"\x06\x03\x2B\x65\x70", NULL_ELEMENT, &[7; 32]),
    ] {
        for algorithm in [Algorithm::Rs256, Algorithm::EdDsa] {
            assert_eq!(
                VerifyingKey::from_der(algorithm, &bad).unwrap_err(),
                KeyError::Der
            );
        }
    }
    for length in [0, 31, 33, 57] {
        let key = spki(b"\x06\x03\x2B\x65\x70", &[], &vec![7; length]);
        assert_eq!(
            VerifyingKey::from_der(Algorithm::EdDsa, &key).unwrap_err(),
            KeyError::Invalid
        );
    }
}

proptest! {
    /// Damaged keys reach the crypto library; nothing may break there either.
    #[test]
    fn no_damage_makes_it_panic(
        algorithm in proptest::sample::select(vec![
            Algorithm::Rs256, Algorithm::Es256, Algorithm::Es512, Algorithm::EdDsa,
        ]),
        place: proptest::sample::Index,
        byte: u8,
    ) {
        let (mut private, mut public) = both_der(&key_for(algorithm));
        let length = private.len();
        private[place.index(length)] = byte;
        let length = public.len();
        public[place.index(length)] = byte;
        let certificate = certificate(&public, true);
        for der in [&private, &public, &certificate] {
            for wanted in Algorithm::ALL {
                if let Ok(key) = SigningKey::from_der(*wanted, der) {
                    let _ = key.danger_to_jwk();
                    let _ = key.signature(b"message");
                }
                if let Ok(key) = VerifyingKey::from_der(*wanted, der) {
                    let _ = (key.to_pem(), key.thumbprint());
                    let _ = key.check_signature(b"message", &[7; 64]);
                }
            }
        }
    }
}
