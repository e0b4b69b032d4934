//! Calls and sockets from an address of one's choice.

use std::{
    io,
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// Longer than anybody waits.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub type Socket = WebSocketStream<TcpStream>;

/// The first address of a /48, whose number is its third group.
pub const fn owner(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 1)
}

pub async fn connect(from: Ipv6Addr, addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v6()?;
    // Otherwise each call keeps a port of its address for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind((from, 0).into())?;
    socket.connect(addr).await
}

/// One call from this address, on a connection of its own; the whole answer.
pub async fn call(
    from: Ipv6Addr,
    addr: SocketAddr,
    (method, path, body): (&str, &str, &str),
) -> io::Result<String> {
    ask(connect(from, addr).await?, addr, (method, path), "", body).await
}

/// One call to a listener of this machine's own.
pub async fn local(
    addr: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> io::Result<String> {
    let stream = TcpStream::connect(addr).await?;
    let header = format!("content-type: application/json\r\n{header}");
    ask(stream, addr, (method, path), &header, body).await
}

async fn ask(
    mut stream: TcpStream,
    addr: SocketAddr,
    (method, path): (&str, &str),
    header: &str,
    body: &str,
) -> io::Result<String> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{header}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Opens a WebSocket from this address, says something, and returns it with the first answer.
pub async fn say(
    from: Ipv6Addr,
    addr: SocketAddr,
    path: &str,
    first: String,
) -> Option<(Socket, String)> {
    let opened = async {
        let stream = connect(from, addr).await.ok()?;
        let (mut socket, _) = client_async(format!("ws://{addr}{path}"), stream).await.ok()?;
        socket.send(Message::text(first)).await.ok()?;
        let text = next_text(&mut socket).await?;
        Some((socket, text))
    };
    timeout(PATIENCE, opened).await.ok().flatten()
}

/// The next text on a socket.
pub async fn next_text(socket: &mut Socket) -> Option<String> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            return Some(text.as_str().to_owned());
        }
    }
    None
}

/// A new session's PIN.
pub async fn mint(from: Ipv6Addr, addr: SocketAddr) -> Option<String> {
    let answer =
        call(from, addr, ("GET", "/api/v1/session_pin?region=us-east-1", "")).await.ok()?;
    Some(answer.split("session_pin\":\"").nth(1)?.get(..11)?.to_owned())
}

/// How many files this process may have open.
pub fn most_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

/// The processor's time that a process has used, in seconds: its own and the system's for it, in hundredths.
pub fn computed(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may have spaces and brackets.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
