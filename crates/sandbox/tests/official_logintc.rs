//! LoginTC's stand-in against the service's official Python client, over loopback.
#![allow(clippy::unwrap_used)]

mod python_client;

use sandbox::{Config, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::json;

#[tokio::test]
async fn the_official_client_cannot_tell_it_from_the_service() {
    let data = tempfile::tempdir().unwrap();
    let running = Sandbox::start(Config::embedded(data.path())).await.unwrap();
    let logintc = running.logintc();
    let john = logintc.add_user("john.doe", true).await.unwrap().unwrap();
    let tom = logintc.add_user("tom.baker", false).await.unwrap().unwrap();
    let given = json!({
        "host": logintc.base_url().strip_prefix("http://").unwrap().strip_suffix("/api").unwrap(),
        "key": logintc.key().expose_secret(),
        "domain": logintc.domain(),
        "phone": logintc.phone_url(),
        "user": "john.doe",
        "user_id": john,
        "deviceless": "tom.baker",
        "otp": logintc.otp(&john).await.unwrap(),
        "bypass": logintc.add_bypass_code(&tom).await.unwrap(),
    });
    python_client::is_content("logintc_calls.py", "logintc/client.py", given).await;
    running.shutdown().await;
}
