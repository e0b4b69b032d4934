//! Rocket.Chat: whose device is this (services.md, section 3).

use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use super::{ServiceError, Timeouts, USER_AGENT, http};

/// Where Rocket.Chat is and what it is told.
#[derive(Debug, Clone)]
pub struct Service {
    /// The workspace, such as `https://chat.example.org`.
    pub base_url: Url,
    /// The user that the token belongs to.
    pub user_id: String,
    /// The token.
    pub token: SecretString,
}

/// A client of Rocket.Chat. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct RocketChat {
    service: Service,
    timeouts: Timeouts,
    client: Client,
}

impl RocketChat {
    /// A client of `service`.
    ///
    /// # Errors
    /// [`ServiceError`], which says what must be changed.
    pub fn new(service: Service) -> Result<Self, ServiceError> {
        let timeouts = Timeouts::default();
        let client = http::client_of(USER_AGENT, &service.base_url, &timeouts)?;
        Ok(Self { service, timeouts, client })
    }
}
