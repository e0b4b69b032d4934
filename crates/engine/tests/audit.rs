//! The audit log across restarts, under many hands at once, and under `kill -9`.
#![allow(clippy::unwrap_used)]

mod killed;

use std::path::Path;

use engine::archive::{ARCHIVE_FILE, Archive, ArchiveKey, AuditEntry};
use secrecy::SecretBox;
use session::Timestamp;

const FOLDER: &str = "DESKHAND_TEST_AUDIT_FOLDER";
const KILLS: u64 = 5;

fn open(folder: &Path) -> Archive {
    let key = ArchiveKey::new(SecretBox::new(Box::new([1; 32])));
    Archive::open(&folder.join(ARCHIVE_FILE), key).unwrap()
}

fn entry(by: &str) -> AuditEntry {
    let (action, text) = ("export".into(), "Exported a session.".into());
    AuditEntry { at: Timestamp(1), by: by.into(), action, text, session: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hands_make_one_chain_that_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    let hands: Vec<_> = (0..8)
        .map(|hand| {
            let archive = archive.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    archive.append_audit(entry(&format!("hand {hand}"))).await.unwrap();
                }
            })
        })
        .collect();
    for hand in hands {
        hand.await.unwrap();
    }
    let before = archive.verify_audit().await.unwrap();
    assert_eq!((before.entries, before.broken), (200, None));
    drop(archive);
    let archive = open(dir.path());
    assert_eq!(archive.verify_audit().await.unwrap(), before);
    let next = archive.append_audit(entry("Tess")).await.unwrap();
    assert_eq!((next.seq, Some(next.prev)), (201, before.head));
    assert_eq!(archive.verify_audit().await.unwrap().head, Some(next.hash));
}

#[tokio::test]
async fn an_export_has_every_entry_once_with_its_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(dir.path());
    for _ in 0..3 {
        archive.append_audit(entry("Тесс \u{1F600}\n")).await.unwrap();
    }
    let text = String::from_utf8(archive.export_audit(Vec::new()).await.unwrap()).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["seq"], &lines[0]["prev"]), (&1.into(), &"0".repeat(64).into()));
    assert_eq!(lines[2]["prev"], lines[1]["hash"]);
    let newest = archive.audit_page(None, 1).await.unwrap().remove(0);
    let at = newest.entry.at.0;
    let mut last = lines[2].clone();
    let time = last.as_object_mut().unwrap().remove("time").unwrap();
    assert_eq!(last, serde_json::to_value(newest).unwrap());
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    assert_eq!(time.as_millisecond(), at, "{time}");
}

/// The child's part: appends until it is killed, and says what was acknowledged.
#[tokio::test]
async fn child_that_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let archive = open(Path::new(&folder));
    loop {
        let entry = archive.append_audit(entry("Tess")).await.unwrap();
        killed::acknowledged(&format!("{} {}", entry.seq, entry.hash));
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kills_and_the_chain_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for kill in 0..KILLS {
        let child = "child_that_appends_until_it_is_killed";
        acknowledged.extend(killed::run_and_kill(child, FOLDER, dir.path(), 3 + 7 * kill));
        let archive = open(dir.path());
        let report = archive.verify_audit().await.unwrap();
        assert_eq!(report.broken, None);
        let export = String::from_utf8(archive.export_audit(Vec::new()).await.unwrap()).unwrap();
        let kept: Vec<String> = export
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| format!("{} {}", line["seq"], line["hash"].as_str().unwrap()))
            .collect();
        for told in &acknowledged {
            assert!(kept.contains(told), "{told} was acknowledged and is lost");
        }
    }
    assert!(acknowledged.len() as u64 >= KILLS * 3);
}
