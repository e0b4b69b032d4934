//! The whole story at a service that tells nothing but its hooks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    namespaces::inside,
    pages::Page,
    process::armed,
    stand_in::{Hosted, pin_of},
};

const OVER_A_MINUTE: Duration = Duration::from_secs(61);

#[test]
fn from_pin_to_archived_transcript_by_hooks_alone() {
    inside(async |hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria Lopez").await;
        assert_eq!(detail["screen"], json!(null), "the service has no extension: {detail}");
        let pin = pin_of(&detail);

        let customer = Page::open(&pin, "presenter", "Maria").await;
        console.happening(&session, "presenter_online").await;
        console
            .detail(&session, "ready", |d| d["row"]["state"]["kind"] == "ready" && armed(d))
            .await;
        let viewer = Page::open(&pin, "viewers", "Tom").await;
        console.happening(&session, "viewer_joined").await;
        console
            .detail(&session, "active", |d| d["row"]["state"]["kind"] == "active" && armed(d))
            .await;
        // Anybody may have the technician's name: nothing here shows that it was they who wrote.
        let namesake = json!({ "do": "configure", "changes": { "technician": "Maria" } });
        console.ask(namesake).await;
        customer.says("The printer is out of toner");
        console.detail(&session, "the chat", |d| d["chat_total"] == 1).await;
        let unread = |d: &Value| d["row"]["unread"] == 1 && d["chat"][0]["side"] == json!(null);
        console.detail(&session, "an unread message", unread).await;
        let arrived = console.happening(&session, "chat_arrived").await;
        assert_eq!(arrived["notify"], true, "{arrived}");

        viewer.leaves().await;
        customer.leaves().await;
        hosted.handle().advance(OVER_A_MINUTE).await;
        console.happening(&session, "viewers_gone").await;
        console.happening(&session, "presenter_offline").await;
        console
            .detail(&session, "ended", |d| d["row"]["state"]["kind"] == "ended" && armed(d))
            .await;
        let close = json!({ "do": "close", "session": session, "outcome": "resolved" });
        assert_eq!(console.ask(close).await["reply"], "done");
        let closed =
            |d: &Value| d["row"]["state"]["kind"] == "closed" && d["transcript"]["is"] == "saved";
        let detail = console.detail(&session, "closed", closed).await;
        assert_eq!(detail["transcript"]["messages"], 1);
        let found = console.ask(json!({ "do": "search", "query": "toner" })).await;
        assert_eq!(found["hits"][0]["session"], session, "{found}");
        console.quit().await;
    });
}
