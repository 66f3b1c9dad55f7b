//! Public halves, and nothing of the private ones.

use super::*;
use crate::print::{Failure, Paint, members};
use std::{fs, path::PathBuf};
use yett_jwt::{Algorithm, SigningKey};

const PUBLIC: [&str; 8] = ["kty", "kid", "use", "alg", "crv", "x", "y", "pub"];

fn key_file(folder: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn words(files: Vec<(Option<KeyId>, PathBuf)>) -> JwksArgs {
    JwksArgs {
        files,
        alg: vec![Algorithm::Rs256],
    }
}

#[test]
fn no_private_member_is_ever_published() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in Algorithm::ALL.iter().filter(|one| !one.is_symmetric()) {
        let key = SigningKey::generate(*algorithm).unwrap();
        for text in [key.danger_to_pem().unwrap(), key.danger_to_jwk().unwrap()] {
            let path = key_file(&folder, "key", &text);
            let words = JwksArgs {
                files: vec![(None, path)],
                alg: vec![*algorithm],
            };
            let set = jwks(&words).unwrap();
            let (_, keys) = members(&set).pop().unwrap();
            for key in crate::print::elements(keys) {
                for (name, _) in members(key) {
                    let rsa = matches!(name.as_str(), "n" | "e");
                    assert!(
                        rsa || PUBLIC.contains(&name.as_str()),
                        "{algorithm}: {name}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_shared_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let jwk = r#"{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    let path = key_file(&folder, "key", jwk);
    let text = |failure: Failure| failure.text(Paint::Off);
    let refused = text(jwks(&words(vec![(None, path.clone())])).unwrap_err());
    assert!(refused.contains("has no public half"), "{refused}");
    let words = ThumbprintArgs {
        file: path,
        json: false,
    };
    assert!(text(thumbprint(&words).unwrap_err()).contains("has no public half"));
}

#[test]
fn a_key_is_called_by_the_given_name_or_its_own_or_its_thumbprint() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let own = key.clone().with_key_id(KeyId::new("own").unwrap());
    let pem = key_file(&folder, "pem", &key.danger_to_pem().unwrap());
    let jwk = key_file(&folder, "jwk", &own.danger_to_jwk().unwrap());
    let set = jwks(&words(vec![
        (None, pem.clone()),
        (None, jwk),
        (KeyId::new("given"), pem.clone()),
    ]))
    .unwrap();
    let thumbprint = key.verifying_key().thumbprint().unwrap();
    for id in [thumbprint.as_str(), "own", "given"] {
        assert!(set.contains(&format!("\"kid\": \"{id}\"")), "{set}");
    }
    let twice = jwks(&words(vec![(None, pem.clone()), (None, pem)])).unwrap_err();
    assert!(twice.text(Paint::Off).contains("two keys have the id"));
}
