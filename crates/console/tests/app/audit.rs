//! The audit log as commands write and read it.

use console::{SettingsSource, reply::Reply, view::AuditLine};
use engine::{
    archive::{ARCHIVE_FILE, Archive},
    vault::{Options, Vault},
};
use serde_json::{Value, json};

use crate::rig::{BY, Rig};

async fn log(rig: &Rig) -> Vec<AuditLine> {
    let Reply::Audit { entries, before: None } = rig.ask(json!({ "do": "audit" })).await else {
        panic!("no log, or more than a page of it")
    };
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_technician_does_is_noted_in_order_with_who_and_where() {
    let mut rig = Rig::start().await;
    let rules = json!([{ "to": "team@example.com", "when": "every_event" }]);
    rig.ask(
        json!({ "do": "configure", "changes": { "mail_rules": rules, "verify_gate_min": 20 } }),
    )
    .await;
    let id = rig.session("Maria").await;
    rig.ask(json!({ "do": "mail", "session": id, "to": "maria@example.com", "to_customer": true, "when": "now" })).await;
    rig.ask(json!({ "do": "viewer_link", "session": id, "read_only": true })).await;
    rig.ask(json!({ "do": "open_viewer", "session": id, "read_only": false })).await;
    rig.ask(json!({ "do": "note", "session": id, "text": "not for the log" })).await;
    rig.ask(json!({ "do": "export", "session": id, "format": "csv" })).await;
    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    let lines = log(&rig).await;
    let told: Vec<_> =
        lines.iter().rev().map(|line| (line.action.as_str(), line.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("settings_changed", "Settings: mail_rules, verify_gate_min to 20."),
            (
                "session_created",
                "Started a session; by rule, e-mails were ordered to team@example.com."
            ),
            ("invite_mailed", "Ordered an e-mail to the customer, maria@example.com."),
            ("viewer_link", "Takes the viewer's link, to watch only."),
            ("viewer_opened", "Opened a viewer window."),
            ("exported", "Exports the session as CSV."),
            ("session_closed", "Closed the session as resolved."),
        ]
    );
    assert!(lines.iter().all(|line| line.by == BY));
    assert!(lines[..6].iter().all(|line| line.session.as_ref() == Some(&id)));
    let Reply::AuditCheck { check } = rig.ask(json!({ "do": "verify_audit" })).await else {
        panic!("no check")
    };
    assert_eq!((check.entries, check.broken, check.head.len()), (7, None, 64));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_it_was_noted_is_noted_as_not_done() {
    let rig = Rig::start().await;
    let nobody = "1bbde54b-67e6-41fb-b275-8d5a93fc48e2";
    rig.refused(json!({ "do": "viewer_link", "session": nobody, "read_only": false })).await;
    rig.refused(json!({ "do": "close", "session": nobody, "outcome": "resolved" })).await;
    rig.refused(json!({ "do": "export", "session": "no id", "format": "csv" })).await;
    let lines = log(&rig).await;
    assert_eq!(lines.len(), 2, "what wasn't done and needn't be noted first isn't: {lines:?}");
    assert_eq!((lines[1].action.as_str(), lines[0].action.as_str()), ("viewer_link", "not_done"));
    assert!(lines[0].text.starts_with("It was not done: Takes the viewer's link."), "{lines:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_read_in_pages() {
    let rig = Rig::start().await;
    for _ in 0..103 {
        rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    }
    let Reply::Audit { entries, before: Some(before) } = rig.ask(json!({ "do": "audit" })).await
    else {
        panic!("no first page")
    };
    assert_eq!((entries.len(), entries[0].seq, before), (100, 103, 4));
    let Reply::Audit { entries, before: None } =
        rig.ask(json!({ "do": "audit", "before": before })).await
    else {
        panic!("no last page")
    };
    assert_eq!(entries.iter().map(|line| line.seq).collect::<Vec<_>>(), [3, 2, 1]);
    rig.app.stop().await;
}

/// The script that docs/audit.md gives to third parties.
fn script() -> String {
    let docs = include_str!("../../../../docs/audit.md");
    let (_, rest) = docs.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn third_party(export: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let (script_file, log) = (folder.path().join("check.py"), folder.path().join("log.jsonl"));
    std::fs::write(&script_file, script()).unwrap();
    std::fs::write(&log, export).unwrap();
    let ran = std::process::Command::new("python3").arg(&script_file).arg(&log).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    (ran.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_party_can_check_an_export_with_the_documented_script() {
    let mut rig = Rig::start().await;
    rig.session("Zoë \u{202E}O'Neill").await;
    for word in ["ACME \"quoted\"", "Ünïcode \u{1F600}", "x"] {
        rig.ask(json!({ "do": "configure", "changes": { "company": word } })).await;
    }
    let Reply::Text { file_name, text } = rig.ask(json!({ "do": "export_audit" })).await else {
        panic!("no export")
    };
    assert!(file_name.ends_with(".jsonl"));
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["action"], "audit_exported", "the export is in what it exports");
    let (holds, said) = third_party(&text);
    assert!(holds && said.contains(last["hash"].as_str().unwrap()), "{said}");

    let lines: Vec<&str> = text.lines().collect();
    let cut = [&lines[..2], &lines[3..]].concat().join("\n");
    assert_eq!(third_party(&cut), (false, "entry 3 is missing\n".into()));
    let changed = text.replacen(BY, "Somebody", 3).replacen("Somebody", BY, 2);
    assert_eq!(third_party(&changed), (false, "entry 3 was changed\n".into()));
    rig.app.stop().await;
}

/// The archive of a console that has ended, as somebody with its key opens it.
async fn open(rig: &Rig) -> Archive {
    let data = rig.folder.path().join("data");
    let opened = move || {
        let vault = Vault::open(&data, Options { keyring: None, ..Options::default() }).unwrap();
        Archive::open(&data.join(ARCHIVE_FILE), vault.archive_key()).unwrap()
    };
    tokio::task::spawn_blocking(opened).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_on_after_a_restart_and_is_on_the_disk() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    rig.app.stop().await;
    let kept = open(&rig).await.verify_audit().await.unwrap();
    assert_eq!((kept.entries, kept.broken), (1, None));
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let Reply::AuditCheck { check } = rig.ask(json!({ "do": "verify_audit" })).await else {
        panic!("no check")
    };
    assert_eq!((check.entries, check.broken), (2, None));
    rig.app.stop().await;
}
