//! Just enough DER (X.690) to see what a key file holds: strict about lengths and integers, and
//! never a judge of keys, which the crypto library is.

pub(crate) mod structure;

/// Universal tags that key structures use.
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: a certificate's version, the parameters of a SEC 1 key.
pub(crate) const CONTEXT_0: u8 = 0xA0;
/// `[0]`, primitive: the seed of an ML-DSA key (RFC 9881).
pub(crate) const CONTEXT_0_PRIMITIVE: u8 = 0x80;

/// The bytes are not the DER that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotDer;

/// Reads elements from the front of some bytes.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'d> {
    rest: &'d [u8],
}

impl<'d> Reader<'d> {
    pub(crate) const fn new(bytes: &'d [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the one element that `bytes` are, which must have this tag.
    pub(crate) fn only(tag: u8, bytes: &'d [u8]) -> Result<&'d [u8], NotDer> {
        let mut reader = Self::new(bytes);
        let content = reader.take(tag)?;
        reader.end().map(|()| content)
    }

    /// The tag of what comes next.
    pub(crate) fn next_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Result<&'d [u8], NotDer> {
        self.take_whole(tag).map(|(_, content)| content)
    }

    /// The next element as it stands, and its content.
    pub(crate) fn take_whole(&mut self, tag: u8) -> Result<(&'d [u8], &'d [u8]), NotDer> {
        let start = self.rest;
        let (found, length, after) = head(start).ok_or(NotDer)?;
        let (content, rest) = after.split_at_checked(length).ok_or(NotDer)?;
        if found != tag {
            return Err(NotDer);
        }
        let whole = start
            .get(..start.len().saturating_sub(rest.len()))
            .ok_or(NotDer)?;
        self.rest = rest;
        Ok((whole, content))
    }

    /// A non-negative INTEGER: its bytes, big-endian, without leading zeros (none at all for 0).
    pub(crate) fn take_unsigned(&mut self) -> Result<&'d [u8], NotDer> {
        match self.take(INTEGER)? {
            [0] => Ok(&[]),
            // The zero that keeps the first bit from being a sign.
            [0, digits @ ..] if digits.first() >= Some(&0x80) => Ok(digits),
            digits @ [0x01..=0x7F, ..] => Ok(digits),
            _ => Err(NotDer),
        }
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn take_bits(&mut self) -> Result<&'d [u8], NotDer> {
        match self.take(BIT_STRING)?.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(NotDer),
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), NotDer> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(NotDer)
        }
    }
}

/// The tag and length at the front, and what follows them. One-byte tags; lengths definite, in as
/// few bytes as they need, four at most.
fn head(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    if tag & 0x1F == 0x1F {
        return None;
    }
    if first < 0x80 {
        return Some((tag, usize::from(first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
    if !(1..=4).contains(&digits.len()) || digits.first() == Some(&0) {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |length, digit| (length << 8) | usize::from(*digit));
    (length >= 0x80).then_some((tag, length, rest))
}

#[cfg(test)]
mod tests;
