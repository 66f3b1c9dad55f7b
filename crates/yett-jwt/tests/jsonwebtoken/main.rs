//! The same tokens for us and for the crate `jsonwebtoken`, over all algorithms that both have:
//! the same verdict and the same claims, or a difference that `differences.rs` names with its
//! reason.
#![expect(
    clippy::unwrap_used,
    reason = "a test throughout: a panic is its failure"
)]

mod differences;
mod random;

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use serde_json::{Map, Value};
use yett_jwt::{Algorithm, KeyType, Refusal, Rules, SigningKey, UnixSeconds, Verifier};

/// Theirs reads the clock. Tokens here end long before or long after.
const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

/// What both have. Not theirs: ES512, ES256K, the name Ed25519, ML-DSA.
const SHARED: [Algorithm; 12] = [
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

/// One key in both libraries.
struct Pair {
    ours: SigningKey,
    verifier: Verifier,
    their_algorithm: jsonwebtoken::Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

static PAIRS: LazyLock<HashMap<Algorithm, Pair>> = LazyLock::new(|| {
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    let rsa = rsa.danger_to_pem().unwrap();
    SHARED
        .iter()
        .map(|algorithm| (*algorithm, Pair::new(*algorithm, &rsa)))
        .collect()
});

const SECRET: &[u8] = b"a secret of the tests that is long enough for HMAC with SHA-512, at last";

impl Pair {
    fn new(algorithm: Algorithm, rsa: &str) -> Self {
        let ours = match algorithm.key_type() {
            KeyType::Oct => SigningKey::hmac(algorithm, SECRET),
            KeyType::Rsa => SigningKey::from_pem(algorithm, rsa.as_bytes()),
            _ => SigningKey::generate(algorithm),
        };
        let ours = ours.unwrap();
        let (encoding, decoding) = if algorithm.is_symmetric() {
            (
                EncodingKey::from_secret(SECRET),
                DecodingKey::from_secret(SECRET),
            )
        } else {
            let private = ours.danger_to_pem().unwrap();
            let public = ours.verifying_key().to_pem().unwrap();
            let (private, public) = (private.as_bytes(), public.as_bytes());
            match algorithm.key_type() {
                KeyType::Rsa => (
                    EncodingKey::from_rsa_pem(private),
                    DecodingKey::from_rsa_pem(public),
                ),
                KeyType::Ec => (
                    EncodingKey::from_ec_pem(private),
                    DecodingKey::from_ec_pem(public),
                ),
                _ => (
                    EncodingKey::from_ed_pem(private),
                    DecodingKey::from_ed_pem(public),
                ),
            }
            .both()
        };
        Self {
            verifier: Verifier::new(ours.verifying_key(), Rules::new()),
            ours,
            their_algorithm: algorithm.name().parse().unwrap(),
            encoding,
            decoding,
        }
    }

    /// Signs any header and payload.
    fn seal(&self, header: &str, payload: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(header), encode(payload));
        let algorithm = self.their_algorithm;
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.encoding, algorithm);
        format!("{signed}.{}", signature.unwrap())
    }

    fn our_verdict(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let verified = self.verifier.verify(token, NOW)?;
        let claims = verified.claims().iter();
        Ok(claims
            .map(|(name, value)| (name.to_owned(), value.to_value()))
            .collect())
    }

    /// Theirs, set as near to ours as it can be.
    fn their_verdict(&self, token: &str) -> Result<Map<String, Value>, ErrorKind> {
        let mut validation = Validation::new(self.their_algorithm);
        validation.required_spec_claims.clear();
        validation.leeway = 0;
        validation.validate_nbf = true;
        jsonwebtoken::decode(token, &self.decoding, &validation)
            .map(|data| data.claims)
            .map_err(|error| error.kind().clone())
    }
}

/// Both keys or none.
trait Both<A, B> {
    fn both(self) -> (A, B);
}

impl<A, B, E: std::fmt::Debug> Both<A, B> for (Result<A, E>, Result<B, E>) {
    fn both(self) -> (A, B) {
        (self.0.unwrap(), self.1.unwrap())
    }
}

fn pair(algorithm: Algorithm) -> &'static Pair {
    PAIRS.get(&algorithm).unwrap()
}

#[test]
fn what_we_sign_they_verify() {
    for algorithm in SHARED {
        let pair = pair(algorithm);
        let token = pair.ours.sign(br#"{"sub":"1","exp":4000000000}"#).unwrap();
        let claims = pair.their_verdict(&token).unwrap();
        assert_eq!(claims, pair.our_verdict(&token).unwrap());
    }
}

#[test]
fn what_they_sign_we_verify() {
    for algorithm in SHARED {
        let pair = pair(algorithm);
        let header = jsonwebtoken::Header::new(pair.their_algorithm);
        let claims = serde_json::json!({"sub": "1", "exp": 4_000_000_000_u64});
        let token = jsonwebtoken::encode(&header, &claims, &pair.encoding).unwrap();
        assert_eq!(Value::Object(pair.our_verdict(&token).unwrap()), claims);
        assert_eq!(Value::Object(pair.their_verdict(&token).unwrap()), claims);
    }
}

#[test]
fn public_jwks_mean_the_same_key_to_both() {
    for algorithm in SHARED
        .into_iter()
        .filter(|algorithm| !algorithm.is_symmetric())
    {
        let pair = pair(algorithm);
        let jwk = pair.ours.verifying_key().to_jwk().unwrap().to_json();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&jwk).unwrap();
        let decoding = DecodingKey::from_jwk(&jwk).unwrap();
        let validation = Validation::new(pair.their_algorithm);
        let token = pair.ours.sign(br#"{"exp":4000000000}"#).unwrap();
        assert!(jsonwebtoken::decode::<Value>(&token, &decoding, &validation).is_ok());
    }
}
