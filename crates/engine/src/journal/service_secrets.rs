//! The services' secrets: entered once, kept sealed, given to the services' clients and to
//! nobody else.

use std::borrow::Cow;

use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use serde::{Deserialize, Serialize};
use session::Timestamp;

use super::{Journal, JournalError, read};

const KEEP: &str = "keep a service's secret";
const REMOVE: &str = "remove a service's secret";
const READ: &str = "read a service's secret";

/// The kind of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceSecret {
    /// Passwordless.dev's API secret.
    Passwordless,
    /// LoginTC's API key.
    Logintc,
    /// Rocket.Chat's access token.
    Rocketchat,
}

/// A secret that is kept.
#[derive(Debug, Clone)]
pub struct KeptSecret {
    pub value: SecretString,
    /// When it was entered.
    pub at: Timestamp,
    /// The person who entered it.
    pub by: String,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    /// Borrowed: no shape of a secret needs escapes.
    #[serde(borrow)]
    value: Cow<'a, str>,
    at: Timestamp,
    #[serde(borrow)]
    by: Cow<'a, str>,
}

impl ServiceSecret {
    const fn mark(self) -> &'static str {
        match self {
            Self::Passwordless => "secret/passwordless",
            Self::Logintc => "secret/logintc",
            Self::Rocketchat => "secret/rocketchat",
        }
    }
}

impl Journal {
    /// Keeps a secret in place of the one before; it is on disk, sealed, when this returns.
    ///
    /// # Errors
    /// A [`JournalError`]; the one before is kept then.
    pub async fn keep_secret(
        &self,
        which: ServiceSecret,
        kept: KeptSecret,
    ) -> Result<(), JournalError> {
        let KeptSecret { value, at, by } = kept;
        // Room for it all at once: a growing buffer would leave copies behind.
        let mut sealed =
            Zeroizing::new(Vec::with_capacity(256 + 6 * (value.expose_secret().len() + by.len())));
        let plain = Plain { value: value.expose_secret().into(), at, by: by.into() };
        serde_json::to_writer(&mut *sealed, &plain)
            .unwrap_or_else(|_| unreachable!("strings into memory"));
        self.writer.write(KEEP, move |ledger| ledger.mark(which.mark(), Some(&sealed))).await
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// A [`JournalError`]; it is kept then.
    pub async fn remove_secret(&self, which: ServiceSecret) -> Result<(), JournalError> {
        self.writer.write(REMOVE, move |ledger| ledger.mark(which.mark(), None)).await
    }

    /// A secret, where one is kept.
    ///
    /// # Errors
    /// A [`JournalError`]; [`JournalError::Damaged`] too where it was altered or sealed under
    /// another key.
    pub async fn secret(&self, which: ServiceSecret) -> Result<Option<KeptSecret>, JournalError> {
        let seal = self.key.clone();
        let read = move |c: &rusqlite::Connection| {
            let Some(plain) = read::mark(c, &seal, which.mark())? else { return Ok(None) };
            // serde's own text may quote the secret, so it is dropped.
            let Plain::<'_> { value, at, by } = serde_json::from_slice(&plain).map_err(|_| {
                JournalError::Damaged { doing: READ, why: "it is of an unknown form".into() }
            })?;
            Ok(Some(KeptSecret { value: value.into_owned().into(), at, by: by.into_owned() }))
        };
        self.readers.read(READ, read).await
    }
}
