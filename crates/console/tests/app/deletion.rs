//! Sessions that are deleted, and those that only the archive has.

use std::sync::Arc;

use console::{
    SettingsSource,
    reply::Reply,
    view::{Code, StateKind},
};
use engine::{
    SessionId,
    archive::{ARCHIVE_FILE, Archive},
    journal::{JOURNAL_FILE, Journal, Options as JournalOptions, SessionTurn},
    vault::{Options as VaultOptions, Vault},
};
use serde_json::json;
use session::{Failure, Life, Timestamp};

use crate::rig::{Rig, Seen};

/// A session that is closed, and whose PIN is revoked.
async fn closed(rig: &mut Rig, customer: &str) -> String {
    let id = rig.session(customer).await;
    rig.ask(json!({ "do": "note", "session": id, "text": "ordered a toner" })).await;
    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    settled(rig, &id).await;
    id
}

/// Waits until nothing is left to do in a closed session: then its outcome alone is said.
pub async fn settled(rig: &mut Rig, id: &str) {
    let done = |seen: &Seen| {
        let row = seen.rows.get(id)?;
        (row.state.label == "Closed" && row.state.detail == "resolved").then_some(())
    };
    rig.seen.until("a revoked PIN", done).await;
}

/// The stores of a console that has ended.
fn stores(rig: &Rig) -> (Journal, Archive) {
    let data = rig.folder.path().join("data");
    let keep = VaultOptions { keyring: None, ..VaultOptions::default() };
    let vault = Vault::open(&data, keep).unwrap();
    let options = JournalOptions::default();
    let journal = Journal::open(&data.join(JOURNAL_FILE), vault.journal_key(), options).unwrap();
    (journal, Archive::open(&data.join(ARCHIVE_FILE), vault.archive_key()).unwrap())
}

async fn found(rig: &Rig, query: &str) -> Vec<String> {
    let Reply::Found { hits, .. } = rig.ask(json!({ "do": "search", "query": query })).await else {
        panic!("nothing was searched")
    };
    hits.into_iter().map(|hit| hit.session).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_is_nowhere_any_more_and_the_log_says_who_deleted_it() {
    let mut rig = Rig::start().await;
    let kept = closed(&mut rig, "Ben Ode").await;
    let id = rig.session("Maria Lopez").await;
    let delete = |id: &str| json!({ "do": "delete_session", "session": id, "confirmed": true });
    let live = rig.refused(delete(&id)).await;
    assert!(live.text.contains("not closed"), "{live:?}");
    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    settled(&mut rig, &id).await;
    let unconfirmed = rig.refused(json!({ "do": "delete_session", "session": id })).await;
    assert!(unconfirmed.code == Code::Refused && unconfirmed.text.contains("not confirmed"));

    rig.ask(delete(&id)).await;
    let gone = |seen: &Seen| (!seen.rows.contains_key(&id)).then_some(());
    rig.seen.until("that its row is gone", gone).await;
    assert!(found(&rig, "Maria").await.is_empty());
    for command in ["detail", "chat"] {
        let missing = rig.refused(json!({ "do": command, "session": id })).await;
        assert_eq!(missing.code, Code::NotFound, "{missing:?}");
    }
    assert_eq!(rig.refused(delete(&id)).await.code, Code::NotFound);
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else { panic!() };
    let entry = entries.iter().rfind(|entry| entry.action == "session_deleted").unwrap();
    assert_eq!(entry.session.as_ref(), Some(&id), "{entry:?}");
    let all = serde_json::to_string(&entries).unwrap();
    assert!(!all.contains("Maria"), "{all}");
    assert_eq!(found(&rig, "Ben").await, [kept]);
    rig.app.stop().await;

    let (journal, _archive) = stores(&rig);
    let id: SessionId = id.parse().unwrap();
    assert!(journal.events_of(id).await.unwrap().is_empty());
    assert!(journal.load().await.unwrap().sessions.iter().all(|stored| stored.session != id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_was_cut_short_is_finished_by_the_next_start() {
    let mut rig = Rig::start().await;
    let id: SessionId = closed(&mut rig, "Maria Lopez").await.parse().unwrap();
    rig.app.stop().await;
    let (journal, archive) = stores(&rig);
    assert!(!journal.events_of(id).await.unwrap().is_empty());
    archive.delete_session(id).await.unwrap();
    journal.close().await;
    archive.close().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    assert!(found(&rig, "Maria").await.is_empty());
    rig.app.stop().await;
    let (journal, _archive) = stores(&rig);
    assert!(journal.events_of(id).await.unwrap().is_empty());
    assert!(journal.load().await.unwrap().sessions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_session_costs_a_start_nothing_and_is_all_there_when_asked_for() {
    let mut rig = Rig::start().await;
    let id = closed(&mut rig, "Maria Lopez").await;
    let live = rig.session("Ben Ode").await;
    rig.app.stop().await;

    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.seen.until("the live one", |seen| seen.rows.get(&live).map(drop)).await;
    assert!(!rig.seen.rows.contains_key(&id), "it isn't pushed");
    assert_eq!(found(&rig, "toner").await, std::slice::from_ref(&id));
    let Reply::Detail { detail } = rig.ask(json!({ "do": "detail", "session": id })).await else {
        panic!("it has no detail")
    };
    assert_eq!(
        (detail.row.name.as_str(), detail.row.state.label.as_str()),
        ("Maria Lopez", "Closed")
    );
    assert_eq!(detail.note, "ordered a toner");
    assert!(!detail.log.is_empty());
    rig.ask(json!({ "do": "delete_session", "session": id, "confirmed": true })).await;
    assert!(found(&rig, "toner").await.is_empty());
    rig.app.stop().await;
    let (journal, _archive) = stores(&rig);
    assert_eq!(journal.load().await.unwrap().sessions.len(), 1);
}

/// Gives a session up, as the journal has it when its actor has died too often.
async fn give_up(rig: &Rig, id: SessionId) {
    let (journal, archive) = stores(rig);
    let stored = journal.load().await.unwrap().sessions;
    let stored = stored.into_iter().find(|stored| stored.session == id).unwrap();
    let mut record = stored.record;
    let allocation = record.allocation().cloned();
    assert!(allocation.is_some());
    let failure = Failure::Internal;
    record.life = Life::Failed { at: Timestamp(record.created.0 + 1), failure, allocation };
    let turn = SessionTurn {
        session: id,
        record: Arc::new(record),
        secrets: None,
        applied_seq: stored.applied_seq,
        events: Vec::new(),
    };
    journal.save_turn(turn).await.unwrap();
    journal.close().await;
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_gave_up_is_deleted_once_it_is_closed_and_says_so_before() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    rig.app.stop().await;
    give_up(&rig, id.parse().unwrap()).await;
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let failed =
        |seen: &Seen| seen.rows.get(&id).filter(|row| row.state.kind == StateKind::Failed).cloned();
    let row = rig.seen.until("that it failed", failed).await;
    // While its PIN is good it stands among the live ones, where the window offers to close it.
    assert!(row.live, "{row:?}");
    let delete = json!({ "do": "delete_session", "session": id, "confirmed": true });
    let refused = rig.refused(delete.clone()).await;
    assert_eq!(refused.text, "Delete the session: it is not closed.");
    assert_eq!(refused.remedy, "Close it first.");
    let retried = rig.refused(json!({ "do": "retry", "session": id })).await;
    assert!(retried.text.contains("still valid"), "{retried:?}");

    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    settled(&mut rig, &id).await;
    rig.ask(delete).await;
    assert!(found(&rig, "Maria").await.is_empty());
    rig.app.stop().await;
    let (journal, _archive) = stores(&rig);
    assert!(journal.load().await.unwrap().sessions.is_empty());
}
