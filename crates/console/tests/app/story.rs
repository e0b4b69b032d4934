//! The main job, from PIN to archived transcript.

use console::{reply::Reply, view::FactKind};
use serde_json::json;

use crate::rig::{GONE, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_from_its_pin_to_its_archived_transcript() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    rig.seen.label(&id, "Waiting").await;
    let detail = &rig.seen.details[&id];
    assert_eq!(detail.pin.as_ref().unwrap().spelled.len(), pin.len());
    assert!(detail.pin.as_ref().unwrap().join_link.as_ref().unwrap().ends_with(&pin));

    let mut customer = rig.page(&pin, "presenter", "Maria").await;
    let online = rig.seen.event("presenter_online").await;
    assert_eq!((online.text.as_str(), online.notify), ("Maria Lopez is online", true));
    rig.seen.label(&id, "Ready").await;
    rig.seen.armed(&id).await;

    let viewer = rig.page(&pin, "viewers", "Anna").await;
    rig.seen.label(&id, "Active").await;
    customer.say("Maria", "the printer says <b>PC LOAD LETTER</b>\u{202E}").await;
    rig.seen.detail(&id, "the message", |detail| (detail.chat.len() == 1).then_some(())).await;
    let line = rig.seen.details[&id].chat[0].clone();
    assert!(!line.text.contains('\u{202E}'), "{}", line.text);
    rig.seen.until("an unread message", |s| (s.rows[&id].unread == 1).then_some(())).await;
    rig.ask(json!({ "do": "read", "session": id })).await;
    rig.seen.until("no unread message", |s| (s.rows[&id].unread == 0).then_some(())).await;

    viewer.close().await;
    rig.advance(GONE).await;
    rig.seen.label(&id, "Ended").await;
    assert_eq!(rig.seen.rows[&id].state.detail, "still connected");
    let saved = rig.seen.event("transcript_saved").await;
    assert_eq!(saved.text, "Transcript of Maria Lopez's session saved (1 message)");
    let found = rig.ask(json!({ "do": "search", "query": "letter" })).await;
    let Reply::Found { hits, .. } = found else { panic!("not found") };
    assert_eq!(
        (hits.len(), hits[0].session.as_str(), hits[0].place.as_str()),
        (1, id.as_str(), "message")
    );

    // The viewer comes back: it lives again.
    let _again = rig.page(&pin, "viewers", "Anna").await;
    rig.seen.label(&id, "Active").await;

    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved", "note": "Paper" })).await;
    rig.seen.label(&id, "Closed").await;
    rig.seen.detail(&id, "the end of the PIN", |d| d.pin.is_none().then_some(())).await;
    let Reply::Detail { detail } = rig.ask(json!({ "do": "detail", "session": id })).await else {
        panic!("no detail")
    };
    assert_eq!(detail.note, "Paper");
    assert_eq!(detail.presenter.is, FactKind::Online);
    assert!(detail.log.iter().any(|line| line.text.contains("closed the session: resolved")));
    assert!(!detail.timeline.presenter.is_empty());
    rig.app.stop().await;
    assert!(rig.seen.ended().await);
    let leaks: Vec<_> = rig.seen.texts.iter().filter(|text| text.contains(&pin)).collect();
    assert!(leaks.is_empty(), "the PIN was pushed outside its view: {leaks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reload_of_the_customers_page_is_told_once() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    for load in 1..=5 {
        let page = rig.page(&pin, "presenter", "Maria").await;
        let online = move |seen: &crate::rig::Seen| {
            let told = seen.happenings.iter().filter(|h| h.event == "presenter_online").count();
            (told == load).then_some(())
        };
        rig.seen.until("another start", online).await;
        rig.seen.armed(&id).await;
        page.close().await;
    }
    assert!(rig.seen.happenings.iter().all(|h| h.event != "presenter_offline"));
    assert_eq!(rig.seen.rows[&id].state.label, "Ready");
    rig.app.stop().await;
}
