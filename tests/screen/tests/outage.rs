//! Outages and their results: frozen viewers, killed programs, cut links, a broker that restarts.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{RunningEngine, all_armed};
use engine::Snapshot;
use screen_tests::{
    browser::{Driver, PageScreen, press, see},
    consent,
    display::Display,
    process::{Program, cost_of},
    subject::{SQUARE, Subject},
    world::World,
};
use session::{Presenter, SessionStatus, Transcript};

/// The memory limit in bytes: more than the program needs with a screen of this size, and much less
/// than the pictures that a frozen viewer requests.
const BOUND: u64 = 160 << 20;

/// A display with the subject on it, and the program that shares it.
struct Customer {
    display: Display,
    subject: Subject,
    presenter: Program,
}

impl Customer {
    async fn shares(world: &World, pin: &str) -> Self {
        let display = Display::xvfb(1280, 800);
        let subject = Subject::on(&display);
        let presenter = world.shares(pin, &display).await;
        Self { display, subject, presenter }
    }
}

fn word(snapshot: &Snapshot) -> SessionStatus {
    SessionStatus::new(&snapshot.record, engine::clock::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_viewer_slows_no_other_and_costs_bounded_memory() {
    let (world, driver) = (World::new().await, Driver::start());
    let pin = world.service.mint().await;
    let mut customer = Customer::shares(&world, &pin).await;
    let mut frozen = world.raw_viewer(&pin, "Frozen", true).await;
    customer.subject.plays("video");
    let all = frozen.size;
    // A picture has 4 MB, so these requests are for 1 GB, of which the viewer reads nothing.
    for _ in 0..256 {
        frozen.ask(false, all).await;
    }
    let browser = world.seen_in(&driver, &pin, 1280).await;
    let shown = PageScreen(&browser);
    let mut last = shown.frame().await;
    for _ in 0..50 {
        last = shown.frame_after(last).await;
    }
    customer.subject.plays("still");
    for _ in 0..10 {
        shown.key_to_pixel(SQUARE).await;
    }
    let cost = cost_of(&[customer.presenter.id()]);
    assert!(cost.rss < BOUND, "the program holds {} MiB", cost.rss >> 20);
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_picture_to_the_archived_transcript_and_a_killed_program() {
    let (world, driver) = (World::new().await, Driver::start());
    let data = world.folder().join("console");
    std::fs::create_dir_all(&data).unwrap();
    let (base, regions) = (world.broker.base_url(), world.broker.region_url_template());
    let running = RunningEngine::start(&data, &base, &regions).await;
    let (id, pin) = running.armed_session().await;
    let pin = pin.expose();

    let mut customer = Customer::shares(&world, pin).await;
    running
        .until(id, "it is ready", |s| {
            matches!(word(s), SessionStatus::Ready { .. }) && all_armed(s)
        })
        .await;
    let mut heard = world.companion(pin).await;
    let browser = world.seen_in(&driver, pin, 1280).await;
    running
        .until(id, "it is active", |s| {
            matches!(word(s), SessionStatus::Active { .. }) && all_armed(s)
        })
        .await;
    // The chat makes room for the screen while one is shown.
    press(&browser, "chat-toggle").await;
    let field = browser.find(fantoccini::Locator::Id("text")).await.unwrap();
    field.send_keys("I see your screen now\n").await.unwrap();
    see(&browser, "log", "I see your screen now").await;

    browser.close().await.unwrap();
    heard.until("the viewer has gone", |roster| roster["viewers"] == serde_json::json!([])).await;
    world.over_a_minute_passes().await;
    let ended = running
        .until(id, "the last viewer has left and the transcript is saved", |s| {
            matches!(word(s), SessionStatus::Ended { may_still_run: true, .. })
                && matches!(s.record.transcript, Transcript::Saved { messages: 1, .. })
        })
        .await;
    assert!(matches!(ended.record.presenter, Presenter::Online { .. }));

    customer.presenter.kill();
    heard.until_sharing("none").await;
    running.until(id, "its hooks are armed", all_armed).await;
    world.over_a_minute_passes().await;
    running
        .until(id, "the presenter is offline", |s| {
            matches!(s.record.presenter, Presenter::Offline { .. })
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_heals_in_the_same_session_without_a_second_question() {
    let (world, driver) = (World::new().await, Driver::start());
    let pin = world.service.mint().await;
    let display = Display::xvfb(1280, 800);
    let _subject = Subject::on(&display);
    let mut presenter = world.attended(&pin, &display).await;
    let mut heard = world.companion(&pin).await;
    consent::agree(&display);
    heard.until_sharing("shared").await;
    let browser = world.seen_in(&driver, &pin, 1280).await;
    let shown = PageScreen(&browser);
    shown.key_to_pixel(SQUARE).await;

    world.link.cut();
    heard.until_sharing("none").await;
    world.link.leads_to(world.broker.addr());
    // Nobody clicks on anything here.
    heard.until_sharing("shared").await;
    heard.until_watching(true).await;
    shown.watch(1280).await;
    shown.key_to_pixel(SQUARE).await;
    assert!(presenter.runs());
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_starts_again_has_the_same_session_on_screen() {
    let (world, driver) = (World::new().await, Driver::start());
    let pin = world.service.mint().await;
    let customer = Customer::shares(&world, &pin).await;
    let browser = world.seen_in(&driver, &pin, 1280).await;
    let shown = PageScreen(&browser);
    shown.key_to_pixel(SQUARE).await;

    let world = world.restart_broker().await;
    let mut heard = world.companion(&pin).await;
    heard.until_sharing("shared").await;
    heard.until_watching(true).await;
    shown.watch(1280).await;
    shown.key_to_pixel(SQUARE).await;
    drop(customer.display);
    heard.until_sharing("none").await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_has_connected_to_nothing() {
    let world = World::new().await;
    let pin = world.service.mint().await;
    let display = Display::xvfb(1280, 800);
    let mut presenter = world.attended(&pin, &display).await;
    let mut heard = world.companion(&pin).await;
    consent::decline(&display);
    presenter.ends();
    world.has_no_presenter(&pin, &mut heard).await;
    assert_eq!(heard.roster["sharing"], "none");
}
