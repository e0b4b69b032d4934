//! Rocket.Chat's stand-in (services.md has the wire format).

mod api;
pub(crate) mod store;

use std::sync::Arc;

use secrecy::SecretString;

use crate::{StoreError, desk::Desk, keys};

pub(crate) use api::routes;

const TABLE: &str = "rocketchat_settings";

/// A way to control the stand-in of Rocket.Chat from within its process, and what a client needs to use it.
#[derive(Debug, Clone)]
pub struct Rocketchat {
    pub(crate) desk: Desk,
    user_id: Arc<str>,
    token: Arc<SecretString>,
}

impl Rocketchat {
    /// Takes the keys out of the store, or makes them; `examples` puts something to try in at the first
    /// start.
    pub(crate) async fn open(desk: Desk, _examples: bool) -> Result<Self, StoreError> {
        let (user_id, token) = desk
            .store
            .with(|tx| {
                Ok((
                    keys::kept(tx, TABLE, "user_id", keys::ALPHANUMERIC, 17)?,
                    keys::kept(tx, TABLE, "token", keys::ALPHANUMERIC, 43)?,
                ))
            })
            .await?;
        Ok(Self { desk, user_id: user_id.into(), token: Arc::new(SecretString::from(token)) })
    }

    /// Where its API begins.
    pub fn base_url(&self) -> String {
        format!("{}", self.desk.origin)
    }

    /// The id of the user that the token belongs to.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The user's personal access token.
    pub fn token(&self) -> SecretString {
        SecretString::clone(&self.token)
    }
}
