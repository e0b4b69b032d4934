//! `deskhand backup` beside a running console, and `deskhand restore` elsewhere.

use std::{path::Path, process::Stdio};

use port_tests::KeptPort;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::process::{Console, armed, deskhand};

const PASSPHRASE: &str = "correct horse battery";

/// Runs the program on `data` with a passphrase on standard input: its exit code, and what it said.
async fn run(
    home: &Path,
    words: &[&str],
    data: &Path,
    passphrase: &str,
) -> (Option<i32>, String, String) {
    let mut command = deskhand(home);
    command.args(words).args(["--no-keyring", "--data"]).arg(data);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // It may end before it has read anything.
    let _ = input.write_all(format!("{passphrase}\n").as_bytes()).await;
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_running_console_is_backed_up_and_goes_on_in_another_folder() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("a.backup"));
    let file = file.to_str().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    console.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let (session, before) = console.new_session("Maria Lopez").await;

    let (code, said, errors) = run(home.path(), &["backup", file], &data, PASSPHRASE).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.starts_with(&format!("The backup is in {file}")), "{said}");
    assert!(!errors.contains(PASSPHRASE));
    let audit = console.ask(json!({ "do": "audit" })).await;
    assert_eq!(audit["entries"][0]["action"], "backup_written", "{audit}");
    let (code, _, errors) = run(home.path(), &["backup", file], &data, PASSPHRASE).await;
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("there is a file of this name already"), "{errors}");
    let audit = console.ask(json!({ "do": "audit" })).await;
    assert_eq!(audit["entries"][0]["action"], "not_done", "{audit}");
    let (code, _, errors) =
        run(home.path(), &["restore", "--force", file], &data, PASSPHRASE).await;
    assert_eq!(code, Some(3), "{errors}");
    console.quit().await;
    let _port = KeptPort::given_back_by(before["pin"]["join_link"].as_str().unwrap());

    let other = tempfile::tempdir().unwrap();
    let moved = other.path().join("data");
    let (code, _, errors) = run(home.path(), &["restore", file], &moved, "another one").await;
    assert_eq!(code, Some(4), "{errors}");
    let (code, said, errors) = run(home.path(), &["restore", file], &moved, PASSPHRASE).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("is restored to"), "{said}");
    let (code, _, errors) = run(home.path(), &["restore", file], &moved, PASSPHRASE).await;
    assert_eq!(code, Some(2), "{errors}");

    let mut console = Console::start(other.path(), &[]).await;
    console.ask(json!({ "do": "show", "session": session })).await;
    let same = |detail: &serde_json::Value| {
        armed(detail) && detail["pin"]["join_link"] == before["pin"]["join_link"]
    };
    let detail = console.detail(&session, "re-armed, with the same link", same).await;
    assert_eq!(detail["presenter"]["is"], "unknown", "{}", detail["presenter"]);
    let settings = console.ask(json!({ "do": "settings" })).await;
    assert_eq!(settings["settings"]["company"], "ACME");
    let audit = console.ask(json!({ "do": "audit" })).await;
    assert_eq!(audit["entries"][0]["action"], "backup_restored", "{audit}");
    console.quit().await;
}

#[tokio::test]
async fn nothing_is_backed_up_where_nothing_is_nor_with_a_weak_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let (code, _, errors) = run(home.path(), &["backup", "x"], &data, PASSPHRASE).await;
    assert_eq!((code, data.exists()), (Some(1), false), "{errors}");
    Console::start(home.path(), &[]).await.quit().await;
    for weak in ["short", "", "aaaaaaaaaaaaaaaaaaaa"] {
        let file = home.path().join("a.backup");
        let words = ["backup", file.to_str().unwrap()];
        let (code, _, errors) = run(home.path(), &words, &data, weak).await;
        assert!(matches!(code, Some(2 | 4)) && !file.exists(), "{errors}");
    }
    let lost = home.path().join("missing/a.backup");
    let (code, _, errors) =
        run(home.path(), &["backup", lost.to_str().unwrap()], &data, PASSPHRASE).await;
    assert_eq!(code, Some(6), "{errors}");
}

#[tokio::test]
async fn what_can_be_read_of_a_damaged_archive_is_a_data_folder_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, new) = (home.path().join("data"), home.path().join("new/data"));
    let mut console = Console::start(home.path(), &[]).await;
    let (session, _) = console.new_session("Maria Lopez").await;
    for number in 0..50 {
        let text = format!("note {number} {}", "x".repeat(3000));
        console.ask(json!({ "do": "note", "session": session, "text": text })).await;
    }
    console.quit().await;
    let archive = data.join("archive.db");
    let mut bytes = std::fs::read(&archive).unwrap();
    let page = bytes.len() / 4096 * 3 / 4 * 4096;
    bytes[page..page + 4096].fill(0xff);
    std::fs::write(&archive, bytes).unwrap();
    let to = new.to_str().unwrap();
    let (code, said, errors) = run(home.path(), &["doctor", "--salvage", to], &data, "").await;
    assert_eq!(code, Some(1), "{said} {errors}");
    assert!(said.contains("rows are missing in"), "{said}");
    assert!(said.contains("journal: all "), "{said}");
    let (code, _, errors) = run(home.path(), &["doctor", "--salvage", to], &data, "").await;
    assert_eq!(code, Some(2), "{errors}");
    let mut console = Console::start(&home.path().join("new"), &[]).await;
    console.ask(json!({ "do": "show", "session": session })).await;
    console.detail(&session, "armed", armed).await;
    console.quit().await;
}

#[tokio::test]
async fn of_a_sound_folder_all_is_saved_and_all_is_found_in_it() {
    let home = tempfile::tempdir().unwrap();
    let (data, new) = (home.path().join("data"), home.path().join("new/data"));
    let mut console = Console::start(home.path(), &[]).await;
    let (session, _) = console.new_session("Maria Lopez").await;
    console.ask(json!({ "do": "note", "session": session, "text": "new toner" })).await;
    console.quit().await;
    let to = new.to_str().unwrap();
    let (code, said, errors) = run(home.path(), &["doctor", "--salvage", to], &data, "").await;
    assert_eq!(code, Some(0), "{said} {errors}");
    let mut console = Console::start(&home.path().join("new"), &[]).await;
    let mut found = Value::Null;
    while found["hits"].as_array().is_none_or(Vec::is_empty) {
        found = console.ask(json!({ "do": "search", "query": "toner" })).await;
    }
    assert_eq!(found["hits"][0]["name"], "Maria Lopez");
    console.quit().await;
}
