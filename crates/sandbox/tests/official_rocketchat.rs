//! Rocket.Chat's stand-in against the service's Python client, over loopback.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod python_client;

use sandbox::{Config, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::json;
use serve::Clock;

#[tokio::test]
async fn the_python_client_cannot_tell_it_from_the_service() {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::embedded(data.path());
    config.examples = true;
    // The code is good for however long the client takes to start.
    config.clock = Clock::frozen(Clock::system().now());
    let running = Sandbox::start(config).await.unwrap();
    let chat = running.rocketchat();
    let session = chat.sessions().await.unwrap().remove(0);
    let given = json!({
        "url": chat.base_url(),
        "user_id": chat.user_id(),
        "token": chat.token().expose_secret(),
        "code": chat.authenticator_code().expose_secret(),
        "session": session.session_id,
        "user": "rod",
        "password": "sandbox",
    });
    python_client::is_content("rocketchat.py", "rocketchat_API/rocketchat.py", given).await;
    running.shutdown().await;
}
