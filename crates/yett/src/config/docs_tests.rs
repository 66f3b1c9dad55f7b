//! What the guides say of settings and limits, held against the tables that the program goes by.

use super::key::TABLE;
use std::{fs, path::Path};
use yett_edge::meters::Limit;

fn guide(name: &str) -> String {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
    fs::read_to_string(guides.join(name)).unwrap()
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

/// The cells of a table's row.
fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn every_setting_stands_in_the_guide_with_its_variable_its_place_and_its_default() {
    let text = guide("serve.md");
    for row in &TABLE {
        let (flag, variable) = (code(row.flag), code(&row.variable()));
        let mut lines = text.lines().filter(|line| line.starts_with("| `"));
        let line = lines.find(|line| line.contains(&flag) && line.contains(&variable));
        let line = line.unwrap_or_else(|| panic!("serve.md has no row for {flag}, {variable}"));
        let cells = cells(line);
        let [flags, variables, place, default, _] = cells[..] else {
            panic!("five cells, not {cells:?}")
        };
        assert!(
            flags.contains(&flag) && variables.contains(&variable),
            "{line}"
        );
        assert!(
            row.table.is_none() || place.contains(&code(row.name)),
            "{line}"
        );
        let said = row.default.map(code).unwrap_or_default();
        assert!(default.starts_with(&said), "{said} is the default: {line}");
    }
}

#[test]
fn every_limit_stands_in_the_guide_with_its_flag_and_its_default() {
    let text = guide("observe.md");
    let (_, limits) = text.split_once("\n### Limits\n").unwrap();
    let (limits, _) = limits.split_once("\n## ").unwrap();
    let rows: Vec<Vec<&str>> = limits
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|cells: &Vec<&str>| cells[0] != "`limit`")
        .collect();
    for limit in Limit::ALL {
        let name = code(limit.name());
        let row = rows.iter().find(|cells| cells[0] == name);
        let cells = row.unwrap_or_else(|| panic!("observe.md has no row for the limit {name}"));
        let [_, default, flag, met] = cells[..] else {
            panic!("four cells, not {cells:?}")
        };
        assert!(!met.is_empty(), "{name}");
        if flag == "–" {
            assert_eq!(default, "–", "{name}");
            continue;
        }
        let setting = TABLE.iter().find(|row| code(row.flag) == flag);
        let setting = setting.unwrap_or_else(|| panic!("{name}: there is no flag {flag}"));
        assert_eq!(
            Some(default),
            setting.default.map(code).as_deref(),
            "{name}"
        );
    }
    assert_eq!(rows.len(), Limit::ALL.len(), "a row without a limit");
}

#[test]
fn limits_of_slow_clients_have_the_defaults_and_names_that_the_guide_says() {
    let text = guide("serve.md");
    let (_, table) = text.split_once("\n## Slow and greedy clients\n").unwrap();
    let (table, _) = table.split_once("\n\n- ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    for line in rows.skip_while(|line| !line.starts_with("| ---")).skip(1) {
        let [_, default, key, _, counted] = cells(line)[..] else {
            panic!("five cells: {line}")
        };
        let setting = TABLE.iter().find(|row| code(row.name) == key).expect(line);
        let said = default.replace([' ', ','], "").replace("/s", "");
        let said = said.replace("min", "m").replace("any", "0");
        assert_eq!(setting.default, Some(said.as_str()), "{line}");
        let is_counted = Limit::ALL.iter().any(|limit| code(limit.name()) == counted);
        assert!(is_counted || counted == "–", "{line}");
    }
}
