//! Tells the structures of key files apart: SubjectPublicKeyInfo (RFC 5280 section 4.1), PKCS#1
//! (RFC 8017 appendix A.1), PKCS#8 (RFC 5958), SEC 1 (RFC 5915), X.509 certificates. Of a
//! certificate only the public key is taken; its signature, dates, names and extensions are not
//! judged.

use super::{
    BIT_STRING, CONTEXT_0, INTEGER, NULL, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
};
use crate::key::{Curve, KeyShape};

/// A public key as some structure held it.
#[derive(Clone, Copy)]
pub(crate) enum PublicDer<'d> {
    /// Modulus and exponent, unsigned, without leading zeros.
    Rsa { n: &'d [u8], e: &'d [u8] },
    /// The same under the identifier of RSASSA-PSS, with the parameters it was restricted to.
    RsaPss {
        n: &'d [u8],
        e: &'d [u8],
        parameters: Option<&'d [u8]>,
    },
    /// A point as SEC 1 encodes it.
    Ec { curve: Curve, point: &'d [u8] },
    /// The bytes of the key, for a shape that has no further structure.
    Raw { shape: KeyShape, bytes: &'d [u8] },
}

/// A private key as some structure held it.
#[derive(Clone, Copy)]
pub(crate) enum PrivateDer<'d> {
    /// An RSAPrivateKey (RFC 8017).
    Rsa { key: &'d [u8] },
    /// The same, from a PKCS#8 structure with the identifier of RSASSA-PSS.
    RsaPss {
        key: &'d [u8],
        parameters: Option<&'d [u8]>,
    },
    /// An ECPrivateKey (RFC 5915); the curve, if the structure names one.
    Ec { key: &'d [u8], curve: Option<Curve> },
    /// A whole PKCS#8 structure of a shape that has no other.
    Pkcs8 { shape: KeyShape, whole: &'d [u8] },
}

/// Which structure some DER is, by its first elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Structure {
    SubjectPublicKeyInfo,
    Pkcs1Public,
    Certificate,
    Pkcs8,
    Pkcs8Encrypted,
    Pkcs1Private,
    Sec1,
}

impl Structure {
    /// What `der` seems to be. Says nothing of what comes after the first elements.
    pub(crate) fn recognize(der: &[u8]) -> Option<Self> {
        let mut body = Reader::new(Reader::only(SEQUENCE, der).ok()?);
        if body.next_tag() == Some(SEQUENCE) {
            body.take(SEQUENCE).ok()?;
            return match body.next_tag()? {
                BIT_STRING => Some(Self::SubjectPublicKeyInfo),
                OCTET_STRING => Some(Self::Pkcs8Encrypted),
                SEQUENCE => Some(Self::Certificate),
                _ => None,
            };
        }
        let first = body.take_unsigned().ok()?;
        match (first, body.next_tag()?) {
            ([] | [1], SEQUENCE) => Some(Self::Pkcs8),
            ([1], OCTET_STRING) => Some(Self::Sec1),
            ([] | [1], INTEGER) => Some(Self::Pkcs1Private),
            (_, INTEGER) => Some(Self::Pkcs1Public),
            _ => None,
        }
    }
}

/// An AlgorithmIdentifier: what key it means, and its parameters if any.
fn algorithm(content: &[u8]) -> Result<(KeyShape, Option<&[u8]>), NotDer> {
    let mut reader = Reader::new(content);
    let identifier = reader.take(OBJECT_IDENTIFIER)?;
    let parameters = match reader.next_tag() {
        None => None,
        Some(tag) => Some(reader.take_whole(tag)?.0),
    };
    reader.end()?;
    let shape = KeyShape::identified(identifier);
    let shape = match (shape, parameters) {
        (KeyShape::EcUnknown, Some(parameters)) => match curve(parameters) {
            Some(curve) => KeyShape::Ec(curve),
            None => shape,
        },
        _ => shape,
    };
    Ok((shape, parameters))
}

/// A named curve of ours. Curves given by their equation are none.
fn curve(parameters: &[u8]) -> Option<Curve> {
    Curve::identified(Reader::only(OBJECT_IDENTIFIER, parameters).ok()?)
}

/// Reads an RSAPublicKey.
pub(crate) fn rsa_public_key(der: &[u8]) -> Result<(&[u8], &[u8]), NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    let (n, e) = (body.take_unsigned()?, body.take_unsigned()?);
    body.end()?;
    Ok((n, e))
}

/// Reads a SubjectPublicKeyInfo.
pub(crate) fn subject_public_key(der: &[u8]) -> Result<PublicDer<'_>, NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    let (shape, parameters) = algorithm(body.take(SEQUENCE)?)?;
    let bytes = body.take_bits()?;
    body.end()?;
    match (shape, parameters) {
        (KeyShape::Rsa, Some([NULL, 0])) => {
            let (n, e) = rsa_public_key(bytes)?;
            Ok(PublicDer::Rsa { n, e })
        }
        (KeyShape::Rsa, _) => Err(NotDer),
        (KeyShape::RsaPss, parameters) => {
            let (n, e) = rsa_public_key(bytes)?;
            Ok(PublicDer::RsaPss { n, e, parameters })
        }
        (KeyShape::Ec(curve), _) => Ok(PublicDer::Ec {
            curve,
            point: bytes,
        }),
        // RFC 8410 section 3 and RFC 9881 section 2: parameters must be absent.
        (shape, Some(_)) if shape.takes_no_parameters() => Err(NotDer),
        (shape, _) => Ok(PublicDer::Raw { shape, bytes }),
    }
}

/// Finds the SubjectPublicKeyInfo in a certificate.
pub(crate) fn certificate_public_key(der: &[u8]) -> Result<PublicDer<'_>, NotDer> {
    let mut certificate = Reader::new(Reader::only(SEQUENCE, der)?);
    let mut body = Reader::new(certificate.take(SEQUENCE)?);
    certificate.take(SEQUENCE)?;
    certificate.take_bits()?;
    certificate.end()?;
    if body.next_tag() == Some(CONTEXT_0) {
        body.take(CONTEXT_0)?;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    body.take(INTEGER)?;
    for _ in 0..4 {
        body.take(SEQUENCE)?;
    }
    subject_public_key(body.take_whole(SEQUENCE)?.0)
}

/// Reads a PKCS#8 structure as far as its algorithm and its key.
pub(crate) fn pkcs8(der: &[u8]) -> Result<PrivateDer<'_>, NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    if !matches!(body.take_unsigned()?, [] | [1]) {
        return Err(NotDer);
    }
    let (shape, parameters) = algorithm(body.take(SEQUENCE)?)?;
    let key = body.take(OCTET_STRING)?;
    match shape {
        KeyShape::Rsa if parameters == Some(&[NULL, 0]) => Ok(PrivateDer::Rsa { key }),
        KeyShape::Rsa => Err(NotDer),
        KeyShape::RsaPss => Ok(PrivateDer::RsaPss { key, parameters }),
        KeyShape::Ec(named) => {
            // What lies inside, if it names a curve too, must name the same.
            let (_, inner) = sec1_parts(key)?;
            match inner.map(curve) {
                Some(inner) if inner != Some(named) => Err(NotDer),
                _ => Ok(PrivateDer::Ec {
                    key,
                    curve: Some(named),
                }),
            }
        }
        _ => Ok(PrivateDer::Pkcs8 { shape, whole: der }),
    }
}

/// Reads an ECPrivateKey as far as its curve.
pub(crate) fn sec1(der: &[u8]) -> Result<PrivateDer<'_>, NotDer> {
    let (_, parameters) = sec1_parts(der)?;
    match parameters {
        None => Ok(PrivateDer::Ec {
            key: der,
            curve: None,
        }),
        Some(parameters) => match curve(parameters) {
            Some(curve) => Ok(PrivateDer::Ec {
                key: der,
                curve: Some(curve),
            }),
            None => Ok(PrivateDer::Pkcs8 {
                shape: KeyShape::EcUnknown,
                whole: der,
            }),
        },
    }
}

/// The scalar of an ECPrivateKey, and the parameters it may have.
pub(crate) fn sec1_parts(der: &[u8]) -> Result<(&[u8], Option<&[u8]>), NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    if body.take_unsigned()? != [1] {
        return Err(NotDer);
    }
    let scalar = body.take(OCTET_STRING)?;
    if body.next_tag() != Some(CONTEXT_0) {
        return Ok((scalar, None));
    }
    body.take(CONTEXT_0)
        .map(|parameters| (scalar, Some(parameters)))
}

/// The private key inside a PKCS#8 structure.
pub(crate) fn pkcs8_key(der: &[u8]) -> Result<&[u8], NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    body.take_unsigned()?;
    body.take(SEQUENCE)?;
    body.take(OCTET_STRING)
}

/// The nine integers of an RSAPrivateKey with two primes: version, n, e, d, p, q, dp, dq, qi.
pub(crate) fn rsa_private_key(der: &[u8]) -> Result<[&[u8]; 9], NotDer> {
    let mut body = Reader::new(Reader::only(SEQUENCE, der)?);
    let mut integers: [&[u8]; 9] = [&[]; 9];
    for integer in &mut integers {
        *integer = body.take_unsigned()?;
    }
    body.end()?;
    Ok(integers)
}
