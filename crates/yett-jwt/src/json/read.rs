//! From checked members to a user's type, by serde. Names and strings are lent, not parsed again;
//! everything else goes through serde_json. Never shows a value in an error.

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::JsonNumber;
use super::document::{Document, Kind};

/// Why claims are not of a wanted type. Says which claim, and nothing of what it holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// A claim's value is not what the type wants.
    #[error("claim {claim} is not as the type wants it")]
    Claim {
        /// The claim's name.
        claim: Box<str>,
    },
    /// A claim that the type wants is missing, or there is one that it does not know.
    #[error("the claims are not those that the type wants")]
    Shape,
}

impl Document {
    /// The members as any type that serde can fill from a map.
    pub(crate) fn deserialize<'de, T: Deserialize<'de>>(&'de self) -> Result<T, ClaimsError> {
        let mut members = Members {
            document: self,
            next: 0,
            is_within: false,
        };
        T::deserialize(&mut members).map_err(|_| {
            let at = members.next;
            match self.members().get(at).filter(|_| members.is_within) {
                Some(member) => ClaimsError::Claim {
                    claim: self.name(member).into(),
                },
                None => ClaimsError::Shape,
            }
        })
    }
}

/// Lends the members, one after the other.
struct Members<'de> {
    document: &'de Document,
    next: usize,
    /// Whether the value of the next one is being read.
    is_within: bool,
}

impl<'de> Deserializer<'de> for &mut Members<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut Members<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        let Some(member) = self.document.members().get(self.next) else {
            return Ok(None);
        };
        self.is_within = true;
        let name = BorrowedStrDeserializer::new(self.document.name(member));
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        let Some(member) = self.document.members().get(self.next) else {
            return Err(serde::de::Error::custom("no value without a name"));
        };
        let text = self.document.strings().at(member.value);
        let value = match member.kind() {
            Kind::String => seed.deserialize(Text(text)),
            // Nearly all numbers are short integers. Minus zero is a float, there as here.
            Kind::Number => match JsonNumber::new(text).as_i64() {
                Some(integer) if text != "-0" => seed.deserialize(Integer(integer)),
                _ => whole(text, seed),
            },
            _ => whole(text, seed),
        }?;
        self.next += 1;
        self.is_within = false;
        Ok(value)
    }
}

/// By serde_json, to the last byte: it reads an `i128` from the front of `1.5` and calls it 1.
fn whole<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    seed: S,
) -> Result<S::Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// An integer that is parsed already.
struct Integer(i64);

impl<'de> Deserializer<'de> for Integer {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match u64::try_from(self.0) {
            Ok(positive) => visitor.visit_u64(positive),
            Err(_) => visitor.visit_i64(self.0),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A string that is decoded already.
struct Text<'de>(&'de str);

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
