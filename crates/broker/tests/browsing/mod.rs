//! What is done in a page, and what is waited for there.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part of this

use std::time::Duration;

use fantoccini::{Client, Locator};
use serde_json::Value;

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

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
