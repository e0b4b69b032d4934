//! Files that use one another in a circle can only be understood together, so there are never many.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::Document,
    tree::{Tree, is_within},
    uses::{Uses, by_crate},
};

/// The most files of a crate that may use one another in a circle.
const MOST_IN_A_CIRCLE: usize = 3;

/// Modules whose own file and parts use one another, as paths without the ending: the file has the
/// type or the list that its parts fill in, so they are read together. The parts among themselves
/// are in no such circle.
const READ_TOGETHER: [&str; 13] = [
    "crates/console/src/app",
    "crates/console/src/cli",
    "crates/console/src/commands",
    "crates/console/src/settings",
    "crates/engine/src/archive",
    "crates/engine/src/journal",
    "crates/engine/src/remote",
    "crates/engine/src/vault",
    "crates/presenter/src/consent",
    "crates/presenter/src/screen",
    "crates/rfb/src",
    "crates/sandbox/src/passwordless",
    "crates/session/src/event",
];

pub fn no_large_circles_of_files(tree: &Tree) -> Vec<String> {
    too_large(tree, &READ_TOGETHER)
}

fn too_large(tree: &Tree, read_together: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut unused: BTreeSet<&str> = read_together.iter().copied().collect();
    for Uses { edges } in by_crate(tree).values() {
        for circle in large_circles(edges) {
            let together = read_together
                .iter()
                .find(|module| circle.iter().all(|file| is_within(file, module)));
            match together {
                Some(module) => _ = unused.remove(module),
                None => broken.push(described(edges, &circle)),
            }
        }
        // Parts of one module that use one another in a circle are a tangle, whatever the module's
        // own file does.
        let without_parts = edges.iter().map(|(file, used)| {
            (*file, used.iter().copied().filter(|part| !is_within(part, module_of(file))).collect())
        });
        let without_parts = without_parts.collect();
        broken.extend(large_circles(&without_parts).iter().map(|c| described(&without_parts, c)));
    }
    broken.extend(
        unused.iter().map(|module| format!("{module} has no large circle: take it off the list")),
    );
    broken
}

fn large_circles<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    circles(edges).into_iter().filter(|circle| circle.len() > MOST_IN_A_CIRCLE).collect()
}

fn described(edges: &BTreeMap<&str, BTreeSet<&str>>, circle: &BTreeSet<&str>) -> String {
    let members = circle.iter().map(|from| {
        let within = edges[from].iter().copied().filter(|to| circle.contains(to));
        format!("\n      {from} -> {}", Vec::from_iter(within).join(" "))
    });
    format!("{} files in a circle:{}", circle.len(), members.collect::<String>())
}

/// The path without its ending, below which the parts of the module lie.
fn module_of(file: &str) -> &str {
    file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")).unwrap_or(file)
}

/// Checks that no module uses another that the document forbids.
pub fn modules_use_only_what_they_may(tree: &Tree, document: &Document) -> Vec<String> {
    let crates = by_crate(tree);
    let mut broken = Vec::new();
    for (from, forbidden) in &document.modules_never {
        let mut found = false;
        for (user, used) in crates.values().flat_map(|uses| &uses.edges) {
            if !is_module(user, from) {
                continue;
            }
            found = true;
            broken.extend(used.iter().filter_map(|used| {
                let rule = forbidden.iter().find(|rule| match rule.as_str() {
                    "*" => !is_module(used, from),
                    module => is_module(used, module),
                })?;
                Some(format!("{user} uses {used}, but `{from}` never uses `{rule}`"))
            }));
        }
        if !found {
            broken.push(format!("`{from}`, which the document has a rule for, has no files"));
        }
    }
    broken
}

/// Whether the file at `path` is in the module `named`, such as `broker/hub`.
fn is_module(path: &str, named: &str) -> bool {
    let (package, module) = named.split_once('/').unwrap();
    is_within(path, &format!("crates/{package}/src/{module}"))
}

/// The groups of nodes that reach one another.
pub fn circles<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|from| (*from, reached_from(edges, from))).collect();
    let mut found = BTreeSet::new();
    for (from, onward) in &reached {
        let circle: BTreeSet<&str> = onward
            .iter()
            .copied()
            .filter(|to| reached.get(to).is_some_and(|back| back.contains(from)))
            .collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reached_from<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = edges[from].iter().copied().collect();
    while let Some(node) = next.pop() {
        if reached.insert(node) {
            next.extend(edges.get(node).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
fn ring(length: usize) -> Tree {
    let name = |n: usize| ["a", "b", "c", "d"][n % length];
    Tree::new((0..length).map(|n| {
        (format!("crates/x/src/{}.rs", name(n)), format!("use super::{}::Item;", name(n + 1)))
    }))
}

#[test]
fn a_circle_of_four_files_is_found() {
    assert_eq!(too_large(&ring(3), &[]), [""; 0]);
    let broken = too_large(&ring(4), &[]);
    assert!(broken[0].starts_with("4 files in a circle:"), "{broken:?}");
}

#[test]
fn a_module_and_its_parts_may_be_read_together_but_the_parts_are_in_no_circle() {
    let part = |name: &str| (format!("crates/x/src/m/{name}.rs"), "use super::Shared;".to_owned());
    let module =
        ("crates/x/src/m.rs".to_owned(), "use a::A; use b::B; use c::C; struct Shared;".to_owned());
    let tree = Tree::new(["a", "b", "c"].map(part).into_iter().chain([module]));
    assert_eq!(too_large(&tree, &["crates/x/src/m"]), [""; 0]);
    assert_eq!(too_large(&tree, &[]).len(), 1);
    assert_eq!(too_large(&tree, &["crates/x/src/m", "crates/x/src/n"]).len(), 1);
    assert_eq!(too_large(&ring(4), &["crates/x/src"]).len(), 1);
}

#[test]
fn a_module_that_uses_what_it_never_may_is_found() {
    let tree = Tree::from_texts(&[
        ("crates/broker/src/hub/mod.rs", "use crate::http::answer; use crate::clock;"),
        ("crates/broker/src/http/mod.rs", "pub fn answer() {}"),
        ("crates/broker/src/clock.rs", ""),
    ]);
    let document =
        Document::new("```text\nbroker/hub never broker/http\nbroker/clock never broker/hub\n```");
    assert_eq!(
        modules_use_only_what_they_may(&tree, &document),
        [
            "crates/broker/src/hub/mod.rs uses crates/broker/src/http/mod.rs, but `broker/hub` never uses `broker/http`"
        ]
    );
    let alone = Document::new("```text\nbroker/hub never *\n```");
    assert_eq!(modules_use_only_what_they_may(&tree, &alone).len(), 2);
    let gone = Document::new("```text\nbroker/gone never broker/http\n```");
    assert_eq!(modules_use_only_what_they_may(&tree, &gone).len(), 1);
}
