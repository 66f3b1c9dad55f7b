//! Reading the numbers of a stored hash: one spelling each, so that none means two things.

use super::error::HashError;

/// A decimal number as Django writes it: digits alone, no leading zero.
///
/// A number that is too large for 32 bits is given as `u32::MAX`, which every bound refuses.
pub(super) fn number(text: &str) -> Result<u32, HashError> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.is_empty()
        && (text == "0" || !text.starts_with('0'));
    if !canonical {
        return Err(HashError::Malformed);
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// The number behind `name=`.
pub(super) fn named(text: &str, name: &str) -> Result<u32, HashError> {
    let value = text
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .ok_or(HashError::Malformed)?;
    number(value)
}

/// Exactly `N` parts between signs of `mark`.
pub(super) fn parts<const N: usize>(text: &str, mark: char) -> Result<[&str; N], HashError> {
    let mut split = text.split(mark);
    let mut found = [""; N];
    for part in &mut found {
        *part = split.next().ok_or(HashError::Malformed)?;
    }
    match split.next() {
        None => Ok(found),
        Some(_) => Err(HashError::Malformed),
    }
}

/// A salt that is written as it is: text, not empty, without the sign that ends it.
pub(super) fn plain_salt(salt: &[u8]) -> Result<&str, HashError> {
    match std::str::from_utf8(salt) {
        Ok(text) if !text.is_empty() && !text.contains('$') => Ok(text),
        _ => Err(HashError::Salt),
    }
}
