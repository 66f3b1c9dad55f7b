//! The peer, with the backend that the feature chooses: `jsonwebtoken-bench SECONDS`.

use std::hint::black_box;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use jwt_bench::{ALGORITHMS, Claims, EXPECTED, key, report, spoilt, tokens};

fn main() {
    let library = if cfg!(feature = "aws_lc_rs") {
        "jsonwebtoken aws_lc_rs"
    } else {
        "jsonwebtoken rust_crypto"
    };
    let seconds: f64 = std::env::args()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .expect("seconds");
    let all = tokens();
    let claims: Claims = serde_json::from_value(all["claims"].clone()).expect("claims");
    for (name, files) in ALGORITHMS {
        let pems = files.map(|stem| (key(&format!("{stem}.pem")), key(&format!("{stem}.pub.pem"))));
        let (algorithm, signing, verifying) = match (name, pems) {
            ("RS256", Some((private, public))) => (
                Algorithm::RS256,
                EncodingKey::from_rsa_pem(&private),
                DecodingKey::from_rsa_pem(&public),
            ),
            ("ES256", Some((private, public))) => (
                Algorithm::ES256,
                EncodingKey::from_ec_pem(&private),
                DecodingKey::from_ec_pem(&public),
            ),
            ("EdDSA", Some((private, public))) => (
                Algorithm::EdDSA,
                EncodingKey::from_ed_pem(&private),
                DecodingKey::from_ed_pem(&public),
            ),
            _ => {
                let secret = all["secret"].as_str().expect("secret").as_bytes();
                (
                    Algorithm::HS256,
                    Ok(EncodingKey::from_secret(secret)),
                    Ok(DecodingKey::from_secret(secret)),
                )
            }
        };
        let (signing, verifying) = (
            signing.expect("private key"),
            verifying.expect("public key"),
        );
        let mut rules = Validation::new(algorithm);
        rules.set_audience(&[EXPECTED.0]);
        rules.set_issuer(&[EXPECTED.1]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        let header = Header::new(algorithm);
        let token = all[name].as_str().expect("token");
        let bad = spoilt(token);
        assert!(decode::<Claims>(&bad, &verifying, &rules).is_err());

        report(library, &format!("sign {name}"), seconds, || {
            encode(&header, black_box(&claims), &signing).expect("sign")
        });
        report(library, &format!("verify {name}"), seconds, || {
            decode::<Claims>(black_box(token), &verifying, &rules).expect("verify")
        });
        report(
            library,
            &format!("reject bad signature {name}"),
            seconds,
            || decode::<Claims>(black_box(&bad), &verifying, &rules).is_err(),
        );
    }
}
