//! Django's URL patterns, matched as Django matches them.
//!
//! Django goes piece by piece: each pattern at the start of what the one before it left over
//! (`URLResolver.resolve`, `RegexPattern.match`, Django 6.1). So does [`Pattern`]; the pieces are
//! never glued into one expression, which could go back into an earlier piece where Django does
//! not. Both engines prefer the same one of several matches (leftmost-first), so each piece ends
//! at the same byte in both.

use regex::{Regex, RegexBuilder};

use super::dialect::{Alphabet, Piece, Place};

/// A compiled URL pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    steps: Vec<Step>,
    literal_prefix: String,
    alphabet: Alphabet,
}

/// One piece, matched at the start of what is left of the path.
#[derive(Debug)]
enum Step {
    Literal(Box<str>),
    LiteralToEnd(Box<str>),
    Regex(Regex),
}

/// Whether a path matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matching {
    Yes,
    No,
    /// Python could come to another result.
    Unsure,
}

impl Pattern {
    /// Compiles Python's pieces, outermost first. `None` when one of them is not surely the same
    /// in Rust.
    pub(crate) fn compile(pieces: &[String]) -> Option<Self> {
        let mut pattern = Self {
            steps: Vec::with_capacity(pieces.len()),
            literal_prefix: String::new(),
            alphabet: Alphabet::Any,
        };
        let mut literal_so_far = true;
        let (last, outer) = pieces.split_last()?;
        let outer = outer.iter().map(|piece| (piece, Place::Outer));
        for (piece, place) in outer.chain([(last, Place::Last)]) {
            let piece = Piece::translate(piece, place)?;
            if literal_so_far {
                pattern.literal_prefix.push_str(piece.literal());
                literal_so_far = piece.is_literal();
            }
            if piece.alphabet() == Alphabet::Printable {
                pattern.alphabet = Alphabet::Printable;
            }
            pattern.steps.push(Step::compile(&piece)?);
        }
        Some(pattern)
    }

    /// The text that every matching path begins with, without the leading slash.
    pub(crate) fn literal_prefix(&self) -> &str {
        &self.literal_prefix
    }

    /// Whether only one path matches: the literal prefix, whole.
    pub(crate) fn is_literal(&self) -> bool {
        match self.steps.split_last() {
            Some((Step::LiteralToEnd(_), outer)) => {
                outer.iter().all(|step| matches!(step, Step::Literal(_)))
            }
            _ => false,
        }
    }

    /// Matches a path without its leading slash.
    pub(crate) fn matches(&self, path: &str) -> Matching {
        let printable = |byte: u8| (0x20..0x7F).contains(&byte);
        if self.alphabet == Alphabet::Printable && !path.bytes().all(printable) {
            return Matching::Unsure;
        }
        let mut rest = path;
        for step in &self.steps {
            match step.leave(rest) {
                Some(left) => rest = left,
                None => return Matching::No,
            }
        }
        // What the last piece leaves over is its own affair: Django ignores it too.
        Matching::Yes
    }
}

/// Bytes that one compiled piece may take, and its cache again; a larger one is left to the
/// application. A usual one takes some 20 KiB.
const MAX_COMPILED: usize = 256 * 1024;

impl Step {
    fn compile(piece: &Piece) -> Option<Self> {
        match piece.regex() {
            None if piece.is_to_end() => Some(Self::LiteralToEnd(piece.literal().into())),
            None => Some(Self::Literal(piece.literal().into())),
            Some(regex) => RegexBuilder::new(regex)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED)
                .build()
                .ok()
                .map(Self::Regex),
        }
    }

    /// What this piece leaves of the path; `None` when it does not match.
    fn leave<'a>(&self, path: &'a str) -> Option<&'a str> {
        match self {
            Self::Literal(text) => path.strip_prefix(&**text),
            Self::LiteralToEnd(text) => (path == &**text).then_some(""),
            Self::Regex(regex) => path.get(regex.find(path)?.end()..),
        }
    }
}

#[cfg(test)]
mod tests;
