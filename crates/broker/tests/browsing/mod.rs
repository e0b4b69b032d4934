//! Headless Chromium, driven by chromedriver.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part of this

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(40);

/// A chromedriver, ended with its test.
pub struct Driver {
    child: Child,
    url: String,
    profiles: tempfile::TempDir,
}

impl Driver {
    /// Port 0 is one port for two addresses, of which the second may be taken; then it is tried again.
    pub fn start() -> Self {
        (0..5).find_map(|_| Self::try_start()).expect("chromedriver did not start")
    }

    fn try_start() -> Option<Self> {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; ./test installs it");
        let profiles = tempfile::tempdir().unwrap();
        let mut driver = Self { child, url: String::new(), profiles };
        let out = BufReader::new(driver.child.stdout.take()?);
        let mark = "started successfully on port ";
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        driver.url = format!("http://127.0.0.1:{}", port?);
        Some(driver)
    }

    pub async fn browser(&self, name: &str) -> Client {
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
        let prefs = json!({ "download.default_directory": profile });
        let capabilities = json!({ "goog:chromeOptions": { "args": args, "prefs": prefs } });
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
pub async fn see(browser: &Client, id: &str, text: &str) {
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

pub async fn type_into(browser: &Client, id: &str, text: &str) {
    browser.find(Locator::Id(id)).await.unwrap().send_keys(text).await.unwrap();
}

pub async fn press(browser: &Client, id: &str) {
    browser.find(Locator::Id(id)).await.unwrap().click().await.unwrap();
}

/// Waits until this script gives a true value.
pub async fn holds(browser: &Client, script: &str) {
    let script = format!("return {script}");
    let waits = async { while !truthy(&browser.execute(&script, vec![]).await.unwrap()) {} };
    if tokio::time::timeout(PATIENCE, waits).await.is_err() {
        panic!("never held: {script}\n{}", browser.source().await.unwrap_or_default());
    }
}

fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}
