//! An event is declared, named, told and judged in one file, and one step makes it happen.
//!
//! Counted are the files outside of tests that name an event: those that have its variant behind its group
//! (`LifeEvent::Created`), and its group's file, which has it behind `Self`.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use session::text::capital;

/// What needs one event apart from its group, and is neither its group nor its step: the race of regions is
/// dated by the PIN that it was for.
const ALSO: [(&str, &str); 1] = [("PinReady", "crates/console/src/present/detail.rs")];

#[test]
fn an_event_is_named_by_its_group_and_its_step_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let sources = sources(&root);
    assert!(sources.len() > 300, "the sources are found: {}", sources.len());
    for event in events() {
        let naming = sources.iter().filter(|(file, text)| names(file, text, &event));
        let files: BTreeSet<&str> = naming.map(|(file, _)| file.as_str()).collect();
        let in_session = |folder| move |file: &&&str| file.starts_with(folder);
        let groups = files.iter().filter(in_session("crates/session/src/event/")).count();
        let steps = files.iter().filter(in_session("crates/session/src/step")).count();
        let also = files.iter().filter(|&&file| ALSO.contains(&(event.as_str(), file))).count();
        assert_eq!(
            (groups, steps, groups + steps + also),
            (1, 1, files.len()),
            "{event}: {files:?}"
        );
    }
}

/// The variants' names of every event.
fn events() -> BTreeSet<String> {
    let stored = include_str!("fixtures/events.jsonl").lines();
    let name = |line| {
        let event: session::Event = serde_json::from_str(line).unwrap();
        event.facts().name().split('_').map(capital).collect()
    };
    stored.map(name).collect()
}

fn names(file: &str, text: &str, event: &str) -> bool {
    let declares = file.starts_with("crates/session/src/event/");
    text.match_indices(event).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + event.len()..]);
        let whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let of_group = before.ends_with("Event::") || before.ends_with("VerificationChange::");
        whole && (of_group || declares && (before.ends_with(' ') || before.ends_with("Self::")))
    })
}

/// Every source file's path and what of it is no test.
fn sources(root: &Path) -> Vec<(String, String)> {
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for folder in crates.chain([root.join("src-tauri")]) {
        add(&folder.join("src"), &mut found);
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        (file, text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
    };
    found.into_iter().map(read).collect()
}

fn add(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests" || name == "testing");
        if path.is_dir() && !is_test {
            add(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            found.push(path);
        }
    }
}
