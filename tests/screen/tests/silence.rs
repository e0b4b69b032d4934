//! A network that drops every packet but closes no connection: both ends notice it by themselves,
//! no viewer is left with a frozen picture that looks live, and the session goes on afterwards.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use fantoccini::Client;
use screen_tests::{
    browser::{Driver, PageScreen, see, until},
    consent,
    display::Display,
    live::LiveConnection,
    network::Network,
    process::Program,
    service::Service,
    subject::{SQUARE, Subject},
    world::{World, presenter},
};

/// A customer who has agreed, and a technician who sees the screen.
struct Session {
    display: Display,
    presenter: Program,
    heard: LiveConnection,
    browser: Client,
    _subject: Subject,
    _driver: Driver,
}

impl Session {
    /// `start` starts the program that a customer's double click starts.
    async fn begins(
        world: &World,
        viewers: &Service,
        start: impl AsyncFnOnce(&str, &Display) -> Program,
    ) -> Self {
        let (driver, display) = (Driver::start(), Display::xvfb(1280, 800));
        let subject = Subject::on(&display);
        let pin = world.service.mint().await;
        let presenter = start(&pin, &display).await;
        let mut heard = world.companion(&pin).await;
        consent::agree(&display);
        heard.until_sharing("shared").await;
        let browser = driver.browser("viewer", 1400, 1000).await;
        browser.goto(&viewers.viewer_url(&pin, "Anna", false).await).await.unwrap();
        let session =
            Self { display, presenter, heard, browser, _subject: subject, _driver: driver };
        session.is_lively().await;
        session
    }

    /// All connections of the program go over the link.
    async fn over_the_link(world: &World) -> Self {
        let start = async |pin: &str, display: &Display| world.attended(pin, display).await;
        Self::begins(world, &world.service, start).await
    }

    /// Waits until a key press has reached the customer and its picture has come back.
    async fn is_lively(&self) {
        let shown = PageScreen(&self.browser);
        shown.watch(1280).await;
        until(&self.browser, "the picture is in front", IN_FRONT).await;
        shown.key_to_pixel(SQUARE).await;
    }

    /// Waits until the program and the others in the session have noticed the loss.
    async fn customers_end_is_lost(&mut self) {
        self.presenter.complains("that the connection was lost", |line| {
            line.contains("The connection was lost").then_some(())
        });
        self.heard.until_sharing("none").await;
        see(&self.browser, "stage-title", "No screen is shared").await;
        until(&self.browser, "the picture is no longer in front", BEHIND).await;
    }

    /// Waits until the screen is live again, although nobody has clicked on anything.
    async fn goes_on(mut self) {
        self.heard.until_sharing("shared").await;
        self.heard.until_watching(true).await;
        self.is_lively().await;
        assert!(self.presenter.runs());
        assert!(!consent::is_asked(&self.display), "the customer was asked again");
        self.browser.close().await.unwrap();
    }
}

const IN_FRONT: &str = "return document.getElementById('notice').hidden";
const BEHIND: &str = "return !document.getElementById('notice').hidden";

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_network_that_drops_every_packet_heals_without_a_second_question() {
    let network = match Network::new() {
        Ok(network) => network,
        Err(why) => {
            println!("skipped, since no network could be made here: {why}");
            return;
        }
    };
    let world = World::on_network(network.outside()).await;
    let start = async |pin: &str, display: &Display| {
        let mut command = presenter(display);
        command
            .args(["--admit-all", "--conf"])
            .arg(world.service.conf(pin, false, world.folder()).await);
        Program::start(network.within(&command))
    };
    let mut session = Session::begins(&world, &world.service, start).await;
    network.falls_silent();
    session.customers_end_is_lost().await;
    network.carries_again();
    session.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_line_that_falls_silent_heals_without_a_second_question() {
    let world = World::new().await;
    let mut session = Session::over_the_link(&world).await;
    world.link.falls_silent();
    session.customers_end_is_lost().await;
    world.link.leads_to(world.broker.addr());
    session.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_alone_falls_silent_is_not_shown_as_a_screen_and_comes_back() {
    let world = World::new().await;
    let mut session = Session::over_the_link(&world).await;
    world.link.falls_silent_for_streams();
    session.heard.until_watching(false).await;
    see(&session.browser, "stage-title", "Reconnecting").await;
    until(&session.browser, "the picture is no longer in front", BEHIND).await;
    assert_eq!(session.heard.roster["sharing"], "shared");
    world.link.leads_to(world.broker.addr());
    session.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_technicians_line_that_falls_silent_is_told_as_such_and_comes_back() {
    let world = World::new().await;
    let start = async |pin: &str, display: &Display| {
        let mut command = presenter(display);
        command
            .args(["--admit-all", "--conf"])
            .arg(world.service.conf(pin, false, world.folder()).await);
        // Not over the link.
        command.arg("--broker").arg(world.origin());
        Program::start(command)
    };
    let mut session = Session::begins(&world, &world.over_the_link(), start).await;
    world.link.falls_silent();
    session
        .heard
        .until("the viewer has gone", |roster| roster["viewers"] == serde_json::json!([]))
        .await;
    see(&session.browser, "stage-title", "Reconnecting").await;
    until(&session.browser, "the picture is no longer in front", BEHIND).await;
    assert_eq!(session.heard.roster["sharing"], "shared");
    world.link.leads_to(world.broker.addr());
    session.goes_on().await;
}
