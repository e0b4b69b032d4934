//! Servers with limits, and clients on addresses of their own. Loopback addresses stand for those of different people.
#![allow(clippy::unwrap_used, dead_code, reason = "each test file uses some of them")]

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{WebSocketUpgrade, ws::WebSocket},
    response::Response,
    routing::get,
};
use serve::{Bound, Counts, Limits, PeerPolicy, Port, Server, Turns, tls::Tls};
use socket2::{Domain, Socket, Type};

pub const SHORT: Duration = Duration::from_millis(200);

/// Everything may take so long that no test depends on it; each shortens what it is about.
pub fn patient() -> Limits {
    let long = Duration::from_secs(3600);
    Limits {
        headers_within: long,
        body_within: long,
        idle_within: long,
        write_within: long,
        connections: 64,
        paces: None,
        ..Limits::default()
    }
}

/// A server where `/` answers, `/large` says more than any buffer holds, `/socket` says again what it is told.
pub fn start(limits: Limits, tls: Option<Tls>, counts_loopback: bool) -> Server {
    serve_at(bound(), limits, tls, counts_loopback)
}

/// Such a server, and somebody who has connected and sent this before it takes anybody: however slow the machine is,
/// a time that it allows doesn't end before that has come. They count as one owner, as strangers do.
pub fn start_after(sent: &[u8], limits: Limits, tls: Option<Tls>) -> (Server, TcpStream) {
    let bound = bound();
    let mut socket = connect_to(bound.addr().port(), 1);
    socket.write_all(sent).unwrap();
    (serve_at(bound, limits, tls, true), socket)
}

fn bound() -> Bound {
    serve::bind(Ipv4Addr::UNSPECIFIED.into(), Port::Any).unwrap()
}

fn serve_at(bound: Bound, limits: Limits, tls: Option<Tls>, counts_loopback: bool) -> Server {
    let door = PeerPolicy { counts_loopback, ..PeerPolicy::default() };
    Server::start_at(door, bound, routes(), limits, tls).unwrap()
}

fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { "here" }).post(|_: axum::body::Bytes| async { "here" }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/socket", get(socket))
}

/// Says each message again, in its turn.
async fn socket(Extension(turns): Extension<Turns>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| echo(socket, turns))
}

async fn echo(mut socket: WebSocket, mut turns: Turns) {
    loop {
        turns.wait().await;
        let Some(Ok(message)) = socket.recv().await else { return };
        if turns.count().is_err() || socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Answers to a connection that stays open.
pub fn ask(socket: &mut TcpStream, request: &str) -> String {
    // Whoever is refused may find the connection closed already.
    let _ = socket.write_all(request.as_bytes());
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut came = [0; 1024];
    let length = socket.read(&mut came).unwrap_or(0);
    String::from_utf8_lossy(&came[..length]).into_owned()
}

/// Connects from 127.0.0.`from`.
pub fn connect(server: &Server, from: u8) -> TcpStream {
    connect_to(server.addr().port(), from)
}

fn connect_to(port: u16, from: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // So little that an answer that is not read soon waits.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, from], 0)).into()).unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    // Whoever gets no place is reset at once, and may learn of it before the call has returned.
    if let Err(error) = socket.connect(&to.into()) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    socket.into()
}

pub const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// All that comes until the server ends the connection.
pub fn until_the_end(mut socket: TcpStream) -> Vec<u8> {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut came = Vec::new();
    match socket.read_to_end(&mut came) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it stays open"),
        Ok(_) | Err(_) => came,
    }
}

pub fn is_answered(server: &Server, from: u8) -> bool {
    let mut socket = connect(server, from);
    // Whoever is refused may find the connection closed already.
    let _ = socket.write_all(GET.as_bytes());
    String::from_utf8_lossy(&until_the_end(socket)).contains("here")
}

/// Waits for what the server counts.
pub async fn counted(server: &Server, is_so: impl Fn(Counts) -> bool) -> Counts {
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

/// The preface and the settings of HTTP/2; with `window`, so many bytes of an answer are taken.
pub fn http2(window: u8, path: &str) -> Vec<u8> {
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
