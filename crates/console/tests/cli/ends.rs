//! Bad input, and how headless ends.

use std::{fs, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    time::timeout,
};

use crate::process::{Console, PATIENCE, deskhand, run};

#[tokio::test]
async fn bad_lines_are_answered_and_it_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let cases: [(&[u8], Value, &str); 5] = [
        (b"nonsense\n", Value::Null, "Read line 1: it is not a JSON object"),
        (b"{\"id\":7,\"do\":\"dance\"}\n", json!(7), "Read line 2: unknown variant `dance`"),
        (b"\n{\"id\":\"x\",\"do\":\"read\"}\n", json!("x"), "Read line 4: missing field `session`"),
        (b"\xff\xfe\n", Value::Null, "Read line 5: it is not a JSON object"),
        (
            b"{\"id\":9,\"do\":\"outbox\",\"more\":1}\n",
            json!(9),
            "Read line 6: unknown field `more`",
        ),
    ];
    for (line, id, text) in cases {
        console.forget();
        console.write(line).await;
        let answer = console.until(text, |line| line.get("error").is_some()).await;
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&id, &json!("bad_input")),
            "{answer}"
        );
        assert!(answer["error"]["text"].as_str().unwrap().starts_with(text), "{answer}");
        assert!(!answer["error"]["remedy"].as_str().unwrap().is_empty());
    }
    let answer = console.ask(json!({ "do": "settings" })).await;
    assert_eq!(answer["reply"], "settings");
    console.quit().await;
}

#[tokio::test]
async fn a_line_over_a_mebibyte_is_refused_and_one_below_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let mut line = vec![b'x'; (1 << 20) + 1];
    line.push(b'\n');
    console.write(&line).await;
    let answer = console.until("the refusal", |line| line.get("error").is_some()).await;
    assert_eq!(answer["error"]["text"], "Read line 1: it is longer than 1048576 bytes.");
    let padding = " ".repeat(1 << 19);
    console.write(format!("{padding}{{\"id\":\"p\",\"do\":\"settings\"}}\n").as_bytes()).await;
    console.until("the answer", |line| line["id"] == "p" && line["reply"] == "settings").await;
    console.quit().await;
}

#[tokio::test]
async fn an_unknown_session_is_an_error_with_its_code() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let answer = console.ask(json!({ "do": "recheck", "session": nobody })).await;
    assert_eq!(answer["error"]["code"], "not_found", "{answer}");
    console.quit().await;
}

#[tokio::test]
async fn it_ends_when_its_input_does_after_every_line_was_answered() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    console.write(b"{\"id\":1,\"do\":\"new_session\"}\n{\"id\":2,\"do\":\"settings\"}").await;
    console.close_input();
    assert_eq!(console.ended().await, Some(0));
    let replies: Vec<_> = console.said().iter().filter_map(|line| line["reply"].as_str()).collect();
    assert_eq!(replies, ["session", "settings"]);
}

#[tokio::test]
async fn the_command_quit_is_answered_and_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &["--keep-running"]).await;
    assert_eq!(console.ask(json!({ "do": "quit" })).await["reply"], "done");
    assert_eq!(console.ended().await, Some(0));
}

#[tokio::test]
async fn ctrl_c_and_sigterm_end_it_in_good_order() {
    for signal in ["INT", "TERM"] {
        let home = tempfile::tempdir().unwrap();
        let mut console = Console::start(home.path(), &["--keep-running"]).await;
        console.close_input();
        console.signal(signal);
        assert_eq!(console.ended().await, Some(0), "{signal}");
        // The folder is free again.
        Console::start(home.path(), &[]).await.quit().await;
    }
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_refused_before_anything_starts() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let words = ["headless", "--data", data.to_str().unwrap(), "--probe-rounds", "99"];
    let output = run(home.path(), &words).await;
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("set probe_rounds") && error.contains("1 to 10"), "{error}");
}

#[tokio::test]
async fn a_file_that_was_named_is_read_and_a_flag_wins_over_it() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    fs::write(&file, "probe_rounds = 5\nheartbeat_s = 77\n").unwrap();
    let words = ["--config", file.to_str().unwrap(), "--probe-rounds", "2"];
    let mut console = Console::start(home.path(), &words).await;
    let settings = console.ask(json!({ "do": "settings" })).await["settings"].clone();
    assert_eq!((&settings["probe_rounds"], &settings["heartbeat_s"]), (&json!(2), &json!(77)));
    console.quit().await;
    fs::write(&file, "probe_rounds = [").unwrap();
    let output = run(home.path(), &["headless", "--config", file.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn without_the_passphrase_that_wraps_the_key_it_ends_with_a_code_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("passphrase");
    fs::write(&file, "correct horse battery staple\n").unwrap();
    let words = ["--passphrase-file", file.to_str().unwrap()];
    Console::start(home.path(), &words).await.quit().await;
    let data = home.path().join("data");
    let without = ["headless", "--no-keyring", "--data", data.to_str().unwrap()];
    let output = run(home.path(), &without).await;
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(&file, "wrong\n").unwrap();
    let output = run(home.path(), &[&without[..], &words].concat()).await;
    assert_eq!(output.status.code(), Some(4));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("passphrase is wrong") && !error.contains("horse"), "{error}");
}

#[tokio::test]
async fn a_listener_address_that_is_taken_or_no_good_ends_the_start() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, why) in [(taken.as_str(), "in use"), ("192.0.2.1:4711", "192.0.2.1:4711")] {
        let output = run(home.path(), &["headless", "--no-keyring", "--listen", address]).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{error}");
        assert!(error.contains(why) && error.contains("set listen to another"), "{error}");
    }
}

#[tokio::test]
async fn a_filter_of_the_log_that_is_none_is_refused_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    for bad in ["verbose", "engine=loud", ""] {
        let output = run(home.path(), &["headless", "--no-keyring", "--log", bad]).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("--log"), "{error}");
    }
}

#[tokio::test]
async fn without_a_reader_of_its_output_it_ends_in_good_order() {
    let home = tempfile::tempdir().unwrap();
    let mut command = deskhand(home.path());
    command
        .args(["headless", "--no-keyring", "--keep-running", "--data"])
        .arg(home.path().join("data"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    output.next_line().await.unwrap().expect("a greeting");
    drop(output);
    let mut input = child.stdin.take().unwrap();
    // It may have ended already: what it pushes at the start finds nobody, too.
    let _ = input.write_all(b"{\"do\":\"settings\"}\n").await;
    let ended = timeout(PATIENCE, child.wait()).await.expect("it did not end").unwrap();
    assert_eq!(ended.code(), Some(0));
    Console::start(home.path(), &[]).await.quit().await;
}
