//! Claims about translated patterns. Where a path is expected to match or not, Python's `re` was
//! asked in the way that Django asks it.

use proptest::prelude::*;

use super::{Matching, Pattern};

fn compile(pieces: &[&str]) -> Option<Pattern> {
    let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    Pattern::compile(&pieces)
}

fn check(pieces: &[&str], path: &str, expected: Matching) {
    let pattern = compile(pieces).expect("a pattern that both dialects share");
    assert_eq!(pattern.matches(path), expected, "{pieces:?} {path:?}");
}

fn yes(pieces: &[&str], path: &str) {
    check(pieces, path, Matching::Yes);
}

fn no(pieces: &[&str], path: &str) {
    check(pieces, path, Matching::No);
}

fn check_prefix(pieces: &[&str], expected: &str) {
    let pattern = compile(pieces).expect("a pattern that both dialects share");
    assert_eq!(pattern.literal_prefix(), expected, "{pieces:?}");
}

#[test]
fn route_without_a_placeholder_is_the_whole_path() {
    yes(&[r"^api/", r"^notes/\Z"], "api/notes/");
    no(&[r"^api/", r"^notes/\Z"], "api/notes");
    no(&[r"^api/", r"^notes/\Z"], "api/notes/1/");
    no(&[r"^api/", r"^notes/\Z"], "api/notes/\n");
    no(&[r"^api/", r"^notes/\Z"], "API/notes/");
    yes(&[r"^\Z"], "");
}

#[test]
fn placeholders_of_django_match_as_in_python() {
    yes(&[r"^n/(?P<pk>[0-9]+)/\Z"], "n/42/");
    no(&[r"^n/(?P<pk>[0-9]+)/\Z"], "n/\u{664}/");
    yes(&[r"^n/(?P<slug>[-a-zA-Z0-9_]+)/\Z"], "n/a-b_9/");
    yes(&[r"^n/(?P<name>[^/]+)\Z"], "n/caf\u{e9} x\n");
    no(&[r"^n/(?P<name>[^/]+)\Z"], "n/a/b");
    let uuid = r"^(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\Z";
    yes(&[uuid], "075194d3-6885-417e-a8a8-6c931e272f00");
    no(&[uuid], "075194D3-6885-417e-a8a8-6c931e272f00");
    yes(&[r"^f/(?P<rest>.+)\Z"], "f/a/b");
    no(&[r"^f/(?P<rest>.+)\Z"], "f/a\nb");
}

#[test]
fn patterns_of_rest_framework_match_as_in_python() {
    yes(&[r"^notes/(?P<pk>[^/.]+)/$"], "notes/1/");
    no(&[r"^notes/(?P<pk>[^/.]+)/$"], "notes/1.5/");
    yes(&[r"^notes\.(?P<format>[a-z0-9]+)/?$"], "notes.json");
    yes(&[r"^notes\.(?P<format>[a-z0-9]+)/?$"], "notes.json/");
    yes(&[r"^(?P<format>\.(?:json|api)/?)$"], ".json/");
    no(&[r"^(?P<format>\.(?:json|api)/?)$"], ".xml");
}

#[test]
fn dollar_does_not_match_before_a_final_newline() {
    no(&[r"^notes/$"], "notes/\n");
}

#[test]
fn last_piece_without_an_end_matches_the_start() {
    yes(&[r"^notes/"], "notes/anything");
    yes(&[r"^", r"^"], "");
    yes(&[r"^a[0-9]"], "a1b");
}

#[test]
fn piece_never_gives_back_what_it_took() {
    // One expression over both would match by giving the 2 back.
    no(&[r"^[0-9]+", r"^2/\Z"], "12/");
    yes(&[r"^[0-9]+?", r"^2/\Z"], "12/");
    yes(&[r"^(?:a|ab)", r"^bc\Z"], "abc");
    no(&[r"^(?:ab|a)", r"^bc\Z"], "abc");
    no(&[r"^.*", r"^a\Z"], "ba");
}

#[test]
fn escapes_mean_the_same() {
    yes(&[r"^a\.b\-c\/d\ e\&\~\#\Z"], "a.b-c/d e&~#");
    no(&[r"^a\.b\Z"], "axb");
    yes(&[r"^a\\Z"], "a\\Z");
    yes(&[r"^[\w.@+-]+\Z"], "a.b@c+d-e");
    yes(&[r"^[\]\\^-]+\Z"], "]\\^-");
    yes(&[r"^[a&&b~~c-]+\Z"], "a&b~c-");
    no(&[r"^[+--]\Z"], ".");
    yes(&[r"^\d\D\w\W\s\S\Z"], "1a2- b");
}

#[test]
fn classes_of_unicode_are_unsure_beyond_visible_ascii() {
    for path in ["n/\u{664}", "n/\u{b2}", "n/\u{e9}", "n/\u{1c}", "n/\n"] {
        check(&[r"^n/\w\Z"], path, Matching::Unsure);
        check(&[r"^n/[\d]\Z"], path, Matching::Unsure);
        check(&[r"^n/\s\Z"], path, Matching::Unsure);
    }
    yes(&[r"^n/\w\Z"], "n/a");
    no(&[r"^n/\w\Z"], "n/-");
    no(&[r"^n/\d\Z"], "n/a");
}

#[test]
fn pattern_that_could_differ_is_not_compiled() {
    let differing: &[&[&str]] = &[
        &[],
        &["notes/"],
        &[r"\Anotes/"],
        &["^a|b"],
        &["^a)"],
        &["^(a"],
        &["^[a"],
        &["^(?i)a"],
        &["^(?i:a)"],
        &["^(?=a)a"],
        &["^(?!a)b"],
        &["^(?<=a)b"],
        &["^(?>a)b"],
        &["^(?#note)a"],
        &["^(?P<x>a)(?P=x)"],
        &["^(?P>x)"],
        &[r"^(a)\1"],
        &["^(a)(?(1)b|c)"],
        &["^(?P<x>a", "^b)"],
        &[r"^a\Zb"],
        &[r"^(a\Z)"],
        &["^a$b"],
        &["^(a$)"],
        &["^a$", "^b"],
        &[r"^a\Z", "^b"],
        &[r"^a\$"],
        &["^a^b"],
        &["^^a"],
        &[r"^\Ba"],
        &[r"^\bword"],
        &[r"^\x41"],
        &[r"^\n"],
        &[r"^\p{L}"],
        &["^a**"],
        &["^a++"],
        &["^a?+"],
        &["^a{2}{3}"],
        &["^a{,3}"],
        &["^a{3,2}"],
        &["^a{x}"],
        &["^a{99999}"],
        &["^*a"],
        &["^(?:*)"],
        &["^(a*)*"],
        &["^(|a)+"],
        &["^()?"],
        &["^a]"],
        &["^a}"],
        &["^[]a]"],
        &["^[^]a]"],
        &["^[[:alpha:]]"],
        &["^[a[b]"],
        &[r"^[\W]"],
        &[r"^[\w-z]"],
        &[r"^[\b]"],
        &["^[z-a]"],
        &["^[--a"],
        &["^a\\"],
        &["^((((((((((((((((((a))))))))))))))))))"],
        &["^(?:(?:[^a]{1000}){1000}){1000}"],
    ];
    for pieces in differing {
        assert!(compile(pieces).is_none(), "{pieces:?}");
    }
}

#[test]
fn literal_prefix_ends_where_paths_can_differ() {
    check_prefix(&[r"^api/", r"^notes/(?P<pk>[0-9]+)/\Z"], "api/notes/");
    check_prefix(&[r"^api/", r"^notes/\Z"], "api/notes/");
    check_prefix(&[r"^no\-tes?/\Z"], "no-te");
    check_prefix(&[r"^ab{2}\Z"], "a");
    check_prefix(&[r"^(?P<lang>en)/", r"^a/\Z"], "");
    check_prefix(&[r"^v(?:1|2)/", r"^a/\Z"], "v");
}

proptest! {
    #[test]
    fn no_piece_panics(pieces in proptest::collection::vec("\\^?[a|()\\[\\]{}?*+.,$^\\\\dwZPx<>=:!0-9-]{0,16}", 1..3)) {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        if let Some(pattern) = compile(&pieces) {
            let _ = pattern.matches("a1/");
        }
    }

    #[test]
    fn matching_path_begins_with_the_literal_prefix(path in "[ab/.0-9]{0,8}") {
        for pieces in [
            &[r"^a/", r"^b(?P<x>[0-9]+)/?\Z"][..],
            &[r"^ab?/"],
            &[r"^a\.", r"^[ab]+"],
        ] {
            let pattern = compile(pieces).unwrap();
            if pattern.matches(&path) == Matching::Yes {
                prop_assert!(path.starts_with(pattern.literal_prefix()));
            }
        }
    }
}
