//! Checks of the workspace itself. `cargo run -p xtask -- borders` holds the crates to the borders
//! that ARCHITECTURE.md names.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What a crate may use of ours, and what must never be reachable from it.
struct Border {
    name: &'static str,
    ours: &'static [&'static str],
    never: &'static [&'static str],
}

/// Crates that do input and output, or wait.
const IO: &[&str] = &["tokio", "hyper", "rustix", "socket2", "reqwest"];

const BORDERS: &[Border] = &[
    Border {
        name: "yett-jwt",
        ours: &[],
        never: IO,
    },
    Border {
        name: "yett-gate",
        ours: &["yett-jwt"],
        never: IO,
    },
    Border {
        name: "yett-link",
        ours: &[],
        never: &["tokio", "hyper", "pyo3"],
    },
    // Neither a server nor a second HTTP client, TLS library or certificate store.
    Border {
        name: "yett-jwks",
        ours: &["yett-jwt"],
        never: &[
            "pyo3",
            "toml",
            "reqwest",
            "native-tls",
            "openssl",
            "rustls-platform-verifier",
            "webpki-roots",
        ],
    },
    // Credentials in, token pair out; so far the password hashes.
    Border {
        name: "yett-issuer",
        ours: &["yett-jwt"],
        never: &["hyper", "http"],
    },
    Border {
        name: "yett-edge",
        ours: &[
            "yett-gate",
            "yett-jwks",
            "yett-jwt",
            "yett-link",
            "yett-issuer",
        ],
        never: &["pyo3", "toml", "sqlx", "rusqlite"],
    },
    Border {
        name: "yett-supervisor",
        ours: &["yett-link"],
        never: &["hyper", "http", "pyo3"],
    },
    Border {
        name: "yett",
        ours: &[
            "yett-jwks",
            "yett-jwt",
            "yett-gate",
            "yett-link",
            "yett-issuer",
            "yett-edge",
            "yett-supervisor",
        ],
        never: &["pyo3"],
    },
    Border {
        name: "yett-python",
        ours: &["yett-jwt", "yett-link", "yett-issuer"],
        never: &["hyper", "rustls", "tokio"],
    },
];

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("borders") => borders(),
        _ => bail!("usage: cargo run -p xtask -- borders"),
    }
}

/// Compares what the crates depend on with [`BORDERS`]; every breach is named at once.
fn borders() -> Result<()> {
    let metadata = MetadataCommand::new().exec()?;
    let graph: BTreeMap<String, Vec<String>> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| &resolve.nodes)
        .map(|node| {
            let used = node.deps.iter().filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
            });
            (
                node.id.repr.clone(),
                used.map(|dep| dep.pkg.repr.clone()).collect(),
            )
        })
        .collect();
    let names: BTreeMap<String, String> = metadata
        .packages
        .iter()
        .map(|p| (p.id.repr.clone(), p.name.to_string()))
        .collect();
    let mut breaches = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.to_string();
        if name == "xtask" {
            continue;
        }
        let Some(border) = BORDERS.iter().find(|border| border.name == name) else {
            breaches.push(format!("{name} is not in the table of borders"));
            continue;
        };
        for used in reachable(&graph, &package.id.repr) {
            let Some(used) = names.get(used) else {
                continue;
            };
            if used.starts_with("yett") && !border.ours.contains(&used.as_str()) {
                breaches.push(format!("{name} must not use {used}"));
            }
            if border.never.contains(&used.as_str()) {
                breaches.push(format!("{name} must not contain {used}"));
            }
        }
    }
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("crate borders are crossed:\n  {}", breaches.join("\n  "))
}

/// Every package that a build of `start` contains, itself excepted.
fn reachable<'g>(graph: &'g BTreeMap<String, Vec<String>>, start: &'g str) -> Vec<&'g str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut next: Vec<&str> = vec![start];
    while let Some(package) = next.pop() {
        for used in graph.get(package).into_iter().flatten() {
            if !seen.contains(&used.as_str()) {
                seen.push(used);
                next.push(used);
            }
        }
    }
    seen
}
