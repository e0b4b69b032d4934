//! The addresses where requests come in. One is always open; a second one, for strangers on the network, only while
//! the owner wants it.
//!
//! Nobody who comes in by the second one counts as being on this machine. So whoever it lets in is limited as on
//! any network ([`crate::ByClient`]), even from behind a reverse proxy on this machine (docs/adr/0006).

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use axum::http::HeaderMap;
use parking_lot::RwLock;
use serve::{Client, HostGuard, PeerPolicy, TrustedProxies};
use url::Url;

/// An address where requests come in.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub guard: HostGuard,
    /// Scheme, host and port of the links that lead here.
    pub origin: String,
    /// Whoever comes in here is a stranger.
    pub for_strangers: bool,
    /// Whose `X-Forwarded-For` is believed. It can change while it is open.
    proxies: RwLock<TrustedProxies>,
}

impl Endpoint {
    pub fn new(addr: SocketAddr, public: Option<&Url>, is_tls: bool, for_strangers: bool) -> Self {
        let guard = HostGuard::new(addr, public);
        let origin = match public {
            Some(public) => public.origin().ascii_serialization(),
            None => {
                let scheme = if is_tls { "https" } else { "http" };
                // A listener on all addresses has no address of its own to put into a link.
                let ip = match (addr.ip().is_unspecified(), for_strangers) {
                    (false, _) => addr.ip(),
                    (true, false) => Ipv4Addr::LOCALHOST.into(),
                    (true, true) => own_address(),
                };
                format!("{scheme}://{}", SocketAddr::new(ip, addr.port()))
            }
        };
        Self { guard, origin, for_strangers, proxies: RwLock::default() }
    }

    /// Believes these proxies and no other; how its server is to tell connections apart by that.
    pub fn trust(&self, proxies: TrustedProxies) -> PeerPolicy {
        *self.proxies.write() = proxies.clone();
        PeerPolicy { proxies, ..PeerPolicy::default() }
    }

    /// Who a request comes from.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        let client = self.proxies.read().client(peer, headers);
        // Such a client may be a reverse proxy that isn't listed, behind which anybody can be.
        if self.for_strangers && client.is_this_machine() { Client::STRANGER } else { client }
    }
}

/// This computer's address on its network; loopback if it is on none. Nothing is sent.
fn own_address() -> IpAddr {
    let route = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        // An address of a range for documentation, since only the route to it is looked up.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match route {
        Ok(addr) if !addr.ip().is_unspecified() => addr.ip(),
        Ok(_) | Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}
