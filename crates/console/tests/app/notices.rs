//! What is worth a notification: told once, over all runs.

use console::{
    App, SettingsSource,
    app::{Notices, Tell},
};
use serde_json::json;

use crate::rig::{GONE, Rig};

const WINDOW: &str = "window";

async fn notices(app: &App) -> Notices {
    let mut notices = app.notices(WINDOW);
    assert_eq!(texts(&notices.read().await), [""; 0]);
    notices
}

fn texts(news: &[Tell]) -> Vec<&str> {
    news.iter().map(text).collect()
}

fn text(tell: &Tell) -> &str {
    match tell {
        Tell::Happened(happening) => &happening.text,
        Tell::Summary { text, .. } => text,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_told_before_the_end_is_told_at_the_next_start_and_then_never_again() {
    let mut rig = Rig::start().await;
    let mut told = notices(&rig.app).await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let _page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    let news = told.read().await;
    assert_eq!(texts(&news), ["Maria Lopez is online"]);
    assert!(told.read().await.is_empty(), "what was read isn't read again");
    // It ends before that was shown.
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let mut told = rig.app.notices(WINDOW);
    let news = told.read().await;
    assert_eq!(texts(&news), ["Maria Lopez is online"]);
    told.marks().dealt_with(&news[0]).await;
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    notices(&rig.app).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn much_that_was_not_told_is_summed_up() {
    let mut rig = Rig::start().await;
    drop(notices(&rig.app).await);
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    for round in 1..=3 {
        let page = rig.page(&pin, "presenter", "Maria").await;
        rig.seen.label(&id, "Ready").await;
        rig.seen.armed(&id).await;
        page.close().await;
        rig.advance(GONE).await;
        let offline = |seen: &crate::rig::Seen| {
            let told = seen.happenings.iter().filter(|h| h.event == "presenter_offline").count();
            (told == round).then_some(())
        };
        rig.seen.until("the customer gone", offline).await;
        rig.seen.armed(&id).await;
    }
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let news = rig.app.notices(WINDOW).read().await;
    assert_eq!(texts(&news), ["6 things happened that you were not told of yet"]);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_viewer_that_the_person_here_has_just_opened_is_not_told_and_a_colleague_is() {
    let mut rig = Rig::start().await;
    let mut told = notices(&rig.app).await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let open = json!({ "do": "open_viewer", "session": id, "read_only": false });
    rig.ask(open).await;
    let own = rig.page(&pin, "viewers", "Anna Keller").await;
    rig.seen.event("viewer_joined").await;
    rig.seen.armed(&id).await;
    assert!(texts(&told.read().await).is_empty(), "it is our own window");
    own.close().await;
    rig.advance(GONE).await;
    rig.seen.event("viewers_gone").await;
    rig.seen.armed(&id).await;

    let _colleague = rig.page(&pin, "viewers", "Bo").await;
    let twice = |seen: &crate::rig::Seen| {
        (seen.happenings.iter().filter(|h| h.event == "viewer_joined").count() == 2).then_some(())
    };
    rig.seen.until("the colleague", twice).await;
    let news = told.read().await;
    assert!(texts(&news).contains(&"A viewer joined Maria Lopez's session"), "{news:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_still_to_be_shown_holds_up_no_other_over_the_end() {
    let mut rig = Rig::start().await;
    let mut told = notices(&rig.app).await;
    let mut pages = Vec::new();
    for name in ["Maria Lopez", "Tom Reed", "Ana Ruiz"] {
        let id = rig.session(name).await;
        let pin = rig.seen.pin(&id).await;
        pages.push(rig.page(&pin, "presenter", name).await);
        let online = format!("{name} is online");
        let seen = |seen: &crate::rig::Seen| {
            seen.happenings.iter().any(|happening| happening.text == online).then_some(())
        };
        rig.seen.until(&online, seen).await;
    }
    let news = told.read().await;
    let all = ["Maria Lopez is online", "Tom Reed is online", "Ana Ruiz is online"];
    assert_eq!(texts(&news), all);
    // The desktop never answers for the first.
    for tell in &news[1..] {
        told.marks().dealt_with(tell).await;
    }
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let mut told = rig.app.notices(WINDOW);
    let news = told.read().await;
    assert_eq!(texts(&news), ["Maria Lopez is online"], "and no other again");
    told.marks().dealt_with(&news[0]).await;
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    notices(&rig.app).await;
    rig.app.stop().await;
}
