//! Python's regular expressions, translated where both dialects surely mean the same.
//!
//! The translator reads Python's dialect character by character and writes each one anew; refusing
//! is the default. What it does not know (look-around, back references, flags, anchors in the
//! middle, alternation outside a group) makes a piece untranslated, and the caller leaves its paths
//! to the application. Compared with CPython 3.13's `re` on random pieces and paths while it was written.

use std::iter::Peekable;
use std::str::Chars;

/// For which paths Rust's meaning of a pattern is surely Python's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Any,
    /// `\d`, `\w` or `\s` occur. They mean Unicode in Python, and not quite Rust's Unicode; they
    /// are written as ASCII here, which is the same for visible ASCII and the space alone.
    Printable,
}

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Outer,
    Last,
}

/// Whether a piece is plain text throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Literal,
    Regex,
}

/// Whether something matches the empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    CanBeEmpty,
    TakesText,
}

/// One piece in Rust's dialect.
#[derive(Debug)]
pub(super) struct Piece {
    regex: String,
    /// The literal text that the piece begins with.
    literal: String,
    shape: Shape,
    alphabet: Alphabet,
    ending: Ending,
}

impl Piece {
    /// Translates one of Python's pieces. `None` when it is not surely the same in Rust.
    pub(super) fn translate(piece: &str, place: Place) -> Option<Self> {
        let mut translator = Translator {
            chars: piece.strip_prefix('^')?.chars().peekable(),
            place,
            depth: 0,
            piece: Self {
                regex: String::from(r"\A"),
                literal: String::new(),
                shape: Shape::Literal,
                alphabet: Alphabet::Any,
                ending: Ending::Anywhere,
            },
        };
        translator.sequence()?;
        // What is left is a closing bracket or a bar outside any group.
        let is_whole = translator.chars.next().is_none();
        is_whole.then_some(translator.piece)
    }

    /// The literal text that it begins with.
    pub(super) fn literal(&self) -> &str {
        &self.literal
    }

    /// Whether it is that text and nothing more.
    pub(super) fn is_literal(&self) -> bool {
        self.shape == Shape::Literal
    }

    /// Whether it ends where the path ends.
    pub(super) fn is_to_end(&self) -> bool {
        self.ending == Ending::PathEnd
    }

    /// The expression; `None` when the literal text says it all.
    pub(super) fn regex(&self) -> Option<&str> {
        (self.shape == Shape::Regex).then_some(&*self.regex)
    }

    /// For which paths the expression means what Python's means.
    pub(super) const fn alphabet(&self) -> Alphabet {
        self.alphabet
    }
}

/// Where a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Anywhere,
    PathEnd,
}

/// Reads Python's dialect.
struct Translator<'a> {
    chars: Peekable<Chars<'a>>,
    place: Place,
    depth: u32,
    piece: Piece,
}

/// Deeper groups than this are left to the application.
const MAX_DEPTH: u32 = 16;
/// Larger repetitions than this are left to the application.
const MAX_REPEAT: u32 = 1000;

impl Translator<'_> {
    /// Items until the text, the alternative or the group ends.
    fn sequence(&mut self) -> Option<Width> {
        let mut width = Width::CanBeEmpty;
        while let Some(&next) = self.chars.peek() {
            if matches!(next, '|' | ')') {
                break;
            }
            self.chars.next();
            if self.item(next)? == Width::TakesText {
                width = Width::TakesText;
            }
        }
        Some(width)
    }

    /// One atom with its quantifier.
    fn item(&mut self, first: char) -> Option<Width> {
        let width = match first {
            '(' => self.group()?,
            '[' => self.class()?,
            '.' => self.write_regex(r"[^\x{A}]"),
            '\\' => return self.escape(),
            '$' => return self.end(),
            '^' | '*' | '+' | '?' | '{' | '}' | ']' => return None,
            plain => self.write_literal(plain),
        };
        self.quantifier(width)
    }

    fn escape(&mut self) -> Option<Width> {
        let escaped = self.chars.next()?;
        let width = match escaped {
            'Z' | 'z' => return self.end(),
            'd' | 'w' | 's' | 'D' | 'W' | 'S' => {
                let not = if escaped.is_ascii_uppercase() {
                    "^"
                } else {
                    ""
                };
                let members = self.class_escape(escaped.to_ascii_lowercase())?;
                self.write_regex(&format!("[{not}{members}]"))
            }
            // Django takes any piece that ends with a dollar sign, also an escaped one, as one
            // that must match the whole rest (`RegexPattern.match`).
            '$' if self.chars.peek().is_none() && self.place == Place::Last => return None,
            ' ' => self.write_literal(escaped),
            mark if mark.is_ascii_punctuation() => self.write_literal(mark),
            _ => return None,
        };
        self.quantifier(width)
    }

    /// The end of the path. Django matches a last piece with `$` whole, so that `$` does not
    /// match before a final newline there, as it otherwise does in Python.
    fn end(&mut self) -> Option<Width> {
        if self.place != Place::Last || self.depth != 0 || self.chars.peek().is_some() {
            return None;
        }
        self.piece.ending = Ending::PathEnd;
        self.piece.regex.push_str(r"\z");
        Some(Width::CanBeEmpty)
    }

    fn group(&mut self) -> Option<Width> {
        if self.chars.next_if_eq(&'?').is_some() {
            match self.chars.next()? {
                ':' => {}
                'P' => self.group_name()?,
                _ => return None,
            }
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.write_regex("(?:");
        let mut width = self.sequence()?;
        while self.chars.next_if_eq(&'|').is_some() {
            self.piece.regex.push('|');
            if self.sequence()? == Width::CanBeEmpty {
                width = Width::CanBeEmpty;
            }
        }
        self.chars.next_if_eq(&')')?;
        self.piece.regex.push(')');
        self.depth -= 1;
        Some(width)
    }

    /// `<name>`: dropped. `(?P=name)` and `(?P>name)` are refused here.
    fn group_name(&mut self) -> Option<()> {
        self.chars.next_if_eq(&'<')?;
        loop {
            match self.chars.next()? {
                '>' => return Some(()),
                letter if letter.is_alphanumeric() || letter == '_' => {}
                _ => return None,
            }
        }
    }

    /// A character class, behind its opening bracket.
    fn class(&mut self) -> Option<Width> {
        let mut class = String::from("[");
        if self.chars.next_if_eq(&'^').is_some() {
            class.push('^');
        }
        // Python takes a bracket in the first place for a member; too odd to be sure of.
        if self.chars.peek() == Some(&']') {
            return None;
        }
        while self.chars.next_if_eq(&']').is_none() {
            self.members(&mut class)?;
        }
        class.push(']');
        Some(self.write_regex(&class))
    }

    /// One member of a class, or a range.
    fn members(&mut self, class: &mut String) -> Option<()> {
        let low = self.member()?;
        if self.chars.next_if_eq(&'-').is_none() {
            class.push_str(&low.written());
            return Some(());
        }
        if self.chars.peek() == Some(&']') {
            class.push_str(&low.written());
            class.push_str(&hex('-'));
            return Some(());
        }
        match (low, self.member()?) {
            (Member::One(low), Member::One(high)) if low <= high => {
                class.push_str(&format!("{}-{}", hex(low), hex(high)));
                Some(())
            }
            _ => None,
        }
    }

    fn member(&mut self) -> Option<Member> {
        match self.chars.next()? {
            '[' => None,
            '\\' => match self.chars.next()? {
                set @ ('d' | 'w' | 's') => self.class_escape(set).map(Member::Set),
                mark if mark.is_ascii_punctuation() || mark == ' ' => Some(Member::One(mark)),
                _ => None,
            },
            plain => Some(Member::One(plain)),
        }
    }

    fn class_escape(&mut self, letter: char) -> Option<&'static str> {
        self.piece.alphabet = Alphabet::Printable;
        match letter {
            'd' => Some("0-9"),
            'w' => Some("0-9A-Za-z_"),
            's' => Some(r"\x{20}"),
            _ => None,
        }
    }

    /// What follows an atom: nothing, or one quantifier, perhaps lazy.
    fn quantifier(&mut self, width: Width) -> Option<Width> {
        let Some(&mark) = self.chars.peek() else {
            return Some(width);
        };
        let least = match mark {
            '*' | '?' => 0,
            '+' => 1,
            '{' => return self.braces(width),
            _ => return Some(width),
        };
        self.chars.next();
        self.piece.regex.push(mark);
        self.quantified(width, least)
    }

    /// `{m}`, `{m,}` or `{m,n}`; Python takes other braces for text.
    fn braces(&mut self, width: Width) -> Option<Width> {
        self.chars.next();
        let least = self.number()?;
        let mut written = format!("{{{least}");
        if self.chars.next_if_eq(&',').is_some() {
            written.push(',');
            if self.chars.peek() != Some(&'}') {
                let most = self.number().filter(|most| *most >= least)?;
                written.push_str(&most.to_string());
            }
        }
        self.chars.next_if_eq(&'}')?;
        written.push('}');
        self.piece.regex.push_str(&written);
        self.quantified(width, least)
    }

    fn quantified(&mut self, width: Width, least: u32) -> Option<Width> {
        // Engines differ in when they stop repeating something empty.
        if width == Width::CanBeEmpty {
            return None;
        }
        if self.chars.next_if_eq(&'?').is_some() {
            self.piece.regex.push('?');
        }
        // A second quantifier: possessive in newer Python, an error in older.
        if self.chars.peek().is_some_and(is_quantifier) {
            return None;
        }
        Some(if least == 0 { Width::CanBeEmpty } else { width })
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.chars.peek().and_then(|digit| digit.to_digit(10)) {
            self.chars.next();
            let value = number.unwrap_or(0) * 10 + digit;
            if value > MAX_REPEAT {
                return None;
            }
            number = Some(value);
        }
        number
    }

    fn write_literal(&mut self, text: char) -> Width {
        if self.piece.shape == Shape::Literal {
            if self.chars.peek().is_some_and(is_quantifier) {
                self.piece.shape = Shape::Regex;
            } else {
                self.piece.literal.push(text);
            }
        }
        self.piece.regex.push_str(&hex(text));
        Width::TakesText
    }

    fn write_regex(&mut self, text: &str) -> Width {
        self.piece.shape = Shape::Regex;
        self.piece.regex.push_str(text);
        Width::TakesText
    }
}

/// A member of a character class.
enum Member {
    One(char),
    Set(&'static str),
}

impl Member {
    fn written(&self) -> String {
        match self {
            Self::One(one) => hex(*one),
            Self::Set(set) => (*set).to_owned(),
        }
    }
}

fn is_quantifier(mark: &char) -> bool {
    matches!(mark, '*' | '+' | '?' | '{')
}

/// A character as Rust's dialect has it, whatever it means there by itself.
fn hex(text: char) -> String {
    format!(r"\x{{{:X}}}", u32::from(text))
}
