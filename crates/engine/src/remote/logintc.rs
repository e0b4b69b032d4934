//! LoginTC: push verification (services.md, section 2).

use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use super::{ServiceError, Timeouts, USER_AGENT, http};

/// Where LoginTC is and what it is told.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where its API begins, such as `https://cloud.logintc.com/api`.
    pub base_url: Url,
    /// The domain's id: 40 hex digits.
    pub domain: String,
    /// The API key.
    pub key: SecretString,
}

/// A client of LoginTC. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct LoginTc {
    service: Service,
    timeouts: Timeouts,
    client: Client,
}

impl LoginTc {
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
