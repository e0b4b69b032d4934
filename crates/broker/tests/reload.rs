//! SIGHUP: settings and certificate are read again, and what can't be used changes nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;
mod operating;

use std::{fs, path::Path};

use common::{Page, client, json_of};
use operating::Program;
use serde_json::json;

fn fixture(path: &str) -> String {
    fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The certificate that a server shows, in DER.
async fn certificate(origin: &str) -> Vec<u8> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .pool_max_idle_per_host(0);
    let answer = client.build().unwrap().get(format!("{origin}/healthz")).send().await.unwrap();
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    info.peer_certificate().unwrap().to_owned()
}

fn put_certificate(folder: &Path, name: &str) {
    fs::write(folder.join("cert.pem"), fixture(&format!("{name}.cert.pem"))).unwrap();
    fs::write(folder.join("key.pem"), fixture(&format!("{name}.key.pem"))).unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_served_and_a_bad_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    put_certificate(dir.path(), "serve/tests/fixtures/test-only");
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let mut program = Program::start(&dir.path().join("data"), &flags);
    let origin = program.text("origin");
    let first = certificate(&origin).await;

    put_certificate(dir.path(), "engine/tests/fixtures/test-only-expired");
    program.signal("-HUP");
    program.log_says("were read again");
    let second = certificate(&origin).await;
    assert_ne!(first, second);

    fs::write(&cert, "no certificate").unwrap();
    program.signal("-HUP");
    program.log_says("were not taken up");
    assert_eq!(certificate(&origin).await, second);
    program.signal("-TERM");
    assert!(program.end().1);
}

#[tokio::test]
async fn settings_change_without_a_restart_and_whoever_is_connected_stays() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("broker.toml");
    fs::write(&file, "[regions]\nus-east-1 = 1\n").unwrap();
    let flags = ["--config", file.to_str().unwrap()];
    let mut program = Program::start(&dir.path().join("data"), &flags);
    let (origin, base) = (program.text("origin"), program.text("base_url"));
    let pin = program.mint().await;
    let mut page = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    let regions =
        async || json_of(client().get(format!("{base}/regions")).send().await.unwrap()).await;
    let put_hook = async || {
        let body =
            json!({ "type": "viewer_started", "url": "http://127.0.0.1:9/", "session_pin": pin });
        let put = client().put(format!("{base}/hook/")).body(body.to_string());
        put.send().await.unwrap().status()
    };
    assert_eq!(regions().await, json!(["us-east-1"]));
    assert_eq!(put_hook().await, 200);

    let changed = "listen = \"127.0.0.1:1\"\nallow_loopback_hooks = false\n\
                   [regions]\neu-west-2 = 1\nus-east-1 = 1\n";
    fs::write(&file, changed).unwrap();
    program.signal("-HUP");
    // `--listen` is among the flags here, and wins over the file, now as at the start.
    program.log_says("were read again");
    assert_eq!(regions().await, json!(["eu-west-2", "us-east-1"]));
    assert_eq!(put_hook().await, 400, "where hooks may go");

    fs::write(&file, "public_url = \"https://help.example.org\"\n").unwrap();
    program.signal("-HUP");
    program.log_says("public_url");
    assert_eq!(program.text("origin"), origin);

    fs::write(&file, "connections = 300\nlog_format = \"json\"\n").unwrap();
    program.signal("-HUP");
    program.log_says("log_format");

    // One is there already.
    fs::write(&file, "sessions = 1\n").unwrap();
    program.signal("-HUP");
    program.log_says("were read again");
    let refused = client().get(format!("{base}/session_pin?region=us-east-1"));
    assert_eq!(refused.send().await.unwrap().status(), 507);

    for bad in ["regions = 5", "[smtp]\nurl = \"nonsense\"\nfrom = \"nobody\"", "[regions]"] {
        let before = regions().await;
        fs::write(&file, bad).unwrap();
        program.signal("-HUP");
        program.log_says("were not taken up");
        assert_eq!(regions().await, before, "{bad}");
    }
    page.send(&json!({ "type": "chat", "name": "Maria", "body": "still here" })).await;
    assert_eq!(page.next_of("chat").await["message"]["body"], "still here");
    program.signal("-TERM");
    let (log, well) = program.end();
    assert!(well && !log.contains(&pin), "{log}");
}

#[tokio::test]
async fn what_did_not_change_is_not_said_to_wait_for_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--control", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let mut program = Program::start(dir.path(), &flags);
    program.signal("-HUP");
    program.log_says("were read again");
    program.signal("-TERM");
    let (log, well) = program.end();
    assert!(well && !log.contains("next start only"), "{log}");
}
