//! Key pairs of every algorithm: what they sign, what forms they survive, and what is refused.

use std::sync::OnceLock;

use super::{Curve, KeyError, KeyShape, SigningKey, VerifyingKey};
use crate::{Algorithm, Jwk, JwkFault, KeyId, KeyType, PemFault, Refusal};

const MESSAGE: &[u8] = b"header.payload";

/// A key of the algorithm. RSA keys take long to make, so all of them share one.
pub(crate) fn key_for(algorithm: Algorithm) -> SigningKey {
    if algorithm.key_type() != KeyType::Rsa {
        return SigningKey::generate(algorithm).unwrap();
    }
    static RSA: OnceLock<String> = OnceLock::new();
    let pem = RSA.get_or_init(|| {
        let key = SigningKey::generate(Algorithm::Rs256).unwrap();
        key.danger_to_pem().unwrap().to_string()
    });
    SigningKey::from_pem(algorithm, pem.as_bytes()).unwrap()
}

fn pairs() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL
        .iter()
        .copied()
        .filter(|algorithm| !algorithm.is_symmetric())
}

/// Signs with the one, checks with the other.
fn belong_together(signing: &SigningKey, verifying: &VerifyingKey) -> bool {
    let signature = signing.signature(MESSAGE).unwrap();
    verifying
        .check_signature(MESSAGE, signature.as_ref())
        .is_ok()
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = key_for(algorithm);
        assert_eq!(key.algorithm(), algorithm);
        let signature = key.signature(MESSAGE).unwrap();
        let signature = signature.as_ref();
        assert_eq!(signature.len(), key.signature_length(), "{algorithm}");
        let verifying = key.verifying_key();
        assert_eq!(verifying.algorithm(), algorithm);
        assert_eq!(verifying.check_signature(MESSAGE, signature), Ok(()));
        let refusal = Err(Refusal::Signature);
        assert_eq!(verifying.check_signature(b"other", signature), refusal);
        for place in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.to_vec();
            changed[place] ^= 1;
            assert_eq!(verifying.check_signature(MESSAGE, &changed), refusal);
        }
    }
}

#[test]
fn signature_of_another_length_is_refused() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = key_for(algorithm);
        let signature = key.signature(MESSAGE).unwrap();
        let signature = signature.as_ref();
        let verifying = key.verifying_key();
        let longer = [signature, &[0]].concat();
        let in_front = [&[0], signature].concat();
        for wrong in [&[][..], &signature[1..], &longer, &in_front] {
            assert_eq!(
                verifying.check_signature(MESSAGE, wrong),
                Err(Refusal::Signature),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn ecdsa_signature_with_a_zero_half_is_refused() {
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
        let key = key_for(curve.algorithm());
        let good = key.signature(MESSAGE).unwrap().as_ref().to_vec();
        let width = curve.width();
        let zero = vec![0; width];
        let (r, s) = good.split_at(width);
        for forged in [
            [zero.as_slice(), &zero].concat(),
            [zero.as_slice(), s].concat(),
            [r, &zero].concat(),
            vec![0xFF; 2 * width],
        ] {
            assert_eq!(
                key.verifying_key().check_signature(MESSAGE, &forged),
                Err(Refusal::Signature)
            );
        }
    }
}

/// Not a wish but a fact to know: for ES algorithms (r, n - s) is as right as (r, s), and most
/// issuers write either. Whoever knows tokens by their text must not take two texts for two tokens.
#[test]
fn ecdsa_signature_has_two_right_spellings() {
    const ORDER: &[u8; 32] = b"\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\
        \xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
    let key = key_for(Algorithm::Es256);
    let mut signature = key.signature(MESSAGE).unwrap().as_ref().to_vec();
    let mut borrow = false;
    for (digit, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let (difference, first) = order.overflowing_sub(*digit);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (difference, first || second);
    }
    assert_eq!(
        key.verifying_key().check_signature(MESSAGE, &signature),
        Ok(())
    );
}

#[test]
fn another_key_of_the_same_algorithm_does_not_verify() {
    for algorithm in Algorithm::ALL.iter().copied() {
        if algorithm.key_type() != KeyType::Rsa {
            assert!(!belong_together(
                &key_for(algorithm),
                &key_for(algorithm).verifying_key()
            ));
        }
    }
}

#[test]
fn rsa_paddings_are_not_mixed_up() {
    let signature = key_for(Algorithm::Rs256).signature(MESSAGE).unwrap();
    for other in [
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ] {
        let key = key_for(other).verifying_key();
        assert_eq!(
            key.check_signature(MESSAGE, signature.as_ref()),
            Err(Refusal::Signature),
            "{other}"
        );
    }
}

#[test]
fn both_names_of_ed25519_are_one_algorithm() {
    let key = key_for(Algorithm::EdDsa);
    let pem = key.verifying_key().to_pem().unwrap();
    let verifying = VerifyingKey::from_pem(Algorithm::Ed25519, pem.as_bytes()).unwrap();
    assert!(belong_together(&key, &verifying));
}

#[test]
fn key_pairs_survive_pem_der_and_jwk() {
    for algorithm in pairs() {
        let key = key_for(algorithm).with_key_id(KeyId::new("a \"key\"").unwrap());
        let verifying = key.verifying_key();
        let thumbprint = verifying.thumbprint().unwrap();

        let pem = key.danger_to_pem().unwrap();
        assert!(
            pem.starts_with("-----BEGIN PRIVATE KEY-----\n"),
            "{algorithm}"
        );
        let from_pem = SigningKey::from_pem(algorithm, pem.as_bytes()).unwrap();
        assert!(belong_together(&from_pem, &verifying), "{algorithm}");
        assert_eq!(from_pem.key_id(), None);
        assert_eq!(*from_pem.danger_to_pem().unwrap(), *pem, "{algorithm}");

        let public_pem = verifying.to_pem().unwrap();
        let from_pem = VerifyingKey::from_pem(algorithm, public_pem.as_bytes()).unwrap();
        assert!(belong_together(&key, &from_pem), "{algorithm}");
        assert_eq!(from_pem.to_pem().unwrap(), public_pem);
        assert_eq!(from_pem.thumbprint().unwrap(), thumbprint);

        for (pem, private) in [(pem.as_bytes(), true), (public_pem.as_bytes(), false)] {
            let der = crate::pem::Block::read(pem).unwrap().der;
            assert_eq!(SigningKey::from_der(algorithm, &der).is_ok(), private);
            assert_eq!(VerifyingKey::from_der(algorithm, &der).is_ok(), !private);
        }

        let jwk = Jwk::from_json(key.danger_to_jwk().unwrap().as_bytes()).unwrap();
        assert!(jwk.is_private());
        assert_eq!(jwk.algorithm(), Some(algorithm));
        let from_jwk = SigningKey::from_jwk(&jwk, algorithm).unwrap();
        assert!(belong_together(&from_jwk, &verifying), "{algorithm}");
        assert_eq!(from_jwk.key_id(), key.key_id());
        assert_eq!(jwk.thumbprint().unwrap(), thumbprint);

        let public = verifying.to_jwk().unwrap();
        assert_eq!(public.to_json(), jwk.to_json());
        let public = Jwk::from_json(public.to_json().as_bytes()).unwrap();
        assert!(!public.is_private());
        let from_jwk = VerifyingKey::from_jwk(&public, algorithm).unwrap();
        assert!(belong_together(&key, &from_jwk), "{algorithm}");
        assert_eq!(
            SigningKey::from_jwk(&public, algorithm).unwrap_err(),
            KeyError::Public
        );
    }
}

#[test]
fn secrets_have_no_forms() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let key = key_for(algorithm);
        let none = KeyError::NotForKeyPairs(algorithm);
        assert_eq!(key.danger_to_pem().unwrap_err(), none);
        assert_eq!(key.danger_to_jwk().unwrap_err(), none);
        assert!(key.verifying_key().to_jwk().is_none());
        assert!(key.verifying_key().to_pem().is_none());
        assert!(key.verifying_key().thumbprint().is_none());
        assert_eq!(SigningKey::from_pem(algorithm, b"").unwrap_err(), none);
        assert_eq!(VerifyingKey::from_der(algorithm, b"").unwrap_err(), none);
    }
}

#[test]
fn secret_is_as_long_as_the_hash() {
    for (algorithm, shortest) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        let secret = vec![b'x'; shortest];
        let key = SigningKey::hmac(algorithm, &secret).unwrap();
        let verifying = VerifyingKey::hmac(algorithm, &secret).unwrap();
        assert!(belong_together(&key, &verifying));
        let bytes = shortest - 1;
        let error = KeyError::TooShort { bytes, shortest };
        assert_eq!(
            SigningKey::hmac(algorithm, &secret[1..]).unwrap_err(),
            error
        );
        assert_eq!(
            VerifyingKey::hmac(algorithm, &secret[1..]).unwrap_err(),
            error
        );
        assert!(SigningKey::danger_hmac_short(algorithm, b"x").is_ok());
        assert!(VerifyingKey::danger_hmac_short(algorithm, b"x").is_ok());
        assert_eq!(
            SigningKey::danger_hmac_short(algorithm, b"").unwrap_err(),
            KeyError::Empty
        );
    }
}

#[test]
fn key_pair_algorithms_take_no_secret() {
    for algorithm in pairs() {
        let secret = [7; 64];
        let error = KeyError::NotForSecrets(algorithm);
        assert_eq!(SigningKey::hmac(algorithm, &secret).unwrap_err(), error);
        assert_eq!(
            VerifyingKey::danger_hmac_short(algorithm, &secret).unwrap_err(),
            error
        );
    }
}

#[test]
fn key_of_another_algorithm_is_refused() {
    for algorithm in pairs() {
        let key = key_for(algorithm);
        let pem = key.danger_to_pem().unwrap();
        let public = key.verifying_key().to_pem().unwrap();
        for other in pairs() {
            let same_family = algorithm.key_type() == other.key_type()
                && matches!(algorithm.key_type(), KeyType::Rsa | KeyType::Okp);
            if other == algorithm || same_family {
                continue;
            }
            for error in [
                SigningKey::from_pem(other, pem.as_bytes()).unwrap_err(),
                VerifyingKey::from_pem(other, public.as_bytes()).unwrap_err(),
            ] {
                assert!(
                    matches!(error, KeyError::OtherAlgorithm { algorithm, .. } if algorithm == other),
                    "{algorithm} as {other}: {error:?}"
                );
            }
            let jwk = key.verifying_key().to_jwk().unwrap();
            assert!(VerifyingKey::from_jwk(&jwk, other).is_err());
        }
    }
}

#[test]
fn private_and_public_halves_are_not_confused() {
    for algorithm in pairs() {
        let key = key_for(algorithm);
        let pem = key.danger_to_pem().unwrap();
        let public = key.verifying_key().to_pem().unwrap();
        assert_eq!(
            VerifyingKey::from_pem(algorithm, pem.as_bytes()).unwrap_err(),
            KeyError::Private
        );
        assert_eq!(
            SigningKey::from_pem(algorithm, public.as_bytes()).unwrap_err(),
            KeyError::Public
        );
    }
}

#[test]
fn jwk_for_another_algorithm_is_refused() {
    let jwk = key_for(Algorithm::Rs256).verifying_key().to_jwk().unwrap();
    assert_eq!(
        VerifyingKey::from_jwk(&jwk, Algorithm::Ps256).unwrap_err(),
        KeyError::OtherNamedAlgorithm {
            named: Algorithm::Rs256,
            wanted: Algorithm::Ps256
        }
    );
    assert_eq!(
        VerifyingKey::from_jwk(&jwk, Algorithm::Es256).unwrap_err(),
        KeyError::OtherAlgorithm {
            found: KeyShape::Rsa,
            algorithm: Algorithm::Es256
        }
    );
}

#[test]
fn errors_tell_their_sources() {
    let error = SigningKey::from_pem(Algorithm::Es256, b"/etc/key.pem").unwrap_err();
    assert_eq!(error, KeyError::Pem(PemFault::NoBlock));
    let error = Jwk::from_json(b"{}").unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkFault::Missing("kty")));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "member `kty` is missing");
}

#[test]
fn keys_print_no_private_bytes() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = key_for(algorithm).with_key_id(KeyId::new("k\n1").unwrap());
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey({algorithm}, kid k\\n1, [secret])")
        );
        let secret = if algorithm.is_symmetric() {
            ", [secret]"
        } else {
            ""
        };
        assert_eq!(
            format!("{:?}", key.verifying_key()),
            format!("VerifyingKey({algorithm}, kid k\\n1{secret})")
        );
        if let Ok(jwk) = key.danger_to_jwk() {
            let jwk = Jwk::from_json(jwk.as_bytes()).unwrap();
            assert_eq!(
                format!("{jwk:?}"),
                format!("Jwk({}, {algorithm}, kid k\\n1, [secret])", jwk.key_type())
            );
        }
    }
}
