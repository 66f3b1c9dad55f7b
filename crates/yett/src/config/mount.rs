//! A folder that the edge serves without the app: `--static /static/=assets`, or a `[[route]]` with
//! `files`.
//!
//! The URL is the canonical prefix that the router compares with the canonical target, so it is
//! written plainly: no escapes, no query, no dot segments. Whether a request stays inside the
//! folder is the edge's affair.

use super::error::{Wrong, quoted};
use std::path::PathBuf;

const URL: &str = "a path such as \"/static/\"";

/// A static mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaticMount {
    /// Begins and ends with `/`, is longer than `/`, and has no empty or dot segment.
    pub(crate) url: String,
    /// Absolute; existed when the settings were read.
    pub(crate) folder: PathBuf,
    /// The name of the file that stands for the folder it is in.
    pub(crate) index: Option<String>,
    /// The file below the folder that stands for paths that name none.
    pub(crate) fallback: Option<String>,
}

/// The name of a file below a mount: `index.html`, and for a fallback also `app/index.html`.
pub(super) fn file(text: &str) -> Result<String, Wrong> {
    let plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains('\\');
    if text.split('/').all(plain) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{} names no file below the folder", quoted(text)),
        "a name such as \"index.html\"",
    ))
}

/// `EXT=TYPE`: an extension without its dot, and a media type.
pub(super) fn content_type(text: &str) -> Result<(String, String), Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is not the type of an extension", quoted(text)),
            "EXT=TYPE, such as avif=image/avif",
        )
    };
    let (extension, content_type) = text.split_once('=').ok_or_else(wrong)?;
    let extension = extension.strip_prefix('.').unwrap_or(extension);
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let name = content_type.split(';').next().unwrap_or_default().trim();
    let is_type = name
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    let visible = content_type
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if extension.contains('.') || !token(extension) || !is_type || !visible {
        return Err(wrong());
    }
    Ok((extension.to_ascii_lowercase(), content_type.to_owned()))
}

/// The two halves of `URL=DIR`.
pub(super) fn halves(text: &str) -> Result<(&str, &str), Wrong> {
    let expected = "URL=DIR, such as /static/=assets";
    match text.split_once('=') {
        Some((url, folder)) if !url.is_empty() && !folder.is_empty() => Ok((url, folder)),
        Some(_) => Err(Wrong::new(
            format!("{} has an empty half", quoted(text)),
            expected,
        )),
        None => Err(Wrong::new(
            format!("{} has no \"=\"", quoted(text)),
            expected,
        )),
    }
}

/// Checks the URL half and ends it with a slash.
pub(super) fn url(text: &str) -> Result<String, Wrong> {
    let wrong = |why: &str| Wrong::new(format!("{} {why}", quoted(text)), URL);
    let Some(rest) = text.strip_prefix('/') else {
        return Err(wrong("does not begin with /").hint(format!("write \"/{text}\"")));
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Err(wrong("would hide the whole app")
            .hint("mount the folder below a prefix, such as /static/"));
    }
    if rest
        .split('/')
        .any(|segment| matches!(segment, "" | "." | ".."))
    {
        return Err(wrong("has an empty or dot segment"));
    }
    if let Some(bad) = rest
        .chars()
        .find(|c| matches!(c, '%' | '?' | '#' | '\\' | ';') || c.is_control() || c.is_whitespace())
    {
        return Err(wrong(&format!("has a {bad:?} in it")));
    }
    Ok(format!("/{rest}/"))
}

/// Checks the path of a route of the app; one that ends with a slash covers what is below it alone.
pub(super) fn prefix(text: &str) -> Result<String, Wrong> {
    if text == "/" {
        return Ok(text.to_owned());
    }
    let slashed = url(text)?;
    Ok(if text.ends_with('/') {
        slashed
    } else {
        text.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    #[test]
    fn a_url_gets_its_slash_at_the_end() {
        assert_eq!(url("/static/"), Ok("/static/".to_owned()));
        assert_eq!(url("/a/b"), Ok("/a/b/".to_owned()));
    }

    #[test]
    fn a_url_that_is_not_a_plain_prefix_is_refused() {
        let check = |text: &str, message: &str| {
            assert_eq!(
                url(text).unwrap_err().at(Place::Default).to_string(),
                format!("default: {message}")
            );
        };
        check(
            "static/",
            "\"static/\" does not begin with /: expected a path such as \"/static/\"\n  hint: write \"/static/\"",
        );
        check(
            "/",
            "\"/\" would hide the whole app: expected a path such as \"/static/\"\n  hint: mount the folder below a prefix, \
             such as /static/",
        );
        check(
            "//x",
            "\"//x\" has an empty or dot segment: expected a path such as \"/static/\"",
        );
        check(
            "/a/../b",
            "\"/a/../b\" has an empty or dot segment: expected a path such as \"/static/\"",
        );
        check(
            "/a%2fb",
            "\"/a%2fb\" has a '%' in it: expected a path such as \"/static/\"",
        );
        check(
            "/a b",
            "\"/a b\" has a ' ' in it: expected a path such as \"/static/\"",
        );
    }

    #[test]
    fn halves_need_an_equals_sign_and_two_sides() {
        assert_eq!(halves("/s/=a=b"), Ok(("/s/", "a=b")));
        assert!(halves("/s/").is_err());
        assert!(halves("=a").is_err());
        assert!(halves("/s/=").is_err());
    }
}
