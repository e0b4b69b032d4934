//! The addresses of this broker: which links lead to it, and which hooks' URLs do.

use std::{iter, sync::Arc};

use percent_encoding::percent_decode_str;
use url::Url;
use wire::Pin;

use crate::{coordinator::Coordinator, endpoint::Endpoint, hub::outbox::Links};

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

    /// The links in an e-mail about this session.
    pub fn mail_links(&self, pin: &Pin) -> Links {
        let (origin, pin) = (self.customers_origin(), pin.expose());
        Links {
            front: format!("{origin}/"),
            join: format!("{origin}/join#{pin}"),
            view: format!("{origin}/view?session_pin={pin}&un=&ro=false"),
        }
    }
}
