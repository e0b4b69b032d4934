//! The pages in a real browser: headless Chromium by chromedriver.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{Receiver, Rig, broker};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(40);

/// A chromedriver, ended with its test.
struct Driver {
    child: Child,
    url: String,
    profiles: tempfile::TempDir,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; ./test installs it");
        let out = BufReader::new(child.stdout.take().unwrap());
        let mark = "started successfully on port ";
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver did not start"));
        Self { child, url, profiles: tempfile::tempdir().unwrap() }
    }

    async fn browser(&self, name: &str) -> Client {
        let profile = self.profiles.path().join(name);
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-dev-shm-usage".into(),
            "--disable-background-networking".into(),
            "--no-first-run".into(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": args } });
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&self.url)
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the element's text has this in it.
async fn see(browser: &Client, id: &str, text: &str) {
    let sees = async {
        loop {
            let found = browser.find(Locator::Id(id)).await;
            if let Ok(element) = found
                && element.text().await.is_ok_and(|shown| shown.contains(text))
            {
                return;
            }
            // Each look is a round trip to the browser, so this doesn't spin.
        }
    };
    if tokio::time::timeout(PATIENCE, sees).await.is_err() {
        panic!("#{id} never showed {text:?}: {}", browser.source().await.unwrap_or_default());
    }
}

async fn type_into(browser: &Client, id: &str, text: &str) {
    browser.find(Locator::Id(id)).await.unwrap().send_keys(text).await.unwrap();
}

async fn press(browser: &Client, id: &str) {
    browser.find(Locator::Id(id)).await.unwrap().click().await.unwrap();
}

async fn arm(rig: &Rig, pin: &str, receiver: &Receiver) {
    let put = rig.put_hook(pin, "presenter_started", &receiver.url("presenter_started")).await;
    assert_eq!(put.status(), 200);
}

#[tokio::test]
async fn customer_and_technician_meet_chat_and_come_back_after_a_restart() {
    let (driver, rig, mut receiver) = (Driver::start(), broker().await, Receiver::start());
    let pin = rig.mint().await;
    arm(&rig, &pin, &receiver).await;
    let origin = rig.running.origin().to_owned();

    let customer = driver.browser("customer").await;
    customer.goto(&format!("{origin}/")).await.unwrap();
    type_into(&customer, "pin", "12\n").await;
    see(&customer, "error", "nine digits and letters").await;
    let typed = format!("\u{8}\u{8} {}\n", pin.to_lowercase().replace('-', ""));
    type_into(&customer, "pin", &typed).await;
    see(&customer, "state-text", "Connected").await;
    assert_eq!(customer.current_url().await.unwrap().as_str(), format!("{origin}/join#{pin}"));
    receiver.expect("presenter_started").await;

    let technician = driver.browser("technician").await;
    let link = rig.get_json(&format!("/session_url?session_pin={pin}&ro=true&un=Anna")).await;
    technician.goto(link["url"].as_str().unwrap()).await.unwrap();
    see(&technician, "state-text", "Connected").await;
    see(&technician, "readonly", "Read-only").await;
    see(&customer, "lead", "Anna is here with you").await;
    let shown = technician.current_url().await.unwrap();
    assert_eq!(shown.query(), None, "the PIN has left the query");

    type_into(&technician, "text", "what does it say? <b>&\n").await;
    see(&customer, "log", "what does it say? <b>&").await;
    type_into(&customer, "name", "Maria\t").await;
    type_into(&customer, "text", "paper jam").await;
    press(&customer, "send").await;
    see(&technician, "log", "paper jam").await;
    see(&technician, "title", "Session with Maria").await;

    arm(&rig, &pin, &receiver).await;
    let rig = rig.restart().await;
    for browser in [&customer, &technician] {
        see(browser, "state-text", "Connected").await;
    }
    see(&customer, "log", "paper jam").await;
    rig.handle().idle().await;
    receiver.expect_nothing();

    customer.refresh().await.unwrap();
    receiver.expect("presenter_started").await;
    see(&customer, "state-text", "Connected").await;
    press(&customer, "leave").await;
    see(&customer, "over-title", "You have left the session").await;
    see(&technician, "screen-text", "The customer is not connected").await;
    for browser in [customer, technician] {
        browser.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_pin_that_nobody_has_and_one_that_is_revoked_are_said_to_be_so() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let origin = rig.running.origin();
    let customer = driver.browser("customer").await;
    customer.goto(&format!("{origin}/join#AAA-AA-AAAA")).await.unwrap();
    see(&customer, "over-title", "No session has this PIN").await;
    customer.goto(&format!("{origin}/join#{pin}")).await.unwrap();
    see(&customer, "state-text", "Connected").await;
    rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    see(&customer, "over-title", "The session was ended").await;
    customer.close().await.unwrap();
}

#[tokio::test]
async fn i_did_not_ask_for_this_reports_the_session_and_leaves_it() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let customer = driver.browser("customer").await;
    customer.goto(&format!("{}/join#{pin}", rig.running.origin())).await.unwrap();
    see(&customer, "state-text", "Connected").await;
    press(&customer, "alarm").await;
    see(&customer, "confirm", "Report this session?").await;
    press(&customer, "report").await;
    see(&customer, "over-title", "Reported, and you have left").await;
    customer.close().await.unwrap();
}
