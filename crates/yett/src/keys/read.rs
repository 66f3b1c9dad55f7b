//! Key files: what they are is told by their content, what they are for by the user's `--alg` or by
//! the JWK itself. Never guesses an algorithm where several fit.

use crate::print::{Failure, members};
use anyhow::{Context as _, anyhow};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use yett_jwt::{Algorithm, Jwk, KeyError, LONGEST_JWK, LONGEST_PEM, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// A key file has at most this many bytes.
const LONGEST_KEY_FILE: usize = if LONGEST_PEM > LONGEST_JWK {
    LONGEST_PEM
} else {
    LONGEST_JWK
};

/// A file with one key, not yet taken for any algorithm.
pub(crate) struct KeyFile {
    path: PathBuf,
    content: Content,
}

enum Content {
    Pem(Zeroizing<Vec<u8>>),
    Jwk(Box<Jwk>),
}

/// Which half of a key is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Private,
    Public,
}

/// Reads at most `longest` bytes; more are an error. The bytes are wiped when dropped.
pub(crate) fn read_bounded(from: impl Read, longest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Final size from the start: a vector that grows leaves copies of a secret behind.
    let room = longest.saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    from.take(room as u64).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        return Err(io::Error::other(format!("longer than {longest} bytes")));
    }
    Ok(bytes)
}

/// Reads a file of at most `longest` bytes.
pub(crate) fn read_file(path: &Path, longest: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    File::open(path)
        .and_then(|file| read_bounded(file, longest))
        .with_context(|| format!("{}: cannot be read", path.display()))
        .map_err(Failure::usage)
}

impl KeyFile {
    /// Reads a file, and says what is wrong if it is neither PEM nor JWK.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read_file(path, LONGEST_KEY_FILE)?;
        let name = path.display();
        let first = bytes.trim_ascii_start().first();
        let content = if first == Some(&b'{') {
            let text = str::from_utf8(&bytes).unwrap_or_default();
            if members(text).iter().any(|(member, _)| member == "keys") {
                let error = anyhow!("{name}: this is a JWK set; expected one key");
                return Err(Failure::usage(error).hint(
                    "yett token verify takes a set with --jwks; elsewhere give each key in a file",
                ));
            }
            let jwk = Jwk::from_json(&bytes)
                .with_context(|| format!("{name}: not a usable JWK"))
                .map_err(Failure::usage)?;
            Content::Jwk(Box::new(jwk))
        } else if bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
            Content::Pem(bytes)
        } else {
            let hint = if first == Some(&0x30) {
                "if it is DER, make it PEM: openssl pkey -inform DER -in FILE (with -pubin for a public key)"
            } else {
                "a shared secret is no key file; yett token takes it with --secret-file or --secret-env"
            };
            let error = anyhow!("{name}: expected a key in PEM, or a JWK");
            return Err(Failure::usage(error).hint(hint));
        };
        Ok(Self {
            path: path.to_owned(),
            content,
        })
    }

    /// The key that verifies. Of a private JWK the public half; a private key in PEM is refused.
    pub(crate) fn verifying(&self, algorithm: Option<Algorithm>) -> Result<VerifyingKey, Failure> {
        let algorithm = self.algorithm(algorithm, Half::Public)?;
        let key = match &self.content {
            Content::Pem(pem) => VerifyingKey::from_pem(algorithm, pem),
            Content::Jwk(jwk) => VerifyingKey::from_jwk(jwk, algorithm),
        };
        key.map_err(|error| self.refused(error, Half::Public))
    }

    /// The key that signs.
    pub(crate) fn signing(&self, algorithm: Option<Algorithm>) -> Result<SigningKey, Failure> {
        let algorithm = self.algorithm(algorithm, Half::Private)?;
        let key = match &self.content {
            Content::Pem(pem) => SigningKey::from_pem(algorithm, pem),
            Content::Jwk(jwk) => SigningKey::from_jwk(jwk, algorithm),
        };
        key.map_err(|error| self.refused(error, Half::Private))
    }

    /// The public half, for publishing: of a private key in PEM too. `allowed` are the algorithms
    /// that the user named; without any, the key's own, if there is only one.
    pub(super) fn public_half(&self, allowed: &[Algorithm]) -> Result<VerifyingKey, Failure> {
        let fitting = self.fitting();
        // Also what a shared secret meets: nothing of it is public.
        if fitting.is_empty() {
            return Err(self.unfit());
        }
        let own = match &self.content {
            Content::Jwk(jwk) => jwk.algorithm(),
            Content::Pem(_) => None,
        };
        let mut named = allowed
            .iter()
            .filter(|algorithm| fitting.contains(algorithm));
        let algorithm = match (own, named.next(), named.next()) {
            (Some(own), _, _) => own,
            (None, Some(one), None) => *one,
            (None, Some(_), Some(_)) => {
                let error = anyhow!(
                    "{}: several of the named algorithms fit: {}",
                    self.path.display(),
                    listed(&fitting)
                );
                return Err(Failure::usage(error).hint("name one of them"));
            }
            (None, None, _) => match fitting.as_slice() {
                [only] | [only, Algorithm::Ed25519]
                    if only.key_type() != yett_jwt::KeyType::Rsa =>
                {
                    *only
                }
                _ => return Err(self.unnamed(&fitting)),
            },
        };
        self.public_as(algorithm)
            .map_err(|error| self.refused(error, Half::Public))
    }

    /// The key for any algorithm that fits: for what does not depend on it.
    pub(super) fn public_for_any(&self) -> Result<VerifyingKey, Failure> {
        let algorithm = self.fitting().first().copied();
        let key = algorithm.and_then(|algorithm| self.public_as(algorithm).ok());
        key.ok_or_else(|| self.unfit())
    }

    fn public_as(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        match &self.content {
            Content::Jwk(jwk) => VerifyingKey::from_jwk(jwk, algorithm),
            Content::Pem(pem) => match VerifyingKey::from_pem(algorithm, pem) {
                Err(KeyError::Private) => {
                    SigningKey::from_pem(algorithm, pem).map(|key| key.verifying_key())
                }
                other => other,
            },
        }
    }

    /// The algorithms that the key's public half can be for.
    fn fitting(&self) -> Vec<Algorithm> {
        let all = Algorithm::ALL.iter().copied();
        all.filter(|algorithm| !algorithm.is_symmetric() && self.public_as(*algorithm).is_ok())
            .collect()
    }

    fn algorithm(&self, wanted: Option<Algorithm>, half: Half) -> Result<Algorithm, Failure> {
        let own = match &self.content {
            Content::Jwk(jwk) => jwk.natural_algorithm(),
            Content::Pem(_) => None,
        };
        match wanted.or(own) {
            Some(algorithm) => Ok(algorithm),
            None => Err(match self.fitting().as_slice() {
                [] => self.useless(half),
                fitting => self.unnamed(fitting),
            }),
        }
    }

    fn unnamed(&self, fitting: &[Algorithm]) -> Failure {
        let error = anyhow!(
            "{}: --alg is needed: this key does not say what it is for",
            self.path.display()
        );
        Failure::usage(error).hint(format!("it can be for {}", listed(fitting)))
    }

    /// Why no algorithm fits, as far as a look at the file can tell.
    fn useless(&self, half: Half) -> Failure {
        match &self.content {
            Content::Jwk(jwk) if jwk.key_type() == yett_jwt::KeyType::Oct => {
                let error = anyhow!(
                    "{}: --alg is needed: the JWK names no algorithm",
                    self.path.display()
                );
                Failure::usage(error).hint("a shared secret can be for HS256, HS384 or HS512")
            }
            _ => match self.first_fault() {
                Some(error) => self.refused(error, half),
                None => self.unfit(),
            },
        }
    }

    fn unfit(&self) -> Failure {
        if let Content::Jwk(jwk) = &self.content
            && jwk.key_type() == yett_jwt::KeyType::Oct
        {
            let error = anyhow!(
                "{}: a shared secret has no public half",
                self.path.display()
            );
            return Failure::usage(error).hint("never publish it, nor its hash");
        }
        match self.first_fault() {
            Some(error) => self.refused(error, Half::Public),
            None => Failure::usage(anyhow!("{}: not a usable key", self.path.display())),
        }
    }

    /// What is wrong with the file as a key for any algorithm: the first fault that is not about one
    /// algorithm.
    fn first_fault(&self) -> Option<KeyError> {
        let all = Algorithm::ALL.iter().copied();
        let mut faults = all
            .filter(|algorithm| !algorithm.is_symmetric())
            .filter_map(|algorithm| self.public_as(algorithm).err());
        let first = faults.next();
        faults
            .find(|error| !matches!(error, KeyError::OtherAlgorithm { .. }))
            .or(first)
    }

    fn refused(&self, error: KeyError, half: Half) -> Failure {
        let name = self.path.display();
        let hint = match (&error, half) {
            (KeyError::Private, _) => Some(format!(
                "make the public key of it: openssl pkey -in {name} -pubout"
            )),
            (KeyError::Public, Half::Private) => {
                Some("yett token issue needs the private key".to_owned())
            }
            (KeyError::OtherAlgorithm { .. }, _) => match self.fitting().as_slice() {
                [] => None,
                fitting => Some(format!("it can be for {}", listed(fitting))),
            },
            (KeyError::NotForKeyPairs(_), _) => {
                Some("a shared secret is given with --secret-file or --secret-env".to_owned())
            }
            _ => None,
        };
        let error = match error {
            // That some one algorithm does not take it would say too little.
            KeyError::OtherAlgorithm { found, .. } if hint.is_none() => {
                anyhow!("the key is {found}, which no algorithm of Yett takes")
            }
            other => anyhow::Error::new(other),
        };
        let error = error.context(format!("{name}: the key is not taken"));
        match hint {
            Some(hint) => Failure::usage(error).hint(hint),
            None => Failure::usage(error),
        }
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";

fn listed(algorithms: &[Algorithm]) -> String {
    let names: Vec<_> = algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
