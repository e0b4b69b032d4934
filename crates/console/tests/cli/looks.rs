//! `regions`, `doctor` and the help: programs that only look.

use serde_json::Value;

use crate::process::run;

#[tokio::test]
async fn regions_choose_the_fastest_of_the_broker_that_comes_along() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["regions", "--json"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lanes = view["lanes"].as_array().unwrap();
    assert_eq!(lanes.len(), 5);
    let chosen = view["chosen"].as_str().unwrap();
    assert!(["us-east-1", "ca-central-1"].contains(&chosen), "{view}");
    let far = lanes.iter().find(|lane| lane["region"] == "ap-southeast-2").unwrap();
    assert!(far["over_ms"].is_number(), "205 ms is far more than 1.6 times 24 ms: {far}");
}

#[tokio::test]
async fn regions_of_a_service_that_is_not_there_fail_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output =
        run(home.path(), &["regions", "--base-url", &format!("http://{nobody}/api/v1")]).await;
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("deskhand: choose a region: ") && output.stdout.is_empty(),
        "{error}"
    );
}

#[tokio::test]
async fn the_doctor_finds_that_a_session_works_here_without_a_desktop() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["doctor", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    let found = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}"))["found"].clone()
    };
    assert_eq!(report["ok"], true);
    assert_eq!(found("display"), "warning");
    for works in [
        "data folder",
        "stores",
        "passkeys",
        "verification",
        "devices",
        "listener",
        "broker",
        "way back",
    ] {
        assert_eq!(found(works), "ok", "{works}");
    }
}

#[tokio::test]
async fn the_doctor_says_what_fails_and_what_helps() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let config = home.path().join("empty.toml");
    std::fs::write(&config, "").unwrap();
    let words = ["doctor", "--config", config.to_str().unwrap(), "--data", file.to_str().unwrap()];
    let output = run(home.path(), &words).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("failed   data folder") && text.contains("--data"), "{text}");
}

#[tokio::test]
async fn without_a_program_it_prints_its_help() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    for program in ["headless", "regions", "demo", "doctor", "audit", "--base-url"] {
        assert!(text.contains(program), "{text}");
    }
}
