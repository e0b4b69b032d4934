//! What the next start finds after a kill at each step, with real folders.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const LATER: Timestamp = Timestamp(1_700_000_060_000);

/// A data folder with old data, and a restored one that waits for the start.
fn waiting() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    write(&folder, "old");
    write(&staged_beside(&folder), "new");
    (home, folder)
}

fn write(folder: &Path, what: &str) {
    fs::create_dir_all(folder).unwrap();
    for file in [VAULT_FILE, "archive.db"] {
        fs::write(folder.join(file), what).unwrap();
    }
}

/// Whose data is whole in a folder.
fn whole(folder: &Path) -> String {
    let [vault, archive] =
        [VAULT_FILE, "archive.db"].map(|file| fs::read_to_string(folder.join(file)).unwrap());
    assert_eq!(vault, archive, "two consoles' data is mixed");
    vault
}

/// Dies at `step`.
fn killed_at(step: Step, folder: &Path) {
    let mut died = false;
    let put = catch_unwind(AssertUnwindSafe(|| {
        put_in_place(folder, NOW, &mut |reached| {
            if reached == step {
                died = true;
                panic!("killed");
            }
        })
    }));
    assert!(put.is_err() && died);
}

/// The old data's only copy is where the data folder says.
fn assert_new_in_place(home: &TempDir, folder: &Path) {
    assert_eq!(whole(folder), "new");
    let asides = aside(folder);
    assert_eq!(asides.len(), 1, "{asides:?}");
    assert_eq!(whole(&asides[0]), "old");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn a_start_that_was_killed_at_any_step_is_completed_by_the_next_and_knows_what_was_moved_aside() {
    for step in [Step::Noted, Step::MovedAside, Step::InPlace] {
        let (home, folder) = waiting();
        killed_at(step, &folder);
        take_staged(&folder, "a test", LATER).unwrap();
        assert_new_in_place(&home, &folder);
        // A third start, killed before it said so, still knows.
        take_staged(&folder, "a test", LATER).unwrap();
        assert_new_in_place(&home, &folder);
        forget_aside(&folder);
        assert!(aside(&folder).is_empty());
        forget_aside(&folder);
    }
}

#[test]
fn a_program_that_looked_at_the_missing_folder_changes_nothing() {
    let (home, folder) = waiting();
    killed_at(Step::MovedAside, &folder);
    assert!(is_cut_short(&folder));
    drop(FolderLock::take(&folder, "another program", NOW).unwrap());
    assert!(is_cut_short(&folder));
    take_staged(&folder, "a test", LATER).unwrap();
    assert_new_in_place(&home, &folder);
}

#[test]
fn what_came_into_the_missing_folder_is_moved_aside_as_well_and_both_are_known() {
    let (_home, folder) = waiting();
    killed_at(Step::MovedAside, &folder);
    write(&folder, "between");
    take_staged(&folder, "a test", NOW).unwrap();
    assert_eq!(whole(&folder), "new");
    let asides: Vec<_> = aside(&folder).iter().map(|aside| whole(aside)).collect();
    assert_eq!(asides, ["old", "between"]);
}

#[test]
fn a_folder_without_data_is_replaced_and_nothing_is_aside() {
    let (home, folder) = waiting();
    fs::remove_dir_all(&folder).unwrap();
    take_staged(&folder, "a test", NOW).unwrap();
    assert_eq!((whole(&folder), aside(&folder)), ("new".into(), vec![]));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_restored_folder_that_is_replaced_is_never_half_there_under_its_name() {
    let (home, folder) = waiting();
    let new = unfinished_beside(&folder).unwrap();
    write(new.path(), "newer");
    let staged = stage(new, &folder).unwrap();
    assert_eq!(whole(&staged), "newer");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    remove_staged(&folder).unwrap();
    remove_staged(&folder).unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn what_is_left_of_unfinished_restores_to_this_folder_is_removed_and_of_no_other() {
    let (home, folder) = waiting();
    let others = ["data-x", "dat", "data.restored"].map(|name| {
        let other = unfinished_beside(&home.path().join(name)).unwrap().keep();
        write(&other, "half");
        other
    });
    let ours = unfinished_beside(&folder).unwrap().keep();
    write(&ours, "half");
    remove_unfinished(&folder);
    assert!(!ours.exists());
    assert!(others.iter().all(|other| other.exists()));
    assert_eq!((whole(&folder), whole(&staged_beside(&folder))), ("old".into(), "new".into()));
}

#[test]
fn a_note_never_leads_out_of_the_folder_that_has_both() {
    let (_home, folder) = waiting();
    fs::write(folder.join(ASIDE_FILE), b"../..\n/\n\n..\nnone\n").unwrap();
    assert!(aside(&folder).is_empty());
}
