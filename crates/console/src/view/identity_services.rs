//! The three services that tell who somebody is: where each is, and whether it can be used.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Trouble;

/// One of the three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Passkeys: Passwordless.dev.
    Passwordless,
    /// Push verification: LoginTC.
    Logintc,
    /// Device lookup: Rocket.Chat.
    Rocketchat,
}

/// A secret that is entered once and never shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretName {
    /// Passwordless.dev's API secret.
    PasswordlessSecret,
    /// LoginTC's API key.
    LogintcKey,
    /// Rocket.Chat's personal access token.
    RocketchatToken,
}

/// Where a service is, and whether it can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct IdentityServiceView {
    pub service: Identity,
    /// It is the sandbox that comes along.
    pub sandbox: bool,
    /// Its address.
    pub base_url: String,
    /// Its secret.
    pub secret: SecretName,
    /// Whether the secret is kept here; where it is the sandbox none is needed.
    pub has_secret: bool,
    /// When the secret was entered, and by whom.
    pub secret_set_at: Option<i64>,
    /// By whom; empty where there is none.
    pub secret_set_by: String,
    /// What is missing before it can be used; none if nothing is.
    pub missing: Option<Trouble>,
    /// The sandbox's page for people: the phones, the workspace; none elsewhere.
    pub page: Option<String>,
}

/// What a test of a connection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ConnectionView {
    pub service: Identity,
    /// What works, a line each.
    pub works: Vec<String>,
    /// What doesn't; none if all does.
    pub trouble: Option<Trouble>,
}
