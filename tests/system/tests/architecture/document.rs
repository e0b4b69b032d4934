//! ARCHITECTURE.md: short, with a glossary, true about paths; and the borders, which it
//! alone states.

use std::{collections::BTreeMap, path::Path};

const LONGEST_DOCUMENT: usize = 200;
const MOST_TERMS: usize = 40;

/// The content of ARCHITECTURE.md.
pub struct Document {
    text: String,
    /// Which of our crates each crate may depend on.
    pub crates_may: BTreeMap<String, Vec<String>>,
    /// What a module never uses, such as `broker/hub`.
    pub modules_never: Vec<(String, Vec<String>)>,
}

impl Document {
    pub fn new(text: &str) -> Self {
        let mut document =
            Self { text: text.to_owned(), crates_may: BTreeMap::new(), modules_never: vec![] };
        for line in text
            .split("```text\n")
            .skip(1)
            .flat_map(|block| block.lines().take_while(|line| *line != "```"))
        {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (Some(from), Some(verb)) = (words.next(), words.next()) else { continue };
            match verb.as_str() {
                "->" => _ = document.crates_may.insert(from, words.collect()),
                "never" => document.modules_never.push((from, words.collect())),
                _ => {}
            }
        }
        document
    }

    pub fn read(root: &Path) -> Self {
        Self::new(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap())
    }

    fn terms(&self) -> usize {
        let section = self.text.split("## Glossary").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap();
        section.matches("**").count() / 2
    }

    /// The texts between single backticks that look like paths in the repository.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let spans = self
            .text
            .lines()
            .filter(|line| !line.starts_with("```"))
            .flat_map(|line| line.split('`').skip(1).step_by(2));
        spans.filter(|span| {
            let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let ending = span
                .rsplit_once('.')
                .is_some_and(|(_, ending)| ["rs", "md", "toml", "json"].contains(&ending));
            plain && !span.starts_with('/') && (span.contains('/') || ending)
        })
    }
}

pub fn the_document_is_short_and_true(
    document: &Document,
    exists: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut broken = Vec::new();
    let (lines, terms) = (document.text.lines().count(), document.terms());
    if lines > LONGEST_DOCUMENT {
        broken.push(format!("ARCHITECTURE.md has {lines} lines"));
    }
    if terms == 0 || terms > MOST_TERMS {
        broken.push(format!("ARCHITECTURE.md's glossary has {terms} terms"));
    }
    let missing =
        document.paths().filter(|path| !places_of(path).iter().any(|place| exists(place)));
    broken.extend(missing.map(|path| format!("ARCHITECTURE.md names {path}, which doesn't exist")));
    broken
}

/// The possible places of a path: the root, or a crate's sources, as for `engine/remote`.
fn places_of(path: &str) -> Vec<String> {
    let mut places = vec![path.to_owned()];
    if let Some((package, inner)) = path.split_once('/') {
        let inner = format!("crates/{package}/src/{inner}");
        places.extend([format!("{inner}.rs"), inner]);
    }
    places
}

#[test]
fn a_document_that_is_long_or_untrue_is_found() {
    let exists =
        |path: &str| ["README.md", "crates/engine/src/vault.rs", "docs/adr"].contains(&path);
    let good = "## Glossary\n- **session**: one case\n## Paths\n`README.md` `engine/vault` `docs/adr` `/hook/{token}` `a::b` `word`\n";
    assert_eq!(the_document_is_short_and_true(&Document::new(good), exists), [""; 0]);
    let broken = |text: &str| the_document_is_short_and_true(&Document::new(text), exists);
    assert_eq!(
        broken(&good.replace("vault", "gone")),
        ["ARCHITECTURE.md names engine/gone, which doesn't exist"]
    );
    assert_eq!(broken(&format!("{good}{}", "\n".repeat(200))), ["ARCHITECTURE.md has 204 lines"]);
    assert_eq!(
        broken(&good.replace("session**", "a** **b** ".repeat(40).as_str())),
        ["ARCHITECTURE.md's glossary has 60 terms"]
    );
    assert_eq!(broken("no glossary"), ["ARCHITECTURE.md's glossary has 0 terms"]);
}
