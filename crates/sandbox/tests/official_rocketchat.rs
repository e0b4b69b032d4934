//! Rocket.Chat's stand-in against the service's Python client, over loopback.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

use std::{path::Path, process::Stdio, time::Duration};

use sandbox::{Config, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::json;
use serve::Clock;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_python_client_cannot_tell_it_from_the_service() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages = root.join("target/clients/python");
    assert!(
        packages.join("rocketchat_API/rocketchat.py").exists(),
        "the official Python clients are missing: run ./test, which fetches them into target/clients"
    );
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
    let mut client = Command::new("/usr/bin/python3")
        .arg("-B")
        .arg(root.join("tests/clients/rocketchat.py"))
        .env("PYTHONPATH", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("/usr/bin/python3 is missing: run ./test, which installs it");
    // By its standard input: what is among the arguments can be seen by everybody.
    client.stdin.take().unwrap().write_all(format!("{given}\n").as_bytes()).await.unwrap();
    let done = tokio::time::timeout(PATIENCE, client.wait_with_output()).await.unwrap().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("is content"), "{said}{complained}");
    running.shutdown().await;
}
