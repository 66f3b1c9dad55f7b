//! Claims about the URL table.

use proptest::prelude::*;

use super::{GuardSettings, Lookup, UrlEntrySettings, UrlPattern, UrlTable};

fn entry(route: &str, pattern: UrlPattern, literal_prefix: &str) -> UrlEntrySettings {
    UrlEntrySettings {
        pattern,
        literal_prefix: literal_prefix.to_owned(),
        route: route.to_owned(),
        name: None,
        view: String::new(),
        methods: Vec::new(),
        authentication: String::new(),
        permission: String::new(),
        guard: GuardSettings::App,
        why: String::new(),
    }
}

fn pieces(route: &str, pieces: &[&str]) -> UrlEntrySettings {
    let pattern = UrlPattern::Pieces(pieces.iter().map(|piece| (*piece).to_owned()).collect());
    entry(route, pattern, "")
}

fn opaque(route: &str, literal_prefix: &str) -> UrlEntrySettings {
    entry(route, UrlPattern::Opaque, literal_prefix)
}

/// What the table says about a path, in a word.
fn told(table: &UrlTable, path: &str) -> String {
    match table.look_up(Some(path)) {
        Lookup::Found(entry) => entry.name().to_string(),
        Lookup::NotFound => "not found".to_owned(),
        Lookup::Uncertain(entry) => format!("uncertain by {}", entry.name()),
        Lookup::NotText => "not text".to_owned(),
    }
}

fn check(table: &UrlTable, path: &str, expected: &str) {
    assert_eq!(told(table, path), expected, "{path}");
}

#[test]
fn first_entry_in_order_decides() {
    let table = UrlTable::new(vec![
        pieces("notes/<str>", &[r"^notes/(?P<x>[^/]+)\Z"]),
        pieces("notes/new", &[r"^notes/new\Z"]),
        pieces("other", &[r"^other\Z"]),
    ]);
    check(&table, "/notes/new", "/notes/<str>");
    check(&table, "/other", "/other");
    check(&table, "/other/", "not found");
    check(&table, "/", "not found");
    check(&table, "//other", "not found");
}

#[test]
fn opaque_pattern_makes_later_ones_uncertain() {
    let table = UrlTable::new(vec![
        pieces("api/a", &[r"^api/a\Z"]),
        opaque("api/?", "api/"),
        pieces("api/b", &[r"^api/b\Z"]),
        pieces("web", &[r"^web\Z"]),
    ]);
    check(&table, "/api/a", "/api/a");
    check(&table, "/api/b", "uncertain by /api/?");
    check(&table, "/api/", "uncertain by /api/?");
    check(&table, "/api", "not found");
    check(&table, "/web", "/web");
}

#[test]
fn pattern_that_rust_could_read_otherwise_is_opaque() {
    let mut lookahead = pieces("api/x", &[r"^api/(?!b)"]);
    lookahead.literal_prefix = "api/".to_owned();
    let table = UrlTable::new(vec![lookahead, pieces("api/b", &[r"^api/b\Z"])]);
    check(&table, "/api/b", "uncertain by /api/x");
}

#[test]
fn opaque_pattern_without_a_prefix_makes_everything_later_uncertain() {
    let table = UrlTable::new(vec![
        pieces("a", &[r"^a\Z"]),
        opaque("?", ""),
        pieces("b", &[r"^b\Z"]),
    ]);
    check(&table, "/a", "/a");
    check(&table, "/b", "uncertain by /?");
    check(&table, "/caf\u{e9}", "uncertain by /?");
}

#[test]
fn unsure_match_is_uncertain() {
    let table = UrlTable::new(vec![
        pieces("<word>", &[r"^\w+/\Z"]),
        pieces("<any>", &[r"^[^/]+/\Z"]),
    ]);
    check(&table, "/abc/", "/<word>");
    check(&table, "/a-c/", "/<any>");
    check(&table, "/\u{e9}/", "uncertain by /<word>");
}

#[test]
fn path_that_is_no_text_is_not_looked_up() {
    let table = UrlTable::new(vec![pieces("a", &[r"^.*\Z"])]);
    assert!(matches!(table.look_up(None), Lookup::NotText));
    check(&table, "*", "not text");
}

#[test]
fn entry_of_a_thousand_is_found() {
    let entries = (0..1000).map(|number| {
        let outer = format!("^api/v{}/", number % 7);
        let inner = format!(r"^things{number}/(?P<pk>[0-9]+)/\Z");
        pieces(&format!("{number}"), &[&outer, &inner])
    });
    let table = UrlTable::new(entries.collect());
    check(&table, "/api/v5/things993/1/", "not found");
    check(&table, "/api/v6/things999/1/", "not found");
    check(&table, "/api/v5/things999/1/", "/999");
    assert_eq!(table.candidates("api/v5/things999/1/").count(), 1);
}

proptest! {
    /// The index by prefix only saves work: asking every entry in order tells the same.
    #[test]
    fn index_finds_what_a_scan_finds(path in "/[ab/]{0,6}") {
        let table = UrlTable::new(vec![
            pieces("1", &[r"^a/b\Z"]),
            pieces("2", &[r"^a/", r"^[ab]+/"]),
            opaque("3", "b/b"),
            pieces("4", &[r"^b"]),
            pieces("5", &[r"^(?:a|b)+\Z"]),
            opaque("6", "a/"),
            pieces("7", &[r"^.*\Z"]),
        ]);
        let rest = &path[1..];
        let scanned = table.iter().find_map(|entry| match &entry.pattern {
            None => rest
                .starts_with(entry.literal_prefix())
                .then(|| format!("uncertain by {}", entry.name())),
            Some(pattern) => (pattern.matches(rest) == super::Matching::Yes)
                .then(|| entry.name().to_string()),
        });
        prop_assert_eq!(told(&table, &path), scanned.unwrap_or("not found".to_owned()));
    }
}
