//! A type of the caller's as JSON, with an eye on the names. serde_json writes right syntax by
//! itself; what a type can get wrong is a name that occurs twice (`flatten`), and depth.
//!
//! Never decides: it only notices that a second look is needed, by the strict reader. A look at
//! every token would cost a quarter of signing one with HS256.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use crate::json::{self, DEEPEST_JSON};
use crate::{JsonFault, SignError};

/// Writes claims as the text of a JSON object that a verifier accepts.
pub(super) fn claims<T: Serialize>(claims: &T) -> Result<Vec<u8>, SignError> {
    let mut text = Vec::with_capacity(256);
    let mut names = Names::default();
    // serde_json's error is dropped: its text may quote claims.
    claims
        .serialize(&mut Serializer::with_formatter(&mut text, &mut names))
        .map_err(|_| SignError::Claims(JsonFault::Syntax))?;
    if names.is_doubtful || text.first() != Some(&b'{') {
        let text = str::from_utf8(&text).map_err(|_| SignError::Claims(JsonFault::NotUtf8))?;
        json::check_object(text).map_err(SignError::Claims)?;
    }
    Ok(text)
}

/// Names of the objects that are open, as far as they fit. More, and the reader has to look.
const MOST_NAMES: usize = 32;

/// Sums of the names of the objects that are open, outermost first. Equal sums mean that the names
/// may be equal.
struct Names {
    sums: [u64; MOST_NAMES],
    count: usize,
    /// Where in `sums` each open object begins; arrays count as levels with no names.
    levels: [u8; DEEPEST_JSON],
    depth: usize,
    /// Of the name that is being written.
    sum: u64,
    is_name: bool,
    is_doubtful: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            sums: [0; MOST_NAMES],
            count: 0,
            levels: [0; DEEPEST_JSON],
            depth: 0,
            sum: NOTHING,
            is_name: false,
            is_doubtful: false,
        }
    }
}

/// The sum of a name of which nothing has been written.
const NOTHING: u64 = 0;

impl Names {
    fn open(&mut self) {
        match self.levels.get_mut(self.depth) {
            Some(level) => *level = self.count as u8,
            None => self.is_doubtful = true,
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        let begin = self.levels.get(self.depth).copied().map_or(0, usize::from);
        let names = self.sums.get(begin..self.count).unwrap_or_default();
        let mut rest = names.iter();
        while let Some(sum) = rest.next() {
            self.is_doubtful |= rest.clone().any(|other| other == sum);
        }
        self.count = begin.min(self.count);
    }

    fn end_name(&mut self) {
        self.is_name = false;
        // An empty name, or one written as a number.
        self.is_doubtful |= self.sum == NOTHING;
        match self.sums.get_mut(self.count) {
            Some(place) => {
                *place = self.sum;
                self.count += 1;
            }
            None => self.is_doubtful = true,
        }
    }

    /// A sum of eight bytes at a time: names are short.
    fn add(&mut self, fragment: &str) {
        for chunk in fragment.as_bytes().chunks(8) {
            let mut eight = [0; 8];
            for (place, byte) in eight.iter_mut().zip(chunk) {
                *place = *byte;
            }
            let mixed = self.sum.rotate_left(5) ^ u64::from_le_bytes(eight);
            self.sum = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        }
    }
}

impl Formatter for &mut Names {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open();
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close();
        writer.write_all(b"}")
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open();
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close();
        writer.write_all(b"]")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.is_name = true;
        self.sum = NOTHING;
        if first {
            Ok(())
        } else {
            writer.write_all(b",")
        }
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.end_name();
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.is_name {
            self.add(fragment);
        }
        writer.write_all(fragment.as_bytes())
    }

    /// Escapes in names are rare: the reader may look.
    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.is_doubtful |= self.is_name;
        serde_json::ser::CompactFormatter.write_char_escape(writer, escape)
    }

    /// What the caller wrote without serde_json.
    fn write_raw_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.is_doubtful = true;
        writer.write_all(fragment.as_bytes())
    }
}
