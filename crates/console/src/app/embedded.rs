//! The broker that comes along: where it is, and a way to move its clock.

use std::net::SocketAddr;

use broker::Handle;

/// The running embedded broker. It ends with its console.
#[derive(Debug, Clone)]
pub struct Embedded {
    handle: Handle,
    origin: String,
    base_url: String,
    addr: SocketAddr,
    regions: String,
}

impl Embedded {
    pub(crate) fn of(running: &broker::Running) -> Self {
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

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its API.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its regions are timed; `{region}` stands for the name.
    pub fn region_url_template(&self) -> &str {
        &self.regions
    }

    /// As [`Embedded::origin`], for people elsewhere: the network's while customers there may join.
    pub fn customers_origin(&self) -> String {
        self.handle.customers_origin()
    }

    /// The customer's link; `{pin}` stands for the PIN.
    pub fn join_url_template(&self) -> String {
        format!("{}/join#{{pin}}", self.customers_origin())
    }
}
