//! The configuration of an engine. Whoever starts the engine has parsed and validated it.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use session::Gate;
use url::Url;

use crate::{access::Access, remote::LoginWithMeConfig};

/// The engine's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where journal, archive and key live. One engine at a time.
    pub data: PathBuf,
    /// The remote-support service.
    pub service: LoginWithMeConfig,
    /// Where hooks arrive.
    pub listener: Listener,
    /// Samples a region.
    pub probe_rounds: usize,
    /// How often every hook of a live session is put again.
    pub heartbeat: Duration,
    /// How long a PIN's life is taken to be (services.md: about a day).
    pub pin_life: Duration,
    /// Who is at this console; set by the engine's owner, read by the engine.
    pub access: Access,
    /// The verification gate's policy at the start.
    pub gate: Gate,
}

/// The webhook listener's configuration.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The address to bind; loopback by default.
    pub ip: IpAddr,
    /// The port: a remembered one is tried first, a fixed one is taken or the start fails.
    pub port: serve::Port,
    /// The URL under which the service reaches the listener, where that isn't its own address.
    pub public_url: Option<Url>,
    /// How many connections it takes at once; what the process's files allow unless set.
    pub connections: Option<usize>,
    /// Reverse proxies before it, which say in `X-Forwarded-For` whom they pass on.
    pub trusted_proxies: serve::TrustedProxies,
}
