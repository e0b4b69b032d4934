//! Tests the rule that a setting is declared once.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;

/// Words that mean something else where they stand: a column of the export, the name for a
/// technician without one, and the program's version.
const OTHER_MEANINGS: [(&str, &str); 3] = [
    ("technician", "console/src/export.rs"),
    ("technician", "src-tauri/src/shell.rs"),
    ("version", "console/src/cli/headless.rs"),
];

/// The Rust files of the console and the shell but this one, with their text up to their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let console = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![console.join("src"), console.join("../../src-tauri/src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("settings/one_place.rs")
                // A module of tests in a file of its own, as below one in the same file.
                && !path.ends_with("tests.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    found
}

/// Whether `code` declares the setting, or types the name of its field, flag or variable as text.
fn declares(code: &str, name: &str) -> bool {
    let texts =
        [name.to_owned(), name.replace('_', "-"), format!("{PREFIX}{}", name.to_uppercase())];
    let declaration = code.lines().any(|line| {
        line.trim_start().strip_prefix(name).is_some_and(|rest| {
            rest.starts_with(": ") && rest.contains(" = ") && rest.contains(" =>")
        })
    });
    declaration || texts.iter().any(|text| code.contains(&format!("\"{text}\"")))
}

#[test]
fn a_setting_is_declared_in_one_file_and_its_names_are_typed_in_no_other() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources are found");
    let mut elsewhere = Vec::new();
    for setting in declarations() {
        let files: Vec<_> = sources
            .iter()
            .filter(|(_, code)| declares(code, setting.name))
            .map(|(path, _)| path.to_str().unwrap())
            .filter(|path| {
                let other =
                    |(name, file): &(&str, &str)| *name == setting.name && path.ends_with(file);
                !OTHER_MEANINGS.iter().any(other)
            })
            .collect();
        if !matches!(files[..], [file] if file.ends_with("settings/declared.rs")) {
            elsewhere.push((setting.name, files));
        }
    }
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
}

#[test]
fn what_is_generated_of_the_settings_is_what_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let stored = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    assert_eq!(stored("ui/src/lib/ipc/settings.ts"), typescript());
    let docs = stored("docs/headless.md");
    assert_eq!(docs, with_docs_table(&docs));
    for setting in declarations() {
        let flag = setting.flag.is_some();
        assert_eq!(docs.contains(&format!("| `{}` |", setting.name)), flag, "{}", setting.name);
    }
}
