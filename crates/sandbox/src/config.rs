//! Everything that can be set about a sandbox.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

pub use serve::control::Control;
use serve::{Clock, Limits, Port};

use crate::StoreKey;

/// A sandbox's settings; [`Config::embedded`] is the starting point.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on: loopback, since whoever reaches it is let in everywhere.
    pub ip: IpAddr,
    /// The port of each service.
    pub ports: Ports,
    /// Where the store lies. Made if missing; nobody else may read it.
    pub data: PathBuf,
    /// The store's key; without one the store is a plain SQLite file.
    pub store_key: Option<StoreKey>,
    /// Puts a few people, phones and devices in at the first start, so that there is something to try.
    pub examples: bool,
    /// The control listener. Absent unless asked for.
    pub control: Option<Control>,
    /// Where metrics and health are told to whoever watches over the sandbox. Nowhere unless set.
    pub metrics: Option<SocketAddr>,
    /// Size and time limits of requests.
    pub limits: Limits,
    /// The clock; tests pass a frozen one.
    pub clock: Clock,
}

/// The ports of the three services.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// LoginTC's.
    pub logintc: Port,
    /// Rocket.Chat's.
    pub rocketchat: Port,
    /// Passwordless.dev's.
    pub passwordless: Port,
}

impl Ports {
    /// Any free ones.
    pub const ANY: Self =
        Self { logintc: Port::Any, rocketchat: Port::Any, passwordless: Port::Any };
}

impl Config {
    /// The sandbox that comes with the console: loopback, any ports, no control API.
    pub fn embedded(data: impl Into<PathBuf>) -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST.into(),
            ports: Ports::ANY,
            data: data.into(),
            store_key: None,
            examples: false,
            control: None,
            metrics: None,
            limits: Limits::default(),
            clock: Clock::system(),
        }
    }
}
