//! JSON as text: laid out for reading, with every digit and the order of names as they were written.
//!
//! A tree of values would round long numbers and sort names, and somebody who asks what a token says
//! wants to see what it says. Reads only text that `yett-jwt` has checked, or that was made here; of
//! any other text it makes something harmless, and never more than a bounded multiple of it.

use super::screen::is_harmful;
use serde_json::Value;
use std::fmt::Write as _;

/// The members of an object: names as they are meant, values as they are written.
pub(crate) fn members(object: &str) -> Vec<(String, &str)> {
    let mut lexemes = Lexemes { rest: object };
    let mut found = Vec::new();
    if lexemes.next() != Some("{") {
        return found;
    }
    loop {
        let quoted = match lexemes.next() {
            None | Some("}") => return found,
            Some(",") => continue,
            Some(quoted) => quoted,
        };
        let Some(name) = string(quoted) else {
            return found;
        };
        lexemes.next();
        found.push((name, lexemes.value()));
    }
}

/// The elements of an array as they are written.
pub(crate) fn elements(array: &str) -> Vec<&str> {
    let mut lexemes = Lexemes { rest: array };
    let mut found = Vec::new();
    if lexemes.next() != Some("[") {
        return found;
    }
    loop {
        match lexemes.clone().next() {
            None | Some("]") => return found,
            Some(",") => drop(lexemes.next()),
            Some(_) => found.push(lexemes.value()),
        }
    }
}

/// What a JSON string says; none for any other value.
pub(crate) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// A value over several lines, two spaces for each level.
pub(crate) fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut depth = 0_usize;
    let mut previous = "";
    for lexeme in (Lexemes { rest: json }) {
        match lexeme {
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                if !matches!(previous, "{" | "[") {
                    new_line(&mut text, depth);
                }
                text.push_str(lexeme);
            }
            "," => text.push(','),
            ":" => text.push_str(": "),
            _ => {
                if matches!(previous, "{" | "[" | ",") {
                    new_line(&mut text, depth);
                }
                push_harmless(&mut text, lexeme);
                if matches!(lexeme, "{" | "[") {
                    depth += 1;
                }
            }
        }
        previous = lexeme;
    }
    text
}

/// A value on one line.
pub(crate) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for lexeme in (Lexemes { rest: json }) {
        match lexeme {
            "," => text.push_str(", "),
            ":" => text.push_str(": "),
            _ => push_harmless(&mut text, lexeme),
        }
    }
    text
}

/// An object that is being written, in the order of its members.
#[derive(Debug, Default)]
pub(crate) struct JsonObjectText {
    members: Vec<String>,
}

impl JsonObjectText {
    /// Adds a member.
    #[must_use]
    pub(crate) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        self.raw(name, &value.into().to_string())
    }

    /// Adds a member whose value is JSON already.
    #[must_use]
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        self.members.push(format!("{}:{json}", Value::from(name)));
        self
    }

    /// The object on one line, without a space.
    pub(crate) fn one_line(&self) -> String {
        format!("{{{}}}", self.members.join(","))
    }

    /// The object for a program's stdout: laid out, with a line feed at its end.
    pub(crate) fn lines(&self) -> String {
        pretty(&self.one_line()) + "\n"
    }
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// What could steer a terminal becomes its JSON escape, which means the same.
fn push_harmless(text: &mut String, lexeme: &str) {
    for c in lexeme.chars() {
        if c == '\n' || c == '\t' || is_harmful(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
}

/// Brackets, commas, colons, strings with their quotes, and other scalars.
#[derive(Clone)]
struct Lexemes<'t> {
    rest: &'t str,
}

impl<'t> Lexemes<'t> {
    /// A whole value as it is written.
    fn value(&mut self) -> &'t str {
        let from = self.rest.trim_start_matches(SPACE);
        let mut depth = 0_usize;
        for lexeme in self.by_ref() {
            match lexeme {
                "{" | "[" => depth += 1,
                "}" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        let length = from.len().saturating_sub(self.rest.len());
        from.get(..length).unwrap_or_default()
    }
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl<'t> Iterator for Lexemes<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest.trim_start_matches(SPACE);
        let end = match rest.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => string_end(rest),
            _ => rest
                .find([' ', '\t', '\n', '\r', ',', ':', '{', '}', '[', ']', '"'])
                .unwrap_or(rest.len()),
        };
        let (lexeme, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        Some(lexeme)
    }
}

/// Where a string that begins at once ends, its quote included.
fn string_end(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    loop {
        match bytes.next() {
            None => return text.len(),
            Some((at, b'"')) => return at + 1,
            Some((_, b'\\')) => drop(bytes.next()),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_order_stay_as_they_were_written() {
        let json = r#"{"z":123456789012345678901234567890,"a":[1.50,{"b":"}\""},{}],"e":[]}"#;
        assert_eq!(
            pretty(json),
            "{\n  \"z\": 123456789012345678901234567890,\n  \"a\": [\n    1.50,\n    {\n      \
             \"b\": \"}\\\"\"\n    },\n    {}\n  ],\n  \"e\": []\n}"
        );
        assert_eq!(
            compact(json),
            r#"{"z": 123456789012345678901234567890, "a": [1.50, {"b": "}\""}, {}], "e": []}"#
        );
    }

    #[test]
    fn members_and_elements_are_found() {
        let json = r#" { "a\u0062" : [1, "x]"] , "c":{"d":{}},"e":null}"#;
        assert_eq!(
            members(json),
            [
                ("ab".to_owned(), r#"[1, "x]"]"#),
                ("c".to_owned(), r#"{"d":{}}"#),
                ("e".to_owned(), "null"),
            ]
        );
        assert_eq!(elements(r#"[1, "x]", [2]]"#), ["1", r#""x]""#, "[2]"]);
        assert!(members("[]").is_empty());
        assert!(elements("{}").is_empty());
    }

    #[test]
    fn a_string_cannot_steer_the_terminal_and_keeps_its_meaning() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\"}";
        let shown = compact(json);
        assert_eq!(shown, r#"{"a": "\u009b2J\u202e"}"#);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&shown), read(json));
    }

    #[test]
    fn an_object_is_written_in_the_order_of_its_members() {
        let object = JsonObjectText::default()
            .with("verified", false)
            .raw("claims", r#"{"b":1,"a":2}"#);
        assert_eq!(
            object.one_line(),
            r#"{"verified":false,"claims":{"b":1,"a":2}}"#
        );
        assert!(object.lines().ends_with("}\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_whatever_comes_to_an_end(text: String) {
            let longest = (text.len() + 1) * (2 * text.len() + 8);
            proptest::prop_assert!(pretty(&text).len() <= longest);
            let _ = (compact(&text), members(&text), elements(&text));
        }
    }
}
