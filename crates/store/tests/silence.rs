//! Nothing but this program's own words reaches its standard error.

#![allow(clippy::unwrap_used)]

mod notes;

use std::{fs, path::PathBuf, process::Command};

use store::{StoreError, StoreKey};

use notes::NOTES;

const FOLDER: &str = "DESKHAND_TEST_SILENCE";

// What the cipher's library writes goes past the test's capture, so it takes a process of its own.
#[test]
fn a_wrong_key_and_a_damaged_page_are_errors_and_no_lines_of_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_opens_what_it_cannot", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(String::from_utf8_lossy(&child.stderr), "");
}

#[test]
fn child_that_opens_what_it_cannot() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (path, key) = (folder.join("notes.db"), StoreKey::new(Box::new([7; 32])));
    drop(NOTES.open(&path, Some(&key)).unwrap());
    let wrong = NOTES.open(&path, Some(&StoreKey::new(Box::new([8; 32]))));
    assert!(matches!(wrong, Err(StoreError::WrongKey { .. })));
    let mut bytes = fs::read(&path).unwrap();
    bytes[2_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(NOTES.open(&path, Some(&key)).is_err());
}
