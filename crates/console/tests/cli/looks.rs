//! `regions`, `doctor` and the help: programs that only look.

use std::{path::Path, time::Duration};

use broker::{Broker, Config, RegionDelay};
use port_tests::KeptPort;
use serde_json::Value;

use crate::process::run;

async fn regions(home: &Path, more: &[&str]) -> Value {
    let output = run(home, &[&["regions", "--json"], more].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn regions_choose_the_fastest_of_the_broker_that_comes_along() {
    let home = tempfile::tempdir().unwrap();
    let view = regions(home.path(), &[]).await;
    let lanes = view["lanes"].as_array().unwrap();
    assert_eq!(lanes.len(), 5);
    // Which one that is depends on what else this machine does.
    let best = lanes.iter().filter_map(|lane| lane["best_ms"].as_f64()).min_by(f64::total_cmp);
    let chosen = lanes.iter().find(|lane| lane["region"] == view["chosen"]).unwrap();
    assert_eq!(chosen["best_ms"].as_f64(), best, "{view}");
}

#[tokio::test]
async fn a_region_that_is_too_far_away_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let region = |name: &str, latency| RegionDelay { region: name.parse().unwrap(), latency };
    let mut config = Config::embedded(home.path().join("broker"));
    // So far that no machine is slow enough to take it for near.
    config.regions =
        vec![region("far-1", Duration::from_secs(3600)), region("near-1", Duration::ZERO)];
    // Its end would wait for the far one's answer.
    let broker = Broker::start(config).await.unwrap();
    let (base_url, template) = (broker.base_url(), broker.region_url_template());
    let words = ["--base-url", &base_url, "--region-url-template", &template];
    let view = regions(home.path(), &words).await;
    assert_eq!(view["chosen"], "near-1", "{view}");
    let far = view["lanes"].as_array().unwrap().iter().find(|lane| lane["region"] == "far-1");
    assert!(far.unwrap()["over_ms"].is_number(), "{view}");
}

#[tokio::test]
async fn regions_of_a_service_that_is_not_there_fail_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let nobody = KeptPort::new();
    let base_url = format!("http://{}/api/v1", nobody.addr());
    let output = run(home.path(), &["regions", "--base-url", &base_url]).await;
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
