//! The exit codes that docs/headless.md promises: for each there is a case here.

use std::{
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
};

use port_tests::KeptPort;
use tokio::{process::Child, time::timeout};

use crate::process::{Console, PATIENCE, PROGRAM, deskhand, run, started_by};

const DOCUMENT: &str = include_str!("../../../../docs/headless.md");

#[tokio::test]
async fn every_exit_code_of_the_document_is_given() {
    let (_, table) = DOCUMENT.split_once("| Exit code |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    let codes: Vec<i32> = rows.filter_map(|row| row.split_once(" |")?.0.parse().ok()).collect();
    assert!(!codes.is_empty(), "{table}");
    for code in codes {
        let home = tempfile::tempdir().unwrap();
        let ended = example(home.path(), code).await;
        let error = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{error}");
        // What was wrong is said, and nothing but that.
        assert_eq!(error.is_empty(), [0, 130].contains(&code), "{code}: {error}");
    }
}

/// A program that ends with this code.
async fn example(home: &Path, code: i32) -> Output {
    match code {
        0 => run(home, &["regions"]).await,
        1 => {
            let nobody = KeptPort::new();
            let base_url = format!("http://{}/api/v1", nobody.addr());
            run(home, &["regions", "--base-url", &base_url]).await
        }
        2 => run(home, &["headless", "--probe-rounds", "99"]).await,
        3 => {
            let first = Console::start(home, &[]).await;
            let second = headless(home, &[]).await;
            first.quit().await;
            second
        }
        4 => headless(home, &["--passphrase-file", "/nowhere"]).await,
        5 => {
            let taken = TcpListener::bind("127.0.0.1:0").unwrap();
            headless(home, &["--listen", &taken.local_addr().unwrap().to_string()]).await
        }
        6 => {
            Console::start(home, &[]).await.quit().await;
            std::fs::write(home.join("data/journal.db"), "no database ".repeat(1000)).unwrap();
            headless(home, &[]).await
        }
        130 => interrupted(home, &["restore", "x.backup"], "INT").await,
        other => panic!("no test gives the exit code {other}"),
    }
}

#[tokio::test]
async fn a_store_that_is_gone_ends_the_start_with_the_disks_code() {
    for gone in ["journal.db", "archive.db"] {
        let home = tempfile::tempdir().unwrap();
        Console::start(home.path(), &[]).await.quit().await;
        std::fs::remove_file(home.path().join("data").join(gone)).unwrap();
        let ended = headless(home.path(), &[]).await;
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(6), "{error}");
        assert!(error.contains(gone), "{error}");
    }
}

#[tokio::test]
async fn whatever_is_interrupted_before_it_is_done_says_so_by_its_code() {
    let home = tempfile::tempdir().unwrap();
    Console::start(home.path(), &[]).await.quit().await;
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/api/v1", silent.local_addr().unwrap());
    let backup = home.path().join("a.backup");
    for (words, signal) in [
        (&["regions", "--base-url", &silent][..], "INT"),
        (&["doctor", "--base-url", &silent], "HUP"),
        // Both wait for the passphrase.
        (&["backup", backup.to_str().unwrap()], "TERM"),
        (&["restore", backup.to_str().unwrap()], "HUP"),
    ] {
        let ended = interrupted(home.path(), words, signal).await;
        assert_eq!(ended.status.code(), Some(130), "{words:?} {signal}: {ended:?}");
    }
    assert!(!backup.exists(), "nothing was done");
}

#[tokio::test]
async fn the_audit_log_that_takes_long_to_open_can_be_interrupted() {
    let home = tempfile::tempdir().unwrap();
    Console::start(home.path(), &[]).await.quit().await;
    let vault = home.path().join("data/vault.json");
    std::fs::remove_file(&vault).unwrap();
    // Nobody writes to it, so reading it never ends.
    assert!(std::process::Command::new("mkfifo").arg(&vault).status().unwrap().success());
    let ended = interrupted(home.path(), &["audit", "verify"], "INT").await;
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
}

#[tokio::test]
async fn what_was_started_with_nohup_outlives_its_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut console =
        Console::start_by(started_by(home.path(), &["nohup", PROGRAM]), home.path(), &[]).await;
    console.signal("HUP");
    let answer = console.ask(serde_json::json!({ "do": "settings" })).await;
    assert_eq!(answer["reply"], "settings");
    console.signal("TERM");
    assert_eq!(console.ended().await, Some(0));
}

async fn headless(home: &Path, words: &[&str]) -> Output {
    let data = home.join("data");
    let all = [&["headless", "--no-keyring", "--data", data.to_str().unwrap()], words].concat();
    run(home, &all).await
}

/// Runs a program that waits for something, sends it a signal as soon as it listens to signals, and waits for its end.
async fn interrupted(home: &Path, words: &[&str], signal: &str) -> Output {
    let mut command = deskhand(home);
    command.args(words).args(["--no-keyring", "--data"]).arg(home.join("data"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Open until it has ended.
    let input = child.stdin.take().unwrap();
    listens_to_signals(&child).await;
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.unwrap().success());
    let ended = timeout(PATIENCE, child.wait_with_output()).await.expect("it did not end").unwrap();
    drop(input);
    ended
}

/// Waits until a program has said to the system that it deals with SIGHUP itself, the last of the three.
async fn listens_to_signals(child: &Child) {
    let status = format!("/proc/{}/status", child.id().unwrap());
    let listens = async {
        loop {
            let told = std::fs::read_to_string(&status).unwrap();
            let caught = told.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            if u64::from_str_radix(caught.trim(), 16).unwrap() & 1 != 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, listens).await.expect("it does not listen to signals");
}
