//! What a viewer may do who comes by a link, with its ticket, or with nothing but the PIN.

use serde_json::json;
use uuid::Uuid;

use crate::{
    common::{Page, broker, json_of},
    ticket, viewer,
};

#[tokio::test]
async fn a_viewers_link_gives_its_role_and_no_more_survives_a_restart_and_ends_with_the_pin() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let watch = ticket(&rig, &pin, "watch", "Anna").await;
    let control = ticket(&rig, &pin, "control", "Ben").await;
    let rig = rig.restart().await;
    let page = viewer(&rig, &json!({ "ticket": watch, "ro": false })).await;
    assert_eq!(
        (&page.welcome["role"], &page.welcome["viewers"]),
        (&json!("watch"), &json!(["Anna"]))
    );
    let page = viewer(&rig, &json!({ "ticket": control, "name": "Other" })).await;
    assert_eq!(page.welcome["role"], "control");
    assert!(page.welcome["viewers"].as_array().unwrap().contains(&json!("Other")));
    let lowered = viewer(&rig, &json!({ "ticket": control, "ro": true })).await;
    assert_eq!(lowered.welcome["role"], "watch");

    let forged = viewer(&rig, &json!({ "ticket": "guessed" })).await;
    assert_eq!(forged.welcome["code"], "unknown");
    rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    assert_eq!(viewer(&rig, &json!({ "ticket": watch })).await.welcome["code"], "pin_over");
}

#[tokio::test]
async fn a_ticket_lets_nobody_in_as_presenter() {
    let rig = broker().await;
    let ticket = ticket(&rig, &rig.mint().await, "control", "").await;
    let mut page = Page::connect(&rig, Uuid::new_v4()).await;
    page.greet(&json!({ "ticket": ticket, "side": "presenter" })).await;
    assert_eq!(page.welcome["code"], "malformed");
}

#[tokio::test]
async fn a_wrong_request_for_a_link_is_named() {
    let rig = broker().await;
    let pin = rig.mint().await;
    for (body, named) in [
        (json!({ "session_pin": pin }), "role"),
        (json!({ "session_pin": pin, "role": "admin" }), "role"),
        (json!({ "session_pin": "x", "role": "watch" }), "session_pin"),
        (json!({ "session_pin": pin, "role": "watch", "name": 7 }), "name"),
    ] {
        let answer = rig.post("/x/viewer_link", &body).await;
        assert_eq!(answer.status(), 400);
        let error = json_of(answer).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains(named), "{error}");
    }
    let body = json!({ "session_pin": pin, "unattended": "yes" });
    assert_eq!(rig.put("/x/asker", &body).await.status(), 400);
}

#[tokio::test]
async fn with_the_pin_a_viewer_may_control_unless_it_says_otherwise() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let page = viewer(&rig, &json!({ "session_pin": pin })).await;
    assert_eq!(page.welcome["role"], "control");
    let page = viewer(&rig, &json!({ "session_pin": pin, "ro": true })).await;
    assert_eq!(page.welcome["role"], "watch");
    assert!(rig.page(&pin, "presenter").await.welcome.get("watch_key").is_none());
}
