//! The story over JSON Lines, against a broker of one's own whose clock the test moves.

use std::{path::Path, time::Duration};

use broker::{Broker, Config, ProgramFile, Running};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::Side;

use crate::process::{Console, armed, pin_of};

const OVER_A_MINUTE: Duration = Duration::from_secs(61);

async fn broker(home: &Path) -> Running {
    let program = home.join("deskhand-presenter");
    std::fs::write(&program, b"\x7fELF").unwrap();
    let mut config = Config::embedded(home.join("broker"));
    config.programs = vec![ProgramFile { platform: "linux-x86_64".into(), path: program }];
    Broker::start(config).await.unwrap()
}

#[tokio::test]
async fn a_script_sees_the_story_from_pin_to_archived_transcript() {
    let home = tempfile::tempdir().unwrap();
    let broker = broker(home.path()).await;
    let handle = broker.handle();
    let mut console = Console::start(home.path(), &["--base-url", &broker.base_url()]).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    assert_eq!(detail["pin"]["join_link"], format!("{}/join#{}", broker.origin(), pin.expose()));

    let (customer, viewer) = (Uuid::new_v4(), Uuid::new_v4());
    handle.page_arrives(&pin, Side::Presenter, customer, "Maria").await.unwrap();
    let online = console.happening(&session, "presenter_online").await;
    assert_eq!(online["text"], "Maria Lopez is online");
    console.forget();
    console.detail(&session, "re-armed", armed).await;
    handle.page_arrives(&pin, Side::Viewers, viewer, "Tom").await.unwrap();
    console.state(&session, "active").await;

    handle.page_says(&pin, customer, "Maria", "The printer is out of toner").await.unwrap();
    handle.page_says(&pin, viewer, "Tom", "I see it").await.unwrap();
    console.detail(&session, "the chat", |d| d["chat_total"] == 2).await;

    console.forget();
    console.ask(json!({ "do": "recheck", "session": session })).await;
    assert!(handle.page_leaves(&pin, viewer).await);
    handle.advance(OVER_A_MINUTE).await;
    console.happening(&session, "viewers_gone").await;
    let saved =
        console.detail(&session, "the transcript", |d| d["transcript"]["is"] == "saved").await;
    assert_eq!(saved["transcript"]["messages"], 2);
    console.state(&session, "ended").await;

    let found = console.ask(json!({ "do": "search", "query": "toner" })).await;
    assert_eq!(found["hits"][0]["session"], session, "{found}");
    let text = console.ask(json!({ "do": "export", "session": session, "format": "text" })).await;
    assert!(text["text"].as_str().unwrap().contains("I see it"), "{text}");
    let close =
        json!({ "do": "close", "session": session, "outcome": "resolved", "note": "Toner" });
    assert_eq!(console.ask(close).await["reply"], "done");
    console.state(&session, "closed").await;
    console.quit().await;
    broker.shutdown().await;
}

#[tokio::test]
async fn no_push_but_the_detail_that_was_asked_for_carries_a_pin() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &["--log", "debug"]).await;
    let (_, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    console.close_input();
    assert_eq!(console.ended().await, Some(0));
    for line in console.said().iter().filter(|line| line["push"] != "detail") {
        assert!(!line.to_string().contains(pin.expose()), "a PIN is in {}", line["push"]);
    }
}

#[tokio::test]
async fn who_gave_a_command_is_on_record() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &["--by", "Ada"]).await;
    let new = |by: Option<&str>| {
        let mut command = json!({ "do": "new_session" });
        if let Some(by) = by {
            command["by"] = by.into();
        }
        command
    };
    for (by, shown) in [(None, "Ada"), (Some("Bob"), "Bob")] {
        let session = console.ask(new(by)).await["session"].clone();
        let answer = console.ask(json!({ "do": "detail", "session": session })).await;
        assert_eq!(answer["detail"]["by"], shown);
    }
    console.quit().await;
}

#[tokio::test]
async fn what_the_customers_program_needs_is_in_no_line_and_no_log() {
    let home = tempfile::tempdir().unwrap();
    let broker = broker(home.path()).await;
    let rule = json!({ "route": "/api/v1/session_exe", "kind": "status", "code": 503, "times": 1 });
    broker.handle().faults().set(vec![serde_json::from_value(rule).unwrap()]);
    let words = ["--base-url", &broker.base_url(), "--log", "trace"];
    let mut console = Console::start_logging(home.path(), &words).await;
    let (session, _) = console.new_session("Maria Lopez").await;
    let save =
        json!({ "do": "save_program", "session": session, "confirmed": true, "path": home.path() });
    assert_eq!(console.ask(save.clone()).await["reply"], "done");
    console.happening(&session, "program_not_saved").await;
    assert_eq!(console.ask(save).await["reply"], "done");
    console.happening(&session, "program_saved").await;
    console.close_input();
    assert_eq!(console.ended().await, Some(0));
    broker.shutdown().await;

    // How the JSON of every conf begins, in base64.
    let conf = base64_of_a_confs_start();
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(log.contains("TRACE"), "everything is logged");
    let lines = console.said().iter().map(Value::to_string);
    for text in lines.chain(log.lines().map(str::to_owned)) {
        assert!(!text.contains(&conf), "a conf is in {text}");
    }
}

/// `{"ttl":` fills nine characters and a part of the tenth.
fn base64_of_a_confs_start() -> String {
    let conf = wire::loginwithme::Conf {
        ttl: 1,
        session_host: String::new(),
        ssh_port: 0,
        sftp_user: String::new(),
        sftp_pass: String::new(),
        rfb_port: 0,
        rfb_enc_key: String::new(),
        pulseaudio_port: 0,
        sftp_port: 0,
        session_pin: String::new(),
        host_key: String::new(),
        version: String::new(),
        origin: None,
        requester: wire::shared_screen::Requester::default(),
        unattended: false,
    };
    conf.encode().expose()[..9].to_owned()
}

#[tokio::test]
async fn a_console_that_was_stopped_for_a_while_takes_nothing_from_before_for_the_present() {
    let home = tempfile::tempdir().unwrap();
    let broker = broker(home.path()).await;
    let handle = broker.handle();
    let mut console = Console::start(home.path(), &["--base-url", &broker.base_url()]).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    let (customer, viewer) = (Uuid::new_v4(), Uuid::new_v4());
    handle.page_arrives(&pin, Side::Presenter, customer, "Maria").await.unwrap();
    handle.page_arrives(&pin, Side::Viewers, viewer, "Tom").await.unwrap();
    console.detail(&session, "active", |d| d["row"]["state"]["kind"] == "active" && armed(d)).await;
    console.happening(&session, "presenter_online").await;
    console.happening(&session, "viewer_joined").await;

    console.signal("STOP");
    assert!(handle.page_leaves(&pin, viewer).await);
    assert!(handle.page_leaves(&pin, customer).await);
    handle.advance(OVER_A_MINUTE).await;
    // What is tested is time itself: the console must be away for longer than it takes for late.
    tokio::time::sleep(Duration::from_secs(6)).await;
    console.forget();
    console.signal("CONT");
    let is = |line: &Value| line["push"] == "happening" && line["session"] == session;
    let first = console.until("what happened", is).await;
    assert_eq!(first["event"], "status_unknown", "before anything that waited is applied");
    // The order in which the two left changes nothing, so what waited says what is so.
    console.state(&session, "ended").await;
    console.quit().await;
    broker.shutdown().await;
}
