//! What operators see of a running `deskhand-broker`: health, log, metrics, and what a SIGHUP changes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;
mod operating;

use common::{Page, Receiver, broker, client, endpoint};
use operating::Program;
use port_tests::KeptPort;
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn health_is_told_at_every_endpoint_by_any_address_and_by_no_foreign_name() {
    let mut rig = broker().await;
    rig.running.open_to_network(endpoint()).await.unwrap();
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
        for guarded in ["/api/v1/regions", "/join", "/metrics", "/nothing"] {
            let call = rig.http.get(format!("{origin}{guarded}")).header("host", "10.20.30.40");
            assert_eq!(call.send().await.unwrap().status(), 403, "{guarded}");
        }
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

/// The values of a Prometheus text, by name and label.
async fn figures(program: &Program) -> std::collections::HashMap<String, u64> {
    let answer = client().get(program.text("metrics_url")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let values = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| line.rsplit_once(' ').map(|(k, v)| (k.to_owned(), v.parse().unwrap()));
    values.map(|line| pair(line).unwrap()).collect()
}

#[tokio::test]
async fn metrics_count_what_there_is_and_what_happened_at_an_address_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start();
    let program = Program::start(dir.path(), &["--metrics", "127.0.0.1:0"]);
    let (origin, base) = (program.text("origin"), program.text("base_url"));
    let pin = program.mint().await;
    let body = json!({ "type": "presenter_started", "url": receiver.url("x"), "session_pin": pin });
    client().put(format!("{base}/hook/")).body(body.to_string()).send().await.unwrap();
    let _page = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    receiver.expect("x").await;
    for _ in 0..3 {
        client().get(format!("{base}/chat?session_pin={pin}x")).send().await.unwrap();
    }
    let seen = figures(&program).await;
    assert_eq!(seen["deskhand_broker_sessions"], 1);
    assert_eq!(seen["deskhand_broker_connections{of=\"customer_page\"}"], 1);
    assert_eq!(seen["deskhand_broker_connections{of=\"viewer\"}"], 0);
    assert_eq!(seen["deskhand_broker_refusals_total{kind=\"malformed\"}"], 3);
    assert_eq!(seen["deskhand_broker_outbox_mails{state=\"sent\"}"], 0);
    assert!(seen["deskhand_broker_sockets"] >= 1, "the page's");
    assert_eq!(seen["deskhand_broker_sockets_refused_total{kind=\"full\"}"], 0);
    let metrics = program.text("metrics_url");
    let own = metrics.strip_suffix("/metrics").unwrap();
    assert_eq!(client().get(format!("{own}/readyz")).send().await.unwrap().status(), 200);
    // Nothing else is there, and a foreign page that points its name here reads nothing.
    assert_eq!(client().get(format!("{own}/api/v1/regions")).send().await.unwrap().status(), 404);
    let rebound = client().get(&metrics).header("host", "evil.example").send().await;
    assert_eq!(rebound.unwrap().status(), 403);
    let text = client().get(&metrics).send().await.unwrap().text().await.unwrap();
    for secret in [&*pin, "127.0.0.1", "Maria"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn an_operator_lists_sessions_and_mails_and_learns_why_it_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let port = KeptPort::new();
    let file = dir.path().join("broker.toml");
    let data = dir.path().join("data");
    std::fs::write(&file, format!("data = {data:?}\ncontrol = \"{}\"\n", port.addr())).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let admin = |words: &[&str]| {
        let all = config.iter().chain(["admin"].iter()).chain(words);
        std::process::Command::new(operating::PROGRAM).args(all).output().unwrap()
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = std::process::Command::new(operating::PROGRAM).args(["admin", "sessions"]).output();
    let off = text(ran.unwrap().stderr);
    assert!(off.contains("it is off") && off.contains("--config"), "{off}");
    let absent = admin(&["sessions"]);
    let why = text(absent.stderr);
    assert!(why.contains("control-token") && why.contains("is the broker running"), "{why}");

    let program = Program::start(&data, &config);
    let (origin, base) = (program.text("origin"), program.text("base_url"));
    let pin = program.mint().await;
    let _page = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    let mail = json!({ "session_pin": pin, "type": "viewer_started", "name": "Anna" });
    let mailed = client().post(format!("{base}/email/a@b.example")).body(mail.to_string()).send();
    assert_eq!(mailed.await.unwrap().status(), 200);

    let sessions = admin(&["sessions"]);
    let listed = text(sessions.stdout);
    let line: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!([line[1], line[4], line[5], line[6]], ["us-east-1", "no", "1", "0"], "{listed}");
    let outbox = text(admin(&["outbox"]).stdout);
    assert!(outbox.contains("kept") && outbox.contains("a@b.example"), "{outbox}");
    let json: Value = serde_json::from_slice(&admin(&["sessions", "--json"]).stdout).unwrap();
    assert_eq!(json["sessions"][0]["customer_pages"], 1);
    for told in [listed, outbox] {
        assert!(!told.contains(&pin) && !told.contains("Maria"), "{told}");
    }
    std::fs::write(data.join("control-token"), "another").unwrap();
    let wrong = admin(&["blocks"]);
    assert!(!wrong.status.success() && text(wrong.stderr).contains("doesn't take the token"));
    drop(program);
    let gone = text(admin(&["blocks"]).stderr);
    assert!(gone.contains("is the broker running") && gone.contains("restart"), "{gone}");
}

#[test]
fn the_manual_page_and_the_completions_are_those_of_the_command_line() {
    let run = |words: &[&str]| {
        let ran = std::process::Command::new(operating::PROGRAM).args(words).output().unwrap();
        assert!(ran.status.success());
        String::from_utf8(ran.stdout).unwrap()
    };
    assert!(run(&["man"]).contains("\\-\\-log\\-format"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).contains("log-format"), "{shell}");
    }
    // Each page that another one names is there.
    let folder = tempfile::tempdir().unwrap();
    run(&["man", folder.path().to_str().unwrap()]);
    for page in ["deskhand-broker", "deskhand-broker-admin", "deskhand-broker-admin-lift"] {
        let text = std::fs::read_to_string(folder.path().join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    assert!(!folder.path().join("deskhand-broker-man.1").exists());
}
