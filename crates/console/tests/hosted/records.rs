//! What a hosted service makes the console record and say, beside its sessions' states.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::{
    namespaces::inside,
    pages::Page,
    process::{armed, pin_of},
    stand_in::{Front, Hosted},
};

#[test]
fn a_consent_by_a_flag_is_recorded_with_who_and_when_and_once() {
    inside(async |hosted: Hosted| {
        // Seen for the first time, and then once more.
        for _ in 0..2 {
            let mut console = hosted.console(&["--licence-consent", "true"]).await;
            let settings = console.ask(json!({ "do": "settings" })).await["settings"].take();
            assert_eq!(settings["licence_consent_by"], "anna", "the system's user: {settings}");
            let at = settings["licence_consent_at"].as_str().unwrap_or_default();
            assert!(at.parse::<jiff::Timestamp>().is_ok(), "{settings}");
            let audit = console.ask(json!({ "do": "audit" })).await;
            let entries = audit["entries"].as_array().unwrap();
            let accepted = entries.iter().filter(|entry| entry["action"] == "licence_accepted");
            assert_eq!(accepted.count(), 1, "{audit}");
            console.quit().await;
        }
    });
}

#[test]
fn a_firewall_that_refuses_the_hooks_of_a_live_session_is_named_and_ends_nothing() {
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&["--heartbeat-s", "5"]).await;
        let (session, detail) = console.new_session("Maria").await;
        let _customer = Page::open(&pin_of(&detail), "presenter", "Maria").await;
        let ready = |d: &Value| d["row"]["state"]["kind"] == "ready" && armed(d);
        console.detail(&session, "ready", ready).await;
        // Exactly this path is that of the hooks' calls.
        let locations = "location = /api/v1/hook/ \
                         { default_type text/html; return 403 '<html>Blocked</html>'; }";
        hosted.serve(Front { locations, ..Front::default() }).await;
        console.forget();
        let refused = |hook: &Value| {
            hook["lamp"] == "failed"
                && hook["failure"]["text"].as_str().is_some_and(|text| {
                    text.contains("firewall or gateway") && text.contains("403")
                })
                && hook["failure"]["remedy"].as_str().is_some_and(|text| !text.is_empty())
        };
        let all_refused = |d: &Value| d["hooks"].as_array().unwrap().iter().all(refused);
        let detail = console.detail(&session, "four refused hooks", all_refused).await;
        let state = &detail["row"]["state"]["kind"];
        assert!(
            !["ended", "expired", "closed", "failed"].map(Value::from).contains(state),
            "{state}"
        );
        assert!(detail["pin"]["text"].is_string(), "the PIN is as good as before: {detail}");

        hosted.serve(Front::default()).await;
        console.forget();
        console.detail(&session, "armed again", armed).await;
        console.quit().await;
    });
}

/// The most of a chat that is read, in bytes.
const MOST: usize = 32 << 20;

#[test]
fn a_chat_that_is_larger_than_what_is_read_is_said_with_the_limit() {
    inside(async |mut hosted: Hosted| {
        let file = hosted.folder().join("chat.json");
        write_large_chat(&file);
        let locations = &format!(
            "location = /api/v1/chat {{ default_type application/json; alias {}; }}",
            file.display()
        );
        hosted.serve(Front { locations, ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria").await;
        // While somebody is there the chat is fetched more often.
        let _customer = Page::open(&pin_of(&detail), "presenter", "Maria").await;
        let said = |d: &Value| {
            let text = d["chat_trouble"]["text"].as_str().unwrap_or_default();
            text.contains("has more than") && text.contains("the most that is read")
        };
        let detail = console.detail(&session, "that the chat is too large", said).await;
        let text = detail["chat_trouble"]["text"].as_str().unwrap();
        assert!(text.contains("33.6 MB"), "{text}");
        console.quit().await;
    });
}

/// One message that is a byte too long.
fn write_large_chat(file: &std::path::Path) {
    let message = json!({ "guid": "a", "timestamp": 1_700_000_000, "subject": "Maria", "body": "x".repeat(MOST) });
    let mut file = std::fs::File::create(file).unwrap();
    file.write_all(json!({ "success": true, "chat": [message] }).to_string().as_bytes()).unwrap();
}
