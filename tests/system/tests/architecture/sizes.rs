//! How long a file and a function may be, and how often files may share a name.

use std::collections::BTreeMap;

use super::{
    tokens::Token,
    tree::{File, Tree},
};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;
/// The most files that may share a name.
const NAMESAKES: usize = 4;
/// The names that cargo or convention demands, which don't count.
const COMMON_NAMES: [&str; 5] = ["mod.rs", "lib.rs", "main.rs", "error.rs", "tests.rs"];

/// Files that are longer because they are one flat table, with what is in it.
const LONG_FILES: [(&str, &str); 0] = [];

/// Functions that are longer because they are one flat table, as `path::name`, with what is in it.
const LONG_FUNCTIONS: [(&str, &str); 2] = [
    ("crates/console/src/bindings.rs::typescript", "the types that are generated"),
    ("crates/session/src/step.rs::step", "the inputs, each with the method that decides it"),
];

pub fn files_and_functions_are_short(tree: &Tree) -> Vec<String> {
    too_long(tree, &LONG_FILES, &LONG_FUNCTIONS)
}

fn too_long(
    tree: &Tree,
    long_files: &[(&str, &str)],
    long_functions: &[(&str, &str)],
) -> Vec<String> {
    let mut broken = Vec::new();
    let mut files: Vec<&str> = long_files.iter().map(|(path, _)| *path).collect();
    let mut functions: Vec<&str> = long_functions.iter().map(|(name, _)| *name).collect();
    for file in tree.shipped() {
        if file.lines > LONGEST_FILE && !take(&mut files, &file.path) {
            broken.push(format!("{} has {} lines", file.path, file.lines));
        }
        for (name, lines) in functions_of(file) {
            let name = format!("{}::{name}", file.path);
            if lines > LONGEST_FUNCTION && !take(&mut functions, &name) {
                broken.push(format!("{name} has {lines} lines"));
            }
        }
    }
    broken.extend(
        files
            .iter()
            .chain(&functions)
            .map(|name| format!("{name} is no longer long: take it off the list")),
    );
    broken
}

fn take(names: &mut Vec<&str>, name: &str) -> bool {
    let at = names.iter().position(|known| *known == name);
    at.is_some_and(|at| !names.remove(at).is_empty())
}

/// The functions with a body, and how many lines each has.
fn functions_of(file: &File) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    for (at, token) in file.code.iter().enumerate() {
        let Some(name) = file.code.get(at + 1).filter(|name| token.text == "fn" && name.is_word())
        else {
            continue;
        };
        if let Some(last) = end_of_body(&file.code[at..]) {
            found.push((name.text.as_str(), last - token.line + 1));
        }
    }
    found
}

/// The line of the brace that closes the body; `None` for a function that is only declared.
fn end_of_body(code: &[Token]) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for token in code {
        match token.text.as_str() {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets -= 1,
            ";" if brackets == 0 && braces == 0 => return None,
            "{" => braces += 1,
            "}" => {
                braces -= 1;
                if braces == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

pub fn file_names_say_what_is_in_them(tree: &Tree) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in tree.shipped().filter(|file| !COMMON_NAMES.contains(&file.name())) {
        by_name.entry(file.name()).or_default().push(&file.path);
    }
    by_name.retain(|_, files| files.len() > NAMESAKES);
    by_name
        .iter()
        .map(|(name, files)| format!("{} files are named {name}: {}", files.len(), files.join(" ")))
        .collect()
}

#[test]
fn a_long_file_and_a_long_function_are_found() {
    let body = "    let x: [u8; 3] = y;\n".repeat(59);
    let (short, long) =
        (format!("fn short() {{\n{}}}\n", &body[25..]), format!("fn long() {{\n{body}}}\n"));
    let filler = "const A: u8 = 1;\n".repeat(LONGEST_FILE);
    let tree = Tree::from_texts(&[
        ("crates/x/src/a.rs", &format!("{short}{long}trait T {{ fn declared(); }}")),
        ("crates/x/src/b.rs", &filler),
        ("crates/x/src/c.rs", &format!("{filler}const B: u8 = 1;")),
        ("crates/x/src/d.rs", &format!("{filler}#[cfg(test)]\nmod tests {{\n{long}}}")),
    ]);
    let broken = ["crates/x/src/a.rs::long has 61 lines", "crates/x/src/c.rs has 401 lines"];
    assert_eq!(too_long(&tree, &[], &[]), broken);
    let files = [("crates/x/src/c.rs", "a table"), ("crates/x/src/gone.rs", "a table")];
    let functions = [("crates/x/src/a.rs::long", "a table")];
    assert_eq!(
        too_long(&tree, &files, &functions),
        ["crates/x/src/gone.rs is no longer long: take it off the list"]
    );
}

#[test]
fn a_name_that_five_files_have_is_found() {
    let named = |count: usize| {
        Tree::new(["a", "b", "c", "d", "e"][..count].iter().flat_map(|folder| {
            ["page.rs", "mod.rs"]
                .map(|name| (format!("crates/x/src/{folder}/{name}"), String::new()))
        }))
    };
    assert_eq!(file_names_say_what_is_in_them(&named(4)), [""; 0]);
    assert!(
        file_names_say_what_is_in_them(&named(5))[0].starts_with("5 files are named page.rs: ")
    );
}
