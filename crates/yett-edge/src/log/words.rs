//! What a client said of a request, kept for its record: all pieces in one buffer, which is used
//! again for a later request of the same thread.
//!
//! Each piece is cut at [`MAX_WORD`], so a record has a bound whatever the client sends. Nothing is
//! escaped here; the formats do that when they write.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// Longest piece of a client's text that is kept, in bytes.
const MAX_WORD: usize = 2048;

/// Buffers that a thread keeps for further requests, and the largest that it keeps.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 1024;

thread_local! {
    static BUFFERS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A piece of what the client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The method.
    Method,
    /// The target as it was sent.
    Target,
    /// `User-Agent`.
    UserAgent,
    /// `Referer`.
    Referer,
    /// `Host`, or what HTTP/2 has in its place.
    Host,
    /// The request's id: a trusted proxy's, or one that was made here.
    RequestId,
}

const WORDS: usize = 6;

/// Some of the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct WordSet(u8);

impl WordSet {
    pub(super) const fn with(self, word: Word) -> Self {
        Self(self.0 | 1 << word as u8)
    }

    pub(super) const fn has(self, word: Word) -> bool {
        self.0 & 1 << word as u8 != 0
    }
}

/// All pieces. Those that were not said are empty.
#[derive(Debug)]
pub struct Words {
    text: String,
    places: [Option<(usize, usize)>; WORDS],
}

impl Words {
    pub(super) fn new(method: &str, target: &str) -> Self {
        let kept = BUFFERS.try_with(|buffers| buffers.try_borrow_mut().ok()?.pop());
        let text = kept.ok().flatten();
        let mut words = Self {
            text: text.unwrap_or_else(|| String::with_capacity(256)),
            places: [None; WORDS],
        };
        words.say(Word::Method, method);
        words.say(Word::Target, target);
        words
    }

    /// Takes a piece in; one that was there before is replaced.
    pub(super) fn say(&mut self, word: Word, said: &str) {
        // It is an error only to be longer than is kept.
        self.write(word, |bounded| bounded.write_str(said));
    }

    /// The same for what is no text yet.
    pub(super) fn spell(&mut self, word: Word, said: impl fmt::Display) {
        self.write(word, |bounded| write!(bounded, "{said}"));
    }

    fn write(&mut self, word: Word, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) {
        let begin = self.text.len();
        let mut bounded = Bounded {
            text: &mut self.text,
            left: MAX_WORD,
        };
        let _cut = write(&mut bounded);
        if let Some(place) = self.places.get_mut(word as usize) {
            *place = Some((begin, self.text.len()));
        }
    }

    /// A piece, if it was said.
    #[must_use]
    pub fn said(&self, word: Word) -> Option<&str> {
        let (begin, end) = self.places.get(word as usize).copied().flatten()?;
        self.text.get(Range { start: begin, end })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.said(Word::Method).unwrap_or_default()
    }

    /// The target, with its query.
    #[must_use]
    pub fn target(&self) -> &str {
        self.said(Word::Target).unwrap_or_default()
    }

    /// The target without its query, which may hold a secret.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.target();
        target.split_once('?').map_or(target, |(path, _)| path)
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            places: self.places,
        }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if self.text.capacity() > KEPT_BYTES {
            return;
        }
        let mut text = std::mem::take(&mut self.text);
        // A thread that is ending keeps nothing.
        let _ending = BUFFERS.try_with(|buffers| {
            if let Ok(mut buffers) = buffers.try_borrow_mut()
                && buffers.len() < KEPT
            {
                text.clear();
                buffers.push(text);
            }
        });
    }
}

/// Takes as much as there is room for.
struct Bounded<'t> {
    text: &'t mut String,
    left: usize,
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, said: &str) -> fmt::Result {
        let fits = said.floor_char_boundary(self.left);
        self.text.push_str(said.get(..fits).unwrap_or_default());
        self.left -= fits;
        if fits < said.len() {
            self.left = 0;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_what_was_said_of_it_also_in_a_buffer_that_was_used_before() {
        for round in 0..3 {
            let mut words = Words::new("GET", "/a?secret");
            words.spell(Word::UserAgent, format_args!("agent {round}"));
            assert_eq!(words.method(), "GET");
            assert_eq!(words.target(), "/a?secret");
            assert_eq!(words.path(), "/a");
            let agent = format!("agent {round}");
            assert_eq!(words.said(Word::UserAgent), Some(&*agent));
            assert_eq!(words.said(Word::Referer), None);
            let copy = words.clone();
            drop(words);
            assert_eq!(copy.target(), "/a?secret");
        }
    }

    #[test]
    fn long_piece_is_cut_between_characters() {
        let mut words = Words::new("GET", &"é".repeat(MAX_WORD));
        assert_eq!(words.target().len(), MAX_WORD);
        words.spell(Word::Host, format_args!("a{}{}", "é".repeat(MAX_WORD), "b"));
        let host = words.said(Word::Host).unwrap();
        assert_eq!(host.len(), MAX_WORD - 1);
        assert!(host.ends_with('é'));
    }
}
