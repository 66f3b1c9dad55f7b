//! Holds `docs/security/threats.md` against the code: a test that it names must exist.

use std::path::Path;

#[test]
fn every_test_named_among_the_threats_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("../../docs/security/threats.md")).unwrap();
    let (_, after) = text
        .split_once("## Passwords: `crates/yett-issuer`")
        .expect("the section");
    let section = after.split("\n## ").next().unwrap();

    // Between back quotes, `file.rs::name`.
    let names: Vec<(&str, &str)> = section
        .split('`')
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(file, _)| file.ends_with(".rs"))
        .collect();
    assert!(names.len() > 10, "found only {}", names.len());
    for (file, name) in names {
        let source = std::fs::read_to_string(root.join("src/password").join(file)).expect(file);
        assert!(
            source.contains(&format!("fn {name}(")),
            "{file} has no test {name}"
        );
    }
}
