//! Which crate may depend on what, read from what cargo knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use super::{circles::circles, document::Document, tree::Tree};

/// Crates that decide and do nothing else: the same input gives the same output, anywhere.
const PURE: [&str; 3] = ["wire", "session", "rfb"];

/// The crates that no pure crate may depend on, at any depth.
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "axum", "hyper", "rusqlite", "ring", "getrandom", "jiff", "ractor"];

/// What only the crates behind the `->` may depend on, by how the name begins.
const ONLY_FOR: [(&str, &[&str]); 4] = [
    ("tauri", &["src-tauri"]),
    ("webkit", &["src-tauri"]),
    ("rusqlite", &["store", "engine", "broker", "sandbox"]),
    ("x11rb", &["presenter"]),
];

/// Folders of pure code, with the names whose use would do I/O or read the time.
const PURE_CODE: [(&str, &[&str]); 4] = [
    ("crates/session/src/", &["tokio", "reqwest", "Instant", "SystemTime", "fs", "net", "thread"]),
    ("crates/wire/src/", &["tokio", "reqwest", "Instant", "SystemTime", "fs", "thread"]),
    ("crates/rfb/src/", &["tokio", "reqwest", "Instant", "SystemTime", "fs", "net"]),
    (
        "crates/broker/src/hub/",
        &[
            "tokio",
            "reqwest",
            "axum",
            "hyper",
            "rusqlite",
            "Instant",
            "SystemTime",
            "fs",
            "thread",
            "getrandom",
        ],
    ),
];

/// A crate of this repository.
#[derive(Default)]
pub struct Package {
    /// Its folder's name.
    name: String,
    /// Whether it serves tests alone.
    is_tool: bool,
    /// Its dependencies, and whether each is for its tests alone.
    dependencies: Vec<(String, bool)>,
    /// All crates that it depends on outside of tests, at any depth.
    reached: BTreeSet<String>,
}

pub fn packages(root: &Path) -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .unwrap();
    metadata.workspace_packages().iter().map(|package| described(&metadata, package)).collect()
}

fn described(metadata: &Metadata, package: &cargo_metadata::Package) -> Package {
    let dependencies = package.dependencies.iter().map(|dependency| {
        (short(&dependency.name).to_owned(), dependency.kind == DependencyKind::Development)
    });
    Package {
        name: short(&package.name).to_owned(),
        is_tool: package.manifest_path.as_str().contains("/tests/"),
        dependencies: dependencies.collect(),
        reached: reached_from(metadata, &package.id),
    }
}

/// The folder of a crate of ours; any other crate's name.
fn short(package: &str) -> &str {
    if package == "deskhand" {
        "src-tauri"
    } else {
        package.strip_prefix("deskhand-").unwrap_or(package)
    }
}

fn reached_from(metadata: &Metadata, start: &cargo_metadata::PackageId) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().unwrap();
    let mut found = vec![start];
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

/// Each crate's row in the document names all that it may depend on.
pub fn crates_depend_only_on_what_they_may(
    packages: &[Package],
    document: &Document,
) -> Vec<String> {
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut broken = Vec::new();
    for package in packages.iter().filter(|package| !package.is_tool) {
        let Some(allowed) = document.crates_may.get(&package.name) else {
            broken.push(format!("{} has no row among ARCHITECTURE.md's borders", package.name));
            continue;
        };
        let normal: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|(_, test)| !test)
            .map(|(name, _)| name.as_str())
            .collect();
        let forbidden = normal
            .iter()
            .filter(|name| ours.contains(**name) && !allowed.iter().any(|a| a == *name));
        broken.extend(forbidden.map(|name| format!("{} depends on {name}", package.name)));
        let unused = allowed.iter().filter(|name| !normal.contains(name.as_str()));
        broken.extend(
            unused.map(|name| format!("{} may depend on {name}, but doesn't", package.name)),
        );
    }
    broken.extend(
        document
            .crates_may
            .keys()
            .filter(|name| !ours.contains(name.as_str()))
            .map(|name| format!("ARCHITECTURE.md has a row for {name}, which is no crate")),
    );
    broken
}

pub fn some_dependencies_are_for_some_crates_only(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages.iter().filter(|package| !package.is_tool) {
        for (prefix, users) in
            ONLY_FOR.iter().filter(|(_, users)| !users.contains(&package.name.as_str()))
        {
            let named =
                package.dependencies.iter().any(|(name, test)| !test && name.starts_with(prefix));
            if named {
                broken.push(format!(
                    "{} depends on {prefix}, which only {} may",
                    package.name,
                    users.join(", ")
                ));
            }
        }
    }
    broken
}

pub fn pure_crates_reach_nothing_impure(packages: &[Package]) -> Vec<String> {
    let pure = packages.iter().filter(|package| PURE.contains(&package.name.as_str()));
    pure.flat_map(|package| {
        let reached = IMPURE.iter().filter(|name| package.reached.contains(**name));
        reached.map(|name| format!("{} reaches {name}", package.name))
    })
    .collect()
}

pub fn pure_code_names_nothing_impure(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (folder, forbidden) in PURE_CODE {
        for file in tree.shipped().filter(|file| file.path.starts_with(folder)) {
            // Methods and fields may have any name: only a part of a path can belong to
            // another crate.
            let parts =
                file.code.windows(2).filter_map(|pair| match (&*pair[0].text, &*pair[1].text) {
                    ("::", name) | (name, "::") => Some((name.to_owned(), pair[0].line)),
                    _ => None,
                });
            let named: BTreeMap<_, _> =
                parts.filter(|(name, _)| forbidden.contains(&name.as_str())).collect();
            broken.extend(
                named.iter().map(|(name, line)| format!("{}:{line} names {name}", file.path)),
            );
        }
    }
    broken
}

/// Dependencies of tests count too: a circle through them ties two crates together as well.
pub fn no_circle_of_crates(packages: &[Package]) -> Vec<String> {
    let edges = packages.iter().map(|package| {
        let ours = package.dependencies.iter().map(|(name, _)| name.as_str());
        (
            package.name.as_str(),
            ours.filter(|name| packages.iter().any(|p| p.name == *name)).collect(),
        )
    });
    let circles = circles(&edges.collect()).into_iter();
    circles
        .map(|circle| format!("crates in a circle: {}", Vec::from_iter(circle).join(" ")))
        .collect()
}

/// A file belongs to one crate. Code that two crates need is a crate of its own.
pub fn no_file_is_compiled_into_two_crates(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &tree.files {
        let folder = file.path.rsplit_once('/').unwrap().0;
        for line in file.text.lines().filter(|line| line.trim().starts_with("#[path = \"")) {
            let target = joined(folder, line.split('"').nth(1).unwrap());
            // The window's tests are the root package's, so their folder is their crate.
            if !target.starts_with(&format!("{}/", file.package())) {
                broken.push(format!("{} includes {target}", file.path));
            }
        }
    }
    broken
}

fn joined(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in relative.split('/') {
        match part {
            ".." => _ = parts.pop(),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
    let dependencies =
        dependencies.iter().map(|(name, test)| ((*name).to_owned(), *test)).collect();
    Package { name: name.to_owned(), dependencies, ..Package::default() }
}

#[test]
fn a_forbidden_and_an_unknown_dependency_are_found() {
    let document =
        Document::new("```text\nsession -> wire\nwire ->\nbroker -> wire\nrelay -> wire\n```");
    let packages = [
        package("wire", &[("session", false), ("serde", false)]),
        package("session", &[("wire", false), ("broker", true)]),
        package("broker", &[]),
        package("seal", &[]),
    ];
    assert_eq!(
        crates_depend_only_on_what_they_may(&packages, &document),
        [
            "wire depends on session",
            "broker may depend on wire, but doesn't",
            "seal has no row among ARCHITECTURE.md's borders",
            "ARCHITECTURE.md has a row for relay, which is no crate",
        ]
    );
}

#[test]
fn a_dependency_on_the_window_or_on_sqlite_is_found() {
    let packages = [
        package("engine", &[("tauri-plugin-store", false), ("rusqlite", false)]),
        package("src-tauri", &[("tauri", false)]),
    ];
    assert_eq!(
        some_dependencies_are_for_some_crates_only(&packages),
        ["engine depends on tauri, which only src-tauri may"]
    );
}

#[test]
fn what_a_pure_crate_reaches_is_found() {
    let reached = ["serde", "tokio"].map(str::to_owned).into();
    let packages = [Package { reached, ..package("rfb", &[]) }];
    assert_eq!(pure_crates_reach_nothing_impure(&packages), ["rfb reaches tokio"]);
}

#[test]
fn a_clock_in_pure_code_is_found() {
    let tree = Tree::from_texts(&[
        (
            "crates/session/src/a.rs",
            "fn f(net: u8) { std::time::Instant::now(); }\n#[cfg(test)]\nuse std::fs;",
        ),
        ("crates/broker/src/hub/a.rs", "use axum::body;"),
        ("crates/broker/src/http/a.rs", "use axum::body;"),
    ]);
    assert_eq!(
        pure_code_names_nothing_impure(&tree),
        ["crates/session/src/a.rs:1 names Instant", "crates/broker/src/hub/a.rs:1 names axum"]
    );
}

#[test]
fn a_circle_through_the_dependencies_of_tests_is_found() {
    let packages = [
        package("a", &[("b", false)]),
        package("b", &[("a", true)]),
        package("c", &[("a", false)]),
    ];
    assert_eq!(no_circle_of_crates(&packages), ["crates in a circle: a b"]);
}

#[test]
fn a_file_of_another_crate_is_found() {
    let text = "#[path = \"../service/mod.rs\"]\nmod a;\n    #[path = \"../../../b/src/c.rs\"]\n    mod c;";
    let tree = Tree::from_texts(&[("crates/a/tests/app/main.rs", text)]);
    assert_eq!(
        no_file_is_compiled_into_two_crates(&tree),
        ["crates/a/tests/app/main.rs includes crates/b/src/c.rs"]
    );
}
