//! What is promised about safety: each promise names the tests that hold it, and these exist.

use std::{collections::BTreeSet, path::Path};

use super::{
    tokens::{Token, tokens},
    tree::Tree,
};

/// Every row of its tables is a promise, whose last column names its tests.
const PROMISES: &str = "docs/promises.md";
/// These name tests as well.
const OTHERS: [&str; 2] = ["SECURITY.md", "docs/adr/0016-what-end-to-end-encryption-protects.md"];

pub fn each_promise_names_tests_that_exist(tree: &Tree, root: &Path) -> Vec<String> {
    let tests = tests_of(tree);
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let mut broken = without_tests(PROMISES, &read(PROMISES));
    for name in OTHERS.into_iter().chain([PROMISES]) {
        broken.extend(unknown_tests(name, &read(name), &tests));
    }
    broken
}

/// The promises that name no test.
fn without_tests(document: &str, text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with("| ")).filter(|line| {
        // The heads of the tables.
        !line.starts_with("| Promise |")
    });
    let bare = rows.filter(|row| {
        let last = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        !spans(last).any(is_test_name)
    });
    bare.map(|row| format!("{document} has a promise that names no test: {row}")).collect()
}

fn unknown_tests(document: &str, text: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let named = spans(text).filter(|span| is_test_name(span));
    let unknown = named.filter(|name| !tests.contains(*name));
    unknown.map(|name| format!("{document} names the test {name}, which doesn't exist")).collect()
}

/// The texts between single backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// A test's name is a sentence; no setting or field has so many words.
fn is_test_name(span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    plain && span.matches('_').count() >= 3
}

/// The names of all functions that an attribute makes a test.
fn tests_of(tree: &Tree) -> BTreeSet<String> {
    tree.files.iter().flat_map(|file| tests_in(&tokens(&file.text))).collect()
}

fn tests_in(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    let texts: Vec<_> = tokens.iter().map(|token| token.text.as_str()).collect();
    for at in 0..texts.len() {
        match texts[at..] {
            ["#", "[", "test", "]", ..] | ["#", "[", "tokio", "::", "test", ..] => is_test = true,
            ["fn", name, ..] => {
                if std::mem::take(&mut is_test) {
                    found.push(name.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_promise_without_a_test_or_with_one_that_is_gone_is_found() {
    let code = "#[test]\nfn nobody_gets_in_here() {}\n#[tokio::test(flavor = \"x\")]\nasync fn it_is_refused_at_once() {}\nfn no_test_at_all_here() {}";
    let tree = Tree::from_texts(&[("crates/a/tests/b.rs", code)]);
    let tests = tests_of(&tree);
    assert_eq!(tests.len(), 2, "{tests:?}");
    let good =
        "| Promise | Test |\n|---|---|\n| no | `nobody_gets_in_here`, `it_is_refused_at_once` |\n";
    assert_eq!(without_tests("a", good), [""; 0]);
    assert_eq!(unknown_tests("a", good, &tests), [""; 0]);
    let bare = good.replace("`nobody_gets_in_here`, `it_is_refused_at_once`", "`stream_idle_s`");
    assert_eq!(without_tests("a", &bare).len(), 1);
    let gone = good.replace("at_once", "later_on");
    assert_eq!(
        unknown_tests("a", &gone, &tests),
        ["a names the test it_is_refused_later_on, which doesn't exist"]
    );
    let none = good.replace("it_is_refused_at_once", "no_test_at_all_here");
    assert_eq!(unknown_tests("a", &none, &tests).len(), 1);
}
