//! A child of this test binary that is killed in the middle of its work, and what it told until then.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

const ACKNOWLEDGED: &str = "acknowledged ";

/// The child's part: tells that something is on the disk.
pub fn acknowledged(what: &str) {
    let mut out = std::io::stdout();
    // One write: a line is told whole or not at all.
    out.write_all(format!("{ACKNOWLEDGED}{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Runs the test `child`, whose folder is in the variable `named`, until it told `acks` acknowledgements, kills it, and
/// answers all that it told.
pub fn run_and_kill(child: &str, named: &str, folder: &Path, acks: u64) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture"])
        .env(named, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    let mut killed = false;
    while let Some(Ok(line)) = lines.next() {
        let Some((_, what)) = line.split_once(ACKNOWLEDGED) else { continue };
        told.push(what.to_owned());
        if told.len() as u64 >= acks && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    told
}
