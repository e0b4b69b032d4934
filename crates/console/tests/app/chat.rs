//! The chat, whoever is connected: told at once, counted until it is read, answered from the console.

use console::{
    App,
    app::{Notices, Tell},
    reply::Reply,
};
use serde_json::json;

use crate::rig::{Page, Rig};

/// What the notifications say, once messages have arrived so many times.
async fn told(rig: &mut Rig, notices: &mut Notices, times: usize) -> Vec<String> {
    let arrived = |seen: &crate::rig::Seen| {
        let all = seen.happenings.iter().filter(|happening| happening.event == "chat_arrived");
        (all.count() == times).then_some(())
    };
    rig.seen.until("the message", arrived).await;
    let news = notices.read().await;
    let text = |tell: &Tell| match tell {
        Tell::Happened(happening) => happening.text.clone(),
        Tell::Summary { text, .. } => text.clone(),
    };
    news.iter().map(text).collect()
}

async fn notices(app: &App) -> Notices {
    let mut notices = app.notices("window");
    notices.read().await;
    notices
}

async fn unread(rig: &mut Rig, id: &str, count: u32) {
    let is =
        move |detail: &console::view::SessionDetail| (detail.row.unread == count).then_some(());
    rig.seen.detail(id, "the count of unread messages", is).await;
}

/// A customer who has the page open and no program, nobody else is there, and no session is on screen.
async fn first_contact(rig: &mut Rig) -> (String, Page) {
    let id = rig.session("Maria Lopez").await;
    rig.ask(json!({ "do": "show", "session": null })).await;
    let pin = rig.seen.pin(&id).await;
    let origin = rig.app.broker().unwrap().origin().to_owned();
    let mut page = Page::dial(&format!("{origin}/live")).await.unwrap();
    page.send(json!({
        "type": "hello", "session_pin": pin, "side": "presenter", "companion": true,
        "page": "7f3c1a52-6a0e-4a3e-9a3c-0d6a1a5b9c01", "name": "Maria",
    }))
    .await;
    page.next_of("welcome").await;
    (id, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_writes_before_any_program_runs_is_told_with_its_name_and_counted() {
    let mut rig = Rig::start().await;
    let mut notices = notices(&rig.app).await;
    let (id, mut page) = first_contact(&mut rig).await;
    page.say("Maria", "the program does not start").await;
    let texts = told(&mut rig, &mut notices, 1).await;
    assert_eq!(texts, ["Maria in Maria Lopez's session: the program does not start"]);
    rig.seen.label(&id, "Page open").await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    unread(&mut rig, &id, 1).await;

    rig.ask(json!({ "do": "configure", "changes": { "chat_in_notifications": false } })).await;
    page.say("Maria", "are you there?").await;
    let texts = told(&mut rig, &mut notices, 2).await;
    assert_eq!(texts, ["Maria in Maria Lopez's session wrote a message (2 unread messages)"]);
    unread(&mut rig, &id, 2).await;
    rig.ask(json!({ "do": "read", "session": id })).await;
    unread(&mut rig, &id, 0).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_the_technicians_name_is_unread_all_the_same() {
    let mut rig = Rig::start().await;
    let (id, mut page) = first_contact(&mut rig).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    let technician = rig.app.settings().technician.clone();
    assert_ne!(technician, "");
    page.say(&technician, "it is me").await;
    unread(&mut rig, &id, 1).await;
    rig.ask(json!({ "do": "say", "session": id, "text": "hello" })).await;
    let both = |detail: &console::view::SessionDetail| (detail.chat.len() == 2).then_some(());
    rig.seen.detail(&id, "both messages", both).await;
    unread(&mut rig, &id, 1).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_here_reaches_the_customers_page_and_is_no_news() {
    let mut rig = Rig::start().await;
    let mut notices = notices(&rig.app).await;
    let (id, mut page) = first_contact(&mut rig).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    rig.ask(json!({ "do": "say", "session": id, "text": "I am here, one moment" })).await;
    let heard = page.next_of("chat").await;
    assert_eq!(heard["message"]["body"], "I am here, one moment");
    let one = |detail: &console::view::SessionDetail| detail.chat.first().cloned();
    let line = rig.seen.detail(&id, "the message", one).await;
    assert_eq!(line.text, "I am here, one moment");
    let texts = told(&mut rig, &mut notices, 1).await;
    assert!(texts.is_empty(), "{texts:?}");
    let arrived = rig.seen.happenings.iter().find(|happening| happening.event == "chat_arrived");
    let arrived = arrived.unwrap();
    assert_eq!((arrived.text.as_str(), arrived.notify), ("Maria Lopez: 1 new message", false));
    unread(&mut rig, &id, 0).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_says_by_their_key_who_wrote_a_message_whatever_names_were_taken() {
    let mut rig = Rig::start().await;
    let (id, mut page) = first_contact(&mut rig).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    let technician = rig.app.settings().technician.clone();
    let (pin, origin) = (rig.seen.pin(&id).await, rig.app.broker().unwrap().origin().to_owned());
    let mut viewer = Page::open(&origin, &pin, "viewers", &technician).await;
    page.say(&technician, "by the customer").await;
    viewer.say(&technician, "by a viewer").await;
    rig.ask(json!({ "do": "say", "session": id, "text": "by the technician" })).await;
    // Whoever polls may see a message before it is told who wrote it.
    let all = |detail: &console::view::SessionDetail| {
        let known = detail.chat.iter().filter(|line| line.side.is_some()).count();
        (detail.chat.len() == 3 && known == 2).then_some(())
    };
    rig.seen.detail(&id, "all messages and who wrote them", all).await;
    let ask = json!({ "do": "export", "session": id, "format": "csv" });
    let Reply::Text { text, .. } = rig.ask(ask).await else { panic!("no text") };
    for (side, body) in [
        ("customer", "by the customer"),
        // It has no key of this console, so nobody knows.
        ("", "by a viewer"),
        ("technician", "by the technician"),
    ] {
        assert!(text.contains(&format!(",{technician},{side},{body},")), "{side}: {text}");
    }
    rig.app.stop().await;
}
