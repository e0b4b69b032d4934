//! The clients of the three identity services, as they are configured at this moment.

use super::{LoginTc, Passwordless, RocketChat};

/// The clients; none where something that the service needs isn't set.
#[derive(Debug, Clone, Default)]
pub struct IdentityClients {
    /// Push verification.
    pub logintc: Option<LoginTc>,
    /// Device lookup.
    pub rocketchat: Option<RocketChat>,
    /// Passkeys, with which people sign in to this console.
    pub passwordless: Option<Passwordless>,
}
