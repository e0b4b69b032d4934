//! The state that every handler of one service works with.

use serve::{Clock, FaultPlan, Health, HostGuard};

use crate::store::Store;

/// Store, clock, guard and address of one service; clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct ServiceContext {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Which hosts and pages one service answers to; each has its own.
    pub(crate) guard: HostGuard,
    /// Scheme, host and port of one service, without a slash at the end.
    pub(crate) origin: String,
    /// The same for all services.
    pub(crate) health: Health,
}

impl ServiceContext {
    /// `routes` behind the guard against foreign hosts, and with the faults that are planned.
    pub(crate) fn protect(&self, routes: axum::Router, faults: &FaultPlan) -> axum::Router {
        // The guard comes first: a refused host must not use up a fault that a test has planned.
        self.health.beside(&self.guard, self.guard.protect(faults.protect(routes)))
    }
}
