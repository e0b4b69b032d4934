//! Starting and ending a broker.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use ring::signature::Ed25519KeyPair;
use secrecy::ExposeSecret as _;
use serve::{
    BindError, FaultPlan, Health, Limits, Server, Tally, TlsError, TlsFiles, tls::Tls,
    token::TokenError,
};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::{
    config::{Config, Control},
    control_routes,
    coordinator::{Coordinator, Live},
    delivery::Deliverer,
    endpoint::Endpoint,
    handle::Handle,
    http::{self, ApiContext},
    hub::{Hub, limits::HubSettings, messages::ServerMessage},
    hub_lock::HubLock,
    metrics,
    own_addresses::OwnAddresses,
    programs::Programs,
    reloading::Fixed,
    smtp::Mailer,
    socket_registry::SocketRegistry,
    store::{SigningKey, Store, StoreError},
    timer::keep_time,
    webhook_secrets::WebhookSecrets,
};

/// The self-hosted broker.
#[derive(Debug)]
pub struct Broker;

/// A broker can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("start the broker: {0}")]
    Bind(#[from] BindError),
    /// The store can't be used.
    #[error("start the broker: {0}")]
    Store(#[from] StoreError),
    /// The certificate or key can't be used.
    #[error("start the broker: {0}")]
    Tls(#[from] TlsError),
    /// The control token can't be written.
    #[error("start the broker: {0}")]
    Token(#[from] TokenError),
    /// The settings contradict each other or can't be read.
    #[error("start the broker: {0}")]
    Settings(String),
    /// The socket can't be served.
    #[error("start the broker: serve its socket: {0}")]
    Serve(#[from] io::Error),
}

/// A running broker. End it with [`Running::shutdown`].
#[derive(Debug)]
pub struct Running {
    pub(crate) coordinator: Arc<Coordinator>,
    addr: SocketAddr,
    got_requested_port: bool,
    pub(crate) server: Server,
    /// The settings that only a start takes up.
    pub(crate) fixed: Fixed,
    pub(crate) limits: Limits,
    /// The server of the endpoint for the network, and whether it got the port that was asked for.
    pub(crate) network: Option<(Server, bool)>,
    control: Option<Server>,
    metrics: Option<Server>,
    timer: JoinHandle<()>,
    pub(crate) health: Health,
    store_end: StoreEnd,
}

/// Finishes the store when it is dropped, even where a whole broker is only dropped: a thread that closes the file
/// while the process ends calls a cipher library that is gone.
#[derive(Debug)]
struct StoreEnd(Arc<Coordinator>);

impl Drop for StoreEnd {
    fn drop(&mut self) {
        self.0.store.finish();
    }
}

impl Broker {
    /// Opens the store, binds and serves. Participants who were online when the last run ended have the whole grace
    /// to come back.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub async fn start(mut config: Config) -> Result<Running, StartError> {
        // Only the first installation in a process counts; all of ours install the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        check(&config)?;
        let tls = load_tls(config.tls.as_ref()).await?;
        // Before the store is opened: links need the port, and a port that is taken must leave nothing behind.
        let bound = serve::bind(config.ip, config.port)?;
        let (public_url, is_tls) = (config.public_url.as_ref(), tls.is_some());
        let endpoint = Arc::new(Endpoint::new(bound.addr(), public_url, is_tls, false));
        let (fixed, door) = (Fixed::of(&config), endpoint.trust(config.trusted_proxies.clone()));
        let (control, limits) = (config.control.take(), config.limits);
        let (coordinator, store_end) = open(config, Arc::clone(&endpoint)).await?;
        coordinator.record(|hub, _| hub.resume_mails()).await;
        let health = health_of(&coordinator);
        let control = control.map(|control: Control| {
            let (advance, faults) =
                (control_routes::advance(&coordinator), coordinator.faults.clone());
            let extra = control_routes::routes(Arc::clone(&coordinator));
            control.start::<StartError>(advance, faults, extra)
        });
        let control = control.transpose()?;
        let context =
            ApiContext { coordinator: Arc::clone(&coordinator), endpoint, health: health.clone() };
        let (addr, got_requested_port) = (bound.addr(), bound.got_requested_port());
        let server = Server::start_at(door, bound, http::routes(context), limits, tls)?;
        let metrics = fixed.metrics().map(|addr| {
            serve::metrics::start::<StartError>(
                addr,
                metrics::take(&coordinator, server.counters()),
                &health,
            )
        });
        let metrics = metrics.transpose()?;
        let timer = tokio::spawn(keep_time(Arc::clone(&coordinator)));
        let network = None;
        Ok(Running {
            coordinator,
            addr,
            got_requested_port,
            server,
            limits,
            network,
            control,
            metrics,
            timer,
            health,
            fixed,
            store_end,
        })
    }
}

impl Running {
    /// Scheme, host and port, such as `http://127.0.0.1:47211`, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.coordinator.endpoint.origin
    }

    /// The base URL of the service for its clients: the origin and `/api/v1`.
    pub fn base_url(&self) -> String {
        format!("{}/api/v1", self.origin())
    }

    /// Where a region's probe answers; `{region}` stands for its name.
    pub fn region_url_template(&self) -> String {
        format!("{}/region/{{region}}", self.origin())
    }

    /// The customer's link; `{pin}` stands for the PIN.
    pub fn join_url_template(&self) -> String {
        format!("{}/join#{{pin}}", self.coordinator.customers_origin())
    }

    /// The address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// False if another port had to be taken than the remembered one, so that old links are dead.
    pub const fn got_remembered_port(&self) -> bool {
        self.got_requested_port
    }

    /// Where the control API listens, if it was asked for.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(Server::addr)
    }

    /// Where metrics are told, if that was asked for.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Server::addr)
    }

    /// Controls the broker without HTTP. It can be cloned, and doesn't keep the broker running.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.coordinator))
    }

    /// Tells the pages, finishes what is in flight, and frees port and store.
    pub async fn shutdown(mut self) {
        self.health.stop();
        // First, so that no deadline is applied while the rest ends.
        self.timer.abort();
        self.close_to_network().await;
        self.coordinator.stopping.cancel();
        // Before the server, whose end waits for its connections.
        self.coordinator.notify_in_turns(|hub| hub.hang_up_some(&ServerMessage::restarting()));
        for server in self.control.into_iter().chain(self.metrics) {
            server.shutdown().await;
        }
        self.server.shutdown().await;
        // No longer than a hook's receiver has to answer.
        let _ = tokio::time::timeout(
            self.coordinator.live().durations.hook_timeout + Duration::from_secs(1),
            self.coordinator.deliverer.idle(),
        )
        .await;
        let store_end = self.store_end;
        // Last, when nobody has anything to write any more. It blocks until the disk has it all.
        let _ = tokio::task::spawn_blocking(move || drop(store_end)).await;
    }
}

/// Ready means that what is asked for can be saved.
fn health_of(coordinator: &Arc<Coordinator>) -> Health {
    let coordinator = Arc::clone(coordinator);
    Health::new(move || {
        let written = coordinator.store.probe();
        async move { written.await.map_err(|_| "the store can't be written") }
    })
}

pub(crate) fn check(config: &Config) -> Result<(), StartError> {
    if config.regions.is_empty() {
        return Err(StartError::Settings("there must be at least one region".into()));
    }
    check_public_url(config.public_url.as_ref())
}

pub(crate) fn check_public_url(url: Option<&Url>) -> Result<(), StartError> {
    match url.map(Url::scheme) {
        None | Some("http" | "https") => Ok(()),
        Some(_) => {
            Err(StartError::Settings("the public URL must begin with http:// or https://".into()))
        }
    }
}

pub(crate) async fn load_tls(files: Option<&TlsFiles>) -> Result<Option<Tls>, StartError> {
    match files {
        Some(files) => Ok(Some(files.load().await?)),
        None => Ok(None),
    }
}

pub(crate) fn no_client(error: &reqwest::Error) -> StartError {
    StartError::Settings(format!("make the hooks' client: {error}"))
}

fn signing_key(key: Option<&SigningKey>) -> Result<&SigningKey, StartError> {
    key.ok_or_else(no_signing_key)
}

fn signer(key: &SigningKey) -> Result<Ed25519KeyPair, StartError> {
    Ed25519KeyPair::from_pkcs8(key.expose_secret()).map_err(|_| no_signing_key())
}

fn no_signing_key() -> StartError {
    StartError::Settings("read or make the key that signs programs".into())
}

/// Opens the store, and makes everything that works on it.
async fn open(
    config: Config,
    endpoint: Arc<Endpoint>,
) -> Result<(Arc<Coordinator>, StoreEnd), StartError> {
    let (settings, live) = (hub_settings(&config), live_settings(&config)?);
    let (folder, key, now) = (config.data, config.store_key, config.clock.now());
    let opened = tokio::task::spawn_blocking(move || Store::open(&folder, key.as_ref(), now));
    let (store, loaded) =
        opened.await.map_err(|e| StartError::Settings(format!("open the store: {e}")))??;
    let timeout = config.durations.hook_timeout;
    let secrets = WebhookSecrets::new(signing_key(loaded.signing_key.as_ref())?);
    let own = OwnAddresses::new(&endpoint);
    let deliverer =
        Deliverer::new(config.hook_targets, own, timeout, config.hold_deliveries, secrets)
            .map_err(|error| no_client(&error))?;
    let coordinator = Arc::new(Coordinator {
        clock: config.clock,
        live: RwLock::new(Arc::new(live)),
        endpoint,
        network: RwLock::default(),
        faults: FaultPlan::default(),
        deliverer: Arc::new(deliverer),
        refusals: Tally::default(),
        signer: signer(signing_key(loaded.signing_key.as_ref())?)?,
        store,
        hub: HubLock::new(Hub::new(settings, loaded.state)),
        sockets: Mutex::new(SocketRegistry::default()),
        channels: Arc::default(),
        stopping: CancellationToken::new(),
        rescheduled: Notify::new(),
        reordered: Mutex::new(None),
        run: Uuid::new_v4(),
    });
    let store_end = StoreEnd(Arc::clone(&coordinator));
    Ok((coordinator, store_end))
}

pub(crate) fn live_settings(config: &Config) -> Result<Live, StartError> {
    let mailer = config.smtp.as_ref().map(Mailer::new).transpose();
    Ok(Live {
        durations: config.durations,
        regions: config.regions.clone(),
        mailer: mailer.map_err(StartError::Settings)?,
        programs: Arc::new(Programs::new(config.programs.clone())),
        compat_cors: config.compat_cors,
    })
}

pub(crate) fn hub_settings(config: &Config) -> HubSettings {
    HubSettings {
        regions: config.regions.iter().map(|known| known.region.clone()).collect(),
        durations: config.durations,
        rates: config.rates,
        hook_targets: config.hook_targets,
        allow_unattended: config.allow_unattended,
        sends_mail: config.smtp.is_some(),
    }
}
