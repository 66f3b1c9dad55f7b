//! The armour of key files (RFC 7468): one block between a `BEGIN` and an `END` line. Text around
//! it is allowed, as `openssl` writes it; a second block is not, because nobody could say which of
//! two keys was meant. Says nothing of what the bytes are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::{KeyError, PemFault};

/// A PEM text may have this many bytes, whatever stands around the block.
pub const LONGEST_PEM: usize = 64 * 1024;

/// What the label of a block says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    PublicKey,
    RsaPublicKey,
    Certificate,
    PrivateKey,
    RsaPrivateKey,
    EcPrivateKey,
}

impl Label {
    const fn name(self) -> &'static str {
        match self {
            Self::PublicKey => "PUBLIC KEY",
            Self::RsaPublicKey => "RSA PUBLIC KEY",
            Self::Certificate => "CERTIFICATE",
            Self::PrivateKey => "PRIVATE KEY",
            Self::RsaPrivateKey => "RSA PRIVATE KEY",
            Self::EcPrivateKey => "EC PRIVATE KEY",
        }
    }

    fn named(name: &str) -> Result<Self, KeyError> {
        match name {
            "PUBLIC KEY" => Ok(Self::PublicKey),
            "RSA PUBLIC KEY" => Ok(Self::RsaPublicKey),
            // RFC 7468 section 5.1: the old label of certificates.
            "CERTIFICATE" | "X509 CERTIFICATE" => Ok(Self::Certificate),
            "PRIVATE KEY" => Ok(Self::PrivateKey),
            "RSA PRIVATE KEY" => Ok(Self::RsaPrivateKey),
            "EC PRIVATE KEY" => Ok(Self::EcPrivateKey),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "OPENSSH PRIVATE KEY" => Err(KeyError::Pem(PemFault::OpenSsh)),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                Err(KeyError::Pem(PemFault::Request))
            }
            _ => Err(KeyError::Pem(PemFault::OtherLabel)),
        }
    }
}

/// One block: its label and its bytes, which are wiped when dropped.
pub(crate) struct Block {
    pub(crate) label: Label,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// A block as the text has it.
struct Armoured<'t> {
    label: &'t str,
    body: &'t str,
}

impl Block {
    /// Reads the one block of a text. An `EC PARAMETERS` block in front of an `EC PRIVATE KEY` is
    /// passed over: `openssl ecparam -genkey` writes it, and the key repeats what it says.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, KeyError> {
        if pem.len() > LONGEST_PEM {
            return Err(KeyError::Pem(PemFault::TooLong {
                longest: LONGEST_PEM,
            }));
        }
        // Explanatory text may be in any encoding; the armour is ASCII, so a text that is not
        // UTF-8 as a whole is looked at from its first `BEGIN`.
        let start = pem
            .windows(BEGIN.len())
            .position(|window| window == BEGIN.as_bytes())
            .ok_or(KeyError::Pem(PemFault::NoBlock))?;
        let text = pem.get(start..).unwrap_or_default();
        let text = str::from_utf8(text).map_err(|_| KeyError::Pem(PemFault::Base64))?;
        let (mut block, mut rest) = next_block(text).map_err(KeyError::Pem)?;
        if block.label == EC_PARAMETERS {
            if !rest.contains(BEGIN) {
                return Err(KeyError::Pem(PemFault::ParametersAlone));
            }
            (block, rest) = next_block(rest).map_err(KeyError::Pem)?;
            if block.label != Label::EcPrivateKey.name() {
                return Err(KeyError::Pem(PemFault::SeveralBlocks));
            }
        }
        if rest.contains(BEGIN) {
            return Err(KeyError::Pem(PemFault::SeveralBlocks));
        }
        let label = Label::named(block.label)?;
        decode(block.body).map(|der| Self { label, der })
    }
}

const BEGIN: &str = "-----BEGIN ";
const EC_PARAMETERS: &str = "EC PARAMETERS";

/// The first block of a text, and what follows it.
fn next_block(text: &str) -> Result<(Armoured<'_>, &str), PemFault> {
    let (before, after) = text.split_once(BEGIN).ok_or(PemFault::NoBlock)?;
    if !(before.is_empty() || before.ends_with(['\n', '\r'])) {
        return Err(PemFault::NoBlock);
    }
    let (label, after) = after.split_once("-----").ok_or(PemFault::NoBlock)?;
    if label.contains(['\n', '\r']) {
        return Err(PemFault::NoBlock);
    }
    let (body, after) = after.split_once("-----END ").ok_or(PemFault::NoEnd)?;
    if !body.ends_with(['\n', '\r']) {
        return Err(PemFault::NoEnd);
    }
    let rest = after
        .strip_prefix(label)
        .and_then(|after| after.strip_prefix("-----"))
        .ok_or(PemFault::NoEnd)?;
    Ok((Armoured { label, body }, rest))
}

/// Decodes the lines between the armour: base64 with its padding, white space only at their ends.
fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Final sizes from the start: a vector that grows leaves copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    for line in body.lines() {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.starts_with("Proc-Type:") && line.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        text.extend_from_slice(line.as_bytes());
    }
    let mut der = Zeroizing::new(vec![0; text.len()]);
    let length = STANDARD
        .decode_slice(text.as_slice(), &mut der)
        .map_err(|_| KeyError::Pem(PemFault::Base64))?;
    der.truncate(length);
    Ok(der)
}

/// Writes a block: lines of 64 characters, a line feed after each.
pub(crate) fn encode(label: Label, der: &[u8]) -> Zeroizing<String> {
    let name = label.name();
    let characters = der.len().div_ceil(3).saturating_mul(4);
    let mut body = Zeroizing::new(String::with_capacity(characters));
    STANDARD.encode_string(der, &mut body);
    let lines = characters.div_ceil(LINE);
    let armour = 2 * (name.len() + "-----BEGIN -----\n".len());
    let mut text = Zeroizing::new(String::with_capacity(characters + lines + armour));
    text.push_str(BEGIN);
    text.push_str(name);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(name);
    text.push_str("-----\n");
    text
}

/// Characters of a line (RFC 7468 section 2).
const LINE: usize = 64;

#[cfg(test)]
mod tests;
