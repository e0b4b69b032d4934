//! Who asks for the screen, who is there and may see what, and guessing: what a session's own technician may do and
//! strangers may not.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod links;
mod program_places;

use std::{collections::BTreeMap, time::Duration};

use broker::Rates;
use common::{MINUTE, Page, Rig, Stream, broker, broker_with, endpoint, json_of};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{ConfText, loginwithme::Conf};

async fn viewer(rig: &Rig, hello: &Value) -> Page {
    let mut page = Page::connect(rig, Uuid::new_v4()).await;
    let mut hello = hello.clone();
    hello["side"] = json!("viewers");
    page.greet(&hello).await;
    page
}

async fn program(rig: &Rig, pin: &str, conf: Option<&str>) -> Page {
    let mut page = Page::connect(rig, Uuid::new_v4()).await;
    let mut hello = json!({
        "session_pin": pin, "side": "presenter", "name": "Maria",
        "program": { "version": "1.0.0", "platform": "linux-x86_64" },
    });
    if let Some(conf) = conf {
        hello["program"]["conf"] = json!(conf);
    }
    page.greet(&hello).await;
    page
}

/// The ticket of a new link.
async fn ticket(rig: &Rig, pin: &str, role: &str, name: &str) -> String {
    let body = json!({ "session_pin": pin, "role": role, "name": name });
    let link = json_of(rig.post("/x/viewer_link", &body).await).await;
    let url = link["url"].as_str().unwrap();
    assert!(!url.contains(pin), "{url}");
    let (page, fragment) = url.split_once("#ticket=").unwrap();
    assert_eq!(page, format!("{}/view", rig.running.origin()));
    fragment.split_once("&un=").unwrap().0.to_owned()
}

#[tokio::test]
async fn who_asks_is_told_to_everybody_and_stands_in_the_conf_also_after_a_restart() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let said =
        json!({ "session_pin": pin, "technician": "An\u{202e}na", "company": "Hel\u{7}p Ltd" });
    assert_eq!(rig.put("/x/asker", &said).await.status(), 200);
    let rig = rig.restart().await;
    let requester = rig.get_json(&format!("/x/asker?session_pin={pin}")).await;
    assert_eq!(requester, json!({ "success": true, "technician": "Anna", "company": "Help Ltd" }));
    let page = rig.page(&pin, "presenter").await;
    assert_eq!(page.welcome["asker"], json!({ "technician": "Anna", "company": "Help Ltd" }));
    let conf = Conf::decode(&ConfText::from(rig.conf(&pin).await)).unwrap();
    assert_eq!((conf.requester.technician.as_str(), conf.unattended), ("Anna", false));
    assert_eq!(conf.origin.as_deref(), Some(rig.running.origin()));
}

#[tokio::test]
async fn nobody_shares_unasked_unless_the_brokers_owner_allows_it() {
    for allowed in [false, true] {
        let rig = broker_with(|config| config.allow_unattended = allowed).await;
        let pin = rig.mint().await;
        let said = json!({ "session_pin": pin, "technician": "Anna", "unattended": true });
        let answer = rig.put("/x/asker", &said).await;
        assert_eq!(answer.status(), if allowed { 200 } else { 403 });
        let conf = Conf::decode(&ConfText::from(rig.conf(&pin).await)).unwrap();
        assert_eq!(conf.unattended, allowed);
    }
}

#[tokio::test]
async fn a_customer_of_the_network_says_neither_who_asks_nor_who_else_may_see() {
    let mut rig = broker().await;
    rig.running.open_to_network(endpoint()).await.unwrap();
    let (door, pin) = (rig.handle().customers_origin(), rig.mint().await);
    for (method, path) in [("PUT", "asker"), ("POST", "viewer_link")] {
        let body = json!({ "session_pin": pin, "technician": "Mallory", "role": "control" });
        let url = format!("{door}/api/v1/x/{path}");
        let request = rig.http.request(method.parse().unwrap(), url).body(body.to_string());
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn a_program_that_shares_is_seen_to_share_and_a_page_is_not() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "viewers").await;
    assert_eq!(page.welcome["sharing"], "none");
    let stand_in = rig.page(&pin, "presenter").await;
    assert_eq!(page.roster_where(|r| r["presenter"] == "Maria").await["sharing"], "none");
    stand_in.close(&rig).await;
    let mut presenter = rig.program(&pin).await;
    page.roster_where(|roster| roster["sharing"] == "shared").await;
    presenter.send(&json!({ "type": "sharing", "state": "paused" })).await;
    page.roster_where(|roster| roster["sharing"] == "paused").await;
    presenter.send(&json!({ "type": "sharing", "state": "none" })).await;
    assert_eq!(presenter.next_of("refused").await["code"], "malformed");
    page.send(&json!({ "type": "sharing", "state": "shared" })).await;
    assert_eq!(page.next_of("refused").await["code"], "malformed");
    let there = json_of(rig.post("/x/roster", &json!({ "session_pin": pin })).await).await;
    assert_eq!(there["sharing"], "paused");
    let program = json!({ "name": "Maria", "platform": "linux-x86_64", "version": "1.0.0" });
    assert_eq!(there["presenter"], program);
    assert_eq!(there["watchers"][0]["role"], "control");
    presenter.close(&rig).await;
    page.roster_where(|roster| roster["sharing"] == "none").await;
}

/// The broker passes on who waits and what the technician answers; whether it counts is the program's to decide.
#[tokio::test]
async fn who_waits_is_told_to_the_viewers_and_an_answer_to_the_program() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut viewer = rig.page(&pin, "viewers").await;
    let mut first = program(&rig, &pin, None).await;
    let waits = json!({
        "challenge": "c", "page": "p", "name": "Ben", "role": "watch", "sealed": false, "invited": false,
    });
    viewer.send(&json!({ "type": "waiting", "viewers": [waits] })).await;
    assert_eq!(viewer.next_of("refused").await["code"], "malformed");
    first.send(&json!({ "type": "waiting", "viewers": vec![waits.clone(); 40] })).await;
    let roster = viewer.roster_where(|roster| roster.get("waiting").is_some()).await;
    assert_eq!(roster["waiting"], json!(vec![waits.clone(); 32]));
    let answer = json!({ "type": "admit", "challenge": "c", "lets_in": true, "pairing": "i", "signature": "s" });
    first.send(&answer).await;
    assert_eq!(first.next_of("refused").await["code"], "malformed");
    viewer.send(&answer).await;
    assert_eq!(first.next_of("admit").await, answer);
    let mut long = waits;
    long["name"] = json!("n".repeat(300));
    first.send(&json!({ "type": "waiting", "viewers": [long] })).await;
    assert_eq!(first.next_of("refused").await["code"], "malformed");
    first.send(&json!({ "type": "waiting", "viewers": [] })).await;
    viewer.roster_where(|roster| roster.get("waiting").is_none()).await;
}

/// Only the program knows it, and only the program's word counts.
#[tokio::test]
async fn a_program_that_leaves_says_why_and_the_viewers_are_told() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut viewer = rig.page(&pin, "viewers").await;
    let mut other = rig.page(&pin, "viewers").await;
    let mut first = program(&rig, &pin, None).await;
    viewer.roster_where(|roster| roster["sharing"] == "shared").await;
    other.send(&json!({ "type": "leave", "why": "stopped" })).await;
    viewer.roster_where(|roster| roster["viewers"].as_array().unwrap().len() == 1).await;
    first.send(&json!({ "type": "leave", "why": "interfered" })).await;
    viewer
        .roster_where(|roster| roster["sharing"] == "none" && roster["sharing_end"] == "interfered")
        .await;
    // Started again, it shares again; one that leaves without a word gives no reason.
    let mut again = program(&rig, &pin, None).await;
    let shares =
        |roster: &Value| roster["sharing"] == "shared" && roster.get("sharing_end").is_none();
    viewer.roster_where(shares).await;
    again.send(&json!({ "type": "leave", "why": "a reason of a later version" })).await;
    viewer.roster_where(|roster| roster["sharing_end"] == "other").await;
}

#[tokio::test]
async fn a_companion_reads_and_chats_and_is_not_there() {
    let rig = broker().await;
    let (mut receiver, pin) = (common::Receiver::start(), rig.mint().await);
    rig.arm_all(&pin, &receiver).await;
    let mut companion = Page::connect(&rig, Uuid::new_v4()).await;
    companion
        .greet(&json!({ "session_pin": pin, "side": "presenter", "companion": true, "name": "M" }))
        .await;
    assert_eq!(companion.welcome["presenter"], Value::Null);
    rig.handle().idle().await;
    receiver.expect_nothing();
    let presenter = rig.program(&pin).await;
    assert_eq!(receiver.next().await.0, "presenter_started");
    companion.roster_where(|roster| roster["presenter"] == "Maria").await;
    companion.send(&json!({ "type": "chat", "name": "Maria", "body": "hello" })).await;
    assert_eq!(companion.next_of("chat").await["message"]["body"], "hello");
    companion.send(&json!({ "type": "leave" })).await;
    while !companion.next().await.is_null() {}
    rig.advance(MINUTE * 2).await;
    receiver.expect_nothing();
    presenter.close(&rig).await;
}

#[tokio::test]
async fn the_customer_is_told_of_a_saved_picture() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut presenter = rig.program(&pin).await;
    let mut page = Page::named(&rig, &pin, "viewers", Uuid::new_v4(), "Anna").await;
    page.send(&json!({ "type": "snapshot" })).await;
    assert_eq!(presenter.next_of("snapshot").await["by"], "Anna");
    presenter.send(&json!({ "type": "snapshot" })).await;
    assert_eq!(presenter.next_of("refused").await["code"], "malformed");
}

#[tokio::test]
async fn quality_is_bounded_and_told_on_every_two_seconds_at_most() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut presenter = rig.program(&pin).await;
    let mut page = rig.page(&pin, "viewers").await;
    let _stream = Stream::pair(&rig, &page, &mut presenter).await;
    // Both ends know that they are joined before everybody is told.
    presenter.roster_where(|roster| roster["watchers"][0]["watching"] == true).await;
    let quality = |ms: u64, fps: u64| json!({ "type": "quality", "latency_ms": ms, "fps": fps });
    let seen = |roster: &Value| roster["watchers"][0]["latency_ms"].clone();
    page.send(&quality(4_000_000_000, 60_000)).await;
    let told = presenter.roster_where(|roster| !seen(roster).is_null()).await;
    assert_eq!((&seen(&told), &told["watchers"][0]["fps"]), (&json!(60_000), &json!(1_000)));
    for ms in 1..=5 {
        page.send(&quality(ms, 30)).await;
    }
    // The next message comes after these were handled, so they were not passed on.
    page.send(&json!({ "type": "chat", "name": "A", "body": "now" })).await;
    assert_eq!(presenter.next().await["type"], "chat");
    rig.advance(Duration::from_secs(2)).await;
    page.send(&quality(12, 30)).await;
    assert_eq!(seen(&presenter.next_of("presence").await), 12);
    for wrong in [json!({ "type": "quality" }), quality(u64::MAX, 1)] {
        page.send(&wrong).await;
        assert_eq!(page.next_of("refused").await["code"], "malformed");
    }
}

#[tokio::test]
async fn a_session_has_as_many_viewers_as_it_can_have_and_one_that_returns_is_none_more() {
    let rig = broker_with(|config| config.rates.local.viewers_by_pin = 2).await;
    let pin = rig.mint().await;
    let _one = rig.page(&pin, "viewers").await;
    let two = rig.page(&pin, "viewers").await;
    assert_eq!(rig.page(&pin, "viewers").await.welcome["code"], "too_many");
    let again = Page::open(&rig, &pin, "viewers", two.id).await;
    assert_eq!(again.welcome["type"], "welcome");
}

/// Pages that come and go under ever new ids.
#[tokio::test]
async fn neighbours_with_the_pin_leave_room_for_those_who_are_invited() {
    let rig = broker_with(|config| config.rates.local.viewers_by_pin = 8).await;
    let pin = rig.mint().await;
    let mut neighbours = Vec::new();
    for _ in 0..6 {
        neighbours.push(rig.page(&pin, "viewers").await);
    }
    assert_eq!(rig.page(&pin, "viewers").await.welcome["code"], "too_many");
    neighbours.pop().unwrap().close(&rig).await;
    neighbours.push(rig.page(&pin, "viewers").await);
    for name in ["Ben", "Eve"] {
        let ticket = ticket(&rig, &pin, "watch", name).await;
        let mut invited = Page::connect(&rig, Uuid::new_v4()).await;
        invited.greet(&json!({ "ticket": ticket, "side": "viewers", "name": name })).await;
        assert_eq!(invited.welcome["type"], "welcome", "{}", invited.welcome);
        neighbours.push(invited);
    }
}

#[tokio::test]
async fn the_page_of_another_cannot_be_taken_by_what_the_roster_tells() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let page = rig.page(&pin, "viewers").await;
    let told = page.welcome["watchers"][0]["page"].as_str().unwrap();
    assert_eq!(page.welcome["you"], told);
    assert!(!page.id.simple().to_string().contains(told));
}

#[tokio::test]
async fn ten_thousand_guesses_get_nowhere() {
    let rates = Rates { guess_delay: Duration::ZERO, ..Rates::network() };
    let rig = broker_with(|config| config.rates.local = rates).await;
    let pin = rig.mint().await;
    let mut answers: BTreeMap<u16, u32> = BTreeMap::new();
    let mut codes: BTreeMap<String, u32> = BTreeMap::new();
    for guess in 0..10_000_u32 {
        let wrong = format!("{:03}-{:02}-AAAA", guess % 1_000, guess / 1_000);
        let hello = json!({ "session_pin": wrong });
        match guess % 500 {
            0 => {
                let code = viewer(&rig, &hello).await.welcome["code"].clone();
                *codes.entry(code.as_str().unwrap().to_owned()).or_default() += 1;
            }
            1 => {
                let watch = json!({ "type": "watch", "key": wrong });
                let code =
                    Stream::open(rig.running.origin(), &watch).await.answer().await["code"].clone();
                *codes.entry(code.as_str().unwrap().to_owned()).or_default() += 1;
            }
            2 => {
                let code = viewer(&rig, &json!({ "ticket": wrong })).await.welcome["code"].clone();
                *codes.entry(code.as_str().unwrap().to_owned()).or_default() += 1;
            }
            _ => {
                let status = rig.post("/x/roster", &hello).await.status().as_u16();
                *answers.entry(status).or_default() += 1;
            }
        }
    }
    let told = answers[&404] + codes["unknown_pin"] + codes["unknown"];
    assert_eq!(told, 20, "{answers:?} {codes:?}");
    assert_eq!(answers[&429] + codes["too_many"], 9_980);
    let right = json!({ "session_pin": pin });
    assert_eq!(rig.post("/x/roster", &right).await.status(), 429, "not even the right one");
    rig.advance(MINUTE * 15).await;
    assert_eq!(rig.post("/x/roster", &right).await.status(), 200);
}
