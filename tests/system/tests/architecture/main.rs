//! The rules that keep the sources easy to live with: who may use whom (ARCHITECTURE.md says it),
//! how long a file and a function may be, and which words they may have. Every rule has a test
//! beside it that it can fail.

#![allow(clippy::unwrap_used)]

mod circles;
mod crates;
mod document;
mod promises;
mod sizes;
mod tokens;
mod tree;
mod uses;
mod words;

use std::path::Path;

use document::Document;
use tree::Tree;

#[test]
fn the_sources_keep_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let tree = Tree::read(root);
    let document = Document::read(root);
    let packages = crates::packages(root);
    let broken: Vec<String> = [
        circles::no_large_circles_of_files(&tree),
        circles::modules_use_only_what_they_may(&tree, &document),
        crates::crates_depend_only_on_what_they_may(&packages, &document),
        crates::some_dependencies_are_for_some_crates_only(&packages),
        crates::pure_crates_reach_nothing_impure(&packages),
        crates::pure_code_names_nothing_impure(&tree),
        crates::no_circle_of_crates(&packages),
        crates::no_file_is_compiled_into_two_crates(&tree),
        sizes::files_and_functions_are_short(&tree),
        sizes::file_names_say_what_is_in_them(&tree),
        words::names_are_plain(&tree),
        words::documentation_says_something(&tree),
        promises::each_promise_names_tests_that_exist(&tree, root),
        document::the_document_is_short_and_true(&document, |path| root.join(path).exists()),
    ]
    .concat();
    assert!(broken.is_empty(), "{} violations:\n  {}", broken.len(), broken.join("\n  "));
}
