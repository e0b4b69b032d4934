//! The archive across restarts, under the wrong key, and under many hands at once.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use engine::{
    SessionId,
    archive::{ARCHIVE_FILE, Archive, ArchiveError, ArchiveKey, FoundIn, NoteKind, Summary},
};
use secrecy::SecretBox;
use session::{About, SessionStatus, State, Timestamp};
use wire::loginwithme::ChatMessage;

fn key(bits: u8) -> ArchiveKey {
    ArchiveKey::new(SecretBox::new(Box::new([bits; 32])))
}

fn open(folder: &Path) -> Archive {
    Archive::open(&folder.join(ARCHIVE_FILE), key(1)).unwrap()
}

fn session(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

fn summary(n: u8) -> Summary {
    let about = About { customer: format!("Customer {n}"), ..About::default() };
    let record = State::new(about, "tess".into(), Timestamp(i64::from(n) * 1000)).record;
    Summary::new(session(n), &record, &SessionStatus::Allocating)
}

fn message(guid: &str, body: &str) -> ChatMessage {
    let (guid, subject, body) = (guid.into(), "Maria".into(), body.into());
    ChatMessage { guid, ttl: 0, timestamp: 50, subject, body }
}

async fn fill(archive: &Archive) {
    archive.save_summary(summary(1)).await.unwrap();
    let chat = vec![message("a", "the printer jams"), message("b", "still")];
    archive.save_messages(session(1), chat).await.unwrap();
    let (text, by) = ("ordered a new printer".to_owned(), "tess".to_owned());
    archive.set_note(session(1), NoteKind::Closing, text, by, Timestamp(60_000)).await.unwrap();
    archive.set_tags(session(1), vec!["hardware".into()]).await.unwrap();
}

#[tokio::test]
async fn what_was_archived_is_there_and_found_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    fill(&open(dir.path())).await;
    let archive = open(dir.path());
    assert_eq!(archive.summary(session(1)).await.unwrap(), Some(summary(1)));
    assert_eq!(archive.transcript(session(1)).await.unwrap().len(), 2);
    assert_eq!(archive.tags(session(1)).await.unwrap(), ["hardware"]);
    let found = archive.search("print", None, 10).await.unwrap();
    let places: Vec<_> = found.rows.iter().map(|hit| hit.place).collect();
    assert_eq!(places, [FoundIn::Note, FoundIn::Message]);
    assert_eq!(found.rows[0].summary, Some(summary(1)));
    let saved = archive.save_messages(session(1), vec![message("a", "again")]).await.unwrap();
    assert_eq!((saved.new, saved.total), (0, 2));
}

#[tokio::test]
async fn another_key_is_refused_and_nothing_is_readable_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    fill(&archive).await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for text in ["printer", "Customer", "SQLite format", "CREATE TABLE"] {
            let seen = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!seen, "{text} in {}", path.display());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    drop(archive);
    let Err(error) = Archive::open(&dir.path().join(ARCHIVE_FILE), key(2)) else {
        panic!("it opened")
    };
    assert!(matches!(error, ArchiveError::WrongKey { .. }), "{error}");
    open(dir.path());
}

#[tokio::test]
async fn many_writers_and_readers_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    let tasks: Vec<_> = (1..=40u8)
        .map(|n| {
            let archive = archive.clone();
            tokio::spawn(async move {
                archive.save_summary(summary(n)).await.unwrap();
                let chat = vec![message("a", "hello"), message("b", "hello")];
                archive.save_messages(session(n), chat.clone()).await.unwrap();
                archive.save_messages(session(n), chat).await.unwrap().total
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 2);
    }
    let page = archive.search("hello", None, 200).await.unwrap();
    assert_eq!(page.rows.len(), 80);
    let all = archive.list(Default::default(), None, 200).await.unwrap();
    assert_eq!(all.rows.len(), 40);
}

#[tokio::test]
async fn a_foreign_file_and_a_missing_folder_are_named_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    std::fs::write(&path, "not a database, but long enough to be read as one".repeat(200)).unwrap();
    let Err(error) = Archive::open(&path, key(1)) else { panic!("it opened") };
    assert!(matches!(error, ArchiveError::WrongKey { .. }), "{error}");
    let missing = dir.path().join("no/such/folder/archive.db");
    let Err(error) = Archive::open(&missing, key(1)) else { panic!("it opened") };
    assert!(matches!(error, ArchiveError::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_page_costs_only_what_is_on_it() {
    const SESSIONS: u8 = 40;
    const PAGE: usize = 4096;
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    for n in 1..=SESSIONS {
        archive.save_summary(summary(n)).await.unwrap();
        let chat = vec![message(&format!("m{n}"), &format!("{n} ").repeat(2_000))];
        archive.save_messages(session(n), chat).await.unwrap();
    }
    archive.close().await;
    let file = dir.path().join(ARCHIVE_FILE);
    let sound = std::fs::read(&file).unwrap();
    let pages = sound.len() / PAGE;
    let mut costs = 0;
    // Each of the later pages in its turn: some have messages, some the index of the search.
    for page in (pages / 3..pages).step_by(7) {
        let mut bytes = sound.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xA5);
        std::fs::write(&file, bytes).unwrap();
        let archive = open(dir.path());
        let (mut read, mut lost) = (0, 0);
        for n in 1..=SESSIONS {
            match archive.transcript(session(n)).await {
                Ok(messages) => read += messages.len(),
                Err(error) => {
                    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
                    lost += 1;
                }
            }
        }
        assert!(read > usize::from(SESSIONS) / 2, "page {page}: {read} read, {lost} lost");
        costs += lost;
        // What is written elsewhere goes on being written.
        let noted = archive.set_tags(session(1), vec!["seen".into()]).await;
        assert!(
            !matches!(noted, Err(ArchiveError::Closed { .. } | ArchiveError::Io { .. })),
            "page {page}: {noted:?}"
        );
        archive.close().await;
    }
    assert!(costs > 0, "no page of a message was damaged");
}

#[tokio::test]
async fn the_newest_session_before_a_long_pause_is_found_also_if_more_came_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    let before_pause = async |longest: u64, now: i64| {
        let longest = std::time::Duration::from_millis(longest);
        archive.newest_before_pause(longest, Timestamp(now)).await.unwrap()
    };
    assert_eq!(before_pause(1_500, i64::MAX).await, None, "there are no sessions");
    for n in [9, 1, 2] {
        archive.save_summary(summary(n)).await.unwrap();
    }
    assert_eq!(before_pause(1_500, 9_500).await, Some(Timestamp(2_000)));
    assert_eq!(before_pause(1_500, 20_000).await, Some(Timestamp(9_000)));
    assert_eq!(before_pause(10_000, 9_500).await, None);
    assert_eq!(before_pause(10_000, i64::MIN).await, None, "sessions of the future are no pause");
    assert_eq!(before_pause(10_000, i64::MAX).await, Some(Timestamp(9_000)));
}
