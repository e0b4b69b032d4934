//! The state that every call can use.

use std::{net::SocketAddr, sync::Arc};

use axum::http::HeaderMap;
use serve::{Client, Health, TrustedProxies};

use crate::{coordinator::Coordinator, endpoint::Endpoint};

/// What the routes of one endpoint share.
#[derive(Clone)]
pub(crate) struct ApiContext {
    pub coordinator: Arc<Coordinator>,
    pub endpoint: Arc<Endpoint>,
    /// Proxies that are believed at the endpoint for the network. Those of the other one are live settings.
    pub network_proxies: TrustedProxies,
    pub health: Health,
}

impl ApiContext {
    /// Whether pages of any origin may call.
    pub fn compat_cors(&self) -> bool {
        !self.endpoint.for_strangers && self.coordinator.live().compat_cors
    }

    /// Who a request comes from.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        if !self.endpoint.for_strangers {
            return self.coordinator.live().proxies.client(peer, headers);
        }
        let client = self.network_proxies.client(peer, headers);
        // Such a client may be a reverse proxy that isn't listed, behind which anybody can be.
        if client.is_this_machine() { Client::STRANGER } else { client }
    }
}
