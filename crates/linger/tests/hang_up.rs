//! Hanging up on a peer that is still sending, and on one that says nothing any more.
//!
//! The clock stands still: it moves only when nobody has anything to do, and a peer that is at work on a thread of
//! its own has. So no machine is too slow for the time that hanging up may take.
#![allow(clippy::unwrap_used)]

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
};

use futures_util::SinkExt as _;
use tokio::{net::TcpSocket, task::spawn_blocking};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, WebSocket, accept},
};

/// A reset comes or doesn't come by chance where a few bytes decide: so often that chance shows.
const ROUNDS: usize = 50;

/// A listener whose connections take in little at once, so that last words wait in the sender's kernel.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    listener
}

/// The next peer, which has sent more than the client takes in beside the answer to its handshake.
fn sending_peer(listener: &TcpListener) -> WebSocket<TcpStream> {
    let mut peer = accept(listener.accept().unwrap().0).unwrap();
    peer.send(Message::binary(vec![0; 64 << 10])).unwrap();
    peer
}

async fn dial(addr: SocketAddr) -> WebSocketStream<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    client_async(format!("ws://{addr}/"), stream).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn last_words_arrive_at_a_peer_that_has_sent_what_nobody_reads() {
    let listener = listener();
    let addr = listener.local_addr().unwrap();
    let (hang_up, hanging_up) = mpsc::channel();
    let peer = spawn_blocking(move || {
        let heard = |_| {
            let mut peer = sending_peer(&listener);
            hanging_up.recv().unwrap();
            let last = peer.read().is_ok_and(|last| last.len() == 16 << 10);
            last && peer.read().is_ok_and(|goodbye| goodbye.is_close())
        };
        (0..ROUNDS).filter(|round| !heard(*round)).count()
    });
    for _ in 0..ROUNDS {
        let mut socket = dial(addr).await;
        socket.get_ref().readable().await.unwrap();
        socket.send(Message::binary(vec![0; 16 << 10])).await.unwrap();
        hang_up.send(()).unwrap();
        linger::hang_up(socket).await;
    }
    assert_eq!(peer.await.unwrap(), 0, "of {ROUNDS} last words lost");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_ends_is_given_up() {
    let listener = listener();
    let addr = listener.local_addr().unwrap();
    let peer = spawn_blocking(move || sending_peer(&listener));
    let socket = dial(addr).await;
    let peer = peer.await.unwrap();
    linger::hang_up(socket).await;
    drop(peer);
}
