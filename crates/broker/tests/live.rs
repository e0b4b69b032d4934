//! Pages: presence and chat over WebSockets, and the pages themselves.
#![allow(clippy::unwrap_used)]

mod common;

use broker::Rate;
use common::{MINUTE, Page, broker, broker_with};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite};
use uuid::Uuid;

#[tokio::test]
async fn both_sides_see_who_comes_and_goes() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut viewer = Page::named(&rig, &pin, "viewers", Uuid::new_v4(), "Anna").await;
    assert_eq!(
        (&viewer.welcome["presenter"], &viewer.welcome["viewers"]),
        (&Value::Null, &json!(["Anna"]))
    );
    assert_eq!(viewer.next_of("presence").await["viewers"], json!(["Anna"]));
    let presenter = Page::named(&rig, &pin, "presenter", Uuid::new_v4(), "Maria").await;
    assert_eq!(viewer.next_of("presence").await["presenter"], "Maria");
    presenter.close(&rig).await;
    assert_eq!(viewer.next_of("presence").await["presenter"], Value::Null);
}

#[tokio::test]
async fn what_one_says_all_hear_and_who_comes_later_reads_it() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut viewer = rig.page(&pin, "viewers").await;
    let mut presenter = rig.page(&pin, "presenter").await;
    viewer.send(&json!({ "type": "chat", "name": "An\u{202e}na", "body": " hello\nthere " })).await;
    for page in [&mut viewer, &mut presenter] {
        let message = page.next_of("chat").await["message"].clone();
        assert_eq!(
            (&message["subject"], &message["body"]),
            (&json!("Anna"), &json!("hello\nthere"))
        );
    }
    let late = rig.page(&pin, "viewers").await;
    assert_eq!(late.welcome["chat"][0]["body"], "hello\nthere");
    let transcript = rig.get_json(&format!("/chat?session_pin={pin}")).await;
    assert_eq!(transcript["chat"][0]["guid"], late.welcome["chat"][0]["guid"]);
}

#[tokio::test]
async fn a_ping_is_answered_and_who_answers_none_is_gone() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut viewer = rig.page(&pin, "viewers").await;
    viewer.send(&json!({ "type": "ping" })).await;
    viewer.next_of("pong").await;
    let silent = rig.program(&pin).await;
    silent.falls_silent();
    viewer.roster_where(|roster| roster["sharing"] == "shared").await;
    let after = viewer.roster_where(|roster| roster["sharing"] == "none").await;
    assert_eq!((&after["presenter"], &after["viewers"]), (&Value::Null, &json!(["Maria"])));
}

#[tokio::test]
async fn chat_is_limited_in_length_and_rate() {
    let rig = broker_with(|config| config.rates.local.chat = Rate::new(2, 10)).await;
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "viewers").await;
    let chat = |body: &str| json!({ "type": "chat", "name": "A", "body": body });
    for wrong in ["x".repeat(2_001), " \n".into(), String::new()] {
        page.send(&chat(&wrong)).await;
        assert_eq!(page.next_of("refused").await["code"], "malformed");
    }
    for body in ["a", "b", "c"] {
        page.send(&chat(body)).await;
    }
    assert_eq!(page.next_of("refused").await["code"], "too_many");
    rig.advance(MINUTE).await;
    page.send(&chat("d")).await;
    while page.next_of("chat").await["message"]["body"] != "d" {}
}

#[tokio::test]
async fn a_second_presenter_takes_the_firsts_place() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut first = rig.page(&pin, "presenter").await;
    let second = rig.page(&pin, "presenter").await;
    assert_eq!(first.next_of("bye").await["code"], "replaced");
    assert_eq!(first.next().await, Value::Null);
    assert_eq!(second.welcome["type"], "welcome");
}

#[tokio::test]
async fn a_wrong_hello_is_refused_with_a_code_and_the_connection_ends() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let id = Uuid::new_v4();
    let hello =
        |pin: &str| json!({ "type": "hello", "session_pin": pin, "side": "viewers", "page": id });
    for (message, code) in [
        (hello("AAA-AA-AAAA"), "unknown_pin"),
        (hello("nonsense"), "malformed"),
        (json!({ "type": "chat", "body": "x" }), "malformed"),
        (json!({ "type": "hello", "session_pin": pin, "side": "nobody", "page": id }), "malformed"),
        (json!({ "type": "hello", "session_pin": pin, "side": "viewers", "page": 7 }), "malformed"),
        (json!([1, 2]), "malformed"),
    ] {
        let mut page = Page::connect(&rig, id).await;
        page.send(&message).await;
        assert_eq!(page.next().await["code"], code, "{message}");
        assert_eq!(page.next().await, Value::Null);
    }
}

#[tokio::test]
async fn garbage_after_the_hello_is_refused_and_a_huge_message_ends_the_connection() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "viewers").await;
    page.send(&json!({ "type": "nonsense" })).await;
    assert_eq!(page.next_of("refused").await["code"], "malformed");
    page.send(&json!({ "type": "chat", "body": "x".repeat(20_000) })).await;
    assert_eq!(page.next().await, Value::Null);
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_live_connection() {
    let rig = broker_with(|config| config.compat_cors = true).await;
    for (origin, opens) in [("https://evil.example", false), (rig.running.origin(), true)] {
        let url = format!("{}/live", rig.running.origin().replace("http", "ws"));
        let mut request = tungstenite::client::IntoClientRequest::into_client_request(url).unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(connect_async(request).await.is_ok(), opens, "{origin}");
    }
}

#[tokio::test]
async fn one_client_has_no_more_than_its_share_of_live_connections() {
    let rig = broker_with(|config| config.rates.local.connections_by_client = 1).await;
    let pin = rig.mint().await;
    // An IPv4 address is an owner, which has four times as many as one of several addresses.
    let first = rig.page(&pin, "viewers").await;
    let _others = [
        rig.page(&pin, "viewers").await,
        rig.page(&pin, "viewers").await,
        rig.page(&pin, "viewers").await,
    ];
    assert_eq!(rig.page(&pin, "viewers").await.welcome["code"], "too_many");
    first.close(&rig).await;
    assert_eq!(rig.page(&pin, "viewers").await.welcome["type"], "welcome");
}

#[tokio::test]
async fn pages_are_told_to_come_back_when_the_broker_restarts() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "presenter").await;
    let rig = rig.restart().await;
    assert_eq!(page.next_of("bye").await["code"], "restarting");
    let again = Page::open(&rig, &pin, "presenter", page.id).await;
    assert_eq!(again.welcome["resumed"], true);
}

#[tokio::test]
async fn every_page_forbids_what_is_inline_framed_or_from_elsewhere() {
    let rig = broker().await;
    for path in ["/", "/join", "/view?session_pin=7W2-97-8570&un=&ro=true"] {
        let answer = rig.http.get(format!("{}{path}", rig.running.origin())).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for part in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "ws://127.0.0.1:"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let html = answer.text().await.unwrap();
        for inline in ["style=", "<style", "onclick", "onload", "<script>", "7W2"] {
            assert!(!html.contains(inline), "{path}: {inline}");
        }
    }
    for script in ["front.js", "join.js", "pin.js", "pages.css", "icon.svg"] {
        let url = format!("{}/assets/{script}", rig.running.origin());
        let answer = rig.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{script}");
        let text = answer.text().await.unwrap();
        for markup in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("] {
            assert!(!text.contains(markup), "{script}: {markup}");
        }
    }
}
