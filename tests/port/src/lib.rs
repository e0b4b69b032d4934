//! A port for a server that a test starts, ends and starts again, or that its settings have to name.
//!
//! Invariant: nobody else gets the port while the test has it. A port that was only looked for and let go is free for
//! every other test of the same moment.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port of this machine's IPv4 loopback address, kept for this test until it is dropped. Nobody answers there: who
/// dials it is refused, until a server takes it as the one port that it wants.
#[derive(Debug)]
pub struct KeptPort {
    addr: SocketAddr,
    /// Bound and not listening: a server may bind the same port, since both allow it, and the system gives it to
    /// nobody who wants any port.
    _keeper: Socket,
}

impl KeptPort {
    #[allow(clippy::new_without_default)] // it takes something of the machine
    pub fn new() -> Self {
        Self::keep(0)
    }

    /// The port of the server that was at this URL and has just ended, kept for its next start.
    pub fn given_back_by(url: &str) -> Self {
        let after = url.rsplit(':').next().unwrap();
        let digits = after.split(|letter: char| !letter.is_ascii_digit()).next().unwrap();
        Self::keep(digits.parse().unwrap())
    }

    fn keep(number: u16) -> Self {
        let keeper = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        keeper.set_reuse_address(true).unwrap();
        keeper.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, number)).into()).unwrap();
        let addr = keeper.local_addr().unwrap().as_socket().unwrap();
        Self { addr, _keeper: keeper }
    }

    pub const fn number(&self) -> u16 {
        self.addr.port()
    }

    /// 127.0.0.1 and the port.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_server_takes_it_as_often_as_it_starts_and_nobody_answers_in_between() {
        let port = KeptPort::new();
        for _ in 0..3 {
            assert!(TcpStream::connect(port.addr()).is_err());
            let server = TcpListener::bind(port.addr()).unwrap();
            let (client, (served, _)) =
                (TcpStream::connect(port.addr()).unwrap(), server.accept().unwrap());
            assert!(TcpListener::bind(port.addr()).is_err(), "it is taken");
            // The server's end closes first, which leaves the connection behind for a while.
            drop((served, client, server));
        }
    }

    #[test]
    fn one_that_was_given_back_is_kept_for_the_next_start() {
        // Kept from the start, too, or this test itself would depend on luck.
        let port = KeptPort::new();
        drop(TcpListener::bind(port.addr()).unwrap());
        let url = format!("http://{}/join#7W2-97-8570", port.addr());
        assert_eq!(KeptPort::given_back_by(&url).addr(), port.addr());
        TcpListener::bind(port.addr()).unwrap();
    }

    #[test]
    fn nobody_who_wants_any_port_gets_it() {
        let port = KeptPort::new();
        for _ in 0..2_000 {
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            assert_ne!(other.local_addr().unwrap(), port.addr());
        }
    }
}
