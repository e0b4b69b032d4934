//! Reading the settings again while the broker runs: everything that needs no new socket or store is taken up, or
//! nothing is.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use serve::{Limits, Port, TlsFiles, TrustedProxies};
use url::Url;

use crate::{
    config::Config,
    delivery::WaysOut,
    running::{Running, StartError, check, hub_settings, live_settings, load_tls, no_client},
};

/// The settings that only a start takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    ip: IpAddr,
    port: Port,
    data: PathBuf,
    public_url: Option<Url>,
    https: bool,
    control: Option<(IpAddr, Port, PathBuf)>,
    metrics: Option<SocketAddr>,
}

impl Fixed {
    pub fn of(config: &Config) -> Self {
        let control = config.control.as_ref();
        Self {
            ip: config.ip,
            port: config.port,
            data: config.data.clone(),
            public_url: config.public_url.clone(),
            https: config.tls.is_some(),
            control: control.map(|on| (on.ip, on.port, on.token_file.clone())),
            metrics: config.metrics,
        }
    }

    pub const fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// The settings that differ, by the names that they have in the file.
    fn differ_from(&self, other: &Self) -> Vec<&'static str> {
        let differ = [
            ("listen", (self.ip, self.port) != (other.ip, other.port)),
            ("data", self.data != other.data),
            ("public_url", self.public_url != other.public_url),
            ("tls_cert and tls_key (https on or off)", self.https != other.https),
            ("control", self.control != other.control),
            ("metrics", self.metrics != other.metrics),
        ];
        differ.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

impl Running {
    /// Takes up other settings: certificate and key, limits, connections, lifetimes, where hooks may go, regions, e-mail, proxies,
    /// programs. Connections, sessions and the clock stay as they are, and so does the endpoint for the network. Returns
    /// the settings that differ but wait for the next start.
    ///
    /// # Errors
    /// [`StartError`]; then everything stays as it was.
    pub async fn reload(&self, config: Config) -> Result<Vec<&'static str>, StartError> {
        // All that can fail comes first.
        check(&config)?;
        let tls = load_tls(config.tls.as_ref()).await?;
        let live = live_settings(&config)?;
        let ways_out = WaysOut::new(
            config.hook_targets,
            &self.coordinator.deliverer.own,
            config.durations.hook_timeout,
        )
        .map_err(|error| no_client(&error))?;
        if let Some(tls) = &tls {
            self.server.replace_certificate(tls);
        }
        self.server.use_door(self.coordinator.endpoint.trust(config.trusted_proxies.clone()));
        self.server.use_connections(Some(config.limits.connections));
        self.coordinator.deliverer.use_ways_out(ways_out);
        *self.coordinator.live.write() = Arc::new(live);
        self.coordinator.with_hub(|hub, _| hub.use_settings(hub_settings(&config)));
        // Lifetimes may be shorter now.
        self.coordinator.rescheduled.notify_one();
        Ok(self.fixed.differ_from(&Fixed::of(&config)))
    }

    /// Believes these proxies at the network's endpoint from now on, if it is open. Whoever is connected stays.
    pub fn trust_network_proxies(&self, proxies: TrustedProxies) {
        let endpoint = self.coordinator.network.read().clone();
        if let Some(((server, _), endpoint)) = self.network.as_ref().zip(endpoint) {
            server.use_door(endpoint.trust(proxies));
        }
    }

    /// Takes so many connections at each of its addresses from now on, or as many as without a number. Whoever is
    /// connected stays.
    pub fn use_connections(&mut self, connections: Option<usize>) {
        self.limits.connections = connections.unwrap_or(Limits::default().connections);
        let network = self.network.as_ref().map(|(server, _)| server);
        for server in std::iter::once(&self.server).chain(network) {
            server.use_connections(Some(self.limits.connections));
        }
    }

    /// Serves the network's endpoint with another certificate, from the next connection on, and tells whether it could:
    /// it must be open and serve https.
    ///
    /// # Errors
    /// [`StartError::Tls`] if the files can't be used; the certificate of before stays.
    pub async fn renew_network_certificate(&self, files: &TlsFiles) -> Result<bool, StartError> {
        let Some((server, _)) = &self.network else { return Ok(false) };
        let tls = files.load().await?;
        Ok(server.replace_certificate(&tls))
    }
}
