//! `yett keys generate`: a new key, private half into a file of its owner or to stdout.

use super::new_file::{Existing, Readers, check_way, write};
use crate::{
    cli::{GenerateArgs, KeyFormat, KeyName},
    print::{Failure, JsonObjectText, Screen},
};
use anyhow::{Context as _, anyhow};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;
use yett_jwt::{Algorithm, KeyError, KeyId, KeyType, RsaSize, SigningKey};
use zeroize::Zeroizing;

/// A new key as texts, each without the line end that a file gets.
struct NewKey {
    algorithm: Algorithm,
    /// PEM, JWK, or the secret.
    private: Zeroizing<String>,
    /// None for HMAC.
    public: Option<String>,
    key_id: Option<String>,
    thumbprint: Option<String>,
}

/// Makes the key and brings it where it was wanted.
pub(super) fn generate(words: &GenerateArgs, screen: Screen) -> Result<(), Failure> {
    check(words)?;
    let existing = if words.force {
        Existing::Replaced
    } else {
        Existing::Kept
    };
    for path in words.out.iter().chain(&words.public_out) {
        check_way(path, existing)?;
    }
    let key = if words.alg.is_symmetric() {
        NewKey::secret(words)
    } else {
        NewKey::pair(words)
    }?;
    if let Some(path) = &words.out {
        let text = Zeroizing::new(format!("{}\n", *key.private));
        write(path, text.as_bytes(), Readers::Owner, existing)?;
    } else if screen.shows_out() {
        screen.warn("the private key is shown on this terminal; --out FILE keeps it out of sight");
    }
    if let (Some(path), Some(public)) = (&words.public_out, &key.public) {
        let text = format!("{public}\n");
        write(path, text.as_bytes(), Readers::Anyone, existing)?;
    }
    if words.json {
        screen.out(&Zeroizing::new(key.json(words)));
    } else if words.out.is_none() {
        screen.out(&Zeroizing::new(format!("{}\n", *key.private)));
    } else if let (None, Some(public)) = (&words.public_out, &key.public) {
        screen.out(&format!("{public}\n"));
    }
    Ok(())
}

/// Words that do not go together.
fn check(words: &GenerateArgs) -> Result<(), Failure> {
    let algorithm = words.alg;
    let usage = |error| Err(Failure::usage(error));
    if words.bits.is_some() && algorithm.key_type() != KeyType::Rsa {
        return usage(anyhow!(
            "--bits is for RSA keys; {algorithm} has keys of one size"
        ));
    }
    if algorithm.is_symmetric() {
        if words.format == Some(KeyFormat::Pem) {
            return usage(anyhow!(
                "{algorithm} takes a shared secret, which has no PEM form"
            ));
        }
        if words.public_out.is_some() {
            return usage(anyhow!(
                "{algorithm} takes a shared secret, which has no public half"
            ));
        }
        if words.kid == Some(KeyName::Thumbprint) {
            return usage(anyhow!(
                "a shared secret gets no thumbprint: it would help to guess it"
            ));
        }
    }
    if words.kid.is_some() && words.format != Some(KeyFormat::Jwk) {
        let error = anyhow!("--kid: only a JWK has a place for a key's id");
        return Err(Failure::usage(error)
            .hint("add --format jwk, or give the id to yett token issue and yett keys jwks"));
    }
    if words.out.is_some() && words.out == words.public_out {
        return usage(anyhow!("--out and --public-out are the same file"));
    }
    Ok(())
}

impl NewKey {
    fn pair(words: &GenerateArgs) -> Result<Self, Failure> {
        let algorithm = words.alg;
        let key = match algorithm.key_type() {
            KeyType::Rsa => {
                SigningKey::generate_rsa(algorithm, words.bits.unwrap_or(RsaSize::Bits3072))
            }
            _ => SigningKey::generate(algorithm),
        };
        let key = key.map_err(failed)?;
        let thumbprint = key.verifying_key().thumbprint();
        let as_jwk = words.format == Some(KeyFormat::Jwk);
        let key_id = match &words.kid {
            Some(KeyName::Given(id)) => Some(id.clone()),
            Some(KeyName::Thumbprint) | None => thumbprint.as_deref().and_then(KeyId::new),
        };
        let key = match key_id.filter(|_| as_jwk) {
            Some(id) => key.with_key_id(id),
            None => key,
        };
        let verifying = key.verifying_key();
        let (private, public) = if as_jwk {
            let public = verifying.to_jwk().map(|jwk| jwk.to_json());
            (key.danger_to_jwk(), public)
        } else {
            (key.danger_to_pem(), verifying.to_pem())
        };
        Ok(Self {
            algorithm,
            private: Zeroizing::new(private.map_err(failed)?.trim_end().to_owned()),
            public: public.map(|text| text.trim_end().to_owned()),
            key_id: key.key_id().map(|id| id.as_str().to_owned()),
            thumbprint,
        })
    }

    /// As many random bytes as the hash has, in base64url. As a line of text, its characters are
    /// the secret: the same line works as Django's SECRET_KEY. In a JWK, the bytes are.
    fn secret(words: &GenerateArgs) -> Result<Self, Failure> {
        let algorithm = words.alg;
        let bytes = match algorithm {
            Algorithm::Hs384 => 48,
            Algorithm::Hs512 => 64,
            _ => 32,
        };
        let mut secret = Zeroizing::new(vec![0; bytes]);
        fill_random(&mut secret)
            .context("no random bytes")
            .map_err(Failure::failed)?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*secret));
        let key_id = match &words.kid {
            Some(KeyName::Given(id)) => Some(id.as_str().to_owned()),
            _ => None,
        };
        let private = match words.format {
            Some(KeyFormat::Jwk) => {
                let mut jwk = JsonObjectText::default().with("kty", "oct");
                if let Some(id) = &key_id {
                    jwk = jwk.with("kid", id.as_str());
                }
                let start = jwk
                    .with("use", "sig")
                    .with("alg", algorithm.name())
                    .one_line();
                // By hand, so that no copy of the secret stays behind.
                let start = start.strip_suffix('}').unwrap_or_default();
                Zeroizing::new(format!("{start},\"k\":\"{}\"}}", *text))
            }
            _ => text,
        };
        Ok(Self {
            algorithm,
            private,
            public: None,
            key_id,
            thumbprint: None,
        })
    }

    fn json(&self, words: &GenerateArgs) -> String {
        let path = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map(|path| path.display().to_string())
        };
        let private = words.out.is_none().then(|| self.private.as_str());
        JsonObjectText::default()
            .with("algorithm", self.algorithm.name())
            .with("key_id", self.key_id.as_deref())
            .with("thumbprint", self.thumbprint.as_deref())
            .with("private_file", path(&words.out))
            .with("public_file", path(&words.public_out))
            .with("private_key", private)
            .with("public_key", self.public.as_deref())
            .lines()
    }
}

fn failed(error: KeyError) -> Failure {
    Failure::failed(anyhow::Error::new(error).context("no key was made"))
}

/// Fills all of it from the kernel's generator.
pub(crate) fn fill_random(mut room: &mut [u8]) -> io::Result<()> {
    while !room.is_empty() {
        let filled = match getrandom(&mut *room, GetRandomFlags::empty()) {
            Err(rustix::io::Errno::INTR) => 0,
            other => other?,
        };
        room = room.get_mut(filled..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
