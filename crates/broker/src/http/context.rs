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
        // No proxies: that endpoint is for direct connections, where anybody could write the header.
        let client = TrustedProxies::default().client(peer, headers);
        // Such a client may be a reverse proxy, behind which anybody can be.
        if client.is_this_machine() { Client::STRANGER } else { client }
    }
}
