//! The public half of a key pair, taken apart into the parameters that a JWK shows. Whatever a key
//! came as (JWK, PEM, DER, or beside its private half), it passes through [`PublicKey::new`], so
//! that all are held to the same bounds.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};

use super::{Curve, KeyError, KeyShape, LARGEST_RSA_BITS, SMALLEST_RSA_BITS};
use crate::Algorithm;
use crate::der::structure::{self, PublicDer};

/// What a public key consists of. Each is public: printing it gives nothing away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicParameters {
    /// Big-endian, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    /// A point as SEC 1 encodes it. Uncompressed (`04 x y`) in every [`PublicKey`] and JWK.
    Ec { curve: Curve, point: Box<[u8]> },
    /// 32 bytes (RFC 8032 section 5.1.5).
    Ed25519(Box<[u8]>),
    /// As FIPS 204 encodes it, for this parameter set.
    MlDsa { set: u8, key: Box<[u8]> },
}

/// A public key, parsed once, so that verifying does no parsing.
pub(crate) struct PublicKey {
    pub(crate) parameters: PublicParameters,
    pub(crate) parsed: ParsedPublicKey,
    /// Bytes of each of its signatures.
    pub(crate) signature_length: usize,
}

impl PublicParameters {
    pub(crate) const fn shape(&self) -> KeyShape {
        match self {
            Self::Rsa { .. } => KeyShape::Rsa,
            Self::Ec { curve, .. } => KeyShape::Ec(*curve),
            Self::Ed25519(_) => KeyShape::Ed25519,
            Self::MlDsa { set, .. } => KeyShape::MlDsa(*set),
        }
    }

    /// From what a structure held, if it is for the algorithm.
    pub(crate) fn from_der(algorithm: Algorithm, der: PublicDer<'_>) -> Result<Self, KeyError> {
        match der {
            PublicDer::Rsa { n, e } => {
                suits(KeyShape::Rsa, algorithm)?;
                Ok(Self::rsa(n, e))
            }
            PublicDer::RsaPss { n, e, parameters } => {
                suits(KeyShape::RsaPss, algorithm)?;
                check_pss_parameters(algorithm, parameters)?;
                Ok(Self::rsa(n, e))
            }
            PublicDer::Ec { curve, point } => {
                suits(KeyShape::Ec(curve), algorithm)?;
                Ok(Self::Ec {
                    curve,
                    point: point.into(),
                })
            }
            PublicDer::Raw { shape, bytes } => {
                suits(shape, algorithm)?;
                match shape {
                    KeyShape::Ed25519 => Ok(Self::Ed25519(bytes.into())),
                    KeyShape::MlDsa(set) => Ok(Self::MlDsa {
                        set,
                        key: bytes.into(),
                    }),
                    _ => Err(KeyError::Der),
                }
            }
        }
    }

    fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::Rsa {
            n: n.into(),
            e: e.into(),
        }
    }
}

/// Refuses a key of another shape than the algorithm takes.
pub(crate) fn suits(found: KeyShape, algorithm: Algorithm) -> Result<(), KeyError> {
    if found.suits(algorithm) {
        Ok(())
    } else {
        Err(KeyError::OtherAlgorithm { found, algorithm })
    }
}

/// An RSASSA-PSS key without parameters is free; one with parameters must have exactly those of
/// the algorithm: its hash, MGF1 with the same, a salt as long as the hash.
pub(crate) fn check_pss_parameters(
    algorithm: Algorithm,
    parameters: Option<&[u8]>,
) -> Result<(), KeyError> {
    // The last byte of the hash's identifier (2.16.840.1.101.3.4.2.n), and the salt's length.
    let (hash, salt) = match algorithm {
        Algorithm::Ps384 => (2, 48),
        Algorithm::Ps512 => (3, 64),
        _ => (1, 32),
    };
    // RSASSA-PSS-params as RFC 4055 section 3.1 defines it and OpenSSL writes it.
    let mut wanted = *b"\x30\x34\
        \xA0\x0F\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\0\x05\x00\
        \xA1\x1C\x30\x1A\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x08\
        \x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\0\x05\x00\
        \xA2\x03\x02\x01\0";
    for (place, byte) in [(16, hash), (46, hash), (53, salt)] {
        if let Some(found) = wanted.get_mut(place) {
            *found = byte;
        }
    }
    match parameters {
        None => Ok(()),
        Some(found) if found == wanted => Ok(()),
        Some(_) => Err(KeyError::OtherPssParameters(algorithm)),
    }
}

impl PublicKey {
    /// Checks the parameters and parses them for the algorithm.
    pub(crate) fn new(
        algorithm: Algorithm,
        parameters: PublicParameters,
    ) -> Result<Self, KeyError> {
        suits(parameters.shape(), algorithm)?;
        match parameters {
            PublicParameters::Rsa { n, e } => {
                check_rsa(&n, &e)?;
                let signature_length = n.len();
                // By way of DER, because that is where the library checks the key as a whole.
                let der = RsaPublicKeyComponents { n: &n, e: &e }
                    .as_der()
                    .map_err(|_| KeyError::Invalid)?;
                let parsed = ParsedPublicKey::new(rsa_verification(algorithm)?, der.as_ref())
                    .map_err(|_| KeyError::Invalid)?;
                Ok(Self {
                    parameters: PublicParameters::Rsa { n, e },
                    parsed,
                    signature_length,
                })
            }
            PublicParameters::Ec { curve, point } => {
                let parsed = ParsedPublicKey::new(ec_verification(curve), &point)
                    .map_err(|_| KeyError::Invalid)?;
                let point = uncompressed(curve, point, &parsed)?;
                Ok(Self {
                    parameters: PublicParameters::Ec { curve, point },
                    parsed,
                    signature_length: 2 * curve.width(),
                })
            }
            PublicParameters::Ed25519(key) => {
                if key.len() != signature::ED25519_PUBLIC_KEY_LEN || has_small_order(&key) {
                    return Err(KeyError::Invalid);
                }
                let parsed = ParsedPublicKey::new(&signature::ED25519, &key)
                    .map_err(|_| KeyError::Invalid)?;
                Ok(Self {
                    parameters: PublicParameters::Ed25519(key),
                    parsed,
                    signature_length: 64,
                })
            }
            PublicParameters::MlDsa { set, key } => Self::ml_dsa(algorithm, set, key),
        }
    }

    #[cfg(feature = "ml-dsa")]
    fn ml_dsa(algorithm: Algorithm, set: u8, key: Box<[u8]>) -> Result<Self, KeyError> {
        let (verification, signing) = match algorithm {
            Algorithm::MlDsa44 => (&signature::ML_DSA_44, &signature::ML_DSA_44_SIGNING),
            Algorithm::MlDsa65 => (&signature::ML_DSA_65, &signature::ML_DSA_65_SIGNING),
            _ => (&signature::ML_DSA_87, &signature::ML_DSA_87_SIGNING),
        };
        // The library would take a SubjectPublicKeyInfo here as well.
        if key.len() != signing.public_key_len() {
            return Err(KeyError::Invalid);
        }
        let parsed = ParsedPublicKey::new(verification, &key).map_err(|_| KeyError::Invalid)?;
        Ok(Self {
            parameters: PublicParameters::MlDsa { set, key },
            parsed,
            signature_length: signing.signature_len(),
        })
    }

    #[cfg(not(feature = "ml-dsa"))]
    fn ml_dsa(algorithm: Algorithm, set: u8, _: Box<[u8]>) -> Result<Self, KeyError> {
        let found = KeyShape::MlDsa(set);
        Err(KeyError::OtherAlgorithm { found, algorithm })
    }

    /// The SubjectPublicKeyInfo.
    pub(crate) fn to_der(&self) -> Option<impl AsRef<[u8]> + use<>> {
        self.parsed.as_der().ok().map(|der| der.as_ref().to_vec())
    }
}

/// Whether an Ed25519 key is one of the eight points of small order, under which anybody can sign,
/// in any encoding, also those with a coordinate that is not reduced. The library does not ask.
fn has_small_order(key: &[u8]) -> bool {
    /// `y` of the points of order 8, little-endian; of the others it is 0, 1 and -1.
    const OF_ORDER_8: [&[u8]; 2] = [
        b"\x26\xE8\x95\x8F\xC2\xB2\x27\xB0\x45\xC3\xF4\x89\xF2\xEF\x98\xF0\
          \xD5\xDF\xAC\x05\xD3\xC6\x33\x39\xB1\x38\x02\x88\x6D\x53\xFC\x05",
        b"\xC7\x17\x6A\x70\x3D\x4D\xD8\x4F\xBA\x3C\x0B\x76\x0D\x10\x67\x0F\
          \x2A\x20\x53\xFA\x2C\x39\xCC\xC6\x4E\xC7\xFD\x77\x92\xAC\x03\x7A",
    ];
    let [first, middle @ .., last] = key else {
        return true;
    };
    // The highest bit is the sign of the other coordinate.
    match (first, last & 0x7F) {
        (0 | 1, 0) => middle.iter().all(|byte| *byte == 0),
        // -1, 0 and 1, of which the last two are not reduced: p - 1, p, p + 1.
        (0xEC..=0xEE, 0x7F) => middle.iter().all(|byte| *byte == 0xFF),
        (_, last) => OF_ORDER_8.iter().any(|y| {
            let [y_first, y_middle @ .., y_last] = y else {
                return false;
            };
            (first, middle, last) == (y_first, y_middle, *y_last)
        }),
    }
}

/// Sizes and oddness. The exponent may have 33 bits at most, which is the library's bound too: a
/// larger one only makes verifying slow.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    check_rsa_size(n)?;
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if odd(n) && odd(e) && (2..=33).contains(&bit_length(e)) {
        Ok(())
    } else {
        Err(KeyError::RsaNumbers)
    }
}

/// 2048 to 8192 bits.
pub(crate) fn check_rsa_size(n: &[u8]) -> Result<(), KeyError> {
    let bits = bit_length(n);
    if (SMALLEST_RSA_BITS..=LARGEST_RSA_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(KeyError::RsaSize { bits })
    }
}

/// Bits of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> usize {
    number.first().map_or(0, |first| {
        let unused = usize::try_from(first.leading_zeros()).unwrap_or_default();
        (number.len() * 8).saturating_sub(unused)
    })
}

/// The point with both coordinates; asks the library if it came compressed.
fn uncompressed(
    curve: Curve,
    point: Box<[u8]>,
    parsed: &ParsedPublicKey,
) -> Result<Box<[u8]>, KeyError> {
    match point.first() {
        Some(4) if point.len() == 1 + 2 * curve.width() => Ok(point),
        Some(2 | 3) => {
            let der = parsed.as_der().map_err(|_| KeyError::Failed)?;
            match structure::subject_public_key(der.as_ref()) {
                Ok(PublicDer::Ec { point, .. }) if point.first() == Some(&4) => Ok(point.into()),
                _ => Err(KeyError::Failed),
            }
        }
        _ => Err(KeyError::Invalid),
    }
}

fn rsa_verification(algorithm: Algorithm) -> Result<&'static RsaParameters, KeyError> {
    match algorithm {
        Algorithm::Rs256 => Ok(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Ok(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Ok(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Ok(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Ok(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Ok(&signature::RSA_PSS_2048_8192_SHA512),
        _ => Err(KeyError::OtherAlgorithm {
            found: KeyShape::Rsa,
            algorithm,
        }),
    }
}

const fn ec_verification(curve: Curve) -> &'static signature::EcdsaVerificationAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED,
    }
}
