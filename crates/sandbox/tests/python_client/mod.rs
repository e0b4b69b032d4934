//! A service's own Python client, which finds no fault with a stand-in.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a script of `tests/clients` with the client whose module is this one, and waits for its verdict.
pub async fn is_content(script: &str, module: &str, given: Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages = root.join("target/clients/python");
    assert!(
        packages.join(module).exists(),
        "the official Python clients are missing: run ./test, which fetches them into target/clients"
    );
    let mut client = Command::new("/usr/bin/python3")
        .arg("-B")
        .arg(root.join("tests/clients").join(script))
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
}
