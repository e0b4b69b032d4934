//! The journal across restarts, faults, and somebody who alters its rows.
#![allow(clippy::unwrap_used)]

mod damage;
mod secrets;

use std::{collections::BTreeSet, path::Path};

use engine::{
    SessionId,
    journal::{
        Fault, Faults, JOURNAL_FILE, Journal, JournalError, KeptSecret, Options, Seen,
        ServiceSecret, SessionSecrets, SessionTurn,
    },
    token::HookToken,
    vault::SealKey,
};
use proptest::prelude::*;
use secrecy::{ExposeSecret as _, SecretBox};
use session::{About, Event, Failure, LifeEvent, Record, State, Timestamp};
use tempfile::TempDir;
use wire::HookType;

const PIN: &str = "7W2-97-8570";

fn key(bits: u8) -> SealKey {
    SealKey::new(&SecretBox::new(Box::new([bits; 32])))
}

fn open_with(folder: &Path, options: Options) -> Journal {
    Journal::open(&folder.join(JOURNAL_FILE), key(1), options).unwrap()
}

fn open(folder: &Path) -> Journal {
    open_with(folder, Options::default())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn session(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

fn record(customer: &str) -> Record {
    let about = About { customer: customer.into(), ..About::default() };
    State::new(about, "tess".into(), Timestamp(1_000)).record
}

fn secrets() -> SessionSecrets {
    SessionSecrets {
        pin: Some(PIN.parse().unwrap()),
        tokens: [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32])),
        conf: None,
    }
}

fn turn(session: SessionId, applied_seq: u64) -> SessionTurn {
    SessionTurn {
        session,
        record: record("Maria Lopez").into(),
        secrets: None,
        applied_seq,
        events: Vec::new(),
    }
}

const HOOK: HookType = HookType::PresenterStarted;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = folder();
    let journal = open(dir.path());
    let events = vec![
        (Event::Life(LifeEvent::Created), Timestamp(1)),
        (Event::Life(LifeEvent::AllocationFailed { failure: Failure::Unreachable }), Timestamp(2)),
    ];
    let first = SessionTurn { secrets: Some(secrets()), events, ..turn(session(1), 0) };
    assert_eq!(journal.save_turn(first).await.unwrap(), [1, 2]);
    for seq in 1..=3 {
        assert_eq!(journal.append(session(1), HOOK, Timestamp(7)).await.unwrap(), seq);
    }
    journal.save_turn(turn(session(1), 2)).await.unwrap();
    drop(journal);

    let journal = open(dir.path());
    let loaded = journal.load().await.unwrap();
    let [stored] = &loaded.sessions[..] else { panic!("{loaded:?}") };
    assert_eq!((stored.session, stored.applied_seq), (session(1), 2));
    assert_eq!(stored.record, record("Maria Lopez"));
    assert_eq!(stored.secrets, Some(secrets()));
    let replay: Vec<_> = stored.replay.iter().map(|e| (e.seq, e.hook, e.at)).collect();
    assert_eq!(replay, [(3, HOOK, Timestamp(7))]);
    assert_eq!(journal.append(session(1), HOOK, Timestamp(8)).await.unwrap(), 4);
    let told = journal.events_of(session(1)).await.unwrap();
    assert_eq!(told.iter().map(|h| h.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        told[1].event,
        Event::Life(LifeEvent::AllocationFailed { failure: Failure::Unreachable })
    );
}

#[tokio::test]
async fn events_come_in_one_order_over_all_sessions() {
    let dir = folder();
    let journal = open(dir.path());
    for n in [1, 2, 1] {
        let events = vec![(Event::Life(LifeEvent::Created), Timestamp(i64::from(n)))];
        journal.save_turn(SessionTurn { events, ..turn(session(n), 0) }).await.unwrap();
    }
    let page = journal.events_after(1, 1).await.unwrap();
    assert_eq!(page.iter().map(|h| (h.seq, h.session)).collect::<Vec<_>>(), [(2, session(2))]);
    assert_eq!(journal.events_after(3, 10).await.unwrap(), []);
    assert_eq!(journal.last_event().await.unwrap(), 3);
}

#[tokio::test]
async fn many_at_once_each_get_a_sequence_of_their_own() {
    let dir = folder();
    let journal = open(dir.path());
    let answers: Vec<_> =
        (0..500u16).map(|n| journal.append(session((n % 7) as u8), HOOK, Timestamp(0))).collect();
    let mut seqs = BTreeSet::new();
    for answer in answers {
        seqs.insert(answer.await.unwrap());
    }
    assert_eq!(seqs, (1..=500).collect());
}

#[tokio::test]
async fn a_failed_write_says_so_leaves_nothing_and_the_next_succeeds() {
    let dir = folder();
    let faults = Faults::default();
    let journal = open_with(dir.path(), Options { faults: faults.clone(), ..Options::default() });
    journal.save_turn(turn(session(1), 0)).await.unwrap();
    faults.set(Some(Fault::DiskFull));
    let answers = [0, 1, 2].map(|n| journal.append(session(1), HOOK, Timestamp(n)));
    for answer in answers {
        let error = answer.await.unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
    }
    faults.set(Some(Fault::Io));
    let error = journal.save_turn(turn(session(2), 0)).await.unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    faults.set(None);
    assert_eq!(journal.append(session(1), HOOK, Timestamp(9)).await.unwrap(), 1);
    let loaded = journal.load().await.unwrap();
    assert_eq!(loaded.sessions.len(), 1);
    assert_eq!(loaded.sessions[0].replay.len(), 1);
}

#[tokio::test]
async fn a_really_full_database_refuses_the_large_and_keeps_what_it_has() {
    let dir = folder();
    let options = Options { max_pages: Some(40), ..Options::default() };
    let journal = open_with(dir.path(), options);
    journal.save_turn(turn(session(1), 0)).await.unwrap();
    let large = SessionTurn { record: record(&"x".repeat(200_000)).into(), ..turn(session(2), 0) };
    let (large, small) = (journal.save_turn(large), journal.append(session(1), HOOK, Timestamp(0)));
    let error = large.await.unwrap_err();
    assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
    assert_eq!(small.await.unwrap(), 1);
    assert_eq!(journal.load().await.unwrap().sessions.len(), 1);
}

#[tokio::test]
async fn another_key_is_refused_and_no_secret_is_readable() {
    let dir = folder();
    let journal = open(dir.path());
    let first = SessionTurn { secrets: Some(secrets()), ..turn(session(1), 0) };
    journal.save_turn(first).await.unwrap();
    drop(journal);
    let path = dir.path().join(JOURNAL_FILE);
    let Err(error) = Journal::open(&path, key(2), Options::default()) else { panic!("it opened") };
    assert!(matches!(error, JournalError::WrongKey { .. }), "{error}");
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [PIN, secrets().tokens[0].expose(), "Maria"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

/// Alters the closed journal in `folder` as somebody with an SQLite program would.
fn alter(folder: &Path, sql: &str) {
    rusqlite::Connection::open(folder.join(JOURNAL_FILE)).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn swapped_renumbered_or_rolled_back_rows_damage_their_session_and_no_other() {
    let alterations = [
        "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE hex(id) LIKE '02%')
             WHERE hex(id) LIKE '01%'",
        "UPDATE sessions SET applied_seq = 0 WHERE hex(id) LIKE '01%'",
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE hex(session) LIKE '02%')
             WHERE hex(session) LIKE '01%'",
        "UPDATE events SET seq = 9 WHERE seq = 2",
        "UPDATE events SET session = (SELECT id FROM sessions WHERE hex(id) LIKE '01%')
             WHERE seq = 3",
    ];
    for sql in alterations {
        let dir = folder();
        let journal = open(dir.path());
        for n in [1, 2, 3] {
            let first = SessionTurn { secrets: Some(secrets()), ..turn(session(n), 1) };
            journal.save_turn(first).await.unwrap();
        }
        for n in [1, 1, 2] {
            journal.append(session(n), HOOK, Timestamp(0)).await.unwrap();
        }
        drop(journal);
        alter(dir.path(), sql);
        let loaded = open(dir.path()).load().await.unwrap();
        let [(damaged, JournalError::Damaged { .. })] = &loaded.damaged[..] else {
            panic!("{sql}: {loaded:?}")
        };
        assert_eq!(*damaged, session(1), "{sql}");
        let whole: Vec<_> = loaded.sessions.iter().map(|stored| stored.session).collect();
        assert_eq!(whole, [session(2), session(3)], "{sql}");
    }
}

#[tokio::test]
async fn an_input_that_kills_twice_is_set_aside() {
    let dir = folder();
    let journal = open(dir.path());
    journal.save_turn(turn(session(1), 0)).await.unwrap();
    for _ in 0..2 {
        journal.append(session(1), HOOK, Timestamp(0)).await.unwrap();
    }
    assert_eq!(journal.killed(session(1), 1, "a bug").await.unwrap(), 1);
    assert_eq!(journal.load().await.unwrap().sessions[0].replay.len(), 2);
    assert_eq!(journal.killed(session(1), 1, "a bug again").await.unwrap(), 2);
    drop(journal);
    let loaded = open(dir.path()).load().await.unwrap();
    let stored = &loaded.sessions[0];
    assert_eq!(stored.replay.iter().map(|event| event.seq).collect::<Vec<_>>(), [2]);
    assert_eq!((stored.killers[0].kills, stored.killers[0].why.as_str()), (2, "a bug again"));
}

#[tokio::test]
async fn sequences_grow_on_after_pruning_and_forgetting() {
    let dir = folder();
    let journal = open(dir.path());
    let events = vec![(Event::Life(LifeEvent::Created), Timestamp(0)); 3];
    journal.save_turn(SessionTurn { events, ..turn(session(1), 0) }).await.unwrap();
    for n in 1..=4 {
        journal.append(session(1), HOOK, Timestamp(n)).await.unwrap();
    }
    journal.save_turn(turn(session(1), 3)).await.unwrap();
    // Events 1 and 2 are old and applied, events 1 and 2 are not the newest.
    assert_eq!(journal.prune(Timestamp(3), 99).await.unwrap(), 4);
    assert_eq!(journal.prune(Timestamp(3), 99).await.unwrap(), 0);
    assert_eq!(journal.load().await.unwrap().sessions[0].replay[0].seq, 4);
    journal.forget(session(1)).await.unwrap();
    drop(journal);
    let journal = open(dir.path());
    assert!(journal.load().await.unwrap().sessions.is_empty());
    assert_eq!(journal.append(session(2), HOOK, Timestamp(5)).await.unwrap(), 5);
    let events = vec![(Event::Life(LifeEvent::Created), Timestamp(0))];
    let next = journal.save_turn(SessionTurn { events, ..turn(session(2), 0) }).await;
    assert_eq!(next.unwrap(), [4]);
}

#[tokio::test]
async fn marks_are_remembered() {
    let dir = folder();
    let journal = open(dir.path());
    assert_eq!(journal.alive_at().await.unwrap(), None);
    assert_eq!(journal.ended_cleanly().await.unwrap(), None);
    journal.mark_alive(Timestamp(5)).await.unwrap();
    journal.mark_clean_end(true).await.unwrap();
    let seen = Seen { up_to: 7, owed: [5].into() };
    journal.mark_seen("notifications", &seen).await.unwrap();
    journal.mark("x", Some(b"y")).await.unwrap();
    drop(journal);
    let journal = open(dir.path());
    assert_eq!(journal.alive_at().await.unwrap(), Some(Timestamp(5)));
    assert_eq!(journal.ended_cleanly().await.unwrap(), Some(true));
    assert_eq!(journal.seen("notifications").await.unwrap(), Some(seen));
    assert_eq!(journal.seen("timeline").await.unwrap(), None);
    journal.mark("x", None).await.unwrap();
    assert_eq!(journal.marked("x").await.unwrap(), None);
}

#[tokio::test]
async fn a_newer_or_foreign_file_is_named_so() {
    let dir = folder();
    drop(open(dir.path()));
    alter(dir.path(), "PRAGMA user_version = 99");
    let path = dir.path().join(JOURNAL_FILE);
    let Err(error) = Journal::open(&path, key(1), Options::default()) else { panic!("it opened") };
    assert!(matches!(error, JournalError::TooNew { .. }), "{error}");
    let other = dir.path().join("other.db");
    std::fs::write(&other, "not a database, but long enough to be read as one".repeat(50)).unwrap();
    let Err(error) = Journal::open(&other, key(1), Options::default()) else { panic!("it opened") };
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}

#[test]
fn writes_queued_before_the_end_are_written() {
    let dir = folder();
    let journal = open(dir.path());
    let answer = journal.append(session(1), HOOK, Timestamp(0));
    drop(journal);
    assert_eq!(answer.wait().unwrap(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_record_comes_back(customer: String, ticket: String, by: String, at: i64, applied: u32) {
        let dir = folder();
        let about = About { customer, ticket, contact: String::new() };
        let record = State::new(about, by, Timestamp(at)).record;
        let applied_seq = u64::from(applied);
        let turn = SessionTurn { record: record.clone().into(), ..turn(session(1), applied_seq) };
        open(dir.path()).save_turn(turn).wait().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let loaded = runtime.block_on(open(dir.path()).load()).unwrap();
        prop_assert_eq!(&loaded.sessions[0].record, &record);
        prop_assert_eq!(loaded.sessions[0].applied_seq, applied_seq);
    }
}

/// The sealed parts of all rows of a session, as they are on the disk.
fn sealed(folder: &Path, session: SessionId) -> Vec<Vec<u8>> {
    let file = rusqlite::Connection::open(folder.join(JOURNAL_FILE)).unwrap();
    let mut rows = Vec::new();
    for (table, column) in [
        ("sessions", "id"),
        ("secrets", "session"),
        ("events", "session"),
        ("happenings", "session"),
    ] {
        let sql = format!("SELECT sealed FROM {table} WHERE {column} = ?1");
        let mut statement = file.prepare(&sql).unwrap();
        let found = statement.query_map([session.as_bytes()], |row| row.get(0)).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

#[tokio::test]
async fn an_erased_session_leaves_no_bytes_and_its_numbers_are_not_given_out_again() {
    let dir = folder();
    let journal = open(dir.path());
    for n in [1, 2] {
        let events = vec![(Event::Life(LifeEvent::Created), Timestamp(1))];
        let turn = SessionTurn { secrets: Some(secrets()), events, ..turn(session(n), 0) };
        journal.save_turn(turn).await.unwrap();
    }
    // The newest of both kinds are the erased session's.
    let newest_hook = journal.append(session(2), HOOK, Timestamp(2)).await.unwrap();
    let newest_event = journal.last_event().await.unwrap();
    let (erased, kept) = (sealed(dir.path(), session(2)), sealed(dir.path(), session(1)));
    assert_eq!((erased.len(), kept.len()), (4, 3));
    journal.erase(session(2)).await.unwrap();
    let holds = |part: &[u8]| {
        [JOURNAL_FILE.to_owned(), format!("{JOURNAL_FILE}-wal")].iter().any(|name| {
            let bytes = std::fs::read(dir.path().join(name)).unwrap_or_default();
            bytes.windows(part.len()).any(|found| found == part)
        })
    };
    assert!(kept.iter().all(|part| holds(part)));
    assert!(!erased.iter().any(|part| holds(part)));
    assert!(journal.minted(&PIN.parse().unwrap()).await.unwrap(), "its PIN stays known as ours");
    journal.close().await;

    let journal = open(dir.path());
    let ids: Vec<_> = journal.load().await.unwrap().sessions.iter().map(|s| s.session).collect();
    assert_eq!(ids, [session(1)]);
    assert_eq!(journal.last_event().await.unwrap(), newest_event);
    assert!(journal.append(session(1), HOOK, Timestamp(3)).await.unwrap() > newest_hook);
    let events = vec![(Event::Life(LifeEvent::Created), Timestamp(4))];
    let seqs = journal.save_turn(SessionTurn { events, ..turn(session(1), 1) }).await.unwrap();
    assert!(seqs[0] > newest_event, "{seqs:?}");
}
