//! Starting a broker, and what its owner can do with it while it runs.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use ring::signature::Ed25519KeyPair;
use secrecy::ExposeSecret as _;
use serve::{
    BindError, Client, ControlToken, FaultPlan, HostGuard, Limits, Server, TlsError,
    control as control_api, token::TokenError,
};
use tokio::{sync::Notify, task::JoinHandle};
use url::Url;
use uuid::Uuid;
use wire::{Pin, Region, Side};

use crate::{
    api::{self, Desk},
    config::{Config, Control},
    control,
    deliver::Deliverer,
    lines::Wish,
    mail::{Mail, Mailer},
    network::Door,
    programs::Programs,
    rules::presence::PageId,
    state::State,
    store::{SigningKey, Store, StoreError},
    switchboard::{Switchboard, stand_in},
    words::ToPage,
};

/// How often what is too old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

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
    pub(crate) board: Arc<Switchboard>,
    addr: SocketAddr,
    got_asked_port: bool,
    server: Server,
    pub(crate) limits: Limits,
    /// The door to the network, and whether it got the port that was asked for.
    pub(crate) network: Option<(Server, bool)>,
    control: Option<Server>,
    timer: JoinHandle<()>,
    store_end: StoreEnd,
}

/// Finishes the store when it is dropped, also where a broker is only dropped: a thread that closes the
/// file while the process ends meets a cipher library that is gone.
#[derive(Debug)]
struct StoreEnd(Arc<Switchboard>);

impl Drop for StoreEnd {
    fn drop(&mut self) {
        self.0.store.finish();
    }
}

impl std::fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switchboard").field("origin", &self.door.origin).finish_non_exhaustive()
    }
}

impl Broker {
    /// Opens the store, binds and serves. Those who were online when the last run ended have the
    /// whole grace to come back.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        // Only the first installation in a process counts; all of ours install the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        check(&config)?;
        let tls = match &config.tls {
            Some(files) => Some(files.load().await?),
            None => None,
        };
        let bound = serve::bind(config.ip, config.port)?;
        let door = Arc::new(Door {
            guard: HostGuard::new(bound.addr(), config.public_url.as_ref()),
            origin: origin(&config, bound.addr()),
            strangers: false,
        });
        let (folder, key, now) = (config.data.clone(), config.store_key, config.clock.now());
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, key.as_ref(), now));
        let (store, stored) =
            opened.await.map_err(|e| StartError::Settings(format!("open the store: {e}")))??;
        let mailer = config.smtp.as_ref().map(Mailer::new).transpose();
        let (durations, policy) = (config.durations, config.hook_targets);
        let deliverer = Deliverer::new(policy, durations.hook_timeout, config.hold_deliveries)
            .map_err(|error| StartError::Settings(format!("make the hooks' client: {error}")))?;
        let board = Arc::new(Switchboard {
            clock: config.clock,
            durations,
            rates: config.rates,
            regions: config.regions,
            policy,
            door: Arc::clone(&door),
            network: RwLock::default(),
            faults: FaultPlan::default(),
            deliverer: Arc::new(deliverer),
            mailer: mailer.map_err(StartError::Settings)?,
            programs: Arc::new(Programs::new(config.programs)),
            signer: signer(stored.signing_key.as_ref())?,
            allow_unattended: config.allow_unattended,
            store,
            state: Mutex::new(State::from_stored(stored)),
            rescheduled: Notify::new(),
            reordered: Mutex::new(None),
        });
        let store_end = StoreEnd(Arc::clone(&board));
        let control =
            config.control.map(|settings| start_control(&settings, &board)).transpose()?;
        let proxies = config.trusted_proxies;
        let desk =
            Desk { board: Arc::clone(&board), door, proxies, compat_cors: config.compat_cors };
        let limits = config.limits;
        let (addr, got_asked_port) = (bound.addr(), bound.got_what_was_asked());
        let server = Server::start(bound, api::routes(desk), limits, tls)?;
        let timer = tokio::spawn(keep_time(Arc::clone(&board)));
        let network = None;
        Ok(Running {
            board,
            addr,
            got_asked_port,
            server,
            limits,
            network,
            control,
            timer,
            store_end,
        })
    }
}

impl Running {
    /// Scheme, host and port, such as `http://127.0.0.1:47211`, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.board.door.origin
    }

    /// What clients take as the service's base URL: the origin and `/api/v1`.
    pub fn base_url(&self) -> String {
        format!("{}/api/v1", self.origin())
    }

    /// Where a region's probe answers; `{region}` stands for its name.
    pub fn region_url_template(&self) -> String {
        format!("{}/region/{{region}}", self.origin())
    }

    /// The customer's link; `{pin}` stands for the PIN.
    pub fn join_url_template(&self) -> String {
        format!("{}/join#{{pin}}", self.board.customers_origin())
    }

    /// The address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// False if another port had to be taken than the remembered one: old links are dead.
    pub const fn got_remembered_port(&self) -> bool {
        self.got_asked_port
    }

    /// Where the control API listens, if it was asked for.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(Server::addr)
    }

    /// A way to control the broker without HTTP; it can be cloned and outlives nothing.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.board))
    }

    /// Tells the pages, finishes what is under way, and frees port and store.
    pub async fn shutdown(mut self) {
        self.timer.abort();
        self.close_to_network().await;
        self.board.lock().0.hang_up_all(&ToPage::restarting());
        if let Some(control) = self.control {
            control.shutdown().await;
        }
        self.server.shutdown().await;
        // At most as long as a hook's receiver has to answer.
        let _ = tokio::time::timeout(
            self.board.durations.hook_timeout + Duration::from_secs(1),
            self.board.deliverer.idle(),
        )
        .await;
        let store_end = self.store_end;
        let _ = tokio::task::spawn_blocking(move || drop(store_end)).await;
    }
}

/// Controls a broker from within its process.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Switchboard>);

impl Handle {
    /// Moves the clock and fires what falls due. Deliveries go on beside it; see [`Handle::idle`].
    pub async fn advance(&self, by: Duration) {
        self.0.advance(by).await;
    }

    /// Keeps fired hooks back.
    pub fn hold_deliveries(&self) {
        self.0.deliverer.hold();
    }

    /// Lets fired hooks go, those that were kept back first.
    pub fn release_deliveries(&self) {
        self.0.release_deliveries();
    }

    /// Returns once every change is saved and every delivery has been made or given up.
    pub async fn idle(&self) {
        self.0.deliverer.idle().await;
    }

    /// What links for people elsewhere begin with: the network's address while it is open to that,
    /// else the broker's own.
    pub fn customers_origin(&self) -> String {
        self.0.customers_origin()
    }

    /// The e-mails that were asked for lately, newest last.
    pub fn outbox(&self) -> Vec<Mail> {
        self.0.lock().0.outbox.iter().cloned().collect()
    }

    /// What goes wrong on purpose. Routes are the paths' templates (`/api/v1/hook/`), and
    /// `deliver` for hooks on their way out.
    pub fn faults(&self) -> FaultPlan {
        self.0.faults.clone()
    }

    /// The broker's time.
    pub fn now(&self) -> serve::Millis {
        self.0.clock.now()
    }

    /// Mints a PIN without HTTP.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn mint(&self, region: Region) -> Result<Pin, String> {
        let local = Client::at(std::net::Ipv4Addr::LOCALHOST.into());
        self.0.mint(local, region).await.map_err(|refused| refused.to_string())
    }

    /// A page that comes without a browser, for tests and demos.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn page_arrives(
        &self,
        pin: &Pin,
        side: Side,
        page: Uuid,
        name: &str,
    ) -> Result<(), String> {
        let come = self.0.stand_in(stand_in(pin.clone(), Wish::of(side), page, name)).await;
        come.map(drop).map_err(|refused| refused.to_string())
    }

    /// A page made with [`Handle::page_arrives`] goes. False if it wasn't there.
    pub async fn page_leaves(&self, pin: &Pin, page: Uuid) -> bool {
        let line = self.0.lock().0.line_of(pin, PageId(page));
        let Some(line) = line else { return false };
        self.0.depart(line).await;
        true
    }

    /// A page made with [`Handle::page_arrives`] says something.
    ///
    /// # Errors
    /// Why it was refused, for people.
    pub async fn page_says(
        &self,
        pin: &Pin,
        page: Uuid,
        name: &str,
        body: &str,
    ) -> Result<(), String> {
        let line = self.0.lock().0.line_of(pin, PageId(page));
        let line = line.ok_or("this page is not online")?;
        self.0.say(line, name, body).await.map_err(|refused| refused.to_string())
    }
}

fn check(config: &Config) -> Result<(), StartError> {
    if config.regions.is_empty() {
        return Err(StartError::Settings("there must be at least one region".into()));
    }
    check_public(config.public_url.as_ref())
}

pub(crate) fn check_public(url: Option<&Url>) -> Result<(), StartError> {
    match url.map(Url::scheme) {
        None | Some("http" | "https") => Ok(()),
        Some(_) => {
            Err(StartError::Settings("the public URL must begin with http:// or https://".into()))
        }
    }
}

fn origin(config: &Config, addr: SocketAddr) -> String {
    if let Some(public) = &config.public_url {
        return public.origin().ascii_serialization();
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    // A listener on all addresses has no address of its own to put into a link.
    let loopback = SocketAddr::from(([127, 0, 0, 1], addr.port()));
    let shown = if addr.ip().is_unspecified() { loopback } else { addr };
    format!("{scheme}://{shown}")
}

fn signer(key: Option<&SigningKey>) -> Result<Ed25519KeyPair, StartError> {
    let pair = key.and_then(|key| Ed25519KeyPair::from_pkcs8(key.expose_secret()).ok());
    pair.ok_or_else(|| StartError::Settings("read or make the key that signs programs".into()))
}

fn start_control(settings: &Control, board: &Arc<Switchboard>) -> Result<Server, StartError> {
    let token = ControlToken::create(&settings.token_file)?;
    let bound = serve::bind(settings.ip, settings.port)?;
    let guard = HostGuard::new(bound.addr(), None);
    let extra = control::routes(Arc::clone(board));
    let routes = control_api::routes(token, control::advance(board), board.faults.clone(), extra);
    Ok(Server::start(bound, guard.protect(routes), Limits::default(), None)?)
}

/// Fires what is due when it is due, for as long as the broker runs.
async fn keep_time(board: Arc<Switchboard>) {
    let mut forget_at = board.clock.now();
    loop {
        if board.clock.now() >= forget_at {
            board.forget_old().await;
            forget_at = board.clock.now().after(FORGET_EVERY);
        }
        let due = {
            let (state, now) = board.lock();
            state.next_due(now, &board.durations).map_or(forget_at, |due| due.min(forget_at))
        };
        tokio::select! {
            () = board.clock.sleep_until(due) => board.fire_due().await,
            () = board.rescheduled.notified() => {}
        }
    }
}
