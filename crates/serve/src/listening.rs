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
                Err(error) => self.wait_after(&error).await,
            }
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

impl Listening {
    /// Where the process or the system can open nothing more, whoever is missed least makes room, as where places are used
    /// up. Of any other error nobody's end would be a cure.
    async fn wait_after(&self, error: &io::Error) {
        tracing::debug!(%error, "no connection can be accepted");
        let makes_room = is_out_of_files(error) && {
            self.places.counters().refused(Refusal::Files);
            self.places.make_room()
        };
        sleep(if makes_room { TRY_AGAIN_SOON } else { TRY_AGAIN }).await;
    }
}

fn is_out_of_files(error: &io::Error) -> bool {
    #[cfg(unix)]
    let all = {
        use rustix::io::Errno;
        [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].map(Errno::raw_os_error)
    };
    // WSAEMFILE and WSAENOBUFS.
    #[cfg(not(unix))]
    let all = [10_024, 10_055];
    error.raw_os_error().is_some_and(|code| all.contains(&code))
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// With a reset, after which the system remembers nothing of it: otherwise it would for a minute, of each one in a flood.
fn refuse(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn only_what_is_used_up_makes_others_give_way() {
        let is_so = |errno: Errno| is_out_of_files(&errno.into());
        for used_up in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(is_so(used_up), "{used_up}");
        }
        for other in [Errno::PERM, Errno::INVAL, Errno::PROTO, Errno::NETDOWN, Errno::HOSTUNREACH] {
            assert!(!is_so(other), "{other}");
        }
        assert!(!is_out_of_files(&io::ErrorKind::TimedOut.into()));
    }
}
