//! The state that every call can use.

use std::sync::Arc;

use serve::TrustedProxies;

use crate::{coordinator::Coordinator, endpoint::Endpoint};

/// What the routes of one endpoint share.
#[derive(Clone)]
pub(crate) struct ApiContext {
    pub coordinator: Arc<Coordinator>,
    pub endpoint: Arc<Endpoint>,
    pub proxies: TrustedProxies,
    pub compat_cors: bool,
}
