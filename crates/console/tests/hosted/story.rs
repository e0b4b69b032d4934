//! The whole story at a service that tells nothing but its hooks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    namespaces::inside,
    pages::Page,
    process::{Console, armed, pin_of},
    stand_in::{Hosted, PROGRAM},
};

const OVER_A_MINUTE: Duration = Duration::from_secs(61);

#[test]
fn from_pin_to_archived_transcript_by_hooks_alone() {
    inside(async |hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria Lopez").await;
        assert_eq!(detail["screen"], json!(null), "the service has no extension: {detail}");
        let pin = pin_of(&detail);
        sends_an_email_and_saves_the_program(&mut console, &session, &hosted).await;

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

        console.quit().await;
        let mut console = hosted.console(&[]).await;
        console.ask(json!({ "do": "show", "session": session })).await;
        let in_doubt = |d: &Value| {
            d["presenter"]["is"] == "unknown" && d["viewers"]["is"] == "unknown" && armed(d)
        };
        console.detail(&session, "both unknown, and armed again", in_doubt).await;

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
        let export = json!({ "do": "export", "session": session, "format": "text" });
        let text = console.ask(export).await["text"].take();
        assert!(text.as_str().unwrap().contains("Maria: The printer is out of toner"), "{text}");
        console.quit().await;
    });
}

async fn sends_an_email_and_saves_the_program(
    console: &mut Console,
    session: &str,
    hosted: &Hosted,
) {
    let to = "maria@example.org";
    let mail =
        json!({ "do": "mail", "session": session, "to": to, "to_customer": true, "when": "now" });
    assert_eq!(console.ask(mail).await["reply"], "done");
    // What becomes of it, such a service doesn't say.
    let accepted = |d: &Value| d["mails"][0]["state"] == "accepted";
    console.detail(session, "an accepted e-mail", accepted).await;
    assert_eq!(hosted.handle().outbox().len(), 1);

    let folder = hosted.folder().join("saved");
    std::fs::create_dir(&folder).unwrap();
    let save =
        json!({ "do": "save_program", "session": session, "confirmed": true, "path": folder });
    assert_eq!(console.ask(save).await["reply"], "done");
    let detail = console
        .detail(session, "the saved program", |d| d["program"]["state"]["is"] == "saved")
        .await;
    let path = detail["program"]["state"]["path"].as_str().unwrap();
    assert!(std::fs::read(path).unwrap().starts_with(PROGRAM));
}
