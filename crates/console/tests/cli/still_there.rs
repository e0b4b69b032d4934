//! A session that has ended while its customer is still there: it can be opened, answered and closed, also after a
//! restart.

use std::time::Duration;

use broker::{Broker, Config, Handle};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{Pin, Side, session_events::PinLife};

use crate::process::{Console, armed, pin_of};

const OVER_A_MINUTE: Duration = Duration::from_secs(61);

/// The customer writes; the technician reads it, answers, and opens the session.
async fn is_reached(
    console: &mut Console,
    broker: &Handle,
    (session, pin, customer): (&str, &Pin, Uuid),
    messages: u64,
) {
    let ended = console.state(session, "ended").await;
    assert_eq!(ended["row"]["state"]["detail"], "still connected", "{}", ended["row"]);
    assert_eq!(ended["row"]["live"], true);
    broker.page_says(pin, customer, "Maria", "are you still there?").await.unwrap();
    console.detail(session, "the question", |d| d["chat_total"] == messages + 1).await;
    let said = console.ask(json!({ "do": "say", "session": session, "text": "Yes." })).await;
    assert_eq!(said["reply"], "done", "{said}");
    console.detail(session, "the answer", |d| d["chat_total"] == messages + 2).await;
    assert_eq!(broker.facts(pin).unwrap().messages, messages + 2, "the customer has it, too");
    let link = json!({ "do": "viewer_link", "session": session, "read_only": false });
    let link = console.ask(link).await;
    assert!(link["url"].as_str().is_some_and(|url| url.contains("/view")), "{link}");
    // Somebody follows it.
    let viewer = Uuid::new_v4();
    console.forget();
    broker.page_arrives(pin, Side::Viewers, viewer, "Tom").await.unwrap();
    console.state(session, "active").await;
    console.detail(session, "re-armed", armed).await;
    console.forget();
    assert!(broker.page_leaves(pin, viewer).await);
    broker.advance(OVER_A_MINUTE).await;
}

#[tokio::test]
async fn a_session_whose_customer_is_still_there_can_be_opened_answered_and_closed() {
    let home = tempfile::tempdir().unwrap();
    let broker = Broker::start(Config::embedded(home.path().join("broker"))).await.unwrap();
    let (handle, base_url) = (broker.handle(), broker.base_url());
    let words = ["--base-url", base_url.as_str()];
    let mut console = Console::start(home.path(), &words).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    let (customer, viewer) = (Uuid::new_v4(), Uuid::new_v4());
    handle.page_arrives(&pin, Side::Presenter, customer, "Maria").await.unwrap();
    handle.page_arrives(&pin, Side::Viewers, viewer, "Tom").await.unwrap();
    let both = |d: &Value| d["row"]["state"]["kind"] == "active" && armed(d);
    console.detail(&session, "active", both).await;
    assert!(handle.page_leaves(&pin, viewer).await);
    handle.advance(OVER_A_MINUTE).await;
    is_reached(&mut console, &handle, (&session, &pin, customer), 0).await;

    console.signal("KILL");
    assert_eq!(console.ended().await, None);
    let mut console = Console::start(home.path(), &words).await;
    console.ask(json!({ "do": "show", "session": session })).await;
    is_reached(&mut console, &handle, (&session, &pin, customer), 2).await;

    console.state(&session, "ended").await;
    let close = json!({ "do": "close", "session": session, "outcome": "resolved", "note": "" });
    assert_eq!(console.ask(close).await["reply"], "done");
    let is_over = |d: &Value| d["row"]["state"]["detail"] == "resolved";
    console.detail(&session, "the PIN is ended", is_over).await;
    assert_eq!(handle.facts(&pin).unwrap().life, PinLife::Revoked);
    console.quit().await;
    broker.shutdown().await;
}
