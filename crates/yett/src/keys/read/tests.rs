//! Key files, right and wrong.

use super::*;
use crate::print::{Exit, Paint};
use std::fs;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// What is said of a file, without the folder's name.
    fn mistake(&self, failure: &Failure) -> String {
        assert_eq!(failure.exit(), Exit::Usage);
        let folder = format!("{}/", self.0.path().display());
        failure.text(Paint::Off).replace(&folder, "")
    }
}

fn refusal<T>(result: Result<T, Failure>) -> Failure {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(failure) => failure,
    }
}

#[test]
fn pem_and_jwk_are_told_by_their_content() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let public = key.verifying_key();
    let pem = folder.file("a", &key.danger_to_pem().unwrap());
    let jwk = folder.file("b", &key.danger_to_jwk().unwrap());
    let spki = folder.file("c", &public.to_pem().unwrap());
    for path in [&pem, &jwk] {
        let file = KeyFile::read(path).unwrap();
        file.signing(Some(Algorithm::Es256)).unwrap();
        assert_eq!(
            file.public_half(&[]).unwrap().thumbprint(),
            public.thumbprint()
        );
    }
    KeyFile::read(&jwk).unwrap().signing(None).unwrap();
    KeyFile::read(&jwk).unwrap().verifying(None).unwrap();
    KeyFile::read(&spki)
        .unwrap()
        .verifying(Some(Algorithm::Es256))
        .unwrap();
}

#[test]
fn a_pem_file_needs_the_word_of_its_algorithm() {
    let folder = Folder::new();
    let key = SigningKey::generate_rsa(Algorithm::Rs256, yett_jwt::RsaSize::Bits2048).unwrap();
    let path = folder.file("rs.pem", &key.verifying_key().to_pem().unwrap());
    let file = KeyFile::read(&path).unwrap();
    let unnamed = "error: rs.pem: --alg is needed: this key does not say what it is for\n\
                   hint: it can be for RS256, RS384, RS512, PS256, PS384, PS512\n";
    assert_eq!(folder.mistake(&refusal(file.verifying(None))), unnamed);
    assert_eq!(folder.mistake(&refusal(file.public_half(&[]))), unnamed);
    assert_eq!(
        folder.mistake(&refusal(file.verifying(Some(Algorithm::Es256)))),
        "error: rs.pem: the key is not taken\n  because: the key is an RSA key, which ES256 does not take\n\
         hint: it can be for RS256, RS384, RS512, PS256, PS384, PS512\n"
    );
    let named = file
        .public_half(&[Algorithm::Es256, Algorithm::Ps256])
        .unwrap();
    assert_eq!(named.algorithm(), Algorithm::Ps256);
    let two = [Algorithm::Rs256, Algorithm::Ps256];
    assert!(
        folder
            .mistake(&refusal(file.public_half(&two)))
            .contains("several")
    );
}

#[test]
fn the_wrong_half_is_named() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let private = folder.file("private.pem", &key.danger_to_pem().unwrap());
    let public = folder.file("public.pem", &key.verifying_key().to_pem().unwrap());
    let file = KeyFile::read(&private).unwrap();
    assert_eq!(
        folder.mistake(&refusal(file.verifying(Some(Algorithm::EdDsa)))),
        "error: private.pem: the key is not taken\n  because: this is a private key; a verifier needs the public one\n\
         hint: make the public key of it: openssl pkey -in private.pem -pubout\n"
    );
    assert_eq!(file.public_half(&[]).unwrap().algorithm(), Algorithm::EdDsa);
    let file = KeyFile::read(&public).unwrap();
    assert!(
        folder
            .mistake(&refusal(file.signing(Some(Algorithm::EdDsa))))
            .ends_with("hint: yett token issue needs the private key\n")
    );
}

#[test]
fn what_is_no_key_file_is_told_apart() {
    let folder = Folder::new();
    let mistake =
        |content: &str| folder.mistake(&refusal(KeyFile::read(&folder.file("k", content))));
    assert!(mistake("hunter2").contains("--secret-file"));
    assert!(mistake("0\u{2}").contains("openssl pkey -inform DER"));
    assert!(mistake(r#"{"keys":[]}"#).contains("this is a JWK set; expected one key"));
    assert!(mistake(r#"{"kty":"RSA"}"#).contains("member `n` is missing"));
    assert!(mistake(&" ".repeat(LONGEST_KEY_FILE + 1)).contains("longer than 65536 bytes"));
    let nowhere = folder.0.path().join("nowhere");
    assert_eq!(
        folder.mistake(&refusal(KeyFile::read(&nowhere))),
        "error: nowhere: cannot be read\n  because: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_key_that_no_algorithm_takes_is_named() {
    // A point of Ed448 (RFC 8410), of zeros: it is its kind that is refused.
    let folder = Folder::new();
    let pem = "-----BEGIN PUBLIC KEY-----\n\
               MEMwBQYDK2VxAzoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
               AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PUBLIC KEY-----\n";
    let file = KeyFile::read(&folder.file("ed448.pem", pem)).unwrap();
    assert_eq!(
        folder.mistake(&refusal(file.public_half(&[]))),
        "error: ed448.pem: the key is not taken\n  \
         because: the key is an Ed448 key, which no algorithm of Yett takes\n"
    );
}

#[test]
fn no_mistake_repeats_what_is_in_the_file() {
    let folder = Folder::new();
    for content in [
        "hunter2",
        r#"{"kty":"oct","k":"hunter2=="}"#,
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
    ] {
        let path = folder.file("k", content);
        let failure = match KeyFile::read(&path) {
            Err(failure) => failure,
            Ok(file) => refusal(file.signing(Some(Algorithm::Es256))),
        };
        assert!(!folder.mistake(&failure).contains("hunter2"));
    }
}
