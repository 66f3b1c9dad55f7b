//! The one JSON reader for headers and payloads, stricter than RFC 8259 asks. Never repairs: what
//! two readers could understand differently is refused (RFC 8725 section 2.4, RFC 7519 section 4:
//! names must be unique).
//!
//! It gives back `serde_json` values. A claim's integer beyond 64 bits is kept as the nearest float
//! there; whoever needs it exactly reads the payload's text. serde_json's feature
//! `arbitrary_precision` must stay off in the workspace: with it numbers arrive here as objects,
//! and every time claim would be refused for its type.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Objects and arrays may lie within one another this deep, the outermost counted. Deeper JSON is
/// refused.
pub const DEEPEST_JSON: usize = 32;

/// What is wrong with a header or payload as JSON.
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
}

/// Reads one JSON object and nothing after it. Takes time linear in the text but for the names of
/// one object, which are kept in order: a sorted map, not a hash, so that no choice of names makes
/// it slow.
pub(crate) fn read_object(text: &str) -> Result<Map<String, Value>, JsonFault> {
    let fault = Cell::new(None);
    let seed = Strict {
        levels_left: DEEPEST_JSON,
        fault: &fault,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    // serde's own error is dropped: its text quotes the input.
    let value = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| fault.get().unwrap_or(JsonFault::Syntax))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(JsonFault::NotObject),
    }
}

/// One value at some depth. serde's errors hold only text, so the reason of a refusal travels
/// through `fault`.
#[derive(Clone, Copy)]
struct Strict<'f> {
    levels_left: usize,
    fault: &'f Cell<Option<JsonFault>>,
}

impl Strict<'_> {
    /// The seed for what lies within an object or array.
    fn within<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self {
                levels_left,
                ..self
            }),
            None => Err(self.refuse(JsonFault::TooDeep)),
        }
    }

    fn refuse<E: serde::de::Error>(self, fault: JsonFault) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.refuse(JsonFault::Syntax)),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.within()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(seed)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.within()?;
        let mut members = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            if members.insert(name, items.next_value_seed(seed)?).is_some() {
                return Err(self.refuse(JsonFault::DuplicateName));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests;
