//! Where a token comes from, and the forms in which people paste one.

use crate::{
    cli::TokenWord,
    keys::read_bounded,
    print::{Failure, Screen},
};
use anyhow::{Context as _, anyhow};
use std::io::{self, IsTerminal as _};

/// A token that is looked at has at most this many bytes. Verifying has its own, smaller bound.
pub(super) const LONGEST_TOKEN_TEXT: usize = 64 * 1024;

/// The token as it was given: the word, or all of stdin.
pub(super) fn read(word: Option<&TokenWord>, screen: Screen) -> Result<String, Failure> {
    let text = match word {
        Some(TokenWord(word)) if word != "-" => word.clone(),
        _ => stdin(screen)?,
    };
    if text.trim().is_empty() {
        return Err(Failure::usage(anyhow!("no token was given"))
            .hint("give it on stdin, or as the word after the command"));
    }
    if text.len() > LONGEST_TOKEN_TEXT {
        return Err(Failure::failed(anyhow!(
            "the token is longer than {LONGEST_TOKEN_TEXT} bytes"
        )));
    }
    Ok(text)
}

fn stdin(screen: Screen) -> Result<String, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        screen.err("Paste the token, then press Enter and Ctrl-D.\n");
    }
    // One line end may follow the longest token.
    let bytes = read_bounded(stdin.lock(), LONGEST_TOKEN_TEXT + 2)
        .context("stdin cannot be read")
        .map_err(Failure::failed)?;
    str::from_utf8(&bytes)
        .map(str::to_owned)
        .map_err(|_| Failure::failed(anyhow!("stdin is not text")))
}

/// Without one line end: files and `echo` have it, and no token does.
pub(super) fn without_line_end(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    }
}

/// Without what people copy along: white space, quotes, `Authorization:` and the scheme. For looking
/// at a token, never for verifying one.
pub(super) fn bare(text: &str) -> &str {
    let mut text = text;
    loop {
        let shorter = text
            .trim()
            .trim_matches(['"', '\'', '`'])
            .trim_end_matches([',', ';']);
        let shorter = without_word(shorter, "authorization:", false);
        let shorter = without_word(shorter, "bearer", true);
        let shorter = without_word(shorter, "jwt", true);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// Without a word in front, in any case.
fn without_word<'t>(text: &'t str, word: &str, needs_space: bool) -> &'t str {
    match text.split_at_checked(word.len()) {
        Some((first, rest))
            if first.eq_ignore_ascii_case(word)
                && (!needs_space || rest.starts_with(char::is_whitespace)) =>
        {
            rest
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_along_does_not_matter_for_looking() {
        for text in [
            "a.b.c",
            " a.b.c\r\n",
            "Bearer a.b.c",
            "bearer  a.b.c\n",
            "JWT a.b.c",
            "\"a.b.c\"",
            "'Bearer a.b.c'",
            "\"a.b.c\",",
            "Authorization: Bearer a.b.c",
            "authorization:Bearer\ta.b.c",
        ] {
            assert_eq!(bare(text), "a.b.c", "{text:?}");
        }
        assert_eq!(bare("Bearera.b.c"), "Bearera.b.c");
        assert_eq!(bare("bearer"), "bearer");
        assert_eq!(bare("é"), "é");
    }

    #[test]
    fn for_verifying_one_line_end_is_cut_and_nothing_else() {
        assert_eq!(without_line_end("a.b.c\n"), "a.b.c");
        assert_eq!(without_line_end("a.b.c\r\n"), "a.b.c");
        assert_eq!(without_line_end("a.b.c\n\n"), "a.b.c\n");
        assert_eq!(without_line_end(" a.b.c "), " a.b.c ");
    }
}
