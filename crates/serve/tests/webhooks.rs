//! A server of webhooks: a service sends each of them once, all from one address, and waits for no answer. Whatever limits
//! a flood, none that was sent is lost.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::Write as _,
    net::{Ipv4Addr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::any};
use common::{connect, counted, http2, is_answered, patient, until_the_end};
use serve::{Bodies, Limits, Pace, Paces, PeerPolicy, Port, Refusal, Server};

const HOUR: Duration = Duration::from_secs(3600);
const HOOK: &str = "POST /hook HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}";

/// Such a server with these paces, and how many hooks it has handled.
fn start(paces: Paces) -> (Server, Arc<AtomicUsize>) {
    let handled = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&handled);
    let hook = async move || {
        // As long as a disk takes: until others have had a turn.
        tokio::task::yield_now().await;
        counts.fetch_add(1, Ordering::Relaxed);
        "taken"
    };
    let routes = Router::new().route("/hook", any(hook)).route("/", any(async || "here"));
    let bound = serve::bind(Ipv4Addr::UNSPECIFIED.into(), Port::Any).unwrap();
    let limits =
        Limits { bodies: Bodies::Ignored, connections: 8_192, paces: Some(paces), ..patient() };
    let door = PeerPolicy { counts_loopback: true, ..PeerPolicy::default() };
    (Server::start_at(door, bound, routes, limits, None).unwrap(), handled)
}

async fn until_handled(handled: &AtomicUsize, times: usize) {
    let reached = async {
        while handled.load(Ordering::Relaxed) < times {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), reached).await;
    assert!(in_time.is_ok(), "{} of {times} counted", handled.load(Ordering::Relaxed));
}

fn send(server: &Server, from: u8, bytes: &[u8]) -> TcpStream {
    let mut socket = connect(server, from);
    socket.write_all(bytes).unwrap();
    socket
}

/// No request waits for less than an hour after the first few.
fn slow_requests(patience: Duration) -> Paces {
    Paces { requests: Pace { each: HOUR, at_once: 2, patience }, ..Paces::OF_WEBHOOKS }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_hooks_from_one_address_that_nobody_waits_for_all_count() {
    let (server, handled) = start(Paces::OF_WEBHOOKS);
    let large = format!(
        "POST /hook HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\n\r\n{}",
        "x".repeat(9_000)
    );
    for _ in 0..500 {
        drop(send(&server, 7, HOOK.as_bytes()));
        drop(send(&server, 7, large.as_bytes()));
    }
    until_handled(&handled, 1_000).await;
    assert_eq!(server.counters().snapshot().of(Refusal::Fast), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_comes_too_fast_counts_at_once_and_its_answer_waits() {
    let (server, handled) = start(slow_requests(HOUR * 100));
    let held: Vec<_> = (0..10).map(|_| send(&server, 7, HOOK.as_bytes())).collect();
    let by_http2: Vec<_> = (0..10).map(|_| send(&server, 7, &http2(100, "/hook"))).collect();
    // Also of those who are gone by then.
    (0..10).for_each(|_| drop(send(&server, 7, HOOK.as_bytes())));
    until_handled(&handled, 30).await;
    assert!(is_answered(&server, 8), "others are answered at once");
    assert_eq!(server.counters().snapshot().of(Refusal::Fast), 0);
    drop((held, by_http2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_beyond_any_patience_counts_and_is_answered_as_ever() {
    let (server, handled) = start(slow_requests(Duration::ZERO));
    let sent: Vec<_> = (0..20).map(|_| send(&server, 7, HOOK.as_bytes())).collect();
    until_handled(&handled, 20).await;
    assert_eq!(server.counters().snapshot().of(Refusal::Fast), 0, "none of them was refused");
    for socket in sent {
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = tokio::task::spawn_blocking(|| until_the_end(socket)).await.unwrap();
        assert!(String::from_utf8_lossy(&answer).ends_with("taken"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_gets_no_places_and_hooks_of_others_count() {
    let connections = Pace { each: HOUR, at_once: 8, patience: Duration::ZERO };
    let (server, handled) = start(Paces { connections, ..Paces::OF_WEBHOOKS });
    let flood: Vec<_> = (0..200).map(|_| connect(&server, 7)).collect();
    counted(&server, |counts| counts.of(Refusal::Fast) == 191).await;
    (0..9).for_each(|_| drop(send(&server, 8, HOOK.as_bytes())));
    until_handled(&handled, 9).await;
    drop(flood);
}
