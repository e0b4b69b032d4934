//! LoginTC's stand-in (services.md has the wire format).

mod api;
pub(crate) mod store;

use std::sync::Arc;

use secrecy::SecretString;

use crate::{StoreError, desk::Desk, keys};

pub(crate) use api::routes;

const TABLE: &str = "logintc_settings";

/// A way to control the stand-in of LoginTC from within its process, and what a client needs to use it.
#[derive(Debug, Clone)]
pub struct Logintc {
    pub(crate) desk: Desk,
    domain: Arc<str>,
    key: Arc<SecretString>,
}

impl Logintc {
    /// Takes the keys out of the store, or makes them; `examples` puts something to try in at the first
    /// start.
    pub(crate) async fn open(desk: Desk, _examples: bool) -> Result<Self, StoreError> {
        let (domain, key) = desk
            .store
            .with(|tx| {
                Ok((
                    keys::kept(tx, TABLE, "domain", keys::HEX, 40)?,
                    keys::kept(tx, TABLE, "key", keys::ALPHANUMERIC, 64)?,
                ))
            })
            .await?;
        Ok(Self { desk, domain: domain.into(), key: Arc::new(SecretString::from(key)) })
    }

    /// Where its API begins.
    pub fn base_url(&self) -> String {
        format!("{}/api", self.desk.origin)
    }

    /// The domain's id: 40 hex digits.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The API key: 64 letters and digits.
    pub fn key(&self) -> SecretString {
        SecretString::clone(&self.key)
    }
}
