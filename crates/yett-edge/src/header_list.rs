//! Headers that hold a list (RFC 9110 section 5.6.1): its members, their weights, entity tags.
//!
//! Pure. Of a list only so many members are read: a client that sends more is answered as if it had
//! sent those alone. What must be read to its end or not at all (`Range`, `Forwarded`) is read where
//! it is needed.

use http::{HeaderMap, HeaderName};

/// Members of a list with weights that are read. No client sends as many.
const MOST_WEIGHED: usize = 32;

/// Entity tags of one list that are compared.
const MOST_TAGS: usize = 64;

/// The weight of what the client likes best, in thousandths.
const WHOLE: u16 = 1000;

/// What stands between the commas of one field.
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Whether a word is a member of the list in one field, whatever its case.
pub(crate) fn lists(value: &[u8], word: &[u8]) -> bool {
    members(value).any(|member| member.eq_ignore_ascii_case(word))
}

/// Whether a word is a member of the list in all fields of this name.
pub(crate) fn has_member(headers: &HeaderMap, name: &HeaderName, word: &[u8]) -> bool {
    let mut fields = headers.get_all(name).iter();
    fields.any(|value| lists(value.as_bytes(), word))
}

/// The members of all fields of this name without their parameters, each with its weight in
/// thousandths (RFC 9110 section 12.4.2): 1000 where none stands there, 0 for what the client does
/// not take. A member whose weight cannot be read is passed over.
pub(crate) fn weighed<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'h [u8], u16)> {
    let fields = headers.get_all(name).iter();
    fields
        .flat_map(|value| members(value.as_bytes()))
        .take(MOST_WEIGHED)
        .filter_map(|member| {
            let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            Some((name, parts.try_fold(WHOLE, weight)?))
        })
}

/// The weight after one more parameter, which may be another than `q`.
fn weight(before: u16, parameter: &[u8]) -> Option<u16> {
    let mut sides = parameter.splitn(2, |byte| *byte == b'=');
    let name = sides.next().unwrap_or_default().trim_ascii_end();
    if !name.eq_ignore_ascii_case(b"q") {
        return Some(before);
    }
    let (whole, digits) = match sides.next()?.trim_ascii_start() {
        [whole] => (whole, [].as_slice()),
        [whole, b'.', digits @ ..] if digits.len() <= 3 => (whole, digits),
        _ => return None,
    };
    let rest = (0..3).try_fold(0, |sum, place| match digits.get(place) {
        None => Some(sum * 10),
        Some(digit) if digit.is_ascii_digit() => Some(sum * 10 + u16::from(digit - b'0')),
        Some(_) => None,
    })?;
    match whole {
        b'0' => Some(rest),
        b'1' if rest == 0 => Some(WHOLE),
        _ => None,
    }
}

/// The entity tags of all fields of this name, as they are written: `"x"` or `W/"x"`. A field is
/// read up to where it is malformed. `*` is no tag.
pub(crate) fn entity_tags<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h [u8]> {
    let fields = headers.get_all(name).iter();
    fields
        .flat_map(|value| {
            let mut rest = value.as_bytes();
            std::iter::from_fn(move || {
                let (tag, behind) = first_tag(rest)?;
                rest = behind;
                Some(tag)
            })
        })
        .take(MOST_TAGS)
}

/// The first entity tag of a list, and what stands behind it; `None` at its end, or where it is
/// malformed. A tag may hold commas.
fn first_tag(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = list
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
    let list = list.get(start..)?;
    let weak = if list.starts_with(b"W/") { 2 } else { 0 };
    let quoted = list.get(weak..)?.strip_prefix(b"\"")?;
    let inside = quoted.iter().position(|byte| *byte == b'"')?;
    list.split_at_checked(weak + inside + 2)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{ACCEPT, IF_MATCH, VARY};

    use super::*;

    fn headers(name: &HeaderName, fields: &[&'static str]) -> HeaderMap {
        let fields = fields.iter().map(|field| HeaderValue::from_static(field));
        fields.map(|field| (name.clone(), field)).collect()
    }

    #[test]
    fn members_of_every_field_are_found_whatever_their_case() {
        let vary = headers(&VARY, &["Cookie", "accept , ACCEPT-Encoding,"]);
        for (word, is_one) in [
            ("cookie", true),
            ("accept", true),
            ("accept-encoding", true),
            ("encoding", false),
            ("*", false),
        ] {
            assert_eq!(has_member(&vary, &VARY, word.as_bytes()), is_one, "{word}");
        }
    }

    fn check_weighed(field: &'static str, expected: &[(&str, u16)]) {
        let headers = headers(&ACCEPT, &[field]);
        let read: Vec<_> = weighed(&headers, &ACCEPT).collect();
        let expected: Vec<_> = expected.iter().map(|(n, w)| (n.as_bytes(), *w)).collect();
        assert_eq!(read, expected, "{field}");
    }

    #[test]
    fn weights_are_thousandths() {
        check_weighed(
            "a, b;q=0.5 , c ; Q = 0.125;x=y,d;level=1;q=1.000,e;q=0",
            &[("a", 1000), ("b", 500), ("c", 125), ("d", 1000), ("e", 0)],
        );
        check_weighed("a;q=0., b;q=1., c;x", &[("a", 0), ("b", 1000), ("c", 1000)]);
    }

    #[test]
    fn member_with_an_unreadable_weight_is_passed_over() {
        check_weighed(
            "a;q, b;q=, c;q=2, d;q=1.001, e;q=0.1234, f;q=.5, g;q=-0, h;q=0.x, i;q=1e0, j",
            &[("j", 1000)],
        );
    }

    #[test]
    fn only_so_many_members_and_tags_are_read() {
        let long = HeaderValue::from_str(&"a,".repeat(100)).unwrap();
        let headers = HeaderMap::from_iter([(ACCEPT, long)]);
        assert_eq!(weighed(&headers, &ACCEPT).count(), MOST_WEIGHED);
        let long = HeaderValue::from_str(&"\"a\",".repeat(100)).unwrap();
        let headers = HeaderMap::from_iter([(IF_MATCH, long)]);
        assert_eq!(entity_tags(&headers, &IF_MATCH).count(), MOST_TAGS);
    }

    #[test]
    fn tags_may_hold_commas_and_end_where_they_are_malformed() {
        let headers = headers(&IF_MATCH, &["\"a,b\" ,W/\"c\"\t, d, \"e\"", "\"f", "\"g\""]);
        let tags: Vec<_> = entity_tags(&headers, &IF_MATCH).collect();
        assert_eq!(tags, [b"\"a,b\"".as_slice(), b"W/\"c\"", b"\"g\""]);
    }
}
