//! The state that every call can use.

use std::sync::Arc;

use serve::Health;

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
}
