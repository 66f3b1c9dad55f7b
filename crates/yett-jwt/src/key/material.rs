//! Recognizes keys and certificates of other kinds, so that none becomes a shared secret by
//! mistake: a public key used as an HMAC secret lets everyone sign (CVE-2022-29217 and its many
//! heirs). Never decides what a key *is*: keys are typed by whoever loads them, and this is the
//! second lock.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD_INDIFFERENT, URL_SAFE_NO_PAD_INDIFFERENT};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// What a secret turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMaterial {
    /// PEM or SSH2 armour anywhere in it: a key, certificate or request.
    Pem,
    /// A line of an SSH public key file, or the binary form of an SSH key.
    Ssh,
    /// DER, as bytes or in base64: certificate, SubjectPublicKeyInfo, PKCS #8, PKCS #1, SEC 1.
    Der,
    /// A JSON document: JWK, JWK set, or some service's account file.
    Json,
}

impl fmt::Display for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "a PEM text",
            Self::Ssh => "an SSH key",
            Self::Der => "a DER structure (key or certificate)",
            Self::Json => "a JSON document (such as a JWK)",
        })
    }
}

/// Starts of armour lines: `-----BEGIN …-----` (RFC 7468) and `---- BEGIN …` (RFC 4716).
const ARMOUR: [&[u8]; 2] = [b"----BEGIN ", b"---- BEGIN "];

/// Starts of SSH keys: algorithm names as in `authorized_keys`, and two binary forms.
const SSH: [&[u8]; 9] = [
    b"ssh-rsa",
    b"ssh-dss",
    b"ssh-ed25519",
    b"ssh-ed448",
    b"ecdsa-sha2-",
    b"sk-ssh-",
    b"sk-ecdsa-sha2-",
    b"openssh-key-v1\0",
    b"\0\0\0\x07ssh-rsa",
];

impl KeyMaterial {
    /// What else than a shared secret these bytes are, if anything. Byte order marks, white space
    /// in front and UTF-16 do not hide it.
    pub(super) fn recognize(secret: &[u8]) -> Option<Self> {
        if let Some(found) = Self::recognize_text(secret) {
            return Some(found);
        }
        let bytes = skip_marks_and_space(secret);
        if is_der(bytes) {
            return Some(Self::Der);
        }
        if let Some(found) = Self::recognize_base64(bytes) {
            return Some(found);
        }
        // ASCII text in UTF-16 or UTF-32, either byte order, with or without its mark.
        if !secret.contains(&0) {
            return None;
        }
        let mut ascii = Zeroizing::new(Vec::with_capacity(secret.len()));
        ascii.extend(
            secret
                .iter()
                .filter(|byte| !matches!(byte, 0 | 0xFE | 0xFF)),
        );
        Self::recognize_text(&ascii)
    }

    /// PEM whose armour was lost, on one line or several, or a whole key file in base64.
    fn recognize_base64(secret: &[u8]) -> Option<Self> {
        // Both rooms have their final size from the start: a vector that grows leaves copies of the
        // secret behind.
        let mut text = Zeroizing::new(Vec::with_capacity(secret.len()));
        text.extend(secret.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let mut room = Zeroizing::new(vec![0; secret.len()]);
        [&STANDARD_NO_PAD_INDIFFERENT, &URL_SAFE_NO_PAD_INDIFFERENT]
            .into_iter()
            .find_map(|engine| {
                let length = engine.decode_slice(text.as_slice(), &mut room).ok()?;
                let decoded = room.get(..length)?;
                if is_der(decoded) {
                    return Some(Self::Der);
                }
                Self::recognize_text(decoded)
            })
    }

    fn recognize_text(secret: &[u8]) -> Option<Self> {
        if ARMOUR.iter().any(|mark| contains(secret, mark)) {
            return Some(Self::Pem);
        }
        let secret = skip_marks_and_space(secret);
        if SSH.iter().any(|start| secret.starts_with(start)) {
            return Some(Self::Ssh);
        }
        is_json_document(secret).then_some(Self::Json)
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Skips UTF-8 byte order marks and ASCII white space in any mixture.
fn skip_marks_and_space(mut secret: &[u8]) -> &[u8] {
    loop {
        let rest = secret.trim_ascii_start();
        let rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
        // Vertical tab is white space for Python's `strip`, not for Rust's ASCII.
        let rest = rest.strip_prefix(b"\x0B").unwrap_or(rest);
        if rest.len() == secret.len() {
            return rest;
        }
        secret = rest;
    }
}

/// Any object or array: none is a sensible secret, whether or not its members are those of a JWK.
/// What is not quite JSON but speaks of `"kty"` counts too: another reader may be more patient.
fn is_json_document(secret: &[u8]) -> bool {
    matches!(secret.first(), Some(b'{' | b'['))
        && (contains(secret, b"\"kty\"") || serde_json::from_slice::<IgnoredAny>(secret).is_ok())
}

/// A SEQUENCE over all the bytes, that consists of two or more elements, of which the first is a
/// SEQUENCE or an INTEGER: this is what all the key and certificate structures have in common, and
/// fewer than one random secret in 2^23 has it.
fn is_der(secret: &[u8]) -> bool {
    let Some((SEQUENCE, content, after)) = take_element(secret) else {
        return false;
    };
    let Some((SEQUENCE | INTEGER, _, mut rest)) = take_element(content) else {
        return false;
    };
    if rest.is_empty() || !after.trim_ascii_start().is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let Some((_, _, after)) = take_element(rest) else {
            return false;
        };
        rest = after;
    }
    true
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// Splits off one DER element: its tag, its content, what follows. Lengths of up to four bytes.
fn take_element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut length = usize::from(first & 0x7F);
    if first & 0x80 != 0 {
        let (digits, after) = rest
            .split_at_checked(length)
            .filter(|(digits, _)| (1..=4).contains(&digits.len()))?;
        length = digits
            .iter()
            .fold(0, |length, digit| (length << 8) | usize::from(*digit));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}
