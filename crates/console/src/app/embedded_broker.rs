//! The embedded broker, for consoles without a configured service.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use broker::{Broker, Handle, Network, Running};
use engine::StoreError;
use serve::{Counts, metrics::Figures};

use super::{
    AppError,
    backup::BROKER_STORE,
    data_folder::DataFolder,
    ports::{self, PORTS_FILE, Ports},
    standing_troubles::StandingTroubles,
};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Trouble},
};

/// The embedded broker, if it runs.
pub(crate) struct EmbeddedBroker {
    folder: Arc<DataFolder>,
    standing: Arc<StandingTroubles>,
    /// Nobody sits at the customers' computers.
    pub unattended: bool,
    running: tokio::sync::Mutex<Option<Running>>,
    embedded: OnceLock<Embedded>,
}

/// The running embedded broker. It ends with its console.
#[derive(Debug, Clone)]
pub struct Embedded {
    handle: Handle,
    origin: String,
    base_url: String,
    addr: SocketAddr,
    regions: String,
}

impl EmbeddedBroker {
    pub fn new(folder: Arc<DataFolder>, standing: Arc<StandingTroubles>, unattended: bool) -> Self {
        let (running, embedded) = (tokio::sync::Mutex::default(), OnceLock::new());
        Self { folder, standing, unattended, running, embedded }
    }

    /// The running broker's address and controls, if it was ever started.
    pub fn get(&self) -> Option<&Embedded> {
        self.embedded.get()
    }

    /// Starts the broker, if no service is configured and it doesn't run already; returns whether
    /// it did. The broker holds its deliveries back until [`Handle::release_deliveries`].
    ///
    /// # Errors
    /// The broker doesn't start. That its store is damaged, or that customers on this network can't join,
    /// is no error; it only stands as a trouble.
    pub async fn start(&self, settings: &Settings) -> Result<bool, AppError> {
        if settings.base_url.is_some() || self.embedded.get().is_some() {
            return Ok(false);
        }
        let ports = Ports::read(&self.folder.path);
        // It ran here before, at a port that nobody knows any more.
        let lost_port = ports.broker.is_none() && !BROKER_STORE.is_missing_in(&self.folder.path);
        let mut config = broker::Config::embedded(self.folder.path.join("broker"));
        config.store_key = Some(self.folder.vault.broker_store_key());
        // Held until the hooks have been tried: before that, nobody would receive the deliveries.
        config.hold_deliveries = true;
        config.allow_unattended = self.unattended;
        config.port = ports::choose(0, ports.broker, false);
        if let Some(connections) = settings.broker_connections() {
            config.limits.connections = connections;
        }
        let mut running = match Broker::start(config).await {
            Ok(running) => running,
            Err(error) => return broker_down(error.into(), &self.standing),
        };
        tracing::info!(addr = %running.addr(), "the broker that comes along answers");
        let mut moved = ports.broker.is_some() && !running.got_remembered_port();
        if settings.lan {
            match running.open_to_network(network(settings, ports)).await {
                Ok(()) => {
                    moved |= ports.network.is_some() && !running.network_got_remembered_port();
                }
                // The technician can work without customers on this network.
                Err(error) => self.standing.add(not_open(&error)),
            }
        }
        if moved {
            self.standing.add(port_taken());
        }
        if lost_port {
            self.standing.add(port_lost());
        }
        let _ = self.embedded.set(Embedded::new(&running));
        *self.running.lock().await = Some(running);
        Ok(true)
    }

    /// Opens or closes the way in for customers on this network, as `settings` require; nothing
    /// else stops.
    ///
    /// # Errors
    /// The reason why they can't join; the way in is closed then.
    pub async fn set_network(&self, settings: &Settings) -> Result<(), Trouble> {
        let mut slot = self.running.lock().await;
        let Some(running) = slot.as_mut() else { return Ok(()) };
        self.standing.remove(is_not_open);
        if !settings.lan {
            running.close_to_network().await;
            return Ok(());
        }
        let path = &self.folder.path;
        let ports = Ports::read(path);
        running
            .open_to_network(network(settings, ports))
            .await
            .map_err(|error| not_open(&error))?;
        let ports = Ports { network: running.network_addr().map(|addr| addr.port()), ..ports };
        ports.remember(path, &self.standing);
        Ok(())
    }

    /// Takes as many connections as `settings` say, and believes their proxies where customers on this network join.
    /// Nobody is disconnected.
    pub async fn take_up(&self, settings: &Settings) {
        if let Some(running) = self.running.lock().await.as_mut() {
            running.use_connections(settings.broker_connections());
            running.trust_network_proxies(settings.lan_proxies());
        }
    }

    /// Serves the way in for customers on this network with the certificate as its files are now; false if it isn't open
    /// or has none. Nobody is disconnected.
    ///
    /// # Errors
    /// The files can't be used; the certificate of before stays.
    pub async fn renew_certificate(&self, settings: &Settings) -> Result<bool, broker::StartError> {
        let slot = self.running.lock().await;
        let files = settings.tls_cert.as_ref().zip(settings.tls_key.as_ref());
        let Some((running, (cert, key))) = slot.as_ref().zip(files) else { return Ok(false) };
        running.renew_network_certificate(&serve::TlsFiles::new(cert, key)).await
    }

    /// Stores its ports, and the engine's, for the next start.
    pub async fn remember_ports(&self, listener: SocketAddr) {
        let slot = self.running.lock().await;
        let before = Ports::read(&self.folder.path);
        let port = |addr: SocketAddr| addr.port();
        let ports = Ports {
            listener: Some(listener.port()),
            broker: slot.as_ref().map(Running::addr).map(port).or(before.broker),
            network: slot.as_ref().and_then(Running::network_addr).map(port).or(before.network),
            ..before
        };
        ports.remember(&self.folder.path, &self.standing);
    }

    /// What its servers count of their connections; none where it doesn't run.
    pub async fn counts(&self) -> Vec<Counts> {
        let slot = self.running.lock().await;
        slot.iter().flat_map(Running::counters).map(serve::Counters::snapshot).collect()
    }

    /// Its figures; none where it doesn't run.
    pub async fn figures(&self) -> Figures {
        self.running.lock().await.as_ref().map_or_else(Figures::default, Running::figures)
    }

    /// Stops it, if it runs.
    pub async fn close(self: Arc<Self>) {
        let running = self.running.lock().await.take();
        if let Some(running) = running {
            running.shutdown().await;
        }
    }
}

impl Embedded {
    fn new(running: &Running) -> Self {
        Self {
            handle: running.handle(),
            origin: running.origin().to_owned(),
            base_url: running.base_url(),
            addr: running.addr(),
            regions: running.region_url_template(),
        }
    }

    /// Controls it: its clock, its faults, its outbox.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Scheme, host and port, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address of its API.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL at which its regions are timed; `{region}` stands for the name.
    pub fn region_url_template(&self) -> &str {
        &self.regions
    }

    /// Like [`Embedded::origin`], for people elsewhere: the network's address while customers there
    /// may join.
    pub fn customers_origin(&self) -> String {
        self.handle.customers_origin()
    }

    /// The customer's link; `{pin}` stands for the PIN.
    pub fn join_url_template(&self) -> String {
        format!("{}/join#{{pin}}", self.customers_origin())
    }
}

/// Adds the trouble of a broker whose store can't be read: what the console has is there all the same. Other
/// reasons stop the start.
fn broker_down(error: AppError, standing: &StandingTroubles) -> Result<bool, AppError> {
    match error {
        AppError::BrokerStore(StoreError::Damaged { .. } | StoreError::WrongKey { .. }) => {
            let Trouble { code, text, remedy } = error.trouble();
            let without =
                "Until then no session can be started, and those that are live are out of reach.";
            standing.add(Trouble { code, text, remedy: format!("{remedy} {without}") });
            Ok(false)
        }
        other => Err(other),
    }
}

/// The endpoint at which customers on this network join.
fn network(settings: &Settings, ports: Ports) -> Network {
    let listen = settings.lan_listen;
    let tls = settings.tls_cert.as_ref().zip(settings.tls_key.as_ref());
    Network {
        ip: listen.ip(),
        port: ports::choose(listen.port(), ports.network, settings.lan_url.is_some()),
        tls: tls.map(|(cert, key)| serve::TlsFiles::new(cert, key)),
        public_url: settings.lan_url.clone(),
        trusted_proxies: settings.lan_proxies(),
    }
}

/// The beginning of every trouble about customers on this network.
const NOT_OPEN: &str = "Let customers on this network join: ";

fn not_open(error: &broker::StartError) -> Trouble {
    let why = error.to_string();
    let why = why.strip_prefix("start the broker: ").unwrap_or(&why);
    Trouble {
        code: Code::CheckAddress,
        text: trouble::sentence(&format!("{NOT_OPEN}{why}")),
        remedy: "Until then only this computer can join. Correct the address, the certificate or \
                 the key in the settings."
            .into(),
    }
}

fn is_not_open(trouble: &Trouble) -> bool {
    trouble.text.starts_with(NOT_OPEN)
}

fn port_lost() -> Trouble {
    Trouble {
        code: Code::CheckAddress,
        text: format!(
            "Listen on the previous port: {PORTS_FILE}, which has it, is gone or damaged, so links that were given \
             out before no longer work."
        ),
        remedy: "Send new links.".into(),
    }
}

fn port_taken() -> Trouble {
    Trouble {
        code: Code::CheckAddress,
        text: "Listen on the previous port: another program is using it, so links \
               that were given out before no longer work."
            .into(),
        remedy: "Send new links, or quit that program and start again.".into(),
    }
}
