//! `deskhand-broker` as a program: as a stranger's script would use it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use common::{Receiver, client, json_of};
use serde_json::{Value, json};

/// A child that is killed when its test ends.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: Value,
}

impl Program {
    fn start(data: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_deskhand-broker"))
            .args(["--data", data.to_str().unwrap(), "--log", "debug"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        Self { child, out, ready: serde_json::from_str(&line).unwrap() }
    }

    fn text(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    async fn mint(&self) -> String {
        let url = format!("{}/session_pin?region=us-east-1", self.text("base_url"));
        let answer = json_of(client().get(url).send().await.unwrap()).await;
        answer["session_pin"].as_str().unwrap().to_owned()
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let token = std::fs::read_to_string(self.text("control_token_file")).unwrap();
        let request = client().post(format!("{}/{path}", self.text("control_url")));
        let request = request.bearer_auth(token.trim()).header("content-type", "application/json");
        json_of(request.body(body.to_string()).send().await.unwrap()).await
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Everything that it logged, and whether it ended well.
    fn end(mut self) -> (String, bool) {
        let mut log = String::new();
        let mut err = self.child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut err, &mut log).unwrap();
        let well = self.child.wait().unwrap().success();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.out, &mut rest).unwrap();
        assert_eq!(rest, "", "one line on stdout and no more");
        (log, well)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_script_sees_the_whole_story_by_control_api_and_no_secret_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start();
    let flags = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let program = Program::start(dir.path(), &flags);
    let pin = program.mint().await;
    for hook in common::HOOKS {
        let body = json!({ "type": hook, "url": receiver.url(hook), "session_pin": pin });
        let url = format!("{}/hook/", program.text("base_url"));
        let put = client().put(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(put.status(), 200);
    }
    let page = uuid::Uuid::new_v4();
    let presence = |online| json!({ "session_pin": pin, "side": "presenter", "page": page, "name": "Maria", "online": online });
    program.control("presence", &presence(true)).await;
    receiver.expect("presenter_started").await;
    let said = json!({ "session_pin": pin, "page": page, "name": "Maria", "body": "hello there" });
    assert_eq!(program.control("chat", &said).await["success"], true);
    program.control("presence", &presence(false)).await;
    program.control("clock", &json!({ "advance_s": 61 })).await;
    receiver.expect("presenter_offline").await;

    program.signal("-TERM");
    let (log, well) = program.end();
    assert!(well, "{log}");
    for secret in [pin.as_str(), "/hook/", "hello there", "Maria"] {
        assert!(!log.contains(secret), "{secret} in the log: {log}");
    }
}

#[tokio::test]
async fn sessions_and_hooks_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start();
    let flags = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let program = Program::start(dir.path(), &flags);
    let pin = program.mint().await;
    let body = json!({ "type": "viewer_started", "url": receiver.url("x"), "session_pin": pin });
    let url = format!("{}/hook/", program.text("base_url"));
    client().put(url).body(body.to_string()).send().await.unwrap();
    program.signal("-KILL");
    assert!(!program.end().1);

    let again = Program::start(dir.path(), &flags);
    let page = uuid::Uuid::new_v4();
    let body = json!({ "session_pin": pin, "side": "viewers", "page": page, "online": true });
    assert_eq!(again.control("presence", &body).await["success"], true);
    receiver.expect("x").await;
    again.signal("-INT");
    assert!(again.end().1);
}

#[test]
fn config_prints_the_commented_file_and_wrong_settings_exit_with_2() {
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_deskhand-broker")).args(args).output().unwrap()
    };
    let file = run(&["config"]);
    assert!(String::from_utf8(file.stdout).unwrap().contains("# listen = \"127.0.0.1:47211\""));
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let wrong = run(&["--data", data, "--tls-cert", "a.pem"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("both a certificate and a key"));
    let missing = run(&["--data", data, "--config", "/nonexistent/broker.toml"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[tokio::test]
async fn a_second_broker_on_the_same_folder_or_port_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), &["--listen", "127.0.0.1:0"]);
    let run = |data: &Path, listen: &str| {
        let flags = ["--data", data.to_str().unwrap(), "--listen", listen];
        let output =
            Command::new(env!("CARGO_BIN_EXE_deskhand-broker")).args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run(dir.path(), "127.0.0.1:0").contains("another broker uses the same data folder"));
    let other = tempfile::tempdir().unwrap();
    let taken = program.text("listen");
    assert!(run(other.path(), &taken).contains(&format!("listen on {taken}")));
}
