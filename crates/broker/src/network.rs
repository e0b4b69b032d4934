//! Opening and closing the endpoint for strangers on the network, while the broker runs.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
};

use serve::{HostGuard, Port, Server, TlsFiles};
use url::Url;

use crate::{
    endpoint::Endpoint,
    http::{self, ApiContext},
    hub::messages::ServerMessage,
    running::{Running, StartError, check_public_url},
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
    /// The address that they use, if it is neither the one above nor this computer's own.
    pub public_url: Option<Url>,
}

impl Running {
    /// Opens an endpoint for the network, instead of one that may be open. Everything else goes on undisturbed.
    ///
    /// # Errors
    /// [`StartError`]; then no such endpoint is open.
    pub async fn open_to_network(&mut self, network: Network) -> Result<(), StartError> {
        // First, since the new one may want the same port.
        self.close_to_network().await;
        check_public_url(network.public_url.as_ref())?;
        let tls = match &network.tls {
            Some(files) => Some(files.load().await?),
            None => None,
        };
        let bound = serve::bind(network.ip, network.port)?;
        let (addr, got_requested_port) = (bound.addr(), bound.got_requested_port());
        let endpoint = Arc::new(Endpoint {
            guard: HostGuard::new(addr, network.public_url.as_ref()),
            origin: origin(&network, addr),
            for_strangers: true,
        });
        let context = ApiContext {
            coordinator: Arc::clone(&self.coordinator),
            endpoint: Arc::clone(&endpoint),
            // No proxies: this endpoint is for direct connections, where anybody could write the header.
            proxies: serve::TrustedProxies::default(),
            compat_cors: false,
        };
        let server = Server::start(bound, http::routes(context), self.limits, tls)?;
        self.network = Some((server, got_requested_port));
        *self.coordinator.network.write() = Some(endpoint);
        Ok(())
    }

    /// Closes the endpoint for the network, if it is open. Whoever came in by it is sent away.
    pub async fn close_to_network(&mut self) {
        let Some((server, _)) = self.network.take() else { return };
        *self.coordinator.network.write() = None;
        let send_away = || {
            self.coordinator.notify(|hub| hub.hang_up_strangers(&ServerMessage::restarting()));
        };
        send_away();
        server.shutdown().await;
        // Again, for those who got in while it closed.
        send_away();
    }

    /// The address of the endpoint for the network, while it is open.
    pub fn network_addr(&self) -> Option<SocketAddr> {
        self.network.as_ref().map(|(server, _)| server.addr())
    }

    /// False if the endpoint for the network had to take another port than the remembered one.
    pub fn network_got_remembered_port(&self) -> bool {
        self.network.as_ref().is_none_or(|(_, got)| *got)
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
