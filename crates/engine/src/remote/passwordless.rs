//! Passwordless.dev: passkeys (services.md, section 4).

use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use super::{ServiceError, Timeouts, USER_AGENT, http};

/// Where Passwordless.dev is and what it is told.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where it is, such as `https://v4.passwordless.dev`.
    pub base_url: Url,
    /// The public API key, which the browser gets.
    pub api_key: String,
    /// The API secret.
    pub api_secret: SecretString,
}

/// A client of Passwordless.dev. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Passwordless {
    service: Service,
    timeouts: Timeouts,
    client: Client,
}

impl Passwordless {
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
