//! The shared parts over real connections.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use port_tests::KeptPort;
use serve::{
    Bodies, ControlToken, Fault, FaultPlan, FaultRule, HostGuard, Limits, PagePolicy, Port, Server,
    control,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(routes: impl FnOnce(HostGuard) -> Router, limits: Limits) -> Server {
    let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).unwrap();
    let guard = HostGuard::new(bound.addr(), None);
    Server::start(bound, routes(guard), limits, None).unwrap()
}

fn echo(guard: HostGuard) -> Router {
    guard.protect(Router::new().route("/echo", post(|body: Bytes| async { body })))
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn url(addr: SocketAddr, path: &str) -> String {
    format!("http://{addr}{path}")
}

#[tokio::test]
async fn answers_403_to_a_foreign_host_on_every_path() {
    let server = start(echo, Limits::default());
    for path in ["/echo", "/nothing"] {
        let request = client().post(url(server.addr(), path)).header("host", "rebound.example");
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn every_answer_of_a_page_says_what_it_may_do_and_names_the_host_that_was_asked() {
    let page = |guard: HostGuard| {
        let routes =
            Router::new().route("/", get(|| async { ([("cache-control", "public")], "a page") }));
        guard.protect(PagePolicy::default().live(guard.clone()).protect(routes))
    };
    let server = start(page, Limits::default());
    let host = format!("localhost:{}", server.addr().port());
    let request = client().get(url(server.addr(), "/")).header("host", &host);
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap();
    let connect = format!("connect-src 'self' ws://{host} wss://{host};");
    assert!(header("content-security-policy").contains(&connect));
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("permissions-policy").contains("display-capture=()"));
}

#[tokio::test]
async fn takes_a_body_at_the_limit_and_answers_413_to_one_byte_more() {
    let server = start(echo, Limits::default());
    let send = |len: usize| client().post(url(server.addr(), "/echo")).body(vec![b'x'; len]).send();
    assert_eq!(send(65_536).await.unwrap().bytes().await.unwrap().len(), 65_536);
    let refused = send(65_537).await.unwrap();
    assert_eq!(refused.status(), 413);
    assert_eq!(refused.headers()["content-type"], "application/json");
    assert!(refused.text().await.unwrap().starts_with("{\"success\":false,"));
}

#[test]
fn answers_413_to_a_chunked_body_that_never_says_how_long_it_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(async { start(echo, Limits::default()) });
    let mut socket = TcpStream::connect(server.addr()).unwrap();
    let head = "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n";
    write!(socket, "{head}host: {}\r\n\r\n", server.addr()).unwrap();
    let chunk = "x".repeat(0x9000);
    write!(socket, "9000\r\n{chunk}\r\n9000\r\n{chunk}\r\n").unwrap();
    let mut start = [0; 12];
    socket.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[test]
fn gives_up_on_headers_and_bodies_that_do_not_arrive() {
    let (short, long) = (Duration::from_millis(50), Duration::from_secs(3600));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Only what doesn't arrive has a short time: what does may take as long as it needs.
    let server = |headers_within, body_within| {
        let limits = Limits { headers_within, body_within, ..Limits::default() };
        runtime.block_on(async { start(echo, limits) })
    };
    let answer_to = |server: &Server, text: String| {
        let mut socket = TcpStream::connect(server.addr()).unwrap();
        socket.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let waits = server(short, long);
    assert!(!answer_to(&waits, "POST /echo HTTP/1.1\r\nhost: ".to_owned()).contains("200"));
    let server = server(long, short);
    let head =
        format!("POST /echo HTTP/1.1\r\nhost: {}\r\ncontent-length: 5\r\n\r\nab", server.addr());
    let slow = answer_to(&server, head);
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    assert!(slow.contains("\r\n\r\n{\"success\":false,"), "whose answer it is can be told: {slow}");
}

#[tokio::test]
async fn closes_the_connection_over_the_cap_while_the_others_have_requests_under_way() {
    let server = start(echo, Limits { connections: 1, ..Limits::default() });
    let idle = client();
    let ok = idle.post(url(server.addr(), "/echo")).body("a").send().await.unwrap();
    assert_eq!(ok.text().await.unwrap(), "a");
    // It waits for nothing, so the next one gets its place.
    let mut busy = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n",
        server.addr()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    let mut came = [0; 512];
    let length = busy.read(&mut came).await.unwrap();
    assert!(came[..length].starts_with(b"HTTP/1.1 100"));
    assert!(client().post(url(server.addr(), "/echo")).send().await.is_err());
    busy.write_all(b"b").await.unwrap();
    let length = busy.read(&mut came).await.unwrap();
    assert!(came[..length].starts_with(b"HTTP/1.1 200") && came[..length].ends_with(b"b"));
}

#[tokio::test]
async fn gives_the_port_back_when_it_shuts_down() {
    let port = KeptPort::new();
    let bind = || serve::bind(port.addr().ip(), Port::Exactly(port.number()));
    let server = Server::start(bind().unwrap(), Router::new(), Limits::default(), None).unwrap();
    assert!(bind().is_err(), "it has the port");
    server.shutdown().await;
    assert_eq!(bind().unwrap().addr(), port.addr());
}

/// A server that counts what its handler did, with a fault plan.
fn counting(plan: &FaultPlan) -> (Server, Arc<AtomicU64>) {
    let handled = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&handled);
    let count = move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
        "done"
    };
    let routes = plan.protect(Router::new().route("/task", post(count)));
    (start(|guard| guard.protect(routes), Limits::default()), handled)
}

fn once(fault: Fault) -> Vec<FaultRule> {
    vec![FaultRule { route: "/task".into(), fault, after: 0, times: Some(1) }]
}

#[tokio::test]
async fn a_dropped_request_does_nothing_and_a_dropped_answer_has_done_it() {
    let plan = FaultPlan::default();
    let (server, handled) = counting(&plan);
    for (fault, times_handled) in [(Fault::Drop, 0), (Fault::DropAnswer, 1)] {
        handled.store(0, Ordering::SeqCst);
        plan.set(once(fault));
        assert!(client().post(url(server.addr(), "/task")).send().await.is_err(), "{fault:?}");
        assert_eq!(handled.load(Ordering::SeqCst), times_handled, "{fault:?}");
    }
    assert_eq!(plan.counts()["/task"].faults, 2);
}

#[tokio::test]
async fn a_duplicated_request_is_handled_twice_and_a_failed_one_never() {
    let plan = FaultPlan::default();
    let (server, handled) = counting(&plan);
    plan.set(once(Fault::Duplicate));
    client().post(url(server.addr(), "/task")).send().await.unwrap();
    assert_eq!(handled.load(Ordering::SeqCst), 2);
    plan.set(once(Fault::Status { code: 503 }));
    assert_eq!(client().post(url(server.addr(), "/task")).send().await.unwrap().status(), 503);
    assert_eq!(handled.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_control_api_wants_its_token_and_moves_the_clock() {
    let clock = serve::Clock::frozen(serve::Millis(0));
    let advance: control::Advance = Arc::new({
        let clock = clock.clone();
        move |by| {
            let clock = clock.clone();
            Box::pin(async move { clock.advance(by) })
        }
    });
    let token = ControlToken::from_text("secret");
    let routes = control::routes(token, advance, FaultPlan::default(), Router::new());
    let server = start(|guard| guard.protect(routes), Limits::default());
    let ask = |token: &'static str, body: &'static str| {
        client()
            .post(url(server.addr(), "/control/clock"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    assert_eq!(ask("guess", r#"{"advance_s":61}"#).await.unwrap().status(), 401);
    assert_eq!(clock.now().0, 0);
    assert_eq!(ask("secret", r#"{"advance_s":61}"#).await.unwrap().status(), 200);
    assert_eq!(clock.now().0, 61_000);
    for wrong in [r#"{"advance_s":-1}"#, r#"{"advance_s":1e300}"#] {
        assert_eq!(ask("secret", wrong).await.unwrap().status(), 400, "{wrong}");
    }
}

/// The certificate is self-signed for these tests alone and valid until 2126.
#[tokio::test]
async fn serves_https_from_two_pem_files_and_names_them_when_they_do_not_fit() {
    let file = |name: &str| format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let (cert, key) = (file("test-only.cert.pem"), file("test-only.key.pem"));
    let tls = serve::TlsFiles::new(&cert, &key).load().await.unwrap();
    let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).unwrap();
    let routes = echo(HostGuard::new(bound.addr(), None));
    let server = Server::start(bound, routes, Limits::default(), Some(tls)).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_pem(&std::fs::read(&cert).unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let answer = client.post(format!("https://{}/echo", server.addr())).body("a").send().await;
    assert_eq!(answer.unwrap().text().await.unwrap(), "a");
    let wrong = serve::TlsFiles::new(&cert, &cert).load().await.unwrap_err().to_string();
    assert!(wrong.contains("test-only.cert.pem"), "{wrong}");
}

/// How a sender hangs up once its request is sent.
#[derive(Debug, Clone, Copy)]
enum HangsUp {
    /// Closes its socket.
    Closes,
    /// Says that it sends nothing more, and reads on.
    HalfCloses,
    /// Resets the connection, so that nothing can be answered.
    Resets,
}

const WAYS_TO_HANG_UP: [HangsUp; 3] = [HangsUp::Closes, HangsUp::HalfCloses, HangsUp::Resets];

/// Sends one POST and hangs up at once. A socket that is kept open is returned.
fn post_and_hang_up(addr: SocketAddr, path: &str, how: HangsUp) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(addr).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {addr}\r\ncontent-length: 2\r\n\r\n{{}}");
    socket.write_all(head.as_bytes()).unwrap();
    hang_up(socket, how)
}

/// Hangs up. A socket that is kept open is returned.
fn hang_up(socket: TcpStream, how: HangsUp) -> Option<TcpStream> {
    match how {
        HangsUp::Closes => None,
        HangsUp::HalfCloses => {
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            Some(socket)
        }
        HangsUp::Resets => {
            let socket = tokio::net::TcpSocket::from_std_stream(socket);
            socket.set_zero_linger().unwrap();
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_handled_to_its_end_whoever_hangs_up_meanwhile() {
    let (entered, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let (finished, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opens = gate.clone();
    let handler = move |body: Bytes| async move {
        entered.send(()).unwrap();
        gate.acquire().await.unwrap().forget();
        finished.send(body).unwrap();
    };
    let server = start(|_| Router::new().route("/slow", post(handler)), Limits::default());
    for how in WAYS_TO_HANG_UP {
        let kept = post_and_hang_up(server.addr(), "/slow", how);
        arrivals.recv().await.unwrap();
        // Another connection's round trip, by which the server has learnt that the first one is gone.
        assert_eq!(client().get(url(server.addr(), "/")).send().await.unwrap().status(), 404);
        opens.add_permits(1);
        let ended = tokio::time::timeout(PATIENCE, ends.recv()).await;
        assert_eq!(ended.unwrap_or_else(|_| panic!("{how:?}")).unwrap(), "{}");
        drop(kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_that_was_sent_before_its_sender_hung_up() {
    let came = Arc::new(AtomicU64::new(0));
    let counts = came.clone();
    let (last, mut lasts) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |_body: Bytes| async move {
        tokio::task::yield_now().await;
        last.send(counts.fetch_add(1, Ordering::Relaxed) + 1).unwrap();
    };
    let server = start(|_| Router::new().route("/hook", post(handler)), Limits::default());
    let addr = server.addr();
    let senders = WAYS_TO_HANG_UP.map(|how| {
        std::thread::spawn(move || {
            (0..100).filter_map(|_| post_and_hang_up(addr, "/hook", how)).collect::<Vec<_>>()
        })
    });
    let kept = senders.map(|sender| sender.join().unwrap());
    let counted = async { while lasts.recv().await.is_some_and(|count| count < 300) {} };
    let _ = tokio::time::timeout(PATIENCE, counted).await;
    assert_eq!(came.load(Ordering::Relaxed), 300);
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_waits_for_a_request_whose_sender_has_hung_up() {
    let (entered, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let done = Arc::new(AtomicU64::new(0));
    let (sets, gate) = (done.clone(), Arc::new(tokio::sync::Semaphore::new(0)));
    let opens = gate.clone();
    let handler = move || async move {
        entered.send(()).unwrap();
        gate.acquire().await.unwrap().forget();
        sets.store(1, Ordering::Relaxed);
    };
    let server = start(|_| Router::new().route("/slow", post(handler)), Limits::default());
    post_and_hang_up(server.addr(), "/slow", HangsUp::Closes);
    arrivals.recv().await.unwrap();
    let ((), ()) = tokio::join!(server.shutdown(), async { opens.add_permits(1) });
    assert_eq!(done.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_bodies_are_ignored_every_request_is_handled_whatever_becomes_of_its_body() {
    let (handled, mut came) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |body: Bytes| async move { handled.send(body).unwrap() };
    let limits = Limits {
        bodies: Bodies::Ignored,
        body_within: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = start(|_| Router::new().route("/hook", post(handler)), limits);
    let addr = server.addr();
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    let bodies = [
        "content-length: 2\r\n\r\n{}".to_owned(),
        "content-length: 9000\r\n\r\n{\"type\":".to_owned(),
        format!("content-length: 70000\r\n\r\n{}", "x".repeat(70_000)),
        "content-length: 1000000000000\r\n\r\nx".to_owned(),
        format!("{chunked}12000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x12000)),
        format!("{chunked}5\r\nab"),
        format!("{chunked}no length\r\nab"),
    ];
    for body in &bodies {
        for how in [None, Some(HangsUp::Closes), Some(HangsUp::HalfCloses), Some(HangsUp::Resets)] {
            let mut socket = TcpStream::connect(addr).unwrap();
            let request = format!("POST /hook HTTP/1.1\r\nhost: {addr}\r\n{body}");
            // The server may have answered and closed before all was sent.
            let _ = socket.write_all(request.as_bytes());
            let kept = match how {
                None => Some(socket),
                Some(how) => hang_up(socket, how),
            };
            let handled = tokio::time::timeout(PATIENCE, came.recv()).await;
            let start = &body[..body.len().min(40)];
            let handled = handled.unwrap_or_else(|_| panic!("{start}, {how:?}"));
            assert_eq!(handled.unwrap(), "", "no handler sees any of it");
            drop(kept);
        }
    }
    let large = |path: &str| client().post(url(addr, path)).body(vec![b'x'; 65_537]).send();
    assert_eq!(large("/hook").await.unwrap().status(), 200);
    assert_eq!(large("/nothing").await.unwrap().status(), 413);
}
