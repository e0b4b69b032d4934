//! Passwordless.dev's stand-in: its wire format (services.md, section 4) in front of a real relying party.
//!
//! Where the real service believes what a caller says of its page, this one also holds a ceremony to the page
//! that it was begun on; and a `verify_` or `session_` token is good for one call.

mod api;
#[doc(hidden)]
pub mod ceremony_bytes;
mod cors;
mod device;
mod input;
mod options;
mod problem;
pub(crate) mod store;
mod webauthn;

use std::sync::Arc;

use secrecy::SecretString;

use crate::{StoreError, context::ServiceContext, keys};

pub(crate) use api::routes;

const TABLE: &str = "passwordless_settings";

/// A way to control the stand-in of Passwordless.dev from within its process, and what a client needs to use it.
#[derive(Debug, Clone)]
pub struct Passwordless {
    pub(crate) context: ServiceContext,
    api_key: Arc<str>,
    api_secret: Arc<SecretString>,
}

impl Passwordless {
    /// Loads the keys from the store, or creates them. No passkey is added to try, since only a device makes one.
    pub(crate) async fn open(context: ServiceContext) -> Result<Self, StoreError> {
        let (api_key, api_secret) = context
            .store
            .with(|tx| {
                Ok((
                    keys::load_or_create(tx, TABLE, "api_key", keys::HEX, 32)?,
                    keys::load_or_create(tx, TABLE, "api_secret", keys::HEX, 32)?,
                ))
            })
            .await?;
        Ok(Self {
            context,
            api_key: format!("app:public:{api_key}").into(),
            api_secret: Arc::new(SecretString::from(format!("app:secret:{api_secret}"))),
        })
    }

    /// Where its API begins.
    pub fn base_url(&self) -> String {
        self.context.origin.clone()
    }

    /// The public API key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The private API secret.
    pub fn api_secret(&self) -> SecretString {
        SecretString::clone(&self.api_secret)
    }
}
