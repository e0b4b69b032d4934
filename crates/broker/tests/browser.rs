//! The pages in a real browser: headless Chromium by chromedriver.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod browsing;
mod common;

use std::path::Path;

use broker::ProgramFile;
use browser_tests::Driver;
use browsing::{holds, press, see, type_into};
use common::{Page, Receiver, Rig, broker, broker_with};
use serde_json::json;
use uuid::Uuid;

async fn arm(rig: &Rig, pin: &str, receiver: &Receiver) {
    let put = rig.put_hook(pin, "presenter_started", &receiver.url("presenter_started")).await;
    assert_eq!(put.status(), 200);
}

#[tokio::test]
async fn the_customers_page_stands_beside_the_program_and_counts_for_nobody() {
    let (driver, rig, mut receiver) = (Driver::start(), broker().await, Receiver::start());
    let pin = rig.mint().await;
    arm(&rig, &pin, &receiver).await;
    let origin = rig.running.origin().to_owned();

    let customer = driver.browser("customer", 1100, 900).await;
    customer.goto(&format!("{origin}/")).await.unwrap();
    type_into(&customer, "pin", "12\n").await;
    see(&customer, "error", "nine digits and letters").await;
    let typed = format!("\u{8}\u{8} {}\n", pin.to_lowercase().replace('-', ""));
    type_into(&customer, "pin", &typed).await;
    see(&customer, "state-text", "Connected").await;
    assert_eq!(customer.current_url().await.unwrap().as_str(), format!("{origin}/join#{pin}"));
    see(&customer, "works", "Linux with X11").await;
    see(&customer, "sharing-title", "No screen is shared").await;

    let mut technician = Page::named(&rig, &pin, "viewers", Uuid::new_v4(), "Anna").await;
    assert!(technician.welcome["presenter"].is_null(), "a page is no presenter");
    see(&customer, "lead", "Anna is here with you").await;
    technician.send(&json!({ "type": "chat", "name": "Anna", "body": "what? <b>&" })).await;
    see(&customer, "log", "what? <b>&").await;
    type_into(&customer, "name", "Maria\t").await;
    type_into(&customer, "text", "paper jam").await;
    press(&customer, "send").await;
    let said = technician.next_of("chat").await;
    assert_eq!(said["message"]["body"], "what? <b>&");
    let said = technician.next_of("chat").await;
    assert_eq!(
        (&said["message"]["subject"], &said["message"]["body"]),
        (&json!("Maria"), &json!("paper jam"))
    );
    rig.handle().idle().await;
    receiver.expect_nothing();

    let program = rig.program(&pin).await;
    receiver.expect("presenter_started").await;
    see(&customer, "sharing-title", "Your screen is shared").await;
    program.close(&rig).await;
    see(&customer, "sharing-title", "No screen is shared any more").await;

    let rig = rig.restart().await;
    see(&customer, "state-text", "Connected").await;
    see(&customer, "log", "paper jam").await;
    customer.refresh().await.unwrap();
    see(&customer, "state-text", "Connected").await;
    press(&customer, "leave").await;
    see(&customer, "over-title", "You have left the session").await;
    rig.handle().idle().await;
    receiver.expect_nothing();
    customer.close().await.unwrap();
}

#[tokio::test]
async fn a_pin_that_nobody_has_and_one_that_is_revoked_are_said_to_be_so() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let origin = rig.running.origin();
    let customer = driver.browser("customer", 1100, 900).await;
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
    let customer = driver.browser("customer", 1100, 900).await;
    customer.goto(&format!("{}/join#{pin}", rig.running.origin())).await.unwrap();
    see(&customer, "state-text", "Connected").await;
    press(&customer, "alarm").await;
    see(&customer, "confirm", "Report this session?").await;
    press(&customer, "report").await;
    see(&customer, "over-title", "Reported, and you have left").await;
    customer.close().await.unwrap();
}

#[tokio::test]
async fn the_program_is_handed_out_for_the_session_once_and_alone_after_that() {
    let (driver, folder) = (Driver::start(), tempfile::tempdir().unwrap());
    let path = folder.path().join("deskhand-presenter");
    std::fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
    let program = ProgramFile { platform: "linux-x86_64".into(), path };
    let rig = broker_with(|config| config.programs = vec![program]).await;
    let pin = rig.mint().await;
    let requester =
        json!({ "session_pin": pin, "technician": "Anna Keller", "company": "Example" });
    let told = rig.http.put(rig.url("/x/asker")).body(requester.to_string()).send().await.unwrap();
    assert_eq!(told.status(), 200);
    let customer = driver.browser("customer", 1100, 900).await;
    customer.goto(&format!("{}/join#{pin}", rig.running.origin())).await.unwrap();
    see(&customer, "asker-name", "Anna Keller, Example, asks to see").await;
    holds(&customer, "!document.getElementById('download').disabled").await;
    press(&customer, "download").await;
    see(&customer, "file", "deskhand-presenter.run").await;
    let info = rig.get_json("/x/program_info").await;
    let plain = info["platforms"][0]["sha256"].as_str().unwrap();
    holds(&customer, "/^[0-9a-f]{64}$/.test(document.getElementById('sum').textContent)").await;
    holds(&customer, &format!("document.getElementById('sum').textContent !== '{plain}'")).await;

    customer.refresh().await.unwrap();
    holds(&customer, "!document.getElementById('download').disabled").await;
    press(&customer, "download").await;
    see(&customer, "again", "handed out before").await;
    press(&customer, "plain").await;
    see(&customer, "sum", plain).await;
    see(&customer, "command", &format!("--broker {}", rig.running.origin())).await;
    customer.close().await.unwrap();
}

#[tokio::test]
async fn a_computer_that_no_program_fits_is_told_so_before_anything_is_downloaded() {
    let driver = Driver::start();
    // Some file; nobody runs it.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let program = ProgramFile { platform: "windows-x86_64".into(), path };
    let rig = broker_with(|config| config.programs = vec![program]).await;
    let pin = rig.mint().await;
    let customer = driver.browser("customer", 1100, 900).await;
    customer.goto(&format!("{}/join#{pin}", rig.running.origin())).await.unwrap();
    see(&customer, "unfit", "The program doesn't work on Linux yet").await;
    see(&customer, "unfit", "It works on Windows only so far").await;
    press(&customer, "download").await;
    see(&customer, "download-error", "no program for this computer").await;
    customer.close().await.unwrap();
}
