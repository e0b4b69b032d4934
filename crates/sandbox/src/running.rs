//! Starts a sandbox, and gives its owner the handles of the three services while it runs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use serve::{
    BindError, Bound, Clock, FaultPlan, Health, HostGuard, Limits, Server, control::Advance,
    token::TokenError,
};

use crate::{
    Config, StoreError,
    config::Control,
    context::ServiceContext,
    logintc::{self, Logintc},
    metrics::Calls,
    passwordless::{self, Passwordless},
    rocketchat::{self, Rocketchat},
    store::Store,
};

/// The three stand-ins.
#[derive(Debug)]
pub struct Sandbox;

/// A sandbox can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address can't be listened on.
    #[error("start the sandbox: {0}")]
    Bind(#[from] BindError),
    /// The store can't be used.
    #[error("start the sandbox: {0}")]
    Store(#[from] StoreError),
    /// The control token can't be written.
    #[error("start the sandbox: {0}")]
    Token(#[from] TokenError),
    /// A socket can't be served.
    #[error("start the sandbox: serve its socket: {0}")]
    Serve(#[from] io::Error),
}

/// A running sandbox. End it with [`Running::shutdown`].
#[derive(Debug)]
pub struct Running {
    store: Store,
    clock: Clock,
    faults: FaultPlan,
    logintc: Service<Logintc>,
    rocketchat: Service<Rocketchat>,
    passwordless: Service<Passwordless>,
    control: Option<Server>,
    metrics: Option<Server>,
    health: Health,
}

#[derive(Debug)]
struct Service<H> {
    handle: H,
    server: Server,
    got_requested_port: bool,
}

impl<H> Service<H> {
    fn start(bound: Bound, handle: H, routes: Router, limits: Limits) -> Result<Self, StartError> {
        let got_requested_port = bound.got_requested_port();
        Ok(Self { handle, server: Server::start(bound, routes, limits, None)?, got_requested_port })
    }
}

impl Sandbox {
    /// Opens the store, binds and serves.
    ///
    /// # Errors
    /// [`StartError`]; then nothing is left running.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let ports = config.ports;
        // All ports first: what fails most often fails before a store is opened or a socket served.
        let (logintc, rocketchat, passwordless) = (
            serve::bind(config.ip, ports.logintc)?,
            serve::bind(config.ip, ports.rocketchat)?,
            serve::bind(config.ip, ports.passwordless)?,
        );
        let (folder, key) = (config.data, config.store_key);
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, key));
        let store = opened.await.unwrap_or(Err(StoreError::Closed))?;
        let (clock, faults, limits) = (config.clock, FaultPlan::default(), config.limits);
        let (health, calls) = (health_of(&store), Calls::default());
        let context = |bound: &Bound| ServiceContext {
            health: health.clone(),
            store: store.clone(),
            clock: clock.clone(),
            guard: HostGuard::new(bound.addr(), None),
            origin: format!("http://{}", bound.addr()),
        };
        let handle = Logintc::open(context(&logintc), config.examples).await?;
        let routes = calls.counted(0, logintc::routes(handle.clone()));
        let routes = handle.context.protect(routes, &faults);
        let logintc = Service::start(logintc, handle, routes, limits)?;
        let handle = Rocketchat::open(context(&rocketchat), config.examples).await?;
        let routes = calls.counted(1, rocketchat::routes(handle.context.clone()));
        let routes = handle.context.protect(routes, &faults);
        let rocketchat = Service::start(rocketchat, handle, routes, limits)?;
        let handle = Passwordless::open(context(&passwordless)).await?;
        let routes = calls.counted(2, passwordless::routes(handle.context.clone()));
        let routes = handle.context.protect(routes, &faults);
        let passwordless = Service::start(passwordless, handle, routes, limits)?;
        let advanced = clock.clone();
        let start_control = |control: Control| {
            // There are no timers to fire: times are compared with the clock when a call comes.
            let advance: Advance = Arc::new(move |by| {
                advanced.advance(by);
                Box::pin(std::future::ready(()))
            });
            control.start::<StartError>(advance, faults.clone(), Router::new())
        };
        let control = config.control.map(start_control).transpose()?;
        let counters = [&logintc.server, &rocketchat.server, &passwordless.server]
            .map(|server| server.counters().clone());
        let start_metrics =
            |addr| serve::metrics::start::<StartError>(addr, calls.take(counters), &health);
        let metrics = config.metrics.map(start_metrics).transpose()?;
        Ok(Running {
            store,
            clock,
            faults,
            logintc,
            rocketchat,
            passwordless,
            control,
            metrics,
            health,
        })
    }
}

/// Ready means that what is asked for can be saved.
fn health_of(store: &Store) -> Health {
    let store = store.clone();
    Health::new(move || {
        let store = store.clone();
        async move { store.probe().await.map_err(|_| "the store can't be written") }
    })
}

impl Running {
    /// LoginTC's stand-in.
    pub fn logintc(&self) -> Logintc {
        self.logintc.handle.clone()
    }

    /// Rocket.Chat's stand-in.
    pub fn rocketchat(&self) -> Rocketchat {
        self.rocketchat.handle.clone()
    }

    /// Passwordless.dev's stand-in.
    pub fn passwordless(&self) -> Passwordless {
        self.passwordless.handle.clone()
    }

    /// The addresses of LoginTC's, Rocket.Chat's and Passwordless.dev's stand-in.
    pub fn addrs(&self) -> [SocketAddr; 3] {
        [self.logintc.server.addr(), self.rocketchat.server.addr(), self.passwordless.server.addr()]
    }

    /// False if another port had to be taken than a remembered one.
    pub fn got_remembered_ports(&self) -> bool {
        self.logintc.got_requested_port
            && self.rocketchat.got_requested_port
            && self.passwordless.got_requested_port
    }

    /// Where the control API listens, if it was asked for.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(Server::addr)
    }

    /// Where metrics are told, if that was asked for.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Server::addr)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The fault plan of all three stand-ins. Routes are the templates of their paths.
    pub fn faults(&self) -> FaultPlan {
        self.faults.clone()
    }

    /// Finishes the calls that are under way, and frees ports and store.
    pub async fn shutdown(self) {
        self.health.stop();
        // The control API first, so that nobody plans a fault or moves the clock of servers that are ending.
        for server in self.control.into_iter().chain(self.metrics) {
            server.shutdown().await;
        }
        tokio::join!(
            self.logintc.server.shutdown(),
            self.rocketchat.server.shutdown(),
            self.passwordless.server.shutdown(),
        );
        // Last: calls that are under way still write to it.
        self.store.close().await;
    }
}
