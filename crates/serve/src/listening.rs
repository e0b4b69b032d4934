//! Taking connections from the queue of the system, which all clients share: whoever gets no place is sent away here,
//! before anything is made for them, so that a flood of one owner holds up nobody else's connection.

use std::{io, net::SocketAddr, time::Duration};

use axum_server::{AddrListener, Address};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    connection_slots::{ConnectionSlot, ConnectionSlots},
    counters::Refusal,
};

/// How long to wait for a file: a connection that was told to end, or any that ends by itself.
const TRY_AGAIN_SOON: Duration = Duration::from_millis(5);
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// A peer whose connection has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub SocketAddr);

/// A connection in its place.
#[derive(Debug)]
pub(crate) struct Placed {
    pub stream: TcpStream,
    pub place: ConnectionSlot,
}

/// A listening socket, and the places of its server.
#[derive(Debug)]
pub(crate) struct Listening {
    pub listener: TcpListener,
    pub places: ConnectionSlots,
}

impl Address for Peer {
    type Stream = Placed;
    type Listener = Listening;
}

impl AddrListener<Placed, Peer> for Listening {
    /// A server here begins with a socket that is bound ([`crate::bind()`]).
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Placed, Peer)> {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match self.places.take(peer) {
                    Ok(place) => return Ok((Placed { stream, place }, Peer(peer))),
                    Err(_) => refuse(stream),
                },
                // That one connection has failed already; the next one may be good.
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => self.wait_for_files(&error).await,
            }
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

impl Listening {
    /// The process or the system can open nothing more. Whoever is missed least makes room, as where places are used up.
    async fn wait_for_files(&self, error: &io::Error) {
        tracing::debug!(%error, "no connection can be accepted");
        self.places.counters().refused(Refusal::Files);
        sleep(if self.places.make_room() { TRY_AGAIN_SOON } else { TRY_AGAIN }).await;
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// With a reset, after which the system remembers nothing of it: otherwise it would for a minute, of each one in a flood.
fn refuse(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}
