//! Another reading of JSON, by serde_json and a set of names, slow and plain: what a careful reader
//! must find in a text.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What there is in a text that is JSON.
#[derive(Default)]
pub struct Found {
    /// Some object has a name twice.
    pub twins: Cell<bool>,
    /// How deep objects and arrays lie within one another.
    pub deepest: Cell<usize>,
    /// The outermost value is an object.
    pub is_object: Cell<bool>,
}

impl Found {
    /// Nothing if the text is no JSON, or deeper than serde_json goes (128).
    pub fn read(text: &[u8]) -> Option<Self> {
        let found = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let look = Look {
            found: &found,
            level: 0,
        };
        look.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(found)
    }
}

#[derive(Clone, Copy)]
struct Look<'f> {
    found: &'f Found,
    level: usize,
}

impl Look<'_> {
    fn deeper(self) -> Self {
        let level = self.level + 1;
        self.found.deepest.set(self.found.deepest.get().max(level));
        Self { level, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper();
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = self.deeper();
        if self.level == 0 {
            self.found.is_object.set(true);
        }
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                self.found.twins.set(true);
            }
            members.next_value_seed(inner)?;
        }
        Ok(())
    }
}
