//! The system's browser: headless Chromium, with a passkey device that says yes to everything.

use std::process::Command;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tauri::Url;

use crate::desk::Desk;

/// A browser of the test's own; it ends with its desk.
pub struct Browser(Client);

impl Browser {
    /// Starts it on `desk`, without a passkey.
    pub async fn on(desk: &mut Desk) -> Self {
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0");
        let port = desk.start_and_find(driver, "started successfully on port ");
        let profile = desk.home().join("chromium");
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let options = json!({ "goog:chromeOptions": { "args": args } });
        let Value::Object(capabilities) = options else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
            .await
            .unwrap();
        client.issue_cmd(AddPasskeyDevice).await.unwrap();
        Self(client)
    }

    /// Goes through the page at `link` and waits until it says `outcome`. The address bar keeps nothing of the link.
    pub async fn go_through(&self, link: &str, outcome: &str) {
        // From elsewhere: a link that differs in its fragment only would load nothing.
        self.0.goto("about:blank").await.unwrap();
        self.0.goto(link).await.unwrap();
        let button = Locator::XPath("//button[. = 'Continue']");
        self.0.wait().for_element(button).await.unwrap().click().await.unwrap();
        let heading = format!("//h1[. = '{outcome}']");
        if self.0.wait().for_element(Locator::XPath(&heading)).await.is_err() {
            panic!("the page never said {outcome:?}: {}", self.0.source().await.unwrap());
        }
        let shown = self.0.current_url().await.unwrap();
        assert_eq!((shown.fragment(), shown.query()), (None, None));
    }
}

#[derive(Debug)]
struct AddPasskeyDevice;

impl WebDriverCompatibleCommand for AddPasskeyDevice {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/webauthn/authenticator", session.unwrap()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true,
        });
        (Method::POST, Some(device.to_string()))
    }
}
