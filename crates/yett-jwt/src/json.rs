//! The one JSON reader for headers, payloads and keys, stricter than RFC 8259 asks. Never repairs:
//! what two readers could understand differently is refused (RFC 8725 section 2.4, RFC 7519 section
//! 4: names must be unique).
//!
//! One pass checks the whole text and notes where the members of the outermost object lie; nothing
//! is copied but strings with escapes. Values are views into the text ([`Json`]), numbers keep their
//! digits. A tree of values, as serde_json builds one, costs an allocation for each name and text,
//! which is more than all the rest of proving an HS256 token but the hash itself.

mod document;
mod read;
mod scan;
mod view;

pub(crate) use document::{Document, Kind, Member};
pub use read::ClaimsError;
pub use view::{Json, JsonArray, JsonNumber, JsonObject};

use serde_json::{Map, Value};

/// Objects and arrays may lie within one another this deep, the outermost counted. Deeper JSON is
/// refused.
pub const DEEPEST_JSON: usize = 32;

/// What is wrong with a header, payload or key as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON: also `NaN`, half a surrogate pair, a number too large for a float, anything after
    /// the value.
    #[error("not JSON")]
    Syntax,
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotObject,
    /// An object, at any depth, has a name twice.
    #[error("a name occurs twice in an object")]
    DuplicateName,
    /// Deeper than [`DEEPEST_JSON`].
    #[error("nested deeper than {DEEPEST_JSON} levels")]
    TooDeep,
    /// Half a gibibyte or more: places in the text are kept in 30 bits.
    #[error("half a gibibyte or more")]
    TooLarge,
}

/// Reads one JSON object and nothing after it, as a tree: for keys, which are read once.
pub(crate) fn read_object(text: &str) -> Result<Map<String, Value>, JsonFault> {
    scan::check(text)?;
    // serde's error is dropped: its text quotes the input. There is none anyway after the check.
    serde_json::from_str(text).map_err(|_| JsonFault::Syntax)
}

/// Checks one JSON object as strictly as [`Document::read`], and keeps nothing of it.
pub(crate) fn check_object(text: &str) -> Result<(), JsonFault> {
    scan::check(text)
}

#[cfg(test)]
mod tests;
