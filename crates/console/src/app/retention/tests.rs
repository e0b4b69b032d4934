use serde_json::json;

use super::*;
use crate::{App, Options, commands::Command, reply::Reply};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

async fn ask(app: &App, command: serde_json::Value) -> Reply {
    let command: Command = serde_json::from_value(command).unwrap();
    app.command(command, "Anna").await.unwrap_or_else(|trouble| panic!("{trouble:?}"))
}

fn stands(console: &Console) -> bool {
    console.standing.list().iter().any(|trouble| trouble.text.starts_with(DOING))
}

#[test]
fn a_run_that_failed_says_why_and_what_to_do() {
    let trouble =
        failed(&CommandError::Archive(engine::StoreError::DiskFull { doing: "delete a session" }));
    assert!(trouble.text.starts_with(DOING) && !trouble.remedy.is_empty(), "{trouble:?}");
}

#[test]
fn what_is_said_of_a_clock_is_so_at_the_first_run_and_later() {
    let said = |is_first| {
        let [from, to] = [1_722_470_400_000, 1_790_000_000_000].map(Timestamp);
        jumped(&TimeZone::UTC, (from, to), longest_pause(90), is_first).text
    };
    let (first, later) = (said(true), said(false));
    assert!(first.contains("no session was started for over 45 days after 2024-08-01"), "{first}");
    assert!(later.contains("2024-08-01") && later.contains("it may be wrong"), "{later}");
    // Somebody may have worked with it every day.
    assert!(!first.contains("in use") && !later.contains("in use"), "{first} {later}");
}

/// An app whose first look at the clock, by itself, is over.
async fn started(folder: &std::path::Path) -> App {
    let app = App::start(Options::for_a_while(folder, "a test")).await.unwrap();
    let engine = app.console().engine.get().await.unwrap();
    let is_noted = async || known_clock(engine.journal()).await.unwrap().is_some();
    let wait = async {
        while !is_noted().await {
            // The journal tells nobody of its marks.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("without the setting it is noted, too");
    drop(engine);
    app
}

async fn session(app: &App) -> SessionId {
    let Reply::Session { id } = ask(app, json!({ "do": "new_session" })).await else {
        panic!("no session was made")
    };
    id.parse().unwrap()
}

/// Waits until the session can be deleted, and the archive has that it is closed.
async fn archived(engine: &Engine, id: SessionId) {
    let mut changes = engine.subscribe();
    let is_there = async || {
        let summary = engine.archive().summary(id).await.unwrap();
        let closed = summary.is_some_and(|summary| summary.closed_at.is_some());
        closed && engine.why_not_deleted(id).is_none()
    };
    let wait = async {
        while !is_there().await {
            // The archive itself tells nobody.
            let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_longer_ago_than_the_settings_say_is_deleted_and_counted_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let app = started(folder.path()).await;
    let console = app.console();
    let (old, other, live) = (session(&app).await, session(&app).await, session(&app).await);
    let engine = console.engine.get().await.unwrap();
    for id in [old, other] {
        ask(&app, json!({ "do": "close", "session": id.to_string(), "outcome": "resolved" })).await;
        archived(&engine, id).await;
    }
    let kept = async || {
        let all = engine.archive().all_sessions().await.unwrap();
        all.iter().filter(|listed| [old, other].contains(&listed.summary.session)).count()
    };
    let later = |days: u64| now().plus(Duration::from_secs(days * 86_400));
    delete_old(console, later(10_000)).await.unwrap();
    assert_eq!(kept().await, 2, "without the setting, all are kept for ever");
    ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
    for day in [14, 28] {
        delete_old(console, later(day)).await.unwrap();
        assert_eq!(kept().await, 2, "they are not old enough");
    }
    // The clock was noted 28 days ahead last; it may jump by half of the 30 days.
    for ahead in [3 * 365, 60, 45] {
        delete_old(console, later(ahead)).await.unwrap();
        assert!(stands(console), "that nothing is deleted is a trouble");
        assert_eq!(kept().await, 2, "the clock must be wrong");
    }
    delete_old(console, later(31)).await.unwrap();
    assert!(!stands(console), "it was put right");
    assert_eq!(kept().await, 0);
    assert!(engine.snapshot(live).is_some() && engine.snapshot(old).is_none());
    assert!(engine.archive().summary(live).await.unwrap().is_some());
    let entries = engine.archive().audit_page(None, 50).await.unwrap();
    let texts = entries.iter().filter(|link| link.entry.action == "sessions_deleted");
    let texts: Vec<_> = texts.map(|link| link.entry.text.as_str()).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("Deletes 2 sessions that ended, or were "), "{texts:?}");
    drop(engine);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_years_ahead_deletes_nothing_before_a_person_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = started(folder.path()).await;
    let console = app.console();
    let engine = console.engine.get().await.unwrap();
    let later = |days: u64| now().plus(Duration::from_secs(days * 86_400));
    ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
    let old = session(&app).await;
    ask(&app, json!({ "do": "close", "session": old.to_string(), "outcome": "resolved" })).await;
    archived(&engine, old).await;
    let is_kept = async || engine.archive().summary(old).await.unwrap().is_some();
    let unseen = || {
        let mut all = console.standing.unseen();
        all.retain(|unseen| is_told(&unseen.trouble));
        all
    };
    // The first run ever, and each further start with such a clock.
    engine.journal().mark(CLOCK, None).await.unwrap();
    let ahead = later(3 * 365);
    for _ in 0..3 {
        delete_old(console, ahead).await.unwrap();
        assert!(is_kept().await);
        assert_eq!(unseen().len(), 1, "{:?}", unseen());
    }
    // Whoever has read another trouble has said nothing of the clock.
    let other = Trouble { code: Code::Internal, text: "Another.".into(), remedy: String::new() };
    assert!(console.hold_up("a_test", other).await);
    let other = console.standing.unseen().pop().unwrap().id;
    ask(&app, json!({ "do": "acknowledge_troubles", "troubles": [other] })).await;
    delete_old(console, ahead.plus(DAY)).await.unwrap();
    assert!(is_kept().await && unseen().len() == 1);
    let text = &unseen()[0].trouble.text;
    assert!(text.contains("no session was started for over 15 days after"), "{text}");
    let read: Vec<_> = console.standing.unseen().iter().map(|unseen| unseen.id).collect();
    ask(&app, json!({ "do": "acknowledge_troubles", "troubles": read })).await;
    assert!(!stands(console) && is_kept().await);
    delete_old(console, ahead.plus(DAY)).await.unwrap();
    assert!(!is_kept().await, "it is right after all");
    // It is believed once, not for ever, and a clock that is set back deletes nothing.
    assert_eq!(known_clock(engine.journal()).await.unwrap().unwrap().last, ahead.plus(DAY));
    drop(engine);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_would_be_deleted_no_clock_is_a_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let app = started(folder.path()).await;
    let console = app.console();
    ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
    for at in [now(), Timestamp(i64::MAX), Timestamp(0), Timestamp(i64::MIN)] {
        delete_old(console, at).await.unwrap();
        assert!(!stands(console), "{at:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_run_failed_stands_until_a_later_one_gets_through() {
    let folder = tempfile::tempdir().unwrap();
    let app = started(folder.path()).await;
    let console = app.console();
    let run = |outcome: Result<(), Trouble>| tell(console, outcome.err());
    ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
    run(delete_old(console, now()).await);
    assert!(!stands(console));
    let full = engine::StoreError::DiskFull { doing: "delete a session" };
    run(Err(failed(&CommandError::Archive(full))));
    assert!(stands(console));
    let other = engine::StoreError::ReadOnly { doing: "delete a session" };
    run(Err(failed(&CommandError::Archive(other))));
    let reasons = console.standing.list();
    let reasons = reasons.iter().filter(|trouble| trouble.text.starts_with(DOING));
    assert_eq!(reasons.count(), 1, "the newest reason stands alone");
    // Neither a person's look at it nor another trouble's end takes it away.
    let all: Vec<_> = console.standing.unseen().iter().map(|unseen| unseen.id).collect();
    assert!(all.is_empty(), "nobody can acknowledge it");
    run(delete_old(console, now()).await);
    assert!(!stands(console), "a later run got through");
    app.stop().await;
}
