//! Binds a port: the one that was used last time if it is free, so that links survive a restart.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
};

use socket2::SockRef;

/// Connections that may wait to be accepted; the system may allow fewer.
// With the 128 of the standard library a burst fills the queue. Linux then drops the last packet of a handshake that the
// client takes for complete, and if that client resets the connection at once, its request is lost.
const BACKLOG: i32 = 4096;

/// Which port to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Any free one.
    Any,
    /// This one if it is free, else any other.
    Remembered(u16),
    /// This one and no other, since others know it (by a public URL).
    Exactly(u16),
}

impl Port {
    /// A port as command lines give it: 0 stands for any free one.
    pub const fn from_number(port: u16) -> Self {
        if port == 0 { Self::Any } else { Self::Exactly(port) }
    }
}

/// A listening socket that nobody serves yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
    got_requested_port: bool,
}

impl Bound {
    /// The address that was taken, with its real port.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// False if another port had to be taken than the remembered one: links that were made for that
    /// one are dead, and hooks must be armed again.
    pub const fn got_requested_port(&self) -> bool {
        self.got_requested_port
    }

    pub(crate) fn into_listener(self) -> TcpListener {
        self.listener
    }
}

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listen on {addr}: {source}")]
pub struct BindError {
    /// The address that was tried.
    pub addr: SocketAddr,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

/// Binds and starts to queue connections; they are answered once a [`crate::Server`] runs.
///
/// # Errors
/// [`BindError`] when the address isn't this machine's, or [`Port::Exactly`] is taken.
pub fn bind(ip: IpAddr, port: Port) -> Result<Bound, BindError> {
    match port {
        Port::Any => listen(SocketAddr::new(ip, 0), true),
        Port::Exactly(port) => listen(SocketAddr::new(ip, port), true),
        // Whatever the reason, a server on another port is of more use than none.
        Port::Remembered(port) => listen(SocketAddr::new(ip, port), true)
            .or_else(|_| listen(SocketAddr::new(ip, 0), false)),
    }
}

fn listen(requested: SocketAddr, got_requested_port: bool) -> Result<Bound, BindError> {
    let failed = |source| BindError { addr: requested, source };
    let listener = TcpListener::bind(requested).map_err(failed)?;
    // Listening again only makes the queue longer.
    SockRef::from(&listener).listen(BACKLOG).map_err(failed)?;
    // Tokio takes it over later, and would block a whole worker on a blocking socket.
    listener.set_nonblocking(true).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, addr, got_requested_port })
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, TcpStream},
        time::Duration,
    };

    use port_tests::KeptPort;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn takes_the_remembered_port_when_it_is_free() {
        let port = KeptPort::new();
        let bound = bind(LOOPBACK, Port::Remembered(port.number())).unwrap();
        assert_eq!((bound.addr(), bound.got_requested_port()), (port.addr(), true));
    }

    #[test]
    fn takes_another_port_when_the_remembered_one_is_taken() {
        let first = bind(LOOPBACK, Port::Any).unwrap();
        let second = bind(LOOPBACK, Port::Remembered(first.addr().port())).unwrap();
        assert_ne!(second.addr(), first.addr());
        assert!(!second.got_requested_port());
    }

    #[test]
    fn a_burst_of_connections_waits_to_be_accepted() {
        let bound = bind(LOOPBACK, Port::Any).unwrap();
        // A handshake that finds the queue full is dropped, and repeated in vain until its time is over.
        let connect =
            |_| TcpStream::connect_timeout(&bound.addr(), Duration::from_secs(60)).unwrap();
        let waiting: Vec<TcpStream> = (0..400).map(connect).collect();
        assert_eq!(waiting.len(), 400);
    }

    #[test]
    fn fails_when_exactly_one_port_will_do_and_it_is_taken() {
        let first = bind(LOOPBACK, Port::Any).unwrap();
        let error = bind(LOOPBACK, Port::Exactly(first.addr().port())).unwrap_err();
        assert!(error.to_string().starts_with("listen on 127.0.0.1:"), "{error}");
    }
}
