//! Starts a sandbox, and gives its owner the handles of the three services while it runs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use serve::{
    BindError, Bound, Clock, ControlToken, FaultPlan, HostGuard, Limits, Server,
    control as control_api, token::TokenError,
};

use crate::{
    Config, StoreError,
    config::Control,
    context::ServiceContext,
    logintc::{self, Logintc},
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
}

#[derive(Debug)]
struct Service<H> {
    handle: H,
    server: Server,
    got_requested_port: bool,
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
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, key.as_ref()));
        let store = opened.await.unwrap_or(Err(StoreError::Closed))?;
        let (clock, faults, limits) = (config.clock, FaultPlan::default(), config.limits);
        let context = |bound: &Bound| ServiceContext {
            store: store.clone(),
            clock: clock.clone(),
            guard: HostGuard::new(bound.addr(), None),
            origin: format!("http://{}", bound.addr()),
        };
        let logintc = {
            let handle = Logintc::open(context(&logintc), config.examples).await?;
            let (context, routes) = (handle.context.clone(), logintc::routes(handle.clone()));
            serve_one(logintc, handle, context, |_| routes, &faults, limits)?
        };
        let rocketchat = {
            let handle = Rocketchat::open(context(&rocketchat), config.examples).await?;
            serve_one(
                rocketchat,
                handle.clone(),
                handle.context,
                rocketchat::routes,
                &faults,
                limits,
            )?
        };
        let passwordless = {
            let handle = Passwordless::open(context(&passwordless), config.examples).await?;
            let context = handle.context.clone();
            serve_one(passwordless, handle, context, passwordless::routes, &faults, limits)?
        };
        let control = match &config.control {
            Some(control) => Some(start_control(control, &clock, &faults)?),
            None => None,
        };
        Ok(Running { store, clock, faults, logintc, rocketchat, passwordless, control })
    }
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

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// What goes wrong on purpose. Routes are the paths' templates.
    pub fn faults(&self) -> FaultPlan {
        self.faults.clone()
    }

    /// Finishes the calls that are under way, and frees ports and store.
    pub async fn shutdown(self) {
        // The control API first, so that nobody plans a fault or moves the clock of servers that are ending.
        if let Some(control) = self.control {
            control.shutdown().await;
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

fn serve_one<H>(
    bound: Bound,
    handle: H,
    context: ServiceContext,
    routes: impl FnOnce(ServiceContext) -> Router,
    faults: &FaultPlan,
    limits: Limits,
) -> Result<Service<H>, StartError> {
    let got_requested_port = bound.got_requested_port();
    let routes = context.protect(routes(context.clone()), faults);
    Ok(Service { handle, server: Server::start(bound, routes, limits, None)?, got_requested_port })
}

fn start_control(
    control: &Control,
    clock: &Clock,
    faults: &FaultPlan,
) -> Result<Server, StartError> {
    let token = ControlToken::create(&control.token_file)?;
    let bound = serve::bind(control.ip, control.port)?;
    let guard = HostGuard::new(bound.addr(), None);
    let clock = clock.clone();
    let advance: control_api::Advance = Arc::new(move |by| {
        clock.advance(by);
        Box::pin(std::future::ready(()))
    });
    // There are no timers to fire here: times are compared with the clock when a call comes.
    let routes = control_api::routes(token, advance, faults.clone(), Router::new());
    Ok(Server::start(bound, guard.protect(routes), Limits::default(), None)?)
}
