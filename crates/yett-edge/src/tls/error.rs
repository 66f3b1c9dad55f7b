//! What can be wrong with certificates, keys and authorities, in words that say what to do.
//!
//! Names files, never their content: no key or part of one can stand in an error.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One mistake.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there, or may not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The file is longer than any such file is.
    #[error("{} is longer than 1 MiB", .0.display())]
    TooLong(PathBuf),
    /// The file's PEM text is broken.
    #[error("{} holds a damaged PEM block", .0.display())]
    Pem(PathBuf),
    /// There is no certificate in the file.
    #[error("there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate in the file cannot be understood.
    #[error("certificate {number} in {} cannot be understood", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Which one, counted from 1.
        number: usize,
    },
    /// There is no private key in the file.
    #[error("there is no private key in {}", .0.display())]
    NoKey(PathBuf),
    /// The key is protected by a passphrase.
    #[error("the private key in {} is encrypted", .0.display())]
    EncryptedKey(PathBuf),
    /// The key is of a kind that cannot be used.
    #[error("the private key in {} is damaged or of a kind that is not supported", .0.display())]
    UnusableKey(PathBuf),
    /// The key is another one's.
    #[error("the private key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    KeyMismatch {
        /// The chain's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The server's own certificate is there, but not first.
    #[error("the server's own certificate must stand first in {}, and stands at place {number}", path.display())]
    WrongOrder {
        /// The file.
        path: PathBuf,
        /// Where it stands, counted from 1.
        number: usize,
    },
    /// There are no certificates at all.
    #[error("TLS needs a certificate")]
    Nothing,
    /// The authorities cannot be used.
    #[error("the authorities in {} cannot be used", .0.display())]
    BadAuthorities(PathBuf),
    /// A revocation list is missing or damaged.
    #[error("there is no usable revocation list in {}", .0.display())]
    BadRevocations(PathBuf),
    /// A certificate for development could not be made.
    #[error("cannot make a certificate for development")]
    SelfSigned(#[source] rcgen::Error),
    /// The TLS library refuses the settings.
    #[error("the TLS library refuses the settings")]
    Library(#[source] rustls::Error),
}

impl TlsError {
    /// What to do about it, where that is clear.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCertificate(_) => Some(
                "it must hold PEM text: -----BEGIN CERTIFICATE-----; a DER or PKCS#12 file must be converted with openssl",
            ),
            Self::NoKey(_) => Some(
                "it must hold PEM text: -----BEGIN PRIVATE KEY-----; a DER or PKCS#12 file must be converted with openssl",
            ),
            Self::EncryptedKey(_) => Some(
                "take the passphrase away (openssl pkey -in key.pem -out plain.pem) and let only the server's user read the file",
            ),
            Self::UnusableKey(_) => Some(
                "RSA from 2048 bits, ECDSA on P-256, P-384 or P-521, and Ed25519 are supported",
            ),
            Self::KeyMismatch { .. } => {
                Some("certificates and keys are paired in the order in which they are named")
            }
            Self::WrongOrder { .. } => {
                Some("put the server's certificate first, then the one that signed it, and so on")
            }
            Self::Nothing => {
                Some("name one with --tls-cert and --tls-key, or use --tls-self-signed")
            }
            Self::Unreadable { .. }
            | Self::TooLong(_)
            | Self::Pem(_)
            | Self::BadCertificate { .. }
            | Self::BadAuthorities(_)
            | Self::BadRevocations(_)
            | Self::SelfSigned(_)
            | Self::Library(_) => None,
        }
    }
}

/// All mistakes, at least one.
#[derive(Debug)]
pub struct TlsErrors(Vec<TlsError>);

impl TlsErrors {
    /// `Ok` where there is no mistake.
    pub(super) fn none(errors: Vec<TlsError>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(errors))
        }
    }
}

impl From<TlsError> for TlsErrors {
    fn from(error: TlsError) -> Self {
        Self(vec![error])
    }
}

/// Each mistake with its cause and its hint, a line each.
impl fmt::Display for TlsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.0.len() > 1;
        if many {
            write!(f, "{} mistakes in what TLS needs:", self.0.len())?;
        }
        for error in &self.0 {
            if many {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
            let mut cause = std::error::Error::source(error);
            while let Some(next) = cause {
                write!(f, ": {next}")?;
                cause = next.source();
            }
            if let Some(hint) = error.hint() {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for TlsErrors {}
