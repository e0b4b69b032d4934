//! LoginTC's stand-in (services.md has the wire format).
//!
//! The phones are a page of their own, [`Logintc::phone_url`]; tests answer through [`Logintc`].
//! Where the service's document leaves something open, this is what it does (our assumptions): a wrong code
//! is answered with `denied`; a session is gone five minutes after it was made; a device shows a one-time
//! password of 6 digits, an e-mail brings one of 8; each is good once.

mod api;
mod phone_page;
pub(crate) mod store;

use std::sync::Arc;

use rusqlite::Transaction;
use secrecy::SecretString;
use tokio::sync::watch;
use wire::logintc::{Attribute, PushState};

use crate::{StoreError, context::ServiceContext, keys};

pub(crate) use api::routes;

const TABLE: &str = "logintc_settings";
/// Whether the domain has one-time passwords by e-mail.
const MAIL: &str = "mail";
/// Whether the key was taken back.
const REVOKED: &str = "revoked";

/// A way to control the stand-in of LoginTC from within its process, and what a client needs to use it.
#[derive(Debug, Clone)]
pub struct Logintc {
    pub(crate) context: ServiceContext,
    domain: Arc<str>,
    key: Arc<SecretString>,
    /// Notified after each change of a session.
    changed: Arc<watch::Sender<()>>,
}

/// A push that waits on a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The session's id.
    pub id: String,
    /// Whose phone.
    pub username: String,
    /// What the phone shows.
    pub attributes: Vec<Attribute>,
}

impl Logintc {
    /// Loads the keys from the store, or creates them; with `examples` the first start adds people to try.
    pub(crate) async fn open(context: ServiceContext, examples: bool) -> Result<Self, StoreError> {
        let (domain, key) = context
            .store
            .with(move |tx| {
                if examples && store::users(tx)?.is_empty() {
                    add_examples(tx)?;
                }
                Ok((
                    keys::load_or_create(tx, TABLE, "domain", keys::HEX, 40)?,
                    keys::load_or_create(tx, TABLE, "key", keys::ALPHANUMERIC, 64)?,
                ))
            })
            .await?;
        let changed = Arc::new(watch::Sender::new(()));
        Ok(Self { context, domain: domain.into(), key: Arc::new(SecretString::from(key)), changed })
    }

    /// Where its API begins.
    pub fn base_url(&self) -> String {
        format!("{}/api", self.context.origin)
    }

    /// The page of the phones.
    pub fn phone_url(&self) -> String {
        format!("{}/phone", self.context.origin)
    }

    /// The domain's id: 40 hex digits.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The API key: 64 letters and digits.
    pub fn key(&self) -> SecretString {
        SecretString::clone(&self.key)
    }

    /// Revokes the key, or makes it valid again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_revoked(&self, revoked: bool) -> Result<(), StoreError> {
        self.context.store.with(move |tx| store::set_flag(tx, REVOKED, revoked)).await
    }

    /// Enables one-time passwords by e-mail in the domain, or disables them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_mail(&self, enabled: bool) -> Result<(), StoreError> {
        self.context.store.with(move |tx| store::set_flag(tx, MAIL, enabled)).await
    }

    /// Adds a person, and gives the id; none if the name is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_user(
        &self,
        username: &str,
        device: bool,
    ) -> Result<Option<String>, StoreError> {
        let username = username.to_owned();
        self.context.store.with(move |tx| store::add_user(tx, &username, device)).await
    }

    /// Gives a person a device, or takes it away; false if there is no such id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_device(&self, user_id: &str, device: bool) -> Result<bool, StoreError> {
        let id = user_id.to_owned();
        self.context.store.with(move |tx| store::set_device(tx, &id, device)).await
    }

    /// The one-time password that a person's device shows; none without a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn otp(&self, user_id: &str) -> Result<Option<String>, StoreError> {
        let user = wire::logintc::UserRef { id: Some(user_id.to_owned()), username: None };
        let user = self.context.store.with(move |tx| store::user(tx, &user)).await?;
        Ok(user.filter(|user| user.device).map(|user| user.otp))
    }

    /// The one-time passwords in a person's mailbox that are still good, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mailed(&self, user_id: &str) -> Result<Vec<String>, StoreError> {
        let (id, now) = (user_id.to_owned(), self.context.clock.now());
        self.context.store.with(move |tx| store::codes(tx, &id, store::Kind::Mailed, now)).await
    }

    /// Makes a bypass code: 9 digits, good once. The person must be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_bypass_code(&self, user_id: &str) -> Result<String, StoreError> {
        let (id, now) = (user_id.to_owned(), self.context.clock.now());
        self.context.store.with(move |tx| store::add_code(tx, &id, store::Kind::Bypass, now)).await
    }

    /// The pushes that wait for an answer, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending(&self) -> Result<Vec<Push>, StoreError> {
        let now = self.context.clock.now();
        let pushes = self.context.store.with(move |tx| store::pushes(tx, now)).await?;
        let waiting = pushes.into_iter().filter(|push| push.state == PushState::Pending);
        Ok(waiting
            .map(|store::Push { id, username, attributes, .. }| Push { id, username, attributes })
            .collect())
    }

    /// Waits until a push waits for an answer, and gives the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_push(&self) -> Result<Push, StoreError> {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(push) = self.pending().await?.into_iter().next() {
                return Ok(push);
            }
            // Subscribed before the look at the store, so that no push falls between the two. It can't be closed: the
            // sender is ours.
            let _ = changed.changed().await;
        }
    }

    /// Answers a push; false if it is gone, or was answered before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer(&self, session: &str, approve: bool) -> Result<bool, StoreError> {
        let (session, now) = (session.to_owned(), self.context.clock.now());
        let answered = self.context.store.with(move |tx| store::answer(tx, &session, approve, now));
        let answered = answered.await?;
        // `send_replace` and not `send`, which fails while nobody waits.
        self.changed.send_replace(());
        Ok(answered)
    }
}

/// Adds three people with phones, the last of them the technician, and one without.
fn add_examples(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let people =
        [("maria.lopez", true), ("john.smith", true), ("anna.keller", true), ("tom.baker", false)];
    for (username, device) in people {
        // Time zero: bypass codes have no end, so their moment doesn't matter.
        if let Some(id) = store::add_user(tx, username, device)? {
            store::add_code(tx, &id, store::Kind::Bypass, serve::Millis(0))?;
        }
    }
    store::set_flag(tx, MAIL, true)
}
