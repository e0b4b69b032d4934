//! The borders that the compiler holds (ARCHITECTURE.md), read from what cargo knows.

#![allow(clippy::unwrap_used)]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Who may import whom among our own crates.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("deskhand-wire", &[]),
    ("deskhand-session", &["deskhand-wire"]),
    ("deskhand-linger", &[]),
    ("deskhand-serve", &["deskhand-linger"]),
    ("deskhand-store", &[]),
    ("deskhand-broker", &["deskhand-serve", "deskhand-store", "deskhand-wire"]),
    ("deskhand-sandbox", &["deskhand-serve", "deskhand-store", "deskhand-wire"]),
    ("deskhand-rfb", &[]),
    ("deskhand-seal", &[]),
    ("deskhand-presenter", &["deskhand-linger", "deskhand-rfb", "deskhand-seal", "deskhand-wire"]),
    ("deskhand-engine", &["deskhand-serve", "deskhand-session", "deskhand-store", "deskhand-wire"]),
    (
        "deskhand-console",
        &[
            "deskhand-broker",
            "deskhand-engine",
            "deskhand-linger",
            "deskhand-sandbox",
            "deskhand-seal",
            "deskhand-serve",
            "deskhand-session",
            "deskhand-wire",
        ],
    ),
    // Nothing else may import it: the demo is no part of the product.
    ("deskhand-demo", &["deskhand-console", "deskhand-engine", "deskhand-wire"]),
    ("deskhand", &["deskhand-console", "deskhand-engine"]),
];

/// What the pure crates must never reach, at any depth.
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "axum", "hyper", "rusqlite", "ring", "getrandom", "jiff", "ractor"];

#[test]
fn every_crate_imports_only_what_it_may() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| package.name == *name) else {
            assert!(is_tool(&package.name), "{} has no row in the table of borders", package.name);
            continue;
        };
        for dependency in
            package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development)
        {
            let ours = dependency.name.starts_with("deskhand");
            assert!(
                !ours || allowed.contains(&dependency.name.as_str()),
                "{} imports {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn only_the_shell_names_tauri() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let named =
            package.dependencies.iter().any(|dependency| dependency.name.starts_with("tauri"));
        assert!(!named || package.name == "deskhand", "{} names tauri", package.name);
    }
}

#[test]
fn only_the_store_and_its_users_name_sqlite() {
    let metadata = metadata();
    let users = ["deskhand-store", "deskhand-engine", "deskhand-broker", "deskhand-sandbox"];
    for package in metadata.workspace_packages() {
        let named = package.dependencies.iter().any(|dependency| {
            dependency.kind != DependencyKind::Development
                && dependency.name.starts_with("rusqlite")
        });
        assert!(
            !named || users.contains(&package.name.as_str()) || is_tool(&package.name),
            "{} names SQLite",
            package.name
        );
    }
}

#[test]
fn the_pure_crates_reach_no_clock_network_or_disk() {
    let metadata = metadata();
    for pure in ["deskhand-wire", "deskhand-session", "deskhand-rfb"] {
        let reached = reached_from(&metadata, pure);
        for impure in IMPURE {
            assert!(!reached.iter().any(|name| name == impure), "{pure} reaches {impure}");
        }
    }
}

/// Cargo allows such a circle, but a unit test then sees two builds of its own crate, whose types do not match.
#[test]
fn no_crate_is_tested_with_a_tool_that_is_built_on_it() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let tools = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Development);
        for tool in tools.filter(|tool| is_tool(&tool.name)) {
            let reached = reached_from(&metadata, &tool.name);
            assert!(!reached.contains(&package.name), "{} reaches {}", tool.name, package.name);
        }
    }
}

fn is_tool(name: &str) -> bool {
    name.ends_with("-tests")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .unwrap()
}

/// All packages that `name` reaches by normal dependencies.
fn reached_from(metadata: &Metadata, name: &str) -> Vec<String> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let start = metadata.packages.iter().find(|package| package.name == name).unwrap();
    let mut found = vec![&start.id];
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        let node = resolve.nodes.iter().find(|node| node.id == *id).unwrap();
        for dependency in &node.deps {
            let normal =
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if normal && !found.contains(&&dependency.pkg) {
                found.push(&dependency.pkg);
            }
        }
    }
    found.iter().map(|id| metadata[*id].name.to_string()).collect()
}
