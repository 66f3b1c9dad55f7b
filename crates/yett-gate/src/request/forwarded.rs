//! The header `Forwarded` (RFC 7239), and the addresses in it and in `X-Forwarded-For`.
//!
//! A list is read whole, from its left, where a client may have written: whatever is not exactly of
//! the grammar refuses the request, for a quote that a client opened would swallow what a proxy
//! wrote behind it. Each line must be whole by itself.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Most elements that are read; each hop writes one.
const MOST_ELEMENTS: usize = 64;

/// Whom a hop spoke for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// An address; port 0 when none was said.
    Address(SocketAddr),
    /// `unknown`, or a name that means something to that proxy alone (RFC 7239 section 6).
    Hidden,
}

/// What one hop said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element<'v> {
    /// Whom it spoke for.
    pub node: Option<Node>,
    /// The scheme that it was asked over.
    pub proto: Option<Cow<'v, str>>,
    /// The host that it was asked for.
    pub host: Option<Cow<'v, str>>,
}

/// The elements of one line, in their order. `None`: it is not of the grammar, or has more than 64.
#[must_use]
pub fn elements(line: &str) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    let mut rest = blanks(line);
    while !rest.is_empty() {
        // RFC 9110 section 5.6.1: empty members of a list are passed over.
        if let Some(after) = rest.strip_prefix(',') {
            rest = blanks(after);
            continue;
        }
        let (element, after) = element(rest)?;
        if elements.len() == MOST_ELEMENTS {
            return None;
        }
        elements.push(element);
        rest = blanks(after);
        if !rest.is_empty() {
            rest = blanks(rest.strip_prefix(',')?);
        }
    }
    Some(elements)
}

/// `name=value;name=value`, and what follows it.
fn element(text: &str) -> Option<(Element<'_>, &str)> {
    let mut element = Element::default();
    let mut seen: Vec<String> = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = token(rest)?;
        let (value, after) = value(after.strip_prefix('=')?)?;
        let name = name.to_ascii_lowercase();
        // RFC 7239 section 4: each parameter at most once.
        if seen.contains(&name) || seen.len() == 16 {
            return None;
        }
        match name.as_str() {
            "for" => element.node = Some(node(&value)?),
            "proto" => element.proto = Some(value),
            "host" => element.host = Some(value),
            _ => {}
        }
        seen.push(name);
        // Some proxies write blanks around the semicolon, which the grammar does not know.
        match blanks(after).strip_prefix(';') {
            Some(next) => rest = blanks(next),
            None => return Some((element, after)),
        }
        // One semicolon may end an element.
        if rest.is_empty() || rest.starts_with(',') {
            return Some((element, rest));
        }
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// RFC 9110 section 5.6.2.
fn token(text: &str) -> Option<(&str, &str)> {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let end = text.bytes().take_while(|byte| in_token(*byte)).count();
    text.split_at_checked(end)
        .filter(|(token, _)| !token.is_empty())
}

fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted),
        None => token(text).map(|(token, rest)| (Cow::Borrowed(token), rest)),
    }
}

/// RFC 9110 section 5.6.4, of ASCII alone; begins behind the quote.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((place, char)) = chars.next() {
        let char = match char {
            '"' => return Some((Cow::Owned(value), text.get(place + 1..)?)),
            '\\' => chars.next()?.1,
            char => char,
        };
        if !matches!(char, '\t' | ' '..='~') {
            return None;
        }
        value.push(char);
    }
    None
}

/// RFC 7239 section 6: an address, `unknown` or `_name`, with an optional port. An IPv6 address
/// stands in brackets.
fn node(text: &str) -> Option<Node> {
    let hidden = |name: &str| {
        name.eq_ignore_ascii_case("unknown") || name.strip_prefix('_').is_some_and(is_hidden_name)
    };
    if text.starts_with('[') {
        return address(text).map(Node::Address);
    }
    let (name, port) = match text.split_once(':') {
        None => (text, None),
        Some((name, port)) => (name, Some(port)),
    };
    let port = match port {
        None => 0,
        Some(port) if port.strip_prefix('_').is_some_and(is_hidden_name) => 0,
        Some(port) => port_number(port)?,
    };
    if hidden(name) {
        return Some(Node::Hidden);
    }
    let address: Ipv4Addr = name.parse().ok()?;
    Some(Node::Address((address, port).into()))
}

fn is_hidden_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// An address as proxies write it into `X-Forwarded-For`: IPv4 or IPv6, either with a port, which
/// IPv6 needs brackets for. Zones are none of an address that came over a network.
#[must_use]
pub fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.to_canonical(), 0).into());
    }
    let (address, port) = if let Some(inside) = text.strip_prefix('[') {
        let (address, rest) = inside.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = match rest {
            "" => 0,
            rest => port_number(rest.strip_prefix(':')?)?,
        };
        (IpAddr::V6(address), port)
    } else {
        let (address, port) = text.split_once(':')?;
        let address: Ipv4Addr = address.parse().ok()?;
        (IpAddr::V4(address), port_number(port)?)
    };
    Some((address.to_canonical(), port).into())
}

/// Digits alone.
pub(super) fn port_number(text: &str) -> Option<u16> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Vec<String>> {
        let shown = |element: Element<'_>| {
            let node = match element.node {
                None => "-".to_owned(),
                Some(Node::Hidden) => "hidden".to_owned(),
                Some(Node::Address(address)) => address.to_string(),
            };
            let text = |text: Option<Cow<'_, str>>| text.unwrap_or(Cow::Borrowed("-")).into_owned();
            format!("{node} {} {}", text(element.proto), text(element.host))
        };
        Some(elements(line)?.into_iter().map(shown).collect())
    }

    fn check(line: &str, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(read(line), Some(expected), "{line}");
    }

    // The examples of RFC 7239, sections 4, 6 and 7.
    #[test]
    fn examples_of_the_standard_are_read() {
        check("for=\"_gazonk\"", &["hidden - -"]);
        check(
            "For=\"[2001:db8:cafe::17]:4711\"",
            &["[2001:db8:cafe::17]:4711 - -"],
        );
        check(
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            &["192.0.2.60:0 http -"],
        );
        check(
            "for=192.0.2.43, for=198.51.100.17",
            &["192.0.2.43:0 - -", "198.51.100.17:0 - -"],
        );
        check("for=_hidden, for=_SEVKISEK", &["hidden - -", "hidden - -"]);
        check(
            "for=\"192.0.2.43:47011\";host=\"a.test:1\"",
            &["192.0.2.43:47011 - a.test:1"],
        );
        check(
            "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
            &[
                "192.0.2.43:0 - -",
                "[2001:db8:cafe::17]:0 - -",
                "hidden - -",
            ],
        );
        check("by=_a; proto=https;", &["- https -"]);
        check(" , for=192.0.2.1 ,, ", &["192.0.2.1:0 - -"]);
        check("for=\"_a:_b\"", &["hidden - -"]);
        check("host=\"a\\\"b\"", &["- - a\"b"]);
        check("", &[]);
    }

    #[test]
    fn what_is_not_of_the_grammar_is_nothing() {
        for line in [
            "for",
            "for=",
            "=a",
            "for=1.2.3.4 x",
            "for=1.2.3",
            "for=2001:db8::1",
            "for=\"2001:db8::1\"",
            "for=\"[::1",
            "for=\"[::1]",
            "for=\"[::1]x\"",
            "for=\"[::1]:\"",
            "for=1.2.3.4;for=1.2.3.5",
            "for=1.2.3.4;FOR=1.2.3.4",
            "for =1.2.3.4",
            "for= 1.2.3.4",
            "for=\"1.2.3.4:65536\"",
            "for=\"1.2.3.4:+1\"",
            "for=[::1]",
            "host=a:1",
            "for=_",
            "for=\"_a b\"",
            "for=\"a\u{e9}\"",
            "proto=\"a\\",
            ";for=1.2.3.4",
            "for=1.2.3.4;;proto=http",
            "for=evil.test",
            "for=\"[::1%1]\"",
            "for=\"1.2.3.4\"x",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(read(&"for=_a,".repeat(64)).map(|all| all.len()), Some(64));
        assert_eq!(read(&"for=_a,".repeat(65)), None);
    }

    // A client's words stand in front of those that its proxy appends.
    #[test]
    fn quote_that_a_client_opened_swallows_no_proxys_word() {
        for appended in [
            "for=192.0.2.1",
            "for=\"[2001:db8::1]\"",
            "for=\"192.0.2.1:80\";proto=https",
        ] {
            for opened in ["for=\"x", "for=\"x, for=", "by=\"\\", "a=\"b\\\""] {
                assert_eq!(read(&format!("{opened}, {appended}")), None, "{opened}");
            }
        }
    }

    #[test]
    fn addresses_of_x_forwarded_for_are_read_in_each_usual_form() {
        let check = |text: &str, expected: Option<&str>| {
            let found = address(text).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("192.0.2.1", Some("192.0.2.1:0"));
        check("192.0.2.1:4711", Some("192.0.2.1:4711"));
        check("2001:db8::1", Some("[2001:db8::1]:0"));
        check("[2001:db8::1]", Some("[2001:db8::1]:0"));
        check("[2001:db8::1]:4711", Some("[2001:db8::1]:4711"));
        check("::ffff:192.0.2.1", Some("192.0.2.1:0"));
        for text in [
            "",
            "unknown",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:x",
            "192.0.2.1 ",
            "0300.0.2.1",
            "[192.0.2.1]",
            "fe80::1%eth0",
            "[fe80::1%1]:80",
            "evil.test",
            "192.0.2.1:99999",
            "1",
        ] {
            check(text, None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in "\\PC{0,80}") {
            let _read = elements(&line);
            let _address = address(&line);
        }

        #[test]
        fn any_near_miss_is_read_without_panic(line in "(for|proto|host|=|;|,|\"|\\\\|1.2.3.4|\\[::1\\]|:80| |_x){0,12}") {
            let _read = elements(&line);
        }
    }
}
