//! A viewer whose role is to watch can't type, whatever it sends: the presenter enforces the role.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use screen_tests::{
    display::Display,
    live::LiveConnection,
    raw_viewer::RawViewer,
    subject::{SQUARE, Subject},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_keys_and_clicks_of_a_watching_viewer_none_arrives() {
    let (world, display) = (World::new().await, Display::xvfb(1024, 768));
    let mut subject = Subject::on(&display);
    let pin = world.service.mint().await;
    let _presenter = world.shares(&pin, &display).await;

    let origin = world.origin();
    let by_pin = LiveConnection::viewer(&origin, &pin, "Ben", true).await;
    let by_link =
        LiveConnection::by_link(&origin, &world.service.ticket_url(&pin, "Cem", "watch").await)
            .await;
    subject.got();
    for live in [by_pin, by_link] {
        assert_eq!(live.welcome["role"], "watch");
        let mut watching = RawViewer::on(&origin, live).await;
        for _ in 0..100 {
            watching.key(u32::from(b'k')).await;
            watching.click(SQUARE).await;
        }
        watching.cut("planted").await;
        watching.round_trip().await;
        assert_eq!(subject.got(), Vec::<String>::new());
    }

    let mut controls = world.raw_viewer(&pin, "Anna", false).await;
    controls.key(u32::from(b'k')).await;
    controls.round_trip().await;
    assert!(subject.gets("key").ends_with("down"));
    assert!(subject.gets("key").ends_with("up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watching_link_stays_one_whatever_its_hello_says() {
    let world = World::new().await;
    let pin = world.service.mint().await;
    let link = world.service.ticket_url(&pin, "Ben", "watch").await;
    let live = LiveConnection::by_link(&world.origin(), &link.replace("ro=true", "ro=false")).await;
    assert_eq!(live.welcome["role"], "watch");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_down_come_up_when_their_viewer_is_gone() {
    let (world, display) = (World::new().await, Display::xvfb(1024, 768));
    let subject = Subject::on(&display);
    let pin = world.service.mint().await;
    let _presenter = world.shares(&pin, &display).await;
    let mut controls = world.raw_viewer(&pin, "Anna", false).await;
    let shift_down = [4, 1, 0, 0, 0, 0, 0xff, 0xe1];
    controls.say(&shift_down).await;
    controls.round_trip().await;
    let down = subject.gets("key");
    drop(controls);
    assert_eq!(subject.gets("key"), down.replace("down", "up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_viewer_exchanges_the_clipboard_in_latin_1() {
    let (world, display) = (World::new().await, Display::xvfb(1024, 768));
    let mut subject = Subject::on(&display);
    let pin = world.service.mint().await;
    let _presenter = world.shares(&pin, &display).await;
    let mut controls = world.raw_viewer(&pin, "Anna", false).await;
    controls.round_trip().await;
    subject.copies("from the customer");
    assert_eq!(controls.copied().await, "from the customer");
    controls.cut("from the technician").await;
    assert_eq!(subject.gets("clipboard"), "from the technician");
}
