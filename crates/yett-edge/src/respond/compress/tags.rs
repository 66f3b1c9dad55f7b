//! Entity tags of compressed answers: a strong tag stays strong and gets a mark of its own for each
//! coding, and the application sees its own tags alone.
//!
//! Pure. Two codings of one text are two representations, which must not share a strong tag (RFC
//! 9110 section 8.8.3.3). Making the tag weak, as nginx and Django do it, would also keep
//! `If-None-Match` at work, but not `If-Match`, which compares strongly: whoever read a compressed
//! answer could never change what it read. So `"x"` becomes `"x;br"` on its way out, and `"x"` again
//! on its way in. `If-Range` is left alone: a range of the plain text must not continue a coded one.

use http::HeaderMap;
use http::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::header_list::entity_tags;
use crate::respond::coding::Coding;

/// What stands between a tag and its coding.
const MARK: u8 = b';';

/// The tag of a coded answer; `None` where nothing is to be changed: a weak tag says no more than
/// that two texts mean the same.
fn marked(tag: &HeaderValue, coding: Coding) -> Option<HeaderValue> {
    let text = tag.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let name = coding.name().as_bytes();
    let parts: [&[u8]; 5] = [b"\"", text, &[MARK], name, b"\""];
    HeaderValue::from_bytes(&parts.concat()).ok()
}

/// Marks the tag of an answer that will be coded.
pub(super) fn mark(headers: &mut HeaderMap, coding: Coding) {
    if let Some(tag) = headers.get(ETAG).and_then(|tag| marked(tag, coding)) {
        headers.insert(ETAG, tag);
    }
}

/// For the answer "not modified": the tag under which the client knows what it has, if that is a
/// coded one. A cache looks by a strong tag for what it is to renew (RFC 9111 section 4.3.4).
pub(super) fn known_as(asked: &HeaderMap, answer: &HeaderMap) -> Option<HeaderValue> {
    let tag = answer.get(ETAG)?;
    Coding::ALL
        .into_iter()
        .filter_map(|coding| marked(tag, coding))
        .find(|marked| entity_tags(asked, &IF_NONE_MATCH).any(|known| known == marked.as_bytes()))
}

/// A request's conditions as the application would know them; almost always there are none.
#[derive(Debug, Default)]
pub(crate) struct OwnTags(Vec<(HeaderName, HeaderValue, Vec<u8>)>);

impl OwnTags {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut changed = Vec::new();
        for name in [IF_NONE_MATCH, IF_MATCH] {
            for value in headers.get_all(&name) {
                if let Some(own) = unmarked(value.as_bytes()) {
                    changed.push((name.clone(), value.clone(), own));
                }
            }
        }
        Self(changed)
    }

    /// What the application is to see of this field.
    pub(crate) fn of<'a>(&'a self, name: &HeaderName, value: &'a HeaderValue) -> &'a [u8] {
        let changed = self.0.iter();
        let mut changed = changed.filter(|(of, from, _)| of == name && from == value);
        changed.next().map_or(value.as_bytes(), |(.., own)| own)
    }
}

/// A list of tags without their marks; `None` if none has one.
fn unmarked(list: &[u8]) -> Option<Vec<u8>> {
    if !list.contains(&MARK) {
        return None;
    }
    let mut own = Vec::with_capacity(list.len());
    let mut rest = list;
    while let Some((first, behind)) = rest.split_first() {
        let mark = Coding::ALL.into_iter().find(|coding| {
            let quote = behind.strip_prefix(coding.name().as_bytes());
            *first == MARK && quote.is_some_and(|quote| quote.first() == Some(&b'"'))
        });
        match mark {
            Some(coding) => rest = behind.get(coding.name().len()..).unwrap_or_default(),
            None => {
                own.push(*first);
                rest = behind;
            }
        }
    }
    (own.len() < list.len()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> HeaderValue {
        HeaderValue::from_str(text).unwrap()
    }

    #[test]
    fn strong_tag_is_marked_and_the_application_sees_its_own() {
        for coding in Coding::ALL {
            let tag = marked(&value("\"x\""), coding).unwrap();
            assert_eq!(tag, format!("\"x;{}\"", coding.name()));
            assert_eq!(unmarked(tag.as_bytes()).unwrap(), b"\"x\"");
        }
    }

    #[test]
    fn weak_or_broken_tag_is_left_alone() {
        for tag in ["W/\"x\"", "x", "\"", ""] {
            assert_eq!(marked(&value(tag), Coding::Gzip), None, "{tag}");
        }
    }

    #[test]
    fn only_marks_are_taken_off() {
        let check = |list: &str, own: Option<&str>| {
            assert_eq!(unmarked(list.as_bytes()).as_deref(), own.map(str::as_bytes));
        };
        check("\"a\"", None);
        check("*", None);
        check("\"a;brx\", \"b;gzip", None);
        check("\"a;b\"", None);
        check("\"a;br\", W/\"b;zstd\",\"c\"", Some("\"a\", W/\"b\",\"c\""));
    }

    #[test]
    fn not_modified_speaks_of_what_the_client_has() {
        let mut asked = HeaderMap::new();
        asked.insert(IF_NONE_MATCH, value("\"w;br\", \"x;zstd\""));
        let mut answer = HeaderMap::new();
        assert_eq!(known_as(&asked, &answer), None);
        answer.insert(ETAG, value("\"x\""));
        assert_eq!(known_as(&asked, &answer), Some(value("\"x;zstd\"")));
        asked.insert(IF_NONE_MATCH, value("\"x\""));
        assert_eq!(known_as(&asked, &answer), None);
        asked.insert(IF_NONE_MATCH, value("\"a\",\"x,y;br\""));
        answer.insert(ETAG, value("\"x,y\""));
        assert_eq!(known_as(&asked, &answer), Some(value("\"x,y;br\"")));
    }

    #[test]
    fn conditions_alone_are_changed() {
        let mut asked = HeaderMap::new();
        asked.append(IF_NONE_MATCH, value("\"x;br\""));
        asked.append(IF_NONE_MATCH, value("\"y\""));
        asked.insert("if-range", value("\"x;br\""));
        let own = OwnTags::read(&asked);
        let seen: Vec<_> = asked
            .iter()
            .map(|(name, value)| own.of(name, value))
            .collect();
        assert_eq!(seen, [b"\"x\"".as_slice(), b"\"y\"", b"\"x;br\""]);
    }
}
