//! LoginTC's stand-in against the service's official Python client, over loopback.
#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Stdio, time::Duration};

use sandbox::{Config, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_official_client_cannot_tell_it_from_the_service() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages = root.join("target/clients/python");
    assert!(
        packages.join("logintc/client.py").exists(),
        "the official Python clients are missing: run ./test, which fetches them into target/clients"
    );
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
    let mut client = Command::new("/usr/bin/python3")
        .arg("-B")
        .arg(root.join("tests/clients/logintc_calls.py"))
        .env("PYTHONPATH", packages)
        .env("NO_PROXY", "127.0.0.1")
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
