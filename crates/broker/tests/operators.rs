//! What operators see of a running `deskhand-broker`: health, log, metrics, and what a SIGHUP changes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;
mod operating;

use common::{Page, Receiver, broker, client};
use operating::Program;
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn health_is_told_at_every_endpoint_by_any_address_and_by_no_foreign_name() {
    let mut rig = broker().await;
    let network = broker::Network {
        ip: [127, 0, 0, 1].into(),
        port: serve::Port::Any,
        tls: None,
        public_url: None,
    };
    rig.running.open_to_network(network).await.unwrap();
    for origin in [rig.running.origin().to_owned(), rig.handle().customers_origin()] {
        for path in ["/healthz", "/readyz"] {
            let ask = |host: &'static str| {
                rig.http.get(format!("{origin}{path}")).header("host", host).send()
            };
            for good in ["10.20.30.40:8080", "[fd00::7]"] {
                let answer = ask(good).await.unwrap();
                assert_eq!(answer.status(), 200, "{path} {good}");
                assert_eq!(answer.text().await.unwrap(), "ok\n");
            }
            assert_eq!(ask("evil.example").await.unwrap().status(), 403);
        }
        // What lies beside them is guarded as ever.
        let call = rig.http.get(format!("{origin}/api/v1/regions")).header("host", "10.20.30.40");
        assert_eq!(call.send().await.unwrap().status(), 403);
        let metrics = rig.http.get(format!("{origin}/metrics")).send().await.unwrap();
        assert_eq!(metrics.status(), 404, "strangers read no figures");
    }
}

#[tokio::test]
async fn a_broker_whose_disk_takes_nothing_is_alive_but_not_ready_until_it_does_again() {
    let dir = tempfile::tempdir().unwrap();
    // Files that may not grow are what a full disk is to a program.
    let program = Program::start_without_file_size_signal(dir.path(), &[]);
    let origin = program.text("origin");
    assert_eq!(program.readiness_becomes(StatusCode::OK).await, "ok\n");
    program.limit_file_size("1");
    let why = program.readiness_becomes(StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(why, "not ready: the store can't be written\n");
    assert_eq!(client().get(format!("{origin}/healthz")).send().await.unwrap().status(), 200);
    program.limit_file_size("unlimited");
    program.readiness_becomes(StatusCode::OK).await;
}

#[tokio::test]
async fn a_json_log_tells_start_refusals_and_deliveries_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start();
    let program = Program::start(dir.path(), &["--log-format", "json"]);
    let origin = program.text("origin");
    let base = program.text("base_url");
    let pin = program.mint().await;
    let body = json!({ "type": "presenter_started", "url": receiver.url("Secr3tToken"), "session_pin": pin });
    client().put(format!("{base}/hook/")).body(body.to_string()).send().await.unwrap();
    let page = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    receiver.expect("Secr3tToken").await;
    let refused = client().get(format!("{base}/chat?session_pin=AAA-11-BBBB")).send().await;
    assert!(refused.unwrap().status().is_client_error());
    drop(page);
    program.signal("-TERM");
    let (log, well) = program.end();
    assert!(well, "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |message: &str| {
        let line = lines.iter().find(|line| line["message"] == message);
        line.unwrap_or_else(|| panic!("`{message}` isn't in {log}"))
    };
    assert_eq!(said("started")["origin"], origin);
    assert_eq!(said("hook delivered")["status"], 200);
    assert_eq!(said("hook delivered")["hook"], "presenter_started");
    assert_eq!(said("refused")["kind"], "unknown_pin");
    said("stopping");
    for secret in [&*pin, "AAA-11-BBBB", "Secr3tToken", "Maria"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
