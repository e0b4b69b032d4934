//! `kill -9` in the middle of writing: every sequence that was acknowledged is there afterwards.
#![allow(clippy::unwrap_used)]

mod killed;

use std::{collections::VecDeque, path::Path};

use engine::{
    SessionId,
    journal::{JOURNAL_FILE, Journal, Options, SessionTurn},
    vault::SealKey,
};
use secrecy::SecretBox;
use session::{About, Event, LifeEvent, State, Timestamp};
use wire::HookType;

const FOLDER: &str = "DESKHAND_TEST_KILL_FOLDER";

/// `./bench` asks for more.
fn kills() -> u64 {
    std::env::var("DESKHAND_TEST_KILLS").map_or(20, |kills| kills.parse().unwrap())
}

fn open(folder: &Path) -> Journal {
    let key = SealKey::new(&SecretBox::new(Box::new([1; 32])));
    Journal::open(&folder.join(JOURNAL_FILE), key, Options::default()).unwrap()
}

fn session() -> SessionId {
    SessionId::from_bytes([1; 16])
}

/// The child's part: writes until it is killed, eight in flight, and says what was acknowledged.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let journal = open(Path::new(&folder));
    let mut in_flight = VecDeque::new();
    loop {
        in_flight.push_back(journal.append(session(), HookType::ViewerStarted, Timestamp(1)));
        if in_flight.len() == 8 {
            let seq = in_flight.pop_front().unwrap().wait().unwrap();
            killed::acknowledged(&seq.to_string());
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let dir = tempfile::tempdir().unwrap();
    let record = State::new(About::default(), "tess".into(), Timestamp(0)).record;
    let events = vec![(Event::Life(LifeEvent::Created), Timestamp(0))];
    let first = SessionTurn {
        session: session(),
        record: record.into(),
        secrets: None,
        applied_seq: 0,
        events,
    };
    open(dir.path()).save_turn(first).wait().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut acknowledged = Vec::new();
    for kill in 0..kills() {
        let child = "child_that_writes_until_it_is_killed";
        let told = killed::run_and_kill(child, FOLDER, dir.path(), 1 + kill * 7 % 40);
        assert!(!told.is_empty());
        acknowledged.extend(told.iter().map(|seq| seq.parse::<u64>().unwrap()));
        let loaded = runtime.block_on(open(dir.path()).load()).unwrap();
        let kept: Vec<u64> = loaded.sessions[0].replay.iter().map(|event| event.seq).collect();
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "each once, in order");
        for seq in &acknowledged {
            assert!(kept.binary_search(seq).is_ok(), "{seq} was acknowledged and is lost");
        }
    }
    let distinct: std::collections::BTreeSet<_> = acknowledged.iter().collect();
    assert_eq!(distinct.len(), acknowledged.len(), "no sequence was given twice");
    println!(
        "F9 journal, {} kills: {} events acknowledged, 0 lost, each once (aim 0 lost)",
        kills(),
        acknowledged.len()
    );
}
