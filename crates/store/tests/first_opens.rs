//! The first databases of a process may be opened by several threads at once.

#![allow(clippy::unwrap_used)]

mod notes;

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, Barrier},
};

use store::StoreKey;

use notes::NOTES;

const FOLDER: &str = "DESKHAND_TEST_FIRST_OPENS";

// SQLite is initialised once in a process, so each attempt needs a process of its own.
#[test]
fn the_first_databases_of_a_process_can_be_opened_at_once() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_opens_many_at_once"])
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    }
}

#[test]
fn child_that_opens_many_at_once() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let together = Arc::new(Barrier::new(8));
    let openers: Vec<_> = (0..8_u8)
        .map(|number| {
            let (together, path) = (together.clone(), folder.join(format!("{number}.db")));
            std::thread::spawn(move || {
                let key = StoreKey::new(Box::new([number; 32]));
                together.wait();
                NOTES.open(&path, Some(&key)).map(drop)
            })
        })
        .collect();
    for opener in openers {
        opener.join().unwrap().unwrap();
    }
}
