//! Words that a stranger understands, and documentation that says more than the name does.

use super::{
    tokens::Token,
    tree::{File, Tree},
};

/// Words that mean nothing to a stranger, so no type and no file may have one as its name.
const PRIVATE_WORDS: [&str; 40] = [
    "acts",
    "asked",
    "asker",
    "board",
    "caller",
    "claim",
    "deed",
    "desk",
    "door",
    "due",
    "errand",
    "guests",
    "hall",
    "hands",
    "happening",
    "happenings",
    "heard",
    "held",
    "house",
    "kept",
    "line",
    "lines",
    "look",
    "noted",
    "noting",
    "pen",
    "place",
    "results",
    "say",
    "seat",
    "shadow",
    "sharer",
    "stage",
    "told",
    "wish",
    "wishes",
    "deeds",
    "places",
    "seats",
    "claims",
];

/// Names that can't change because they are stored or sent, each with the place.
const SERIALISED: [(&str, &str); 0] = [];

/// The most doc comments of one word. Such a comment adds nothing to the name.
const ONE_WORD_DOCS: usize = 15;

/// Texts that must not come back into the sources, each with the present way.
const ABSENT: [(&str, &str); 4] = [
    ("PoisonError", "parking_lot's locks don't poison"),
    ("By remedy", "say what goes wrong"),
    ("split_once(\"; \")", "a remedy is a field of its own, not a part of the text"),
    ("split_once(\": \")", "a remedy is a field of its own, not a part of the text"),
];

pub fn names_are_plain(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_source()) {
        let stem = file.name().trim_end_matches(".rs");
        if PRIVATE_WORDS.contains(&stem) {
            broken.push(format!("{}: `{stem}` is a private word", file.path));
        }
        let private = types_of(file).into_iter().filter(|name| {
            PRIVATE_WORDS.contains(&name.to_lowercase().as_str())
                && !SERIALISED.iter().any(|(serialised, _)| serialised == name)
        });
        broken.extend(private.map(|name| format!("{}: `{name}` is a private word", file.path)));
    }
    broken
}

fn types_of(file: &File) -> Vec<&str> {
    let declares =
        |token: &Token| ["struct", "enum", "trait", "type", "union"].contains(&token.text.as_str());
    let pairs = file.code.windows(2).filter(|pair| declares(&pair[0]) && pair[1].is_word());
    pairs.map(|pair| pair[1].text.as_str()).collect()
}

pub fn documentation_says_something(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    let mut one_word = Vec::new();
    for file in tree.shipped() {
        for (line, text) in (1..).zip(file.text.lines()) {
            if is_one_word_doc(text) {
                one_word.push(format!("{}:{line}", file.path));
            }
            broken.extend(
                ABSENT.iter().filter(|(absent, _)| text.contains(absent)).map(
                    |(absent, instead)| format!("{}:{line} has {absent}: {instead}", file.path),
                ),
            );
        }
    }
    if one_word.len() > ONE_WORD_DOCS {
        broken.push(format!("{} docs of one word: {}", one_word.len(), one_word.join(" ")));
    }
    broken
}

fn is_one_word_doc(line: &str) -> bool {
    let doc = line.trim().strip_prefix("/// ").and_then(|doc| doc.trim().strip_suffix('.'));
    doc.is_some_and(|doc| !doc.is_empty() && doc.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[test]
fn a_private_word_is_found_as_a_type_and_as_a_file() {
    let tree = Tree::from_texts(&[
        (
            "crates/x/src/a.rs",
            "struct Seat; enum Event { Held } type Session = u8; // struct Hall;",
        ),
        ("crates/x/src/noting.rs", "fn hall() {}"),
    ]);
    assert_eq!(
        names_are_plain(&tree),
        [
            "crates/x/src/a.rs: `Seat` is a private word",
            "crates/x/src/noting.rs: `noting` is a private word"
        ]
    );
}

#[test]
fn docs_of_one_word_and_what_ought_to_be_absent_are_found() {
    let docs = |count: usize| {
        format!("{}/// Two words.\n/// Link to [`X`].\n", "    /// Name.\n".repeat(count))
    };
    let found = |text: &str| {
        documentation_says_something(&Tree::from_texts(&[("crates/x/src/a.rs", text)]))
    };
    assert_eq!(found(&docs(ONE_WORD_DOCS)), [""; 0]);
    assert!(
        found(&docs(ONE_WORD_DOCS + 1))[0].starts_with("16 docs of one word: crates/x/src/a.rs:1 ")
    );
    for (absent, _) in ABSENT {
        assert_eq!(found(absent).len(), 1, "{absent}");
    }
}
