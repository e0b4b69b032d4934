//! Clients that take and give nothing back. Loopback addresses stand for those of different people.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use common::{
    SHORT, ask, connect, counted, http2, is_answered, patient, start, start_after, until_the_end,
};
use serve::{Limits, PeerPolicy, Refusal, Speed, TrustedProxies};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_from_one_address_shut_out_nobody_also_not_there() {
    let server = start(Limits { connections: 256, ..patient() }, None, true);
    let silent: Vec<TcpStream> = (0..1100).map(|_| connect(&server, 9)).collect();
    let counts = counted(&server, |counts| counts.of(Refusal::Silent) == 1100 - 64).await;
    assert_eq!((counts.open, counts.limit, counts.full), (64, 256, false));
    assert!(is_answered(&server, 9));
    for from in 10..20 {
        assert!(is_answered(&server, from), "127.0.0.{from}");
    }
    drop(silent);
    counted(&server, |counts| counts.open == 0).await;
    assert!(is_answered(&server, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_through_this_machine_give_way() {
    let server = start(Limits { connections: 256, ..patient() }, None, false);
    let silent: Vec<TcpStream> = (0..1100).map(|_| connect(&server, 1)).collect();
    let counts = counted(&server, |counts| counts.of(Refusal::Silent) == 1100 - 224).await;
    assert_eq!((counts.open, counts.full, counts.of(Refusal::Full)), (224, true, 0));
    for _ in 0..20 {
        assert!(is_answered(&server, 1));
    }
    drop(silent);
    counted(&server, |counts| counts.open == 0 && !counts.full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_that_have_asked_and_keep_their_connections_through_this_machine_give_way() {
    let server = start(patient(), None, false);
    let kept: Vec<_> = (0..1_000)
        .map(|_| {
            let mut socket = connect(&server, 1);
            assert!(ask(&mut socket, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").contains("here"));
            socket
        })
        .collect();
    assert!(is_answered(&server, 1));
    assert!(server.counters().snapshot().open <= 56);
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_behind_a_trusted_proxy_who_never_ends_shuts_out_nobody_else_behind_it() {
    let server = start(patient(), None, true);
    let proxies = TrustedProxies::new(["127.0.0.9".parse().unwrap()]);
    server.use_door(PeerPolicy { proxies, counts_loopback: true });
    let from = |client: &str| {
        format!(
            "POST / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\ncontent-length: 9\r\n\r\n"
        )
    };
    // Each begins a request through the proxy and never ends it; a quarter of the 64 places is theirs.
    let held: Vec<_> = (0..200)
        .map(|_| {
            let mut socket = connect(&server, 9);
            let _ = socket.write_all(from("192.0.2.1, 203.0.113.9").as_bytes());
            socket
        })
        .collect();
    counted(&server, |counts| {
        [Refusal::Full, Refusal::Address, Refusal::Silent]
            .map(|kind| counts.of(kind))
            .iter()
            .sum::<u64>()
            >= 184
    })
    .await;
    let mut other = connect(&server, 9);
    assert!(ask(&mut other, &(from("203.0.113.10") + "123456789")).contains("here"));
    let mut same = connect(&server, 9);
    assert!(ask(&mut same, &from("203.0.113.9")).starts_with("HTTP/1.1 429"));
    // Whoever isn't the proxy is counted by their own address, whatever they claim.
    let mut liar = connect(&server, 8);
    assert!(ask(&mut liar, &(from("203.0.113.9") + "123456789")).contains("here"));
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_nothing_or_only_half_is_sent_away() {
    for (start_of_it, kind) in [
        ("", Refusal::Silent),
        ("G", Refusal::Slow),
        ("GET / HTTP/1.1\r\nhost: a\r\nx-half", Refusal::Slow),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::Slow),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc", Refusal::Slow),
    ] {
        let limits = Limits { headers_within: SHORT, body_within: SHORT, ..patient() };
        let (server, socket) = start_after(start_of_it.as_bytes(), limits, None);
        tokio::task::spawn_blocking(|| until_the_end(socket)).await.unwrap();
        let counts = counted(&server, |counts| counts.of(kind) == 1).await;
        assert_eq!(counts.refused.iter().sum::<u64>(), 1, "{start_of_it:?}");
        counted(&server, |counts| counts.open == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_trickle_do_not_prolong_the_time_for_a_first_request() {
    for start_of_it in ["GET / HTTP/1.1\r\nx: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let limits = Limits { headers_within: SHORT, body_within: SHORT, ..patient() };
        let (server, mut socket) = start_after(start_of_it.as_bytes(), limits, None);
        // An empty frame of settings to HTTP/2; to HTTP/1 nothing that ends a header.
        let more: &[u8] =
            if start_of_it.starts_with("PRI") { &[0, 0, 0, 4, 0, 0, 0, 0, 0] } else { b"y" };
        let trickle = async {
            while socket.write_all(more).is_ok() {
                tokio::time::sleep(SHORT / 10).await
            }
        };
        tokio::time::timeout(Duration::from_secs(60), trickle).await.expect("it stays open");
        counted(&server, |counts| counts.open == 0 && counts.of(Refusal::Slow) == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_ends_its_connection() {
    let server = start(Limits { write_within: SHORT, ..patient() }, None, false);
    let mut socket = connect(&server, 1);
    socket.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    counted(&server, |counts| counts.of(Refusal::Unread) == 1 && counts.open == 0).await;
    drop(socket);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_http2_connection_ends_and_one_that_answers_no_ping_too() {
    for (limits, window, path) in [
        (Limits { idle_within: SHORT, ..patient() }, 100, "/"),
        // It is owed an answer for ever, and never says that it is still there.
        (Limits { idle_within: SHORT, headers_within: SHORT, ..patient() }, 0, "/large"),
    ] {
        let (server, socket) = start_after(&http2(window, path), limits, None);
        let came = tokio::task::spawn_blocking(|| until_the_end(socket)).await.unwrap();
        assert!(!came.is_empty());
        counted(&server, |counts| counts.open == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_answer_for_which_there_is_never_room_ends_its_connection() {
    for (window, path) in [(0, "/"), (0, "/large"), (100, "/large")] {
        let limits = Limits { write_within: SHORT, ..patient() };
        let (server, socket) = start_after(&http2(window, path), limits, None);
        tokio::task::spawn_blocking(|| until_the_end(socket)).await.unwrap();
        counted(&server, |counts| counts.of(Refusal::Unread) == 1 && counts.open == 0).await;
    }
}

/// Takes the answer a byte at a time, until the server ends the connection.
fn sip(mut socket: TcpStream, mut more: impl FnMut(&mut TcpStream) -> std::io::Result<()>) {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    while let Ok(1) = socket.read(&mut [0]) {
        if more(&mut socket).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_a_few_bytes_now_and_then_is_sent_away() {
    let slowest = Speed { bytes: u64::MAX, within: SHORT * 2 };
    for is_http2 in [false, true] {
        let server = start(Limits { slowest, ..patient() }, None, true);
        let mut socket = connect(&server, 1);
        let http1 = b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n".to_vec();
        let first = if is_http2 { http2(1, "/large") } else { http1 };
        socket.write_all(&first).unwrap();
        let sipped = tokio::task::spawn_blocking(move || {
            sip(socket, |socket| match is_http2 {
                // Room for one more byte of the only stream, and of the connection.
                true => socket.write_all(&[
                    0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                ]),
                false => Ok(()),
            });
        });
        sipped.await.unwrap();
        counted(&server, |counts| counts.of(Refusal::Unread) == 1 && counts.open == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_without_a_hello_or_without_a_request_ends() {
    let file = |name: &str| format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = serve::TlsFiles::new(file("test-only.cert.pem"), file("test-only.key.pem"));
    for (start_of_it, kind) in
        [(&b""[..], Refusal::Silent), (&[22, 3, 1, 2, 0, 1][..], Refusal::Slow)]
    {
        let tls = files.load().await.unwrap();
        let limits = Limits { headers_within: SHORT, ..patient() };
        let (server, socket) = start_after(start_of_it, limits, Some(tls));
        tokio::task::spawn_blocking(|| until_the_end(socket)).await.unwrap();
        counted(&server, |counts| counts.of(kind) == 1 && counts.open == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_1200_pages_stay_connected_where_the_files_allow_it() {
    let server = start(
        Limits { headers_within: Duration::from_secs(3600), ..Limits::default() },
        None,
        false,
    );
    let room = server.counters().snapshot().limit * 3 / 4;
    // A machine may allow a process too few files for that: then it is as many as there is room for.
    let pages = 1200.min(room);
    eprintln!("{pages} pages; 1200 take a hard limit of 4096 open files (`ulimit -Hn`)");
    let mut open = Vec::new();
    for _ in 0..pages {
        let mut socket = connect(&server, 1);
        socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut start = [0; 15];
        socket.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        open.push(socket);
    }
    assert_eq!(server.counters().snapshot().refused, [0; Refusal::ALL.len()]);
}
