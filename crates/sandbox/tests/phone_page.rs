//! The page of the phones in a real browser: headless Chromium by chromedriver.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use browser_tests::Driver;
use fantoccini::{Client, Locator};
use sandbox::{Config, Sandbox, logintc::Logintc};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something that fits the selector has this text in it.
async fn see(browser: &Client, selector: &str, text: &str) {
    let sees = async {
        loop {
            // Each look is a round trip to the browser, so this doesn't spin.
            let found = browser.find(Locator::Css(selector)).await;
            if let Ok(element) = found
                && element.text().await.is_ok_and(|shown| shown.contains(text))
            {
                return;
            }
        }
    };
    if tokio::time::timeout(PATIENCE, sees).await.is_err() {
        panic!("{selector} never showed {text:?}: {}", browser.source().await.unwrap_or_default());
    }
}

async fn press(browser: &Client, selector: &str) {
    browser.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
}

/// A push as a client of the service makes it.
async fn push(logintc: &Logintc, user: &str, reason: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let url = format!("{}/domains/{}/sessions", logintc.base_url(), logintc.domain());
    let body = json!({
        "user": { "username": user }, "attributes": [{ "key": "Reason", "value": reason }],
    });
    let key = format!("LoginTC key=\"{}\"", logintc.key().expose_secret());
    let answer = http.post(url).header("authorization", key).json(&body).send().await.unwrap();
    let session: Value = answer.json().await.unwrap();
    session["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_appear_by_themselves_and_are_answered_by_hand() {
    let (driver, data) = (Driver::start(), tempfile::tempdir().unwrap());
    let running = Sandbox::start(Config::embedded(data.path())).await.unwrap();
    let logintc = running.logintc();
    let maria = logintc.add_user("maria.lopez", true).await.unwrap().unwrap();
    let browser = driver.browser("phones", 1100, 900).await;
    browser.goto(&format!("{}#maria.lopez", logintc.phone_url())).await.unwrap();
    see(&browser, "#state-text", "Live").await;
    see(&browser, "#empty", "Requests for this person will be here").await;
    see(&browser, "#otp", &logintc.otp(&maria).await.unwrap().unwrap()).await;

    let markup = "<img src=x onerror=\"document.title='fooled'\">";
    push(&logintc, "maria.lopez", markup).await;
    see(&browser, ".push dd", markup).await;
    assert_eq!(browser.title().await.unwrap(), "Phones");
    press(&browser, ".push .primary").await;
    see(&browser, ".push[data-state=approved]", "Approved").await;
    push(&logintc, "maria.lopez", "once more").await;
    see(&browser, ".push[data-state=pending] dd", "once more").await;
    press(&browser, ".push .danger").await;
    see(&browser, ".push[data-state=denied]", "Denied").await;

    let name = browser.find(Locator::Id("username")).await.unwrap();
    name.send_keys("zoë <b>\n").await.unwrap();
    see(&browser, "#who", "zoë <b>").await;
    press(&browser, "#device").await;
    see(&browser, "#has", "Has no phone").await;
    press(&browser, "#new-bypass").await;
    see(&browser, "#bypass li", "").await;
    name.send_keys("maria.lopez\n").await.unwrap();
    see(&browser, "#error", "This username is taken").await;

    running.shutdown().await;
    see(&browser, "#state-text", "The sandbox does not answer").await;
    browser.close().await.unwrap();
}
