use futures_util::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::{App, Options, commands::Command, reply::Reply};

fn trouble(text: &str) -> Trouble {
    Trouble { code: Code::RestoreCopy, text: text.into(), remedy: String::new() }
}

async fn app(folder: &std::path::Path) -> App {
    App::start(Options::for_a_while(folder, "a test")).await.unwrap()
}

async fn ask(app: &App, command: Value) -> Result<Reply, Trouble> {
    let command: Command = serde_json::from_value(command).unwrap();
    app.command(command, "Anna").await
}

async fn acknowledge(app: &App, ids: &[&str]) -> Result<Reply, Trouble> {
    ask(app, json!({ "do": "acknowledge_troubles", "troubles": ids })).await
}

/// What stands until somebody has read it, as people see it: its id and its text.
fn stands(app: &App) -> Vec<(String, String)> {
    let all = app.console().standing.list().into_iter();
    all.filter_map(|trouble| Some((trouble.id?, trouble.text))).collect()
}

fn texts(app: &App) -> Vec<String> {
    stands(app).into_iter().map(|(_, text)| text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_read_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    assert!(app.console().hold_up("a_test", trouble("The first.")).await);
    let read = stands(&app);
    assert!(app.console().hold_up("a_test", trouble("It came meanwhile.")).await);

    let refused = ask(&app, json!({ "do": "acknowledge_troubles" })).await.err().unwrap();
    assert_eq!(refused.code, Code::BadInput, "{refused:?}");
    let known = read[0].0.as_str();
    let strange = "0b0c7f5e-3f5c-4a52-9a3e-6f6d2f0b7a11";
    for ids in [&[][..], &["x"], &[strange], &[known, strange]] {
        let refused = acknowledge(&app, ids).await.err().unwrap();
        assert!(!refused.remedy.is_empty(), "{refused:?}");
        assert_eq!(stands(&app).len(), 2, "{ids:?}");
    }
    acknowledge(&app, &[known]).await.unwrap();
    assert_eq!(texts(&app), ["It came meanwhile."]);
    assert!(acknowledge(&app, &[known]).await.is_err(), "it stands no longer");

    let engine = app.console().engine.get().await.unwrap();
    let log = engine.archive().audit_page(None, 50).await.unwrap();
    let of_it: Vec<_> =
        log.iter().filter(|link| link.entry.action == "troubles_acknowledged").collect();
    assert_eq!(of_it.len(), 1);
    assert_eq!(
        (of_it[0].entry.by.as_str(), of_it[0].entry.text.as_str()),
        ("Anna", "Has read: The first.")
    );
    drop(engine);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_read_stands_over_a_new_start_by_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let before = app(folder.path()).await;
    assert!(before.console().hold_up("a_test", trouble("It stands.")).await);
    // Found again, it is the same.
    assert!(before.console().hold_up("a_test", trouble("It stands.")).await);
    let shown = stands(&before);
    assert_eq!(shown.len(), 1);
    before.stop().await;
    let app = app(folder.path()).await;
    assert_eq!(stands(&app), shown);
    acknowledge(&app, &[&shown[0].0]).await.unwrap();
    // Once it has been read, it is news when it happens again.
    assert!(app.console().hold_up("a_test", trouble("It stands.")).await);
    assert_ne!(stands(&app)[0].0, shown[0].0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_troubles_that_arise_and_are_read_at_once_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let console = app.console();
    assert!(console.hold_up("a_test", trouble("The first.")).await);
    let first = stands(&app).remove(0).0;
    let all: Vec<String> = (0..20).map(|n| format!("Number {n:02}.")).collect();
    let arise = join_all(all.iter().map(|text| console.hold_up("a_test", trouble(text))));
    let ids = [first.as_str()];
    let (kept, acknowledged) = tokio::join!(arise, acknowledge(&app, &ids));
    acknowledged.unwrap();
    assert!(kept.into_iter().all(|kept| kept));
    let mut standing = texts(&app);
    standing.sort();
    assert_eq!(standing, all);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_before_the_ids_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let before = app(folder.path()).await;
    let engine = before.console().engine.get().await.unwrap();
    let kept = json!([{ "code": "restore_copy", "text": "Of before.", "remedy": "" }]);
    engine.journal().mark(KEPT_AS, Some(kept.to_string().as_bytes())).await.unwrap();
    drop(engine);
    before.stop().await;
    let app = app(folder.path()).await;
    let (id, text) = stands(&app).remove(0);
    assert_eq!(text, "Of before.");
    acknowledge(&app, &[&id]).await.unwrap();
    assert!(stands(&app).is_empty());
    app.stop().await;
}
