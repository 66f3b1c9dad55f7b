//! Holds `docs/security/threats.md` against the code: a test that it names must exist, and what it
//! says of dependencies must be so.

use std::path::Path;

#[test]
fn every_test_named_among_the_threats_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("../../docs/security/threats.md")).unwrap();
    let (_, after) = text
        .split_once("## Tokens: `crates/yett-jwt`")
        .expect("the section");
    let section = after.split("\n## ").next().unwrap();

    // Between back quotes, `file.rs::name`.
    let names: Vec<(&str, &str)> = section
        .split('`')
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(file, _)| file.ends_with(".rs"))
        .collect();
    assert!(names.len() > 100, "found only {}", names.len());
    for (file, name) in names {
        let folder = if file.starts_with("tests/") {
            ""
        } else {
            "src"
        };
        let source = std::fs::read_to_string(root.join(folder).join(file)).expect(file);
        assert!(
            source.contains(&format!("fn {name}(")),
            "{file} has no test {name}"
        );
    }
}

#[test]
fn every_row_of_the_list_is_spoken_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("../../docs/security/threats.md")).unwrap();
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = std::fs::read_to_string(root.join("../../Cargo.lock")).unwrap();
    assert!(lock.lines().any(|line| line == "name = \"aws-lc-rs\""));
    assert!(!lock.lines().any(|line| line == "name = \"rsa\""));
}
