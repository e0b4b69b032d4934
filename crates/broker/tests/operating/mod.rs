//! `deskhand-broker` as its operator runs it.
#![allow(dead_code)] // each test file uses its own part of this

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use reqwest::StatusCode;
use serde_json::Value;

use crate::common::{PATIENCE, client, json_of};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_deskhand-broker");

/// A child that is killed when its test ends.
pub struct Program {
    child: Child,
    err: BufReader<ChildStderr>,
    log: String,
    pub ready: Value,
}

impl Program {
    pub fn start(data: &Path, flags: &[&str]) -> Self {
        Self::start_by(Command::new(PROGRAM), data, flags)
    }

    /// A program that gets an error where a file may not grow, and no signal that kills it.
    pub fn start_without_file_size_signal(data: &Path, flags: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]);
        Self::start_by(shell, data, flags)
    }

    fn start_by(mut command: Command, data: &Path, flags: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        let command = command.args(listen).args(flags);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("it didn't start: {error}: {log}")
        });
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, log: String::new(), ready }
    }

    pub fn text(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    pub async fn mint(&self) -> String {
        let url = format!("{}/session_pin?region=us-east-1", self.text("base_url"));
        let answer = json_of(client().get(url).send().await.unwrap()).await;
        answer["session_pin"].as_str().unwrap().to_owned()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// No file of this program may grow beyond so many bytes.
    pub fn limit_file_size(&self, bytes: &str) {
        let (pid, size) = (self.child.id().to_string(), format!("--fsize={bytes}:unlimited"));
        assert!(Command::new("prlimit").args(["--pid", &pid, &size]).status().unwrap().success());
    }

    /// Asks whether it is ready until it answers with this status, and returns the text.
    pub async fn readiness_becomes(&self, status: StatusCode) -> String {
        let url = format!("{}/readyz", self.text("origin"));
        let asking = async {
            loop {
                let answer = client().get(&url).send().await.unwrap();
                if answer.status() == status {
                    return answer.text().await.unwrap();
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("its readiness stays the same")
    }

    /// Reads its log up to the next line with this text; the test's own time limit ends the waiting.
    pub fn log_says(&mut self, text: &str) {
        loop {
            let start = self.log.len();
            let read = self.err.read_line(&mut self.log).unwrap();
            assert!(read > 0, "it ended without saying `{text}`: {}", self.log);
            if self.log[start..].contains(text) {
                return;
            }
        }
    }

    /// Everything that it logged, and whether it ended well.
    pub fn end(mut self) -> (String, bool) {
        self.err.read_to_string(&mut self.log).unwrap();
        (std::mem::take(&mut self.log), self.child.wait().unwrap().success())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
