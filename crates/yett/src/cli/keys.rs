//! The words of `yett keys`.

use super::words;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use yett_jwt::{Algorithm, KeyId, RsaSize};

/// What to do with keys.
#[derive(Debug, Subcommand, PartialEq, Eq)]
pub(crate) enum KeysCommand {
    /// Make a new key.
    Generate(GenerateArgs),
    /// Print the public JWK set of some keys.
    Jwks(JwksArgs),
    /// Print a key's thumbprint (RFC 7638).
    Thumbprint(ThumbprintArgs),
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct GenerateArgs {
    /// What the key is for: HS256, RS256, PS256, ES256, EdDSA and so on.
    #[arg(long, value_name = "ALG", value_parser = words::algorithm)]
    pub(crate) alg: Algorithm,
    /// The size of an RSA key: 2048, 3072, 4096 or 8192 [default: 3072]
    #[arg(long, value_name = "N", value_parser = rsa_size)]
    pub(crate) bits: Option<RsaSize>,
    /// How the key is written [default: pem, and for HMAC the secret as a line of text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<KeyFormat>,
    /// The id of a JWK; auto means its thumbprint [default: auto, and none for HMAC]
    #[arg(long, value_name = "ID", value_parser = key_name)]
    pub(crate) kid: Option<KeyName>,
    /// Write the private key into this new file, which only you may read [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the public key into this new file [default: stdout, if the private key goes elsewhere]
    #[arg(long, value_name = "FILE")]
    pub(crate) public_out: Option<PathBuf>,
    /// Overwrite files. The old key is then gone.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyFormat {
    /// PKCS#8 and SubjectPublicKeyInfo in PEM.
    Pem,
    /// JSON Web Key (RFC 7517).
    Jwk,
}

/// Which id a key gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyName {
    /// Its thumbprint.
    Thumbprint,
    /// This one.
    Given(KeyId),
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct JwksArgs {
    /// Keys: PEM (public, private, certificate) or JWK. Of private ones the public half is taken.
    /// NAME=FILE gives the key that id; else it is the JWK's own, or the thumbprint.
    #[arg(value_name = "[NAME=]FILE", required = true, value_parser = words::named_file)]
    pub(crate) files: Vec<(Option<KeyId>, PathBuf)>,
    /// The algorithm of keys that do not say theirs: RSA keys in PEM. May be repeated.
    #[arg(long, value_name = "ALG", value_parser = words::algorithm)]
    pub(crate) alg: Vec<Algorithm>,
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct ThumbprintArgs {
    /// A key: PEM (public, private, certificate) or JWK. The public half alone counts.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

fn rsa_size(word: &str) -> Result<RsaSize, String> {
    match word {
        "2048" => Ok(RsaSize::Bits2048),
        "3072" => Ok(RsaSize::Bits3072),
        "4096" => Ok(RsaSize::Bits4096),
        "8192" => Ok(RsaSize::Bits8192),
        _ => Err("expected 2048, 3072, 4096 or 8192".to_owned()),
    }
}

fn key_name(word: &str) -> Result<KeyName, String> {
    match word {
        "auto" => Ok(KeyName::Thumbprint),
        _ => words::key_id(word).map(KeyName::Given),
    }
}
