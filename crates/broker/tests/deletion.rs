//! A session that its console deletes: nothing of it is left here, and nobody else can have that done.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/console.rs"]
mod console;

use common::{Page, Rig, broker, json_of};
use console::{Console, KEY, OTHER_KEY};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// What people wrote and called themselves.
const WRITTEN: [&str; 4] = ["Zqxjk", "wvyqz", "bxqpfm", "kjqzw@example.com"];

async fn delete(rig: &Rig, key: Option<&str>, pin: &str) -> Response {
    let body = json!({ "session_pin": pin }).to_string();
    let mut call = rig.http.post(rig.url("/x/delete")).body(body);
    if let Some(key) = key {
        call = call.header("deskhand-console", key);
    }
    call.send().await.unwrap()
}

async fn chat(rig: &Rig, pin: &str) -> Vec<Value> {
    let chat = rig.get_json(&format!("/chat?session_pin={pin}")).await;
    chat["chat"].as_array().unwrap().clone()
}

/// A session with a chat, a name, an e-mail and a viewer's link; its program.
async fn session(rig: &Rig) -> (String, Page) {
    let pin = console::mint(rig, KEY).await;
    let program = Page::named(rig, &pin, "presenter", uuid::Uuid::new_v4(), WRITTEN[0]).await;
    assert_eq!(console::say(rig, Some(KEY), &pin, WRITTEN[1]).await.status(), 200);
    let asker = json!({ "session_pin": pin, "technician": WRITTEN[2] });
    assert_eq!(rig.put("/x/asker", &asker).await.status(), 200);
    let mail = json!({ "type": "viewer_started", "name": "Anna", "session_pin": pin });
    assert_eq!(rig.post(&format!("/email/{}", WRITTEN[3]), &mail).await.status(), 200);
    let link = json!({ "session_pin": pin, "role": "watch", "name": "Ben" });
    assert_eq!(rig.post("/x/viewer_link", &link).await.status(), 200);
    (pin, program)
}

/// Which of these texts are in the broker's files, once it has ended and written everything.
async fn in_files(rig: Rig) -> Vec<&'static str> {
    rig.running.shutdown().await;
    let files = std::fs::read_dir(rig.folder.path().join("data")).unwrap();
    let files: Vec<_> =
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default()).collect();
    let is_in =
        |file: &Vec<u8>, text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    WRITTEN.into_iter().filter(|text| files.iter().any(|file| is_in(file, text))).collect()
}

#[tokio::test]
async fn what_was_written_in_a_session_can_be_read_in_the_files_until_it_is_deleted() {
    let rig = broker().await;
    let (_, _page) = session(&rig).await;
    assert_eq!(in_files(rig).await, WRITTEN);
}

#[tokio::test]
async fn nothing_of_a_deleted_session_is_left_and_its_pin_is_over() {
    let rig = broker().await;
    let able = rig.get_json("/x/capabilities").await;
    assert_eq!(able["delete"], true);
    let (pin, mut program) = session(&rig).await;
    let (other, _page) = session(&rig).await;
    let mut follows = Console::open(&rig, KEY).await;
    follows.follow(&pin).await;
    for _ in 0..2 {
        assert_eq!(delete(&rig, Some(KEY), &pin).await.status(), 200, "it may be repeated");
    }
    assert_eq!(console::say(&rig, Some(KEY), &pin, WRITTEN[1]).await.status(), 410);
    assert_eq!(program.next_of("bye").await["code"], "revoked");
    let told = follows.state_where(|state| state["life"] == "revoked").await;
    assert_eq!((&told["mails"], &told["participants"]), (&json!([]), &json!([])));
    let rig = rig.restart().await;
    assert_eq!(chat(&rig, &pin).await, Vec::<Value>::new());
    assert_eq!(rig.get(&format!("/session_url?session_pin={pin}")).await.status(), 410);
    assert_eq!(rig.handle().outbox().len(), 1, "that of the other session");
    assert_eq!(chat(&rig, &other).await.len(), 1);
    assert_eq!(delete(&rig, Some(KEY), &other).await.status(), 200, "also after a restart");
    assert!(in_files(rig).await.is_empty());
}

#[tokio::test]
async fn nobody_but_its_console_can_delete_a_session() {
    let rig = broker().await;
    let (pin, _program) = session(&rig).await;
    for key in [None, Some(OTHER_KEY)] {
        assert_eq!(delete(&rig, key, &pin).await.status(), StatusCode::FORBIDDEN);
    }
    let unknown = delete(&rig, Some(KEY), "7W2-97-8570").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_of(unknown).await["success"], false);
    assert_eq!(chat(&rig, &pin).await.len(), 1);
}
