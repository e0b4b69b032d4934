//! Owners of addresses that send without end: they wait for themselves, and nobody waits for them.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use common::{GET, connect, counted, http2, is_answered, patient, start};
use futures_util::{SinkExt as _, StreamExt as _};
use serve::{Limits, Pace, Paces, Refusal};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

const HOUR: Duration = Duration::from_secs(3600);
/// Nothing waits for it.
const NONE: Pace = Pace { each: Duration::ZERO, at_once: 0, patience: Duration::ZERO };
const UNHURRIED: Paces = Paces { connections: NONE, requests: NONE, messages: NONE, reads: NONE };

fn limits(paces: Paces) -> Limits {
    Limits { paces: Some(paces), connections: 512, ..patient() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_waits_for_itself_and_nobody_else_waits_for_it() {
    let requests = Pace { each: HOUR, at_once: 8, patience: HOUR * 4 };
    let server = start(limits(Paces { requests, ..UNHURRIED }), None, true);
    // The first nine are answered, the next four wait for hours, the others are refused.
    let mut flood: Vec<_> = (0..20).map(|_| connect(&server, 7)).collect();
    for socket in &mut flood {
        let _ = socket.write_all(GET.as_bytes());
    }
    counted(&server, |counts| counts.of(Refusal::Fast) == 7).await;
    assert!((0..9).all(|_| is_answered(&server, 8)), "others are served at once");
    assert!(!is_answered(&server, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_gets_no_places_and_nobody_else_loses_theirs() {
    let connections = Pace { each: HOUR, at_once: 8, patience: Duration::ZERO };
    let server = start(limits(Paces { connections, ..UNHURRIED }), None, true);
    let flood: Vec<_> = (0..200).map(|_| connect(&server, 7)).collect();
    let counts = counted(&server, |counts| counts.of(Refusal::Fast) == 191).await;
    assert_eq!(counts.open, 9);
    assert!((0..9).all(|_| is_answered(&server, 8)), "others are served at once");
    assert!(!is_answered(&server, 7));
    drop(flood);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_that_want_an_answer_ends_its_connection() {
    let reads = Pace { each: HOUR, at_once: 64, patience: Duration::ZERO };
    let server = start(limits(Paces { reads, ..UNHURRIED }), None, true);
    let mut flood = connect(&server, 7);
    let pings = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(1_000);
    flood.write_all(&http2(100, "/")).unwrap();
    // Taken, since the server reads no more while its answers wait.
    let mut answers = flood.try_clone().unwrap();
    let taking = tokio::task::spawn_blocking(move || {
        let mut some = [0; 4096];
        while answers.read(&mut some).is_ok_and(|length| length > 0) {}
    });
    // Ends when the server does not take them any more.
    tokio::task::spawn_blocking(move || while flood.write_all(&pings).is_ok() {}).await.unwrap();
    taking.await.unwrap();
    counted(&server, |counts| counts.of(Refusal::Fast) == 1 && counts.open == 0).await;
    assert!((0..9).all(|_| is_answered(&server, 8)), "others are served at once");
}

async fn websocket(stream: TcpStream) -> WebSocketStream<tokio::net::TcpStream> {
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    client_async("ws://a/socket", stream).await.unwrap().0
}

/// How many of so many messages are said again, up to ten.
async fn said_again(socket: &mut WebSocketStream<tokio::net::TcpStream>) -> usize {
    for n in 0..10 {
        let sent = socket.send(Message::text("a")).await;
        if sent.is_err() || !matches!(socket.next().await, Some(Ok(Message::Text(_)))) {
            return n;
        }
    }
    10
}

#[tokio::test(flavor = "multi_thread")]
async fn all_websockets_of_an_owner_have_their_turns_together() {
    let messages = Pace { each: HOUR, at_once: 14, patience: Duration::ZERO };
    let server = start(limits(Paces { messages, ..UNHURRIED }), None, true);
    let [mut first, mut second, mut other] =
        [websocket(connect(&server, 7)).await, websocket(connect(&server, 7)).await, {
            websocket(connect(&server, 8)).await
        }];
    assert_eq!(said_again(&mut first).await, 10);
    assert_eq!(said_again(&mut second).await, 5, "a second socket is no second share");
    assert_eq!(server.counters().snapshot().of(Refusal::Fast), 1);
    assert_eq!(said_again(&mut other).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_this_machine_has_no_pace() {
    let never = Pace { each: HOUR, at_once: 0, patience: Duration::ZERO };
    let paces = Paces { connections: never, requests: never, messages: never, reads: never };
    let server = start(limits(paces), None, false);
    let local = SocketAddr::from(([127, 0, 0, 1], server.addr().port()));
    for _ in 0..9 {
        assert_eq!(said_again(&mut websocket(TcpStream::connect(local).unwrap()).await).await, 10);
    }
}

#[test]
fn a_server_has_paces_unless_it_says_otherwise() {
    assert_eq!(Limits::default().paces, Some(Paces::OF_MANY_PEOPLE));
}
