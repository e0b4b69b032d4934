//! Connects an ordinary VNC viewer: its RFB over TCP is forwarded in the messages of a stream.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    live::{LiveConnection, Socket},
    tls,
};

/// The most bytes in one message.
const MESSAGE: usize = 16 << 10;

/// Listens on a port for one RFB viewer and connects it to the presenter. Returns the port and a
/// counter of the bytes from the presenter.
// At most one message is held each way, so that a viewer that doesn't read slows the other
// end down.
pub async fn for_one_viewer(origin: &str, live: LiveConnection) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stream = stream(origin, &live.welcome).await;
    live.stay();
    let carried = Arc::new(AtomicU64::new(0));
    let counts = carried.clone();
    tokio::spawn(async move {
        let (viewer, _) = listener.accept().await.unwrap();
        carry(viewer, stream, &counts).await;
    });
    (addr, carried)
}

/// Opens a viewer's stream.
pub async fn stream(origin: &str, welcome: &Value) -> Socket {
    let url = format!("{}/screen", origin.replacen("http", "ws", 1));
    let mut socket = tls::dial(&url).await;
    let hello = json!({ "type": "watch", "key": welcome["watch_key"] });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    assert_eq!(answer["type"], "joined", "{answer}");
    socket
}

async fn carry(viewer: TcpStream, stream: Socket, carried: &AtomicU64) {
    let _ = viewer.set_nodelay(true);
    let (mut from_viewer, mut to_viewer) = viewer.into_split();
    let (mut to_stream, mut from_stream) = stream.split();
    let there = async {
        let mut buffer = vec![0; MESSAGE];
        while let Ok(length @ 1..) = from_viewer.read(&mut buffer).await {
            let message = Message::binary(buffer[..length].to_vec());
            if to_stream.send(message).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        while let Some(Ok(message)) = from_stream.next().await {
            let bytes = message.into_data();
            if to_viewer.write_all(&bytes).await.is_err() {
                return;
            }
            carried.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    };
    tokio::select! { () = there => {}, () = back => {} }
}
