//! Each promise about safety names the test that holds it, and that test is there.

use std::{collections::BTreeSet, fs, path::Path};

use super::tree::Tree;

/// The documents that promise something.
const DOCUMENTS: [&str; 2] =
    ["docs/adr/0016-what-end-to-end-encryption-protects.md", "SECURITY.md"];
/// A name in code with fewer parts may be something else, such as a setting.
const PARTS: usize = 4;

pub fn tests_are_there(tree: &Tree, root: &Path) -> Vec<String> {
    let read = |name: &str| (name.to_owned(), fs::read_to_string(root.join(name)).unwrap());
    missing(tree, &DOCUMENTS.map(read))
}

fn missing(tree: &Tree, documents: &[(String, String)]) -> Vec<String> {
    let functions: BTreeSet<&str> =
        tree.files.iter().flat_map(|file| functions(&file.text)).collect();
    let mut missing = Vec::new();
    for (document, text) in documents {
        let names: Vec<&str> =
            text.split('`').skip(1).step_by(2).filter(|it| is_test(it)).collect();
        if names.is_empty() {
            missing.push(format!("{document} names no test"));
        }
        let gone = names.into_iter().filter(|name| !functions.contains(name));
        missing.extend(gone.map(|name| format!("{document} names {name}, which is no test")));
    }
    missing
}

fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next())
}

fn is_test(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    plain && name.split('_').count() >= PARTS
}

#[test]
fn a_promise_whose_test_is_gone_is_found() {
    let tree = Tree::from_texts(&[("crates/a/tests/b.rs", "#[test]\nfn it_holds_all_day() {}\n")]);
    let of = |text: &str| missing(&tree, &[("S.md".to_owned(), text.to_owned())]);
    assert_eq!(of("It holds (`it_holds_all_day`), by `a_setting`."), Vec::<String>::new());
    assert_eq!(of("(`it_holds_all_night`)"), ["S.md names it_holds_all_night, which is no test"]);
    assert_eq!(of("It holds."), ["S.md names no test"]);
}
