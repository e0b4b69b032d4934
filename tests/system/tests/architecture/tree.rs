//! The Rust files that the rules look at.

use std::{collections::BTreeSet, fs, path::Path};

use super::tokens::{Production, Token, tokens, without_tests};

/// The folders with Rust files.
const FOLDERS: [&str; 3] = ["crates", "src-tauri", "tests"];

pub struct File {
    /// The path from the root of the repository.
    pub path: String,
    pub text: String,
    /// The code that is compiled into a program; empty for a file of tests.
    pub code: Vec<Token>,
    /// How many lines `text` has outside of its tests.
    pub lines: usize,
    /// Whether it is part of a program, and not of its tests.
    pub shipped: bool,
}

impl File {
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// Whether it is among the sources of a crate, even if only tests use it.
    pub fn is_source(&self) -> bool {
        self.path.contains("/src/") && !self.path.starts_with("tests/")
    }

    /// The folder of its crate.
    pub fn package(&self) -> &str {
        let depth = if self.path.starts_with("src-tauri/") { 1 } else { 2 };
        let end = self.path.match_indices('/').nth(depth - 1).map_or(self.path.len(), |(at, _)| at);
        &self.path[..end]
    }

    /// The module that it is in its library; `None` for programs, benches and tests.
    pub fn module(&self) -> Option<Vec<String>> {
        let inner = self.path.strip_prefix(self.package())?.strip_prefix("/src/")?;
        let inner = inner.strip_suffix(".rs")?;
        if inner == "main" || inner.starts_with("bin/") {
            return None;
        }
        let inner = if inner == "lib" { "" } else { inner.strip_suffix("/mod").unwrap_or(inner) };
        Some(inner.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }
}

/// All Rust files.
pub struct Tree {
    pub files: Vec<File>,
}

impl Tree {
    pub fn new(sources: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut test_modules = BTreeSet::new();
        let mut files: Vec<File> = sources
            .into_iter()
            .map(|(path, text)| {
                let Production { tokens: code, test_lines, test_modules: named } =
                    without_tests(&tokens(&text));
                let folder = module_folder(&path);
                test_modules.extend(named.into_iter().map(|name| format!("{folder}/{name}")));
                let lines = text.lines().count() - test_lines;
                File { path, text, code, lines, shipped: true }
            })
            .collect();
        for file in &mut files {
            let of_a_test = test_modules.iter().any(|module| is_within(&file.path, module));
            file.shipped = file.is_source() && !of_a_test;
            if of_a_test {
                file.code.clear();
            }
        }
        Self { files }
    }

    pub fn from_texts(sources: &[(&str, &str)]) -> Self {
        Self::new(sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    pub fn read(root: &Path) -> Self {
        let mut sources = Vec::new();
        for folder in FOLDERS {
            collect(root, Path::new(folder), &mut sources);
        }
        sources.sort();
        Self::new(sources)
    }

    pub fn shipped(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.shipped)
    }
}

/// Whether `path` is the module that `module` names without its ending, or below it.
pub fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Where the modules lie that the file at `path` declares.
fn module_folder(path: &str) -> &str {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match path.rsplit('/').next() {
        Some("mod.rs" | "lib.rs" | "main.rs") => folder,
        _ => path.strip_suffix(".rs").unwrap_or(path),
    }
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "node_modules" {
                collect(root, &path, sources);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            sources.push((path.to_str().unwrap().to_owned(), text));
        }
    }
}

#[test]
fn files_that_only_tests_see_are_known() {
    let tree = Tree::from_texts(&[
        ("crates/a/src/lib.rs", "#[cfg(test)]\nmod rig;\nmod b;"),
        ("crates/a/src/rig.rs", "fn x() {}"),
        ("crates/a/src/rig/deep.rs", "fn x() {}"),
        ("crates/a/src/b.rs", "fn x() {}"),
        ("crates/a/tests/c.rs", "fn x() {}"),
    ]);
    let shipped: Vec<_> = tree.shipped().map(|file| file.path.as_str()).collect();
    assert_eq!(shipped, ["crates/a/src/lib.rs", "crates/a/src/b.rs"]);
}
