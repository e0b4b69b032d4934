//! Rows that don't open: what they cost, how they are found, and what is saved of the rest.

use engine::{
    backup::StoreFile,
    vault::{Options as VaultOptions, Vault},
};

use super::*;

async fn kept(journal: Journal) {
    journal.close().await;
    drop(journal);
}

/// Spoils the sealed part of the rows of `table` that `which` names.
fn spoil(folder: &Path, table: &str, which: &str) {
    alter(folder, &format!("UPDATE {table} SET sealed = zeroblob(length(sealed)) WHERE {which}"));
}

fn told(session: SessionId) -> SessionTurn {
    let created = (Event::Life(LifeEvent::Created), Timestamp(1));
    SessionTurn { events: vec![created], secrets: Some(secrets()), ..turn(session, 0) }
}

fn numbers(events: &[engine::journal::EventRecord]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn an_event_that_does_not_open_costs_no_other_and_is_counted_once() {
    let dir = folder();
    let journal = open(dir.path());
    for n in [1, 2, 1, 1] {
        journal.save_turn(told(session(n))).await.unwrap();
    }
    kept(journal).await;
    spoil(dir.path(), "happenings", "seq IN (1, 3)");
    let journal = open(dir.path());
    assert_eq!(journal.unreadable_events(), 0);
    for _ in 0..2 {
        assert_eq!(numbers(&journal.events_after(0, 2).await.unwrap()), [2, 4], "a full page");
        assert_eq!(numbers(&journal.events_of(session(1)).await.unwrap()), [4]);
        assert_eq!(journal.unreadable_events(), 2);
    }
    kept(journal).await;
}

#[tokio::test]
async fn a_mark_that_does_not_open_keeps_no_journal_shut() {
    let dir = folder();
    let journal = open(dir.path());
    for n in [1, 2] {
        journal.save_turn(turn(session(n), 7)).await.unwrap();
    }
    journal.erase(session(2)).await.unwrap();
    journal.mark("what", Some(b"that")).await.unwrap();
    kept(journal).await;
    spoil(dir.path(), "marks", "true");
    let journal = open(dir.path());
    assert_eq!(journal.marked_readably("what").await.unwrap(), None);
    let refused = journal.marked("what").await.unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
    let seq = journal.append(session(1), HOOK, Timestamp(0)).await.unwrap();
    assert_eq!(seq, 8, "after all that a session was told of");
    kept(journal).await;
    let wrong = Journal::open(&dir.path().join(JOURNAL_FILE), key(2), Options::default());
    assert!(matches!(wrong.err(), Some(JournalError::WrongKey { .. })));
}

#[tokio::test]
async fn a_session_of_which_only_the_secrets_are_left_counts_as_one_that_cannot_be_read() {
    let dir = folder();
    let journal = open(dir.path());
    for n in [1, 2, 3] {
        journal.save_turn(told(session(n))).await.unwrap();
    }
    journal.forget(session(3)).await.unwrap();
    kept(journal).await;
    alter(dir.path(), "DELETE FROM sessions WHERE hex(id) LIKE '01%'");
    let loaded = open(dir.path()).load().await.unwrap();
    let damaged: Vec<_> = loaded.damaged.iter().map(|(session, _)| *session).collect();
    assert_eq!(damaged, [session(1)]);
    assert_eq!(loaded.sessions.len(), 1);
}

#[tokio::test]
async fn a_webhook_that_does_not_open_stops_no_tidying() {
    let dir = folder();
    let journal = open(dir.path());
    for _ in 0..3 {
        journal.append(session(1), HOOK, Timestamp(0)).await.unwrap();
    }
    kept(journal).await;
    spoil(dir.path(), "events", "seq = 1");
    let journal = open(dir.path());
    assert_eq!(journal.prune(Timestamp(9), 0).await.unwrap(), 1);
    kept(journal).await;
}

#[tokio::test]
async fn numbers_that_somebody_else_knows_are_not_given_out_again() {
    let dir = folder();
    let journal = open(dir.path());
    journal.skip_events(40).await.unwrap();
    assert_eq!(journal.last_event().await.unwrap(), 40);
    assert_eq!(journal.save_turn(told(session(1))).await.unwrap(), [41]);
    journal.skip_events(3).await.unwrap();
    kept(journal).await;
    let journal = open(dir.path());
    assert_eq!(journal.save_turn(told(session(1))).await.unwrap(), [42]);
    kept(journal).await;
}

#[tokio::test]
async fn rows_that_do_not_open_are_found_and_left_out_of_what_is_saved() {
    let (dir, saved) = (folder(), folder());
    let options = VaultOptions { keyring: None, ..VaultOptions::default() };
    let vault = Vault::open(dir.path(), options).unwrap();
    let open = |folder: &Path| {
        let path = folder.join(JOURNAL_FILE);
        Journal::open(&path, vault.journal_key(), Options::default()).unwrap()
    };
    let journal = open(dir.path());
    for n in [1, 2] {
        journal.save_turn(told(session(n))).await.unwrap();
    }
    journal.append(session(1), HOOK, Timestamp(0)).await.unwrap();
    journal.killed(session(1), 1, "a bug").await.unwrap();
    kept(journal).await;
    let [store, _] = StoreFile::ENGINE;
    assert_eq!(store.check_in(dir.path(), &vault), Ok(()));
    let all = store.salvage(dir.path(), saved.path(), &vault).unwrap();
    assert!(all.iter().all(|table| table.gaps == 0), "{all:?}");

    spoil(dir.path(), "secrets", "hex(session) LIKE '01%'");
    spoil(dir.path(), "happenings", "seq = 2");
    spoil(dir.path(), "marks", "key = 'journal/check'");
    let found = store.check_in(dir.path(), &vault).unwrap_err();
    assert!(found.to_string().contains("3 of its rows can't be opened"), "{found}");
    let saved = folder();
    let tables = store.salvage(dir.path(), saved.path(), &vault).unwrap();
    for table in &tables {
        let lost = u64::from(["secrets", "happenings", "marks"].contains(&table.name.as_str()));
        assert_eq!(table.gaps, lost, "{table:?}");
    }
    assert_eq!(store.check_in(saved.path(), &vault), Ok(()));
    let journal = open(saved.path());
    let loaded = journal.load().await.unwrap();
    assert!(loaded.damaged.is_empty() && loaded.sessions.len() == 2);
    assert_eq!(numbers(&journal.events_after(0, 9).await.unwrap()), [1]);
    kept(journal).await;
}
