//! Which file of a crate uses which other: by `use`, grouped and nested, by paths in the code, and
//! by `pub use`. A name that is re-exported counts for the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    tokens::{Token, starts_with},
    tree::{File, Tree},
};

type Path = Vec<String>;

/// The files of one crate and what they use of one another.
pub struct Uses<'a> {
    pub edges: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

#[derive(Default)]
struct Module<'a> {
    file: &'a str,
    /// What it imports or re-exports, by name, as paths from the crate's root.
    names: BTreeMap<String, Path>,
    globs: Vec<Path>,
    /// What it defines itself.
    items: BTreeSet<String>,
    paths: Vec<Path>,
}

type Modules<'a> = BTreeMap<Path, Module<'a>>;

pub fn by_crate(tree: &Tree) -> BTreeMap<&str, Uses<'_>> {
    let mut packages: BTreeMap<&str, Vec<(Path, &File)>> = BTreeMap::new();
    for file in tree.shipped() {
        if let Some(module) = file.module() {
            packages.entry(file.package()).or_default().push((module, file));
        }
    }
    packages.into_iter().map(|(package, files)| (package, uses_of(&files))).collect()
}

fn uses_of<'a>(files: &[(Path, &'a File)]) -> Uses<'a> {
    let known: BTreeSet<Path> = files.iter().map(|(path, _)| path.clone()).collect();
    let modules: Modules<'a> = files
        .iter()
        .map(|(path, file)| (path.clone(), Reader::new(&file.path, path, &known).read(&file.code)))
        .collect();
    let edges = modules
        .values()
        .map(|module| {
            let used = module.paths.iter().filter_map(|path| defining_file(&modules, path, 0));
            (module.file, used.filter(|file| *file != module.file).collect())
        })
        .collect();
    Uses { edges }
}

/// The file that defines what `path` names, through re-exports.
fn defining_file<'a>(modules: &Modules<'a>, path: &[String], hops: usize) -> Option<&'a str> {
    if hops > 8 {
        return None;
    }
    let depth = (0..=path.len()).rev().find(|depth| modules.contains_key(&path[..*depth]))?;
    let module = &modules[&path[..depth]];
    let Some(name) = path.get(depth).filter(|name| !module.items.contains(*name)) else {
        return Some(module.file);
    };
    let through = |start: &Path| {
        let onward: Path = start.iter().chain(&path[depth + 1..]).cloned().collect();
        defining_file(modules, &onward, hops + 1)
    };
    if let Some(file) = module.names.get(name).and_then(through) {
        return Some(file);
    }
    let by_glob = module.globs.iter().find(|glob| {
        modules.get(*glob).is_some_and(|m| m.items.contains(name) || m.names.contains_key(name))
    });
    match by_glob {
        Some(glob) => through(&glob.iter().chain([name]).cloned().collect()),
        None => Some(module.file),
    }
}

/// Reads one file.
struct Reader<'k, 'a> {
    path: &'k Path,
    known: &'k BTreeSet<Path>,
    /// The modules within the file that are open, with the depth of their braces.
    inline: Vec<(String, usize)>,
    /// Paths in the code that may begin with an imported name.
    unresolved: Vec<Path>,
    module: Module<'a>,
}

impl<'k, 'a> Reader<'k, 'a> {
    fn new(file: &'a str, path: &'k Path, known: &'k BTreeSet<Path>) -> Self {
        let module = Module { file, ..Module::default() };
        Self { path, known, inline: vec![], unresolved: vec![], module }
    }

    fn read(mut self, code: &[Token]) -> Module<'a> {
        let (mut at, mut depth) = (0, 0);
        while at < code.len() {
            match code[at].text.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    self.inline.pop_if(|(_, opened)| *opened == depth);
                }
                "mod" if starts_with(&code[(at + 2).min(code.len())..], &["{"]) => {
                    self.inline.push((code[at + 1].text.clone(), depth));
                }
                "use" if code.get(at + 1).is_some_and(|next| next.text != "<") => {
                    at = self.import(code, at + 1, &[]);
                    continue;
                }
                _ if code[at].is_word() => {
                    at += self.word(&code[at..], at == 0 || code[at - 1].text != "::")
                }
                _ => {}
            }
            at += 1;
        }
        // Only now are all imports known.
        for path in &self.unresolved {
            if let Some(imported) = self.module.names.get(&path[0]) {
                self.module.paths.push(imported.iter().chain(&path[1..]).cloned().collect());
            }
        }
        self.module
    }

    /// Notes a definition or a path that begins here; how many tokens of it lie behind the first.
    fn word(&mut self, code: &[Token], begins: bool) -> usize {
        const DEFINING: [&str; 8] =
            ["struct", "enum", "union", "trait", "type", "fn", "const", "static"];
        if DEFINING.contains(&code[0].text.as_str()) && code.get(1).is_some_and(Token::is_word) {
            self.module.items.insert(code[1].text.clone());
            return 0;
        }
        let mut path = vec![code[0].text.clone()];
        while starts_with(&code[2 * path.len() - 1..], &["::"]) {
            match code.get(2 * path.len()).filter(|next| next.is_word()) {
                Some(next) => path.push(next.text.clone()),
                None => break,
            }
        }
        let behind = 2 * (path.len() - 1);
        if begins && path.len() > 1 {
            match self.absolute(&path) {
                Some(path) => self.module.paths.push(path),
                None => self.unresolved.push(path),
            }
        }
        behind
    }

    /// Reads the tree of a `use` from `at`; where it ends.
    fn import(&mut self, code: &[Token], mut at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        loop {
            match code.get(at).map(|token| token.text.as_str()) {
                Some("::") => at += 1,
                Some("{") => {
                    at += 1;
                    while code.get(at).is_some_and(|token| token.text != "}") {
                        at = self.import(code, at, &path);
                        at += usize::from(code[at].text == ",");
                    }
                    return at + 1;
                }
                Some("*") => {
                    self.imported(&path, "*");
                    return at + 1;
                }
                Some("as") => {
                    self.imported(&path, &code[at + 1].text);
                    return at + 2;
                }
                Some("," | "}" | ";") | None => {
                    let name = path.iter().rev().find(|part| *part != "self").cloned();
                    self.imported(&path, &name.unwrap_or_default());
                    return at;
                }
                Some(part) => {
                    path.push(part.to_owned());
                    at += 1;
                }
            }
        }
    }

    fn imported(&mut self, path: &[String], name: &str) {
        let Some(path) = self.absolute(path) else { return };
        self.module.paths.push(path.clone());
        if name == "*" {
            self.module.globs.push(path);
        } else {
            self.module.names.insert(name.to_owned(), path);
        }
    }

    /// `path` from the crate's root; `None` when it leads out of the crate, or begins with an
    /// imported name.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let here = || self.path.iter().chain(self.inline.iter().map(|(name, _)| name)).cloned();
        let (mut root, mut rest): (Path, &[String]) = match path.first()?.as_str() {
            "crate" => (vec![], &path[1..]),
            "self" | "super" => (here().collect(), path),
            child => {
                let full: Path = here().chain([child.to_owned()]).collect();
                return self
                    .known
                    .contains(&full)
                    .then(|| here().chain(path.iter().cloned()).collect());
            }
        };
        while let Some(first) = rest.first() {
            match first.as_str() {
                "super" => _ = root.pop(),
                "self" => {}
                _ => break,
            }
            rest = &rest[1..];
        }
        Some(root.into_iter().chain(rest.iter().filter(|part| *part != "self").cloned()).collect())
    }
}

#[test]
fn every_way_to_use_a_file_is_seen() {
    let tree = Tree::from_texts(&[
        ("crates/x/src/lib.rs", "mod a; mod b; mod c; mod d; mod e; pub use b::B; pub use c::*;"),
        (
            "crates/x/src/a.rs",
            "use crate::{B, d::{self, deep::Deep as D}};\nfn f(_: crate::C) { d::g(); super::e::h() }",
        ),
        ("crates/x/src/b.rs", "pub struct B;\nmod inner { use super::B; }"),
        ("crates/x/src/c.rs", "pub struct C; // crate::a"),
        ("crates/x/src/d/mod.rs", "mod deep; pub fn g() { let text = \"crate::a\"; }"),
        ("crates/x/src/d/deep.rs", "pub struct Deep;\n#[cfg(test)]\nmod tests { use crate::a; }"),
        ("crates/x/src/e.rs", "pub fn h() { vec![self::i()] }"),
    ]);
    let uses = &by_crate(&tree)["crates/x"];
    let used = |file: &str| -> Vec<&str> {
        uses.edges[format!("crates/x/src/{file}").as_str()]
            .iter()
            .map(|path| path.strip_prefix("crates/x/src/").unwrap())
            .collect()
    };
    assert_eq!(used("a.rs"), ["b.rs", "c.rs", "d/deep.rs", "d/mod.rs", "e.rs"]);
    assert_eq!(used("lib.rs"), ["b.rs", "c.rs"]);
    for file in ["b.rs", "c.rs", "d/mod.rs", "d/deep.rs", "e.rs"] {
        assert_eq!(used(file), [""; 0], "{file}");
    }
}
