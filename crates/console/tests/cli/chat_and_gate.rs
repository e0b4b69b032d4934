//! Chat needs no verification: whoever isn't verified yet has to be talked to.

use broker::{Broker, Config};
use serde_json::json;
use uuid::Uuid;
use wire::Side;

use crate::process::{Console, pin_of};

#[tokio::test]
async fn a_gate_that_is_shut_keeps_out_viewers_and_no_message() {
    let home = tempfile::tempdir().unwrap();
    let broker = Broker::start(Config::embedded(home.path().join("broker"))).await.unwrap();
    let (handle, base_url) = (broker.handle(), broker.base_url());
    let words = ["--base-url", base_url.as_str(), "--verify-gate", "require"];
    let mut console = Console::start(home.path(), &words).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    let customer = Uuid::new_v4();
    handle.page_arrives(&pin, Side::Presenter, customer, "Maria").await.unwrap();
    console.state(&session, "ready").await;
    let link = json!({ "do": "viewer_link", "session": session, "read_only": true });
    let refused = console.ask(link.clone()).await;
    assert_eq!(refused["error"]["code"], "verify", "{refused}");

    handle.page_says(&pin, customer, "Maria", "Who are you?").await.unwrap();
    console.detail(&session, "the question", |d| d["chat_total"] == 1).await;
    let said = console.ask(json!({ "do": "say", "session": session, "text": "Anna." })).await;
    assert_eq!(said["reply"], "done", "{said}");
    let answered = console.detail(&session, "the answer", |d| d["chat_total"] == 2).await;
    assert_eq!(answered["gate"]["open"], false, "{answered}");
    assert_eq!(handle.facts(&pin).unwrap().messages, 2, "the customer has it");
    assert_eq!(console.ask(link).await["error"]["code"], "verify");
    console.quit().await;
    broker.shutdown().await;
}
