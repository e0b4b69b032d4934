//! The doors: where requests come in. One is always open; a second one, to strangers on the network,
//! only while the owner wants it.
//!
//! Through the second nobody counts as being on this machine, so whoever is let in by it is bound as on
//! any network ([`crate::ByClient`]), also from behind a reverse proxy here.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, PoisonError},
};

use serve::{HostGuard, Port, Server, TlsFiles};
use url::Url;

use crate::{
    StartError,
    api::{self, Desk},
    running::Running,
    switchboard::Switchboard,
    words::ToPage,
};

/// How strangers on the network get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The address to listen on.
    pub ip: IpAddr,
    /// The port to listen on.
    pub port: Port,
    /// Serve https.
    pub tls: Option<TlsFiles>,
    /// The address that they use, where it isn't the one above or this computer's own.
    pub public_url: Option<Url>,
}

/// A way in.
#[derive(Debug)]
pub(crate) struct Door {
    pub guard: HostGuard,
    /// Scheme, host and port of what leads here.
    pub origin: String,
    /// Whoever comes in here is a stranger.
    pub strangers: bool,
}

impl Running {
    /// Opens a door to the network, instead of one that may be open. All else goes on undisturbed.
    ///
    /// # Errors
    /// [`StartError`]; then no such door is open.
    pub async fn open_to_network(&mut self, network: Network) -> Result<(), StartError> {
        self.close_to_network().await;
        crate::running::check_public(network.public_url.as_ref())?;
        let tls = match &network.tls {
            Some(files) => Some(files.load().await?),
            None => None,
        };
        let bound = serve::bind(network.ip, network.port)?;
        let (addr, got_asked_port) = (bound.addr(), bound.got_what_was_asked());
        let door = Arc::new(Door {
            guard: HostGuard::new(addr, network.public_url.as_ref()),
            origin: origin(&network, addr),
            strangers: true,
        });
        let desk = Desk {
            board: Arc::clone(&self.board),
            door: Arc::clone(&door),
            proxies: serve::TrustedProxies::default(),
            compat_cors: false,
        };
        let server = Server::start(bound, api::routes(desk), self.limits, tls)?;
        self.network = Some((server, got_asked_port));
        self.board.set_network(Some(door));
        Ok(())
    }

    /// Closes the door to the network, if it is open. Whoever came in by it is sent away.
    pub async fn close_to_network(&mut self) {
        let Some((server, _)) = self.network.take() else { return };
        self.board.set_network(None);
        self.board.lock().0.hang_up_strangers(&ToPage::restarting());
        server.shutdown().await;
        // Who slipped in while it closed.
        self.board.lock().0.hang_up_strangers(&ToPage::restarting());
    }

    /// Where the network's door is, while it is open.
    pub fn network_addr(&self) -> Option<SocketAddr> {
        self.network.as_ref().map(|(server, _)| server.addr())
    }

    /// False if the network's door had to take another port than the remembered one.
    pub fn network_got_remembered_port(&self) -> bool {
        self.network.as_ref().is_none_or(|(_, got)| *got)
    }
}

impl Switchboard {
    /// All doors that are open.
    pub(crate) fn doors(&self) -> impl Iterator<Item = Arc<Door>> {
        std::iter::once(Arc::clone(&self.door)).chain(self.network_door())
    }

    /// What links for people elsewhere begin with.
    pub(crate) fn customers_origin(&self) -> String {
        self.network_door().map_or_else(|| self.door.origin.clone(), |door| door.origin.clone())
    }

    fn network_door(&self) -> Option<Arc<Door>> {
        self.network.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_network(&self, door: Option<Arc<Door>>) {
        *self.network.write().unwrap_or_else(PoisonError::into_inner) = door;
    }
}

fn origin(network: &Network, addr: SocketAddr) -> String {
    if let Some(public) = &network.public_url {
        return public.origin().ascii_serialization();
    }
    let scheme = if network.tls.is_some() { "https" } else { "http" };
    let ip = if addr.ip().is_unspecified() { own_address() } else { addr.ip() };
    format!("{scheme}://{}", SocketAddr::new(ip, addr.port()))
}

/// This computer's address on its network; loopback if it is on none. Nothing is sent.
fn own_address() -> IpAddr {
    let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        // Of a range for documentation: only the route is looked up.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match asked {
        Ok(addr) if !addr.ip().is_unspecified() => addr.ip(),
        Ok(_) | Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}
