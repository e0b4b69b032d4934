//! What a server says last arrives, although its client is still sending and nobody reads that any more.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message as Frame, WebSocket},
    },
    routing::{get, post},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serve::{HostGuard, Limits, Port, Server};
use tokio::{net::TcpSocket, sync::Notify};
use tokio_tungstenite::{client_async, tungstenite::Message};

/// A reset comes or doesn't come by chance where a few bytes decide: so often that chance shows.
const ROUNDS: usize = 25;
/// More than the buffers of both sockets hold, so that the client is still sending when it is refused.
const LARGE: usize = 32 << 20;

fn start(routes: Router) -> Server {
    let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).unwrap();
    let routes = HostGuard::new(bound.addr(), None).protect(routes);
    // As long as a machine under load may need for it.
    let limits = Limits { body_within: Duration::from_secs(60), ..Limits::default() };
    Server::start(bound, routes, limits, None).unwrap()
}

/// Sends all of a large body before it reads anything, as simple clients do; the status that it sees.
fn post_large(addr: SocketAddr, chunked: bool) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(addr)?;
    write!(socket, "POST /echo HTTP/1.1\r\nhost: {addr}\r\n")?;
    let piece = vec![b'x'; 1 << 16];
    if chunked {
        write!(socket, "transfer-encoding: chunked\r\n\r\n")?;
    } else {
        write!(socket, "content-length: {LARGE}\r\n\r\n")?;
    }
    for _ in 0..LARGE / piece.len() {
        if chunked {
            write!(socket, "{:x}\r\n", piece.len())?;
        }
        socket.write_all(&piece)?;
        if chunked {
            write!(socket, "\r\n")?;
        }
    }
    let mut answer = [0; 12];
    socket.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn a_client_that_is_still_sending_gets_the_answer_that_refuses_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let routes = Router::new().route("/echo", post(|body: Bytes| async { body }));
    let server = runtime.block_on(async { start(routes) });
    let addr = server.addr();
    let mut lost = Vec::new();
    for chunked in [true, false].repeat(ROUNDS) {
        match post_large(addr, chunked) {
            Ok(answer) => assert_eq!(answer, "HTTP/1.1 413"),
            Err(error) => lost.push(error.kind()),
        }
    }
    assert!(lost.is_empty(), "{} of {} answers lost: {lost:?}", lost.len(), ROUNDS * 2);
}

/// Says goodbye without having read what the client has sent by then.
async fn refuse(mut socket: WebSocket, sent: Arc<Notify>, hung_up: Arc<Notify>) {
    sent.notified().await;
    socket.send(Frame::Binary(vec![0; 16 << 10].into())).await.unwrap();
    let goodbye = CloseFrame { code: 1000, reason: "enough".into() };
    socket.send(Frame::Close(Some(goodbye))).await.unwrap();
    drop(socket);
    hung_up.notify_one();
}

#[tokio::test]
async fn a_client_that_has_sent_what_nobody_reads_gets_the_goodbye_with_its_reason() {
    let (sent, hung_up) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, tell) = (Arc::clone(&sent), Arc::clone(&hung_up));
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(move |socket| refuse(socket, told, tell))
    };
    let server = start(Router::new().route("/live", get(upgrade)));
    let mut lost = 0;
    for _ in 0..ROUNDS {
        let socket = TcpSocket::new_v4().unwrap();
        // With a small window the goodbye still waits in the server's kernel when the server hangs up.
        socket.set_recv_buffer_size(1024).unwrap();
        let stream = socket.connect(server.addr()).await.unwrap();
        let url = format!("ws://{}/live", server.addr());
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        socket.send(Message::text("nobody reads this")).await.unwrap();
        sent.notify_one();
        hung_up.notified().await;
        let goodbye = loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => break frame.reason.to_string(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break "lost".to_owned(),
            }
        };
        lost += usize::from(goodbye != "enough");
    }
    assert_eq!(lost, 0, "of {ROUNDS} goodbyes");
}
