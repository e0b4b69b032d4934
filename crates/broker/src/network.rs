//! Opening and closing the endpoint for strangers on the network, while the broker runs.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use serve::{Counters, Port, Server, TlsFiles, TrustedProxies, metrics::Figures};
use url::Url;

use crate::{
    endpoint::Endpoint,
    http::{self, ApiContext},
    hub::messages::ServerMessage,
    metrics,
    running::{Running, StartError, check_public_url, load_tls},
};

/// The endpoint for strangers on the network.
#[derive(Debug, Clone)]
pub struct Network {
    /// The address to listen on.
    pub ip: IpAddr,
    /// The port to listen on.
    pub port: Port,
    /// Serve https.
    pub tls: Option<TlsFiles>,
    /// The address that they use, if it is neither the one above nor this computer's own.
    pub public_url: Option<Url>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

impl Running {
    /// Opens an endpoint for the network, instead of one that may be open. Everything else goes on undisturbed.
    ///
    /// # Errors
    /// [`StartError`]; then no such endpoint is open.
    pub async fn open_to_network(&mut self, network: Network) -> Result<(), StartError> {
        // First, since the new endpoint may need the same port.
        self.close_to_network().await;
        check_public_url(network.public_url.as_ref())?;
        let tls = load_tls(network.tls.as_ref()).await?;
        let bound = serve::bind(network.ip, network.port)?;
        let (addr, got_requested_port) = (bound.addr(), bound.got_requested_port());
        let (public_url, is_tls) = (network.public_url.as_ref(), tls.is_some());
        let endpoint = Arc::new(Endpoint::new(addr, public_url, is_tls, true));
        let context = ApiContext {
            coordinator: Arc::clone(&self.coordinator),
            endpoint: Arc::clone(&endpoint),
            health: self.health.clone(),
        };
        let door = endpoint.trust(network.trusted_proxies);
        let server = Server::start_at(door, bound, http::routes(context), self.limits, tls)?;
        tracing::info!(%addr, https = is_tls, "open to the network");
        self.network = Some((server, got_requested_port));
        self.coordinator.deliverer.own.set_network(Some(&endpoint));
        *self.coordinator.network.write() = Some(endpoint);
        Ok(())
    }

    /// Closes the endpoint for the network, if it is open. All connections that came in by it are hung up.
    pub async fn close_to_network(&mut self) {
        let Some((server, _)) = self.network.take() else { return };
        *self.coordinator.network.write() = None;
        self.coordinator.deliverer.own.set_network(None);
        let send_away = || {
            let message = ServerMessage::restarting();
            self.coordinator.notify_in_turns(|hub| hub.hang_up_strangers(&message));
            self.coordinator.channels.close_strangers();
        };
        send_away();
        server.shutdown().await;
        // Again, for those who got in while it closed.
        send_away();
        tracing::info!("closed to the network");
    }

    /// The address of the endpoint for the network, while it is open.
    pub fn network_addr(&self) -> Option<SocketAddr> {
        self.network.as_ref().map(|(server, _)| server.addr())
    }

    /// What each of its servers counts of its connections: this computer's, and the network's while it is open.
    pub fn counters(&self) -> impl Iterator<Item = &Counters> {
        let network = self.network.as_ref().map(|(server, _)| server);
        std::iter::once(&self.server).chain(network).map(Server::counters)
    }

    /// Its figures, with those of the connections at each of its endpoints.
    pub fn figures(&self) -> Figures {
        let mut figures = metrics::figures(&self.coordinator, self.server.counters());
        if let Some((server, _)) = &self.network {
            let names = [
                "deskhand_broker_network_sockets",
                "deskhand_broker_network_sockets_refused_total",
            ];
            figures.add_server(names[0], names[1], server.counters());
        }
        figures
    }

    /// False if the endpoint for the network had to take another port than the remembered one.
    pub fn network_got_remembered_port(&self) -> bool {
        self.network.as_ref().is_none_or(|(_, got)| *got)
    }
}
