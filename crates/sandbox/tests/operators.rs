//! `deskhand-sandbox` as its operator runs it: health, metrics, log and signals.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// A child that is killed when its test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(program: &Program, name: &str) {
    let pid = program.0.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[tokio::test]
async fn each_stand_in_tells_its_health_and_one_address_the_figures_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_deskhand-sandbox"))
        .args(["--data", dir.path().to_str().unwrap(), "--metrics", "127.0.0.1:0"])
        .args(["--log-format", "json", "--examples"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Program(child);
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for service in ["logintc", "rocketchat", "passwordless"] {
        let base = url::Url::parse(ready[service].as_str().unwrap()).unwrap();
        for path in ["/healthz", "/readyz"] {
            let ask =
                |host: &'static str| http.get(base.join(path).unwrap()).header("host", host).send();
            assert_eq!(ask("10.1.2.3").await.unwrap().status(), 200, "{service} {path}");
            assert_eq!(ask("evil.example").await.unwrap().status(), 403, "{service} {path}");
        }
        let metrics = http.get(base.join("/metrics").unwrap()).send().await.unwrap();
        assert_ne!(metrics.status(), 200, "{service}");
    }
    let metrics = http.get(ready["metrics_url"].as_str().unwrap()).send().await.unwrap();
    let text = metrics.text().await.unwrap();
    assert!(
        text.contains("deskhand_sandbox_logintc_calls_total{outcome=\"refused\"} 1\n"),
        "{text}"
    );
    for service in ["logintc", "rocketchat", "passwordless"] {
        let refused =
            format!("deskhand_sandbox_{service}_sockets_refused_total{{kind=\"fast\"}} 0\n");
        assert!(text.contains(&refused), "{text}");
    }

    // There is nothing to read again, and no reason to end.
    signal(&program, "-HUP");
    let mut log = BufReader::new(program.0.stderr.take().unwrap());
    let mut all = String::new();
    while !all.contains("nothing changes") {
        assert!(log.read_line(&mut all).unwrap() > 0, "{all}");
    }
    signal(&program, "-TERM");
    log.read_to_string(&mut all).unwrap();
    assert!(program.0.wait().unwrap().success(), "{all}");
    let lines: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["message"], "started");
    let keys: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("keys.json")).unwrap()).unwrap();
    for secret in [&keys["logintc"]["key"], &keys["rocketchat"]["token"]] {
        assert!(!all.contains(secret.as_str().unwrap()), "a key is in the log");
    }
}
