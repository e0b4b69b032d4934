//! The event channel over real sockets: what a console is told, and who is told nothing.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/console.rs"]
mod console;

use std::time::Duration;

use common::{MINUTE, Page, Receiver, Rig, broker, broker_with, json_of};
use console::{Console, KEY, OTHER_KEY};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

/// The customer's page beside the program.
async fn customers_page(rig: &Rig, pin: &str) -> Page {
    let mut page = Page::connect(rig, Uuid::new_v4()).await;
    page.greet(&json!({ "session_pin": pin, "side": "presenter", "companion": true })).await;
    page
}

/// A program that asks the customer.
async fn question(rig: &Rig, pin: &str) -> Page {
    let mut page = Page::connect(rig, Uuid::new_v4()).await;
    let program = json!({ "version": "1.0.0", "platform": "linux-x86_64" });
    let asking =
        json!({ "type": "asking", "session_pin": pin, "page": page.id, "program": program });
    page.send(&asking).await;
    assert_eq!(page.next().await["type"], "welcome");
    page
}

fn arrival(state: &Value) -> &str {
    state["arrival"]["is"].as_str().unwrap()
}

#[tokio::test]
async fn a_console_sees_each_step_of_its_customer() {
    let rig = broker().await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    let first = console.follow(&pin).await;
    assert_eq!((arrival(&first), &first["life"]), ("nothing", &json!("live")));
    assert_eq!(first["presenter"], json!({ "is": "never" }));
    let page = customers_page(&rig, &pin).await;
    console.state_where(|state| arrival(state) == "page_open").await;
    page.close(&rig).await;
    console.state_where(|state| arrival(state) == "page_closed").await;
    let declining = question(&rig, &pin).await;
    console.state_where(|state| arrival(state) == "asked").await;
    declining.close(&rig).await;
    console.state_where(|state| arrival(state) == "page_closed").await;
    let mut declining = question(&rig, &pin).await;
    declining.send(&json!({ "type": "declined" })).await;
    let declined = console.state_where(|state| arrival(state) == "declined").await;
    assert_eq!(declined["happened"], json!([0, 0, 0, 0]), "a question is no presence");
    let mut program = rig.program(&pin).await;
    let online = console.state_where(|state| state["presenter"]["is"] == "online").await;
    assert_eq!((arrival(&online), &online["sharing"]), ("agreed", &json!("shared")));
    assert_eq!(online["participants"][0]["name"], "Maria");
    assert_eq!(online["happened"], json!([1, 0, 0, 0]));
    program.send(&json!({ "type": "sharing", "state": "paused" })).await;
    console.state_where(|state| state["sharing"] == "paused").await;
    let viewer = rig.page(&pin, "viewers").await;
    let watched = console.state_where(|state| state["viewers"]["is"] == "online").await;
    assert_eq!(watched["participants"][1]["role"], "control");
    assert_eq!(watched["participants"][1]["watching"], false);
    assert_eq!(watched["participants"][0]["platform"], "linux-x86_64");
    viewer.close(&rig).await;
    console.state_where(|state| state["viewers"]["is"] == "leaving").await;
    rig.advance(MINUTE + Duration::from_millis(1)).await;
    let gone = console.state_where(|state| state["viewers"]["is"] == "offline").await;
    assert_eq!(gone["happened"], json!([1, 1, 0, 1]));
    assert_eq!(gone["reopened"], false, "the program was there before");
    // The customer moves the sharing to another program within the grace, so the side is online all the time.
    program.send(&json!({ "type": "leave", "why": "moved" })).await;
    program.close(&rig).await;
    let conf = rig.conf(&pin).await;
    let mut second = Page::connect(&rig, Uuid::new_v4()).await;
    let program_hello = json!({ "version": "1", "platform": "p", "conf": conf });
    second
        .greet(&json!({ "session_pin": pin, "side": "presenter", "program": program_hello }))
        .await;
    console.state_where(|state| state["reopened"] == true).await;
    rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    console.state_where(|state| state["life"] == "revoked").await;
}

#[tokio::test]
async fn downloads_are_seen_with_a_conf_and_with_a_pin() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("deskhand-presenter-linux-x86_64"), b"a program").unwrap();
    let programs = broker::ProgramFile::in_folder(folder.path()).unwrap();
    let rig = broker_with(|config| config.programs = programs).await;
    let mut console = Console::open(&rig, KEY).await;
    let (own, plain) = (console::mint(&rig, KEY).await, console::mint(&rig, KEY).await);
    console.follow(&own).await;
    let conf = rig.conf(&own).await;
    let conf: String = url::form_urlencoded::byte_serialize(conf.as_bytes()).collect();
    let path = format!("/session_exe?platform=linux-x86_64&conf={conf}");
    assert_eq!(rig.get(&path).await.status(), StatusCode::OK);
    console.state_where(|state| arrival(state) == "downloaded").await;
    console.follow(&plain).await;
    let path = format!("/x/program?platform=linux-x86_64&session_pin={plain}");
    assert_eq!(rig.get(&path).await.status(), StatusCode::OK);
    console.state_where(|state| arrival(state) == "downloaded").await;
    let unknown = rig.get("/x/program?platform=linux-x86_64&session_pin=000-00-0000").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_lost_hook_leaves_the_state_right() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = console::mint(&rig, KEY).await;
    rig.arm_all(&pin, &receiver).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    let drop = serve::FaultRule {
        route: "deliver".into(),
        fault: serve::Fault::Drop,
        after: 0,
        times: Some(1),
    };
    rig.handle().faults().set(vec![drop]);
    let _program = rig.program(&pin).await;
    let state = console.state_where(|state| state["presenter"]["is"] == "online").await;
    assert_eq!(state["happened"], json!([1, 0, 0, 0]));
    rig.handle().idle().await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn only_the_key_that_minted_a_session_follows_it() {
    let rig = broker().await;
    let (pin, keyless) = (console::mint(&rig, KEY).await, rig.mint().await);
    // Another console, a customer who has the PIN, and somebody on this machine: none of them has the key.
    let mut other = Console::open(&rig, OTHER_KEY).await;
    other.send_follow(&[(&pin, 0)]).await;
    assert_eq!(other.next().await, json!({ "type": "unknown", "session_pin": pin }));
    other.send_follow(&[("000-00-0000", 0), ("nonsense", 0)]).await;
    assert_eq!(other.next().await["type"], "unknown");
    assert_eq!(other.next().await["session_pin"], "nonsense");
    // Minted without a key: whoever may manage it may follow it.
    assert_eq!(other.follow(&keyless).await["session_pin"], json!(keyless));
    let said = console::say(&rig, Some(OTHER_KEY), &pin, "I am not the console").await;
    assert_eq!(said.status(), StatusCode::FORBIDDEN);
    assert_eq!(console::say(&rig, None, &pin, "Nor am I").await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_channel_needs_a_key_that_nobody_guesses() {
    let rig = broker().await;
    for key in [None, Some("short"), Some(&*"x".repeat(257))] {
        assert_eq!(Console::refused(&rig, key).await, StatusCode::BAD_REQUEST, "{key:?}");
    }
}

#[tokio::test]
async fn chat_comes_by_number_and_is_written_from_the_console_whoever_is_there() {
    let rig = broker().await;
    let pin = console::mint(&rig, KEY).await;
    let first = console::say(&rig, Some(KEY), &pin, "Are you there?").await;
    let first = json_of(first).await;
    assert_eq!(first["number"], 1);
    let mut page = customers_page(&rig, &pin).await;
    assert_eq!(page.welcome["chat"][0]["body"], "Are you there?");
    page.send(&json!({ "type": "chat", "name": "Maria", "body": "Yes" })).await;
    page.next_of("chat").await;
    let mut console = Console::open(&rig, KEY).await;
    console.send_follow(&[(&pin, 0)]).await;
    let chat = console.next_of("chat").await;
    assert_eq!(chat["messages"][0]["guid"], first["guid"]);
    assert_eq!(chat["messages"][0]["side"], "viewers");
    assert_eq!(
        (&chat["messages"][1]["subject"], &chat["messages"][1]["side"]),
        (&json!("Maria"), &json!("presenter"))
    );
    console::say(&rig, Some(KEY), &pin, "Good").await;
    assert_eq!(page.next_of("chat").await["message"]["body"], "Good");
    let chat = console.next_of("chat").await;
    assert_eq!(chat["messages"].as_array().unwrap().len(), 1);
    assert_eq!(chat["messages"][0]["number"], 3);
    // A console that has two of them gets the third only.
    let mut again = Console::open(&rig, KEY).await;
    again.send_follow(&[(&pin, 2)]).await;
    assert_eq!(again.next_of("chat").await["messages"][0]["body"], "Good");
    assert_eq!(console::say(&rig, Some(KEY), &pin, " ").await.status(), StatusCode::BAD_REQUEST);
    rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    assert_eq!(console::say(&rig, Some(KEY), &pin, "Late").await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn after_a_restart_revisions_and_numbers_go_on_and_counts_are_remembered() {
    let rig = broker().await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    let page = customers_page(&rig, &pin).await;
    let program = rig.program(&pin).await;
    console::say(&rig, Some(KEY), &pin, "One").await;
    let before = console.state_where(|state| state["messages"] == 1).await;
    let rig = rig.restart().await;
    drop((page, program));
    assert!(console.next_until_end().await, "the channel says that the broker restarts");
    let mut console = Console::open(&rig, KEY).await;
    let after = console.follow(&pin).await;
    assert!(after["revision"].as_u64() > before["revision"].as_u64(), "{before} {after}");
    assert_eq!(after["happened"], before["happened"]);
    assert_eq!((arrival(&after), &after["presenter"]["is"]), ("agreed", &json!("leaving")));
    let second = json_of(console::say(&rig, Some(KEY), &pin, "Two").await).await;
    assert_eq!(second["number"], 2);
    rig.advance(Duration::from_secs(3 * 86_400)).await;
    console
        .state_where(|state| state["life"] == "expired" && state["presenter"]["is"] == "offline")
        .await;
}

#[tokio::test]
async fn a_console_that_reads_slowly_gets_few_states_and_the_newest() {
    const CHANGES: u64 = 800;
    let rig = broker().await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open_narrow(&rig, KEY).await;
    console.follow(&pin).await;
    let (typed, page) = (pin.parse().unwrap(), Uuid::new_v4());
    // Long names make long states: together more than the sockets' buffers hold.
    let name = "\u{1f600}".repeat(64);
    rig.handle().page_arrives(&typed, wire::Side::Presenter, page, &name).await.unwrap();
    let mut states = 0;
    for n in 0..CHANGES {
        let viewer = Uuid::from_u128((n % 20).into());
        rig.handle().page_arrives(&typed, wire::Side::Viewers, viewer, &name).await.unwrap();
        if n % 100 == 99 {
            // Whoever took nothing at all would be gone after a while, and the changes may take longer than that.
            console.next_of("state").await;
            states += 1;
        }
    }
    rig.handle().page_leaves(&typed, page).await;
    let newest = console.state_where(|state| {
        states += 1;
        state["presenter"]["is"] == "leaving"
    });
    assert_eq!(newest.await["participants"].as_array().unwrap().len(), 20);
    assert!(states < CHANGES, "{states}");
}

#[tokio::test]
async fn a_second_program_with_the_pin_is_seen() {
    let rig = broker().await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    let conf = rig.conf(&pin).await;
    let mut own = Page::connect(&rig, Uuid::new_v4()).await;
    let program = json!({ "version": "1", "platform": "p", "conf": conf });
    own.greet(&json!({ "session_pin": pin, "side": "presenter", "program": program })).await;
    let alone = console.state_where(|state| state["presenter"]["is"] == "online").await;
    assert_eq!(alone.get("other_program_ms"), None);
    let second = rig.program(&pin).await;
    assert_eq!(second.welcome["code"], "taken");
    console.state_where(|state| state["other_program_ms"].is_u64()).await;
}
