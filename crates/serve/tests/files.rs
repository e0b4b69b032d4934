//! What happens when the process can open no more files. Alone in its program, whose limit it uses up.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs::File, io::Write as _};

use common::{GET, connect, counted, patient, start, until_the_end};
use rustix::process::{Resource, getrlimit, setrlimit};
use serve::{Limits, Refusal};

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_is_free_a_silent_connection_makes_room() {
    let server = start(Limits { connections: 64, ..patient() }, None, false);
    let silent = connect(&server, 1);
    counted(&server, |counts| counts.open == 1).await;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(256), ..limit }).unwrap();
    let mut hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // One is left, for this side of the next connection.
    drop(hoard.pop());
    let mut next = connect(&server, 1);
    next.write_all(GET.as_bytes()).unwrap();
    let answer = tokio::task::spawn_blocking(|| until_the_end(next)).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("here"));
    let counts = server.counters().snapshot();
    assert!(counts.of(Refusal::Files) > 0 && counts.full, "{counts:?}");
    drop((hoard, silent));
    counted(&server, |counts| counts.open == 0).await;
}
