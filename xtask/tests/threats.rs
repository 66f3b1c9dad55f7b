//! Holds `docs/security/threats.md` against the code: a test that it names must exist, every row of
//! the list is spoken of, and what it says of dependencies must be so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The sections, and the folders that the paths in them are below, the nearest first; how many tests
/// they name at least.
const SECTIONS: [(&str, &[&str], usize); 7] = [
    (
        "Tokens: `crates/yett-jwt`",
        &["crates/yett-jwt/src", "crates/yett-jwt", "."],
        100,
    ),
    (
        "Issuers' keys: `crates/yett-jwks`",
        &["crates/yett-jwks/src"],
        20,
    ),
    (
        "The gate: `crates/yett-gate` and `python/yett/django`",
        &["crates/yett-gate/src", "."],
        8,
    ),
    (
        "Passwords: `crates/yett-issuer`",
        &["crates/yett-issuer/src/password"],
        10,
    ),
    (
        "WebSockets: `crates/yett-edge`",
        &["crates/yett-edge/src/websocket", "crates/yett-edge/src"],
        10,
    ),
    (
        "HTTP/2: `crates/yett-edge`",
        &["crates/yett-edge/src/conn/h2/tests"],
        10,
    ),
    (
        "Limits: `crates/yett-edge`",
        &["crates/yett-edge/src", "crates/yett-edge"],
        20,
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn threats() -> std::io::Result<String> {
    std::fs::read_to_string(root().join("docs/security/threats.md"))
}

/// The part of a page below this heading; nothing where the heading is missing.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let after = text.split_once(&format!("\n{heading}"));
    let (_, after) = after.unwrap_or_default();
    after.split("\n## ").next().unwrap_or_default()
}

/// What stands first in the rows of a table.
fn firsts(section: &str) -> BTreeSet<&str> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0))
        .collect()
}

#[test]
fn every_test_named_among_the_threats_exists() {
    let text = threats().unwrap();
    for (heading, folders, at_least) in SECTIONS {
        let section = section(&text, &format!("## {heading}"));
        // Between back quotes, `file::name`.
        let names: Vec<(&str, &str)> = section
            .split('`')
            .filter_map(|quoted| quoted.split_once("::"))
            .filter(|(file, _)| file.ends_with(".rs") || file.ends_with(".py"))
            .collect();
        assert!(
            names.len() >= at_least,
            "{heading}: found only {}",
            names.len()
        );
        for (file, name) in names {
            let source = folders
                .iter()
                .find_map(|folder| std::fs::read_to_string(root().join(folder).join(file)).ok())
                .unwrap_or_else(|| panic!("{heading}: there is no {file}"));
            let starts = [format!("fn {name}("), format!("def {name}(")];
            assert!(
                starts.iter().any(|start| source.contains(start)),
                "{heading}: {file} has no test {name}"
            );
        }
    }
}

#[test]
fn every_limit_names_its_tests() {
    let observe = std::fs::read_to_string(root().join("docs/guides/observe.md")).unwrap();
    let mut limits = firsts(section(&observe, "### Limits"));
    assert!(limits.remove("limit"));
    let threats = threats().unwrap();
    let tested = firsts(section(&threats, "## Limits: `crates/yett-edge`"));
    assert_eq!(tested, limits);
}

#[test]
fn every_row_of_the_list_is_spoken_of() {
    let text = threats().unwrap();
    let rows: Vec<u32> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|numbers| numbers.split(", ").filter_map(|number| number.parse().ok()))
        .collect();
    for number in 1..=25 {
        assert!(rows.contains(&number), "row {number}");
    }
}

#[test]
fn rsa_crate_is_no_dependency() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.lines().any(|line| line == "name = \"aws-lc-rs\""));
    assert!(!lock.lines().any(|line| line == "name = \"rsa\""));
}
