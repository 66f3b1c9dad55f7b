//! Private keys written out: for backups and for handing them to another program. Everything goes
//! through the library's PKCS#8 form, and every text is wiped when dropped.

use aws_lc_rs::encoding::AsDer as _;
use base64::Engine as _;
use zeroize::Zeroizing;

use super::pair::KeyPair;
use super::public::PublicParameters;
use super::verifying::key_pairs_only;
use super::{KeyError, SigningKey};
use crate::compact::BASE64URL;
use crate::der::{CONTEXT_0_PRIMITIVE, NotDer, OCTET_STRING, Reader, structure};
use crate::pem::{self, Label};

impl SigningKey {
    /// The private key as PKCS#8 in PEM, not encrypted: whoever reads it can sign.
    ///
    /// # Errors
    /// [`KeyError::NotForKeyPairs`] for HMAC, of whose secret no copy is kept;
    /// [`KeyError::Failed`].
    pub fn danger_to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        Ok(pem::encode(Label::PrivateKey, &self.pkcs8()?))
    }

    /// The private key as a JWK, in JSON: whoever reads it can sign. With `alg`, `use` and its
    /// `kid`.
    ///
    /// # Errors
    /// As for [`SigningKey::danger_to_pem`].
    pub fn danger_to_jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let pkcs8 = self.pkcs8()?;
        let key = structure::pkcs8_key(&pkcs8).map_err(|_| KeyError::Failed)?;
        let verifying = self.verifying_key();
        let public = verifying.public().ok_or(KeyError::Failed)?;
        let private = private_members(&public.parameters, key).map_err(|_| KeyError::Failed)?;
        let text = verifying.to_jwk().ok_or(KeyError::Failed)?.to_json();
        let start = text.strip_suffix('}').ok_or(KeyError::Failed)?;
        // Final size from the start: a string that grows leaves copies behind.
        let room = private
            .iter()
            .map(|(_, value)| value.len() * 4 / 3 + 16)
            .sum::<usize>();
        let mut jwk = Zeroizing::new(String::with_capacity(start.len() + room + 1));
        jwk.push_str(start);
        for (name, value) in private {
            jwk.push_str(",\"");
            jwk.push_str(name);
            jwk.push_str("\":\"");
            BASE64URL.encode_string(value, &mut jwk);
            jwk.push('"');
        }
        jwk.push('}');
        Ok(jwk)
    }

    fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        key_pairs_only(self.algorithm())?;
        let failed = |_| KeyError::Failed;
        let copy = |der: &[u8]| Zeroizing::new(der.to_vec());
        match &self.pair {
            KeyPair::Secret(_) => Err(KeyError::NotForKeyPairs(self.algorithm())),
            KeyPair::Rsa(key, _) => key.as_der().map(|der| copy(der.as_ref())).map_err(failed),
            KeyPair::Ec(key) => key
                .to_pkcs8v1()
                .map(|der| copy(der.as_ref()))
                .map_err(failed),
            // Version 1, without the public key: what OpenSSL writes, and reads in every version.
            KeyPair::Ed25519(key) => key
                .to_pkcs8v1()
                .map(|der| copy(der.as_ref()))
                .map_err(failed),
            #[cfg(feature = "ml-dsa")]
            KeyPair::MlDsa(key) => key
                .to_pkcs8v1()
                .map(|der| copy(der.as_ref()))
                .map_err(failed),
        }
    }
}

/// The private members of a JWK, from the key inside a PKCS#8 structure.
fn private_members<'d>(
    public: &PublicParameters,
    key: &'d [u8],
) -> Result<Vec<(&'static str, &'d [u8])>, NotDer> {
    match public {
        PublicParameters::Rsa { .. } => {
            let [_, _, _, d, p, q, dp, dq, qi] = structure::rsa_private_key(key)?;
            Ok(vec![
                ("d", d),
                ("p", p),
                ("q", q),
                ("dp", dp),
                ("dq", dq),
                ("qi", qi),
            ])
        }
        PublicParameters::Ec { .. } => {
            structure::sec1_parts(key).map(|(scalar, _)| vec![("d", scalar)])
        }
        PublicParameters::Ed25519(_) => {
            Reader::only(OCTET_STRING, key).map(|seed| vec![("d", seed)])
        }
        PublicParameters::MlDsa { .. } => {
            Reader::only(CONTEXT_0_PRIMITIVE, key).map(|seed| vec![("priv", seed)])
        }
    }
}
