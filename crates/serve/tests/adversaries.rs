//! Clients that take and give nothing back. Loopback addresses stand for those of different people.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use axum::{Router, routing::get};
use serve::{
    Bound, Counts, Limits, Pace, PeerPolicy, Port, Refusal, Server, TrustedProxies, tls::Tls,
};
use socket2::{Domain, Socket, Type};

const SHORT: Duration = Duration::from_millis(200);

/// Everything may take so long that no test depends on it; each shortens what it is about.
fn patient() -> Limits {
    let long = Duration::from_secs(3600);
    Limits {
        headers_within: long,
        body_within: long,
        idle_within: long,
        write_within: long,
        connections: 64,
        ..Limits::default()
    }
}

/// A server where `/` answers, `/large` says more than any buffer holds, and `/echo` wants a body.
fn start(limits: Limits, tls: Option<Tls>, counts_loopback: bool) -> Server {
    serve_at(bound(), limits, tls, counts_loopback)
}

/// Such a server, and somebody who has connected and sent this before it takes anybody: however slow the machine is,
/// a time that it allows doesn't end before that has come.
fn start_after(sent: &[u8], limits: Limits, tls: Option<Tls>) -> (Server, TcpStream) {
    let bound = bound();
    let mut socket = connect_to(bound.addr().port(), 1);
    socket.write_all(sent).unwrap();
    (serve_at(bound, limits, tls, false), socket)
}

fn bound() -> Bound {
    serve::bind(Ipv4Addr::UNSPECIFIED.into(), Port::Any).unwrap()
}

fn serve_at(bound: Bound, limits: Limits, tls: Option<Tls>, counts_loopback: bool) -> Server {
    let routes = Router::new()
        .route("/", get(|| async { "here" }).post(|_: axum::body::Bytes| async { "here" }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }));
    let door = PeerPolicy { counts_loopback, ..PeerPolicy::default() };
    Server::start_at(door, bound, routes, limits, tls).unwrap()
}

/// Answers to a connection that stays open.
fn ask(socket: &mut TcpStream, request: &str) -> String {
    // Whoever is refused may find the connection closed already.
    let _ = socket.write_all(request.as_bytes());
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut came = [0; 1024];
    let length = socket.read(&mut came).unwrap_or(0);
    String::from_utf8_lossy(&came[..length]).into_owned()
}

/// Connects from 127.0.0.`from`.
fn connect(server: &Server, from: u8) -> TcpStream {
    connect_to(server.addr().port(), from)
}

fn connect_to(port: u16, from: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // So little that an answer that is not read soon waits.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, from], 0)).into()).unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    socket.connect(&to.into()).unwrap();
    socket.into()
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// All that comes until the server ends the connection.
fn until_the_end(mut socket: TcpStream) -> Vec<u8> {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut came = Vec::new();
    match socket.read_to_end(&mut came) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it stays open"),
        Ok(_) | Err(_) => came,
    }
}

fn is_answered(server: &Server, from: u8) -> bool {
    let mut socket = connect(server, from);
    // Whoever is refused may find the connection closed already.
    let _ = socket.write_all(GET.as_bytes());
    String::from_utf8_lossy(&until_the_end(socket)).contains("here")
}

/// Waits for what the server counts.
async fn counted(server: &Server, is_so: impl Fn(Counts) -> bool) -> Counts {
    let reached = async {
        loop {
            let counts = server.counters().snapshot();
            if is_so(counts) {
                return counts;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it is never so")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_from_one_address_shut_out_nobody_also_not_there() {
    let server = start(Limits { connections: 256, ..patient() }, None, true);
    let silent: Vec<TcpStream> = (0..1100).map(|_| connect(&server, 9)).collect();
    let counts = counted(&server, |counts| counts.of(Refusal::Silent) == 1100 - 32).await;
    assert_eq!((counts.open, counts.limit, counts.full), (32, 256, false));
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
    // Each begins a request through the proxy and never ends it; an eighth of the 64 places is theirs.
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
            >= 192
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
async fn a_flood_waits_for_itself_and_nobody_else_waits_for_it() {
    let hour = Duration::from_secs(3600);
    let pace = Pace { each: hour, at_once: 8, patience: hour * 4 };
    let server = start(Limits { pace: Some(pace), connections: 512, ..patient() }, None, true);
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

/// The preface and the settings of HTTP/2; with `window`, so many bytes of an answer are taken.
fn http2(window: u8, path: &str) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, window]);
    // GET, http, the path and the authority as literals without an index (RFC 7541, section 6.2.2).
    let mut headers = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    headers.extend(path.as_bytes());
    headers.extend([0x01, 1, b'a']);
    bytes.extend([0, 0, u8::try_from(headers.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    bytes.extend(headers);
    bytes
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
    let pages = 1200.min(server.counters().snapshot().limit * 3 / 4);
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
