//! The three services that tell who somebody is, as they are set up at this moment.

use super::{LoginTc, Passwordless, RocketChat};

/// The clients; none where something that the service needs isn't set.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// Push verification.
    pub logintc: Option<LoginTc>,
    /// Device lookup.
    pub rocketchat: Option<RocketChat>,
    /// Passkeys.
    pub passwordless: Option<Passwordless>,
}
