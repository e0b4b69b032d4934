//! The addresses where requests come in. One is always open; a second one, for strangers on the network, only while
//! the owner wants it.
//!
//! Nobody who comes in by the second one counts as being on this machine. So whoever it lets in is limited as on
//! any network ([`crate::ByClient`]), even from behind a reverse proxy on this machine (docs/adr/0006).

use std::{iter, sync::Arc};

use percent_encoding::percent_decode_str;
use serve::HostGuard;
use url::Url;

use crate::coordinator::Coordinator;

/// An address where requests come in.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub guard: HostGuard,
    /// Scheme, host and port of the links that lead here.
    pub origin: String,
    /// Whoever comes in here is a stranger.
    pub for_strangers: bool,
}

impl Coordinator {
    /// What links for people elsewhere begin with.
    pub fn customers_origin(&self) -> String {
        let network = self.network.read();
        network.as_ref().unwrap_or(&self.endpoint).origin.clone()
    }

    /// The address, if the URL is this broker's own `/email/{address}`.
    pub fn own_mail_address(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?;
        // In the form of a Host header, which the guards compare.
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let encoded = url.path().strip_prefix("/api/v1/email/")?;
        let network = self.network.read();
        let mut endpoints = iter::once(&self.endpoint).chain(network.iter());
        endpoints
            .any(|endpoint: &Arc<Endpoint>| endpoint.guard.allows_host(&host))
            .then(|| percent_decode_str(encoded).decode_utf8_lossy().into_owned())
    }
}
