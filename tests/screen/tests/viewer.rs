//! The customer's real screen in the viewer's page in a real browser: its picture and its input.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use fantoccini::Client;
use screen_tests::{
    browser::{Driver, PageScreen, press, see, until},
    display::Display,
    process::Program,
    subject::{SQUARE, Subject},
    world::World,
};
use serde_json::json;

/// The subject's colours, in their order.
const RED: [u8; 3] = [0xd0, 0x30, 0x30];
const GREEN: [u8; 3] = [0x20, 0xa0, 0x40];
const BLUE: [u8; 3] = [0x30, 0x50, 0xe0];

/// A shared screen and a page that shows it.
struct SharedScreen {
    browser: Client,
    pin: String,
    subject: Subject,
    display: Display,
    _presenter: Program,
    world: World,
    driver: Driver,
}

impl SharedScreen {
    async fn set() -> Self {
        let (world, display, driver) =
            (World::new().await, Display::xvfb(1280, 800), Driver::start());
        let subject = Subject::on(&display);
        let pin = world.service.mint().await;
        let presenter = world.shares(&pin, &display).await;
        let browser = driver.browser("viewer", 1280, 900).await;
        browser.goto(&world.service.viewer_url(&pin, "Anna", false).await).await.unwrap();
        PageScreen(&browser).watch(1280).await;
        Self { browser, pin, subject, display, _presenter: presenter, world, driver }
    }

    fn shown(&self) -> PageScreen<'_> {
        PageScreen(&self.browser)
    }

    async fn ends(self) {
        self.browser.close().await.unwrap();
    }
}

/// Checks a click with some tolerance: a page that scales the screen down can't hit every pixel.
fn assert_clicked(subject: &Subject, (x, y): (i32, i32)) {
    let got = subject.gets("button");
    let place: Vec<i32> = got.strip_prefix("1 down ").into_iter().flat_map(numbers).collect();
    let near = place.len() == 2 && (place[0] - x).abs() <= 2 && (place[1] - y).abs() <= 2;
    assert!(near, "clicked at {x}, {y}; the window got {got}");
}

fn numbers(text: &str) -> impl Iterator<Item = i32> {
    text.split(' ').filter_map(|number| number.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_pressed_in_the_viewer_changes_the_pixels_that_it_shows() {
    let shared = SharedScreen::set().await;
    let shown = shared.shown();
    shown.becomes(SQUARE, RED).await;
    shown.click((600, 700)).await;
    assert_clicked(&shared.subject, (600, 700));
    shown.becomes(SQUARE, GREEN).await;
    shown.types("k").await;
    shown.becomes(SQUARE, BLUE).await;
    let (down, up) = (shared.subject.gets("key"), shared.subject.gets("key"));
    assert_eq!(down.replace("down", "up"), up, "the key came up again");
    shared.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_copies_the_other_can_paste() {
    let mut shared = SharedScreen::set().await;
    shared.subject.copies("Grüße aus dem Büro, 漢字");
    let copied = "const e = document.getElementById('clip'); return e.value.includes('Büro, 漢字')";
    until(&shared.browser, "the customer's clipboard is in the page", copied).await;

    press(&shared.browser, "clipboard").await;
    let write = "document.getElementById('clip').value = arguments[0]";
    shared.browser.execute(write, vec![json!("zurück: ёж €")]).await.unwrap();
    press(&shared.browser, "clip-send").await;
    assert_eq!(shared.subject.gets("clipboard"), "zurück: ёж €");
    shared.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_gets_another_size_is_shown_in_it_and_stays_in_hand() {
    let shared = SharedScreen::set().await;
    let shown = shared.shown();
    shown.becomes(SQUARE, RED).await;
    shared.display.resize(1024, 768);
    // The subject may report its present size first.
    while shared.subject.gets("size") != "1024 768" {}
    shown.is_wide(1024).await;
    shown.becomes(SQUARE, RED).await;
    shown.click((1000, 740)).await;
    assert_clicked(&shared.subject, (1000, 740));
    shown.becomes(SQUARE, GREEN).await;
    shared.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_one_who_only_watches_sends_nothing_and_says_so() {
    let mut shared = SharedScreen::set().await;
    let link = shared.world.service.ticket_url(&shared.pin, "Ben", "watch").await;
    assert!(!link.contains(&shared.pin), "the link holds the PIN");
    let watching = shared.driver.browser("watching", 1280, 900).await;
    watching.goto(&link).await.unwrap();
    see(&watching, "readonly", "Read-only").await;
    let shown = PageScreen(&watching);
    shown.watch(1280).await;
    shared.subject.got();
    for _ in 0..50 {
        shown.click((640, 400)).await;
        shown.types("k").await;
    }
    // The other viewer's key arrives after all these, and is the only one.
    shared.shown().types("x").await;
    shared.shown().becomes(SQUARE, GREEN).await;
    // That it is let go of may arrive after the picture of its press.
    let mut got = Vec::new();
    while !got.iter().any(|line: &String| line.ends_with("up")) {
        got.extend(shared.subject.got());
    }
    let keys = got.iter().filter(|line| line.starts_with("key")).count();
    assert_eq!((keys, got.len()), (2, 2), "{got:?}");
    watching.close().await.unwrap();
    shared.ends().await;
}
