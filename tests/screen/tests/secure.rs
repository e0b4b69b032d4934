//! The screen over TLS, from the customer's program to the technician's page, and the case that the
//! other end can't prove that it is the broker.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use screen_tests::{
    browser::{Driver, PageScreen},
    display::Display,
    process::Program,
    subject::{SQUARE, Subject},
    tls,
    world::{World, unattended},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_shared_over_tls_by_who_trusts_the_certificate() {
    let (world, driver) = (World::secured().await, Driver::start());
    assert!(world.origin().starts_with("https://"), "{}", world.origin());
    let display = Display::xvfb(1280, 800);
    let _subject = Subject::on(&display);
    for trusts in ["--ca", "SSL_CERT_FILE"] {
        let pin = world.service.mint().await;
        let conf = world.service.conf(&pin, true, world.folder()).await;
        let mut command = unattended(&display, &conf);
        if trusts == "--ca" {
            command.arg(trusts).arg(tls::certificate());
        } else {
            command.env(trusts, tls::certificate());
        }
        let mut presenter = Program::start(command);
        let mut heard = world.companion(&pin).await;
        heard.until_sharing("shared").await;
        let browser = driver.browser(trusts, 1400, 1000).await;
        browser.goto(&world.service.viewer_url(&pin, "Anna", false).await).await.unwrap();
        let shown = PageScreen(&browser);
        shown.watch(1280).await;
        shown.key_to_pixel(SQUARE).await;
        assert!(presenter.runs());
        browser.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_trust_the_certificate_says_so_and_shares_nothing() {
    let (world, display) = (World::secured().await, Display::xvfb(640, 480));
    let pin = world.service.mint().await;
    let conf = world.service.conf(&pin, true, world.folder()).await;
    let mut heard = world.companion(&pin).await;
    let (status, complaints) = Program::start(unattended(&display, &conf)).ends();
    assert_eq!(status.code(), Some(1), "{complaints}");
    let said: Vec<&str> = complaints.lines().collect();
    assert_eq!(said.len(), 1, "one sentence: {said:?}");
    assert!(said[0].contains("can't prove that it is the server, so nothing was sent"), "{said:?}");
    world.has_no_presenter(&pin, &mut heard).await;
}
