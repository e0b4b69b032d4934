//! Rocket.Chat's stand-in (services.md has the wire format).

mod api;
mod authorization;
mod examples;
mod limiter;
mod people;
mod request;
mod response;
mod second_factor;
pub(crate) mod store;
mod totp;
mod workspace_page;

use std::{sync::Arc, time::Duration};

use rusqlite::Transaction;
use secrecy::SecretString;
use serve::Millis;
use wire::rocketchat::DeviceSession;

use crate::{StoreError, context::ServiceContext, keys};

pub(crate) use api::routes;

const TABLE: &str = "rocketchat_settings";
/// The role of the token's user.
const ROLE: &str = "admin";
/// The permissions that calls about everybody's login sessions need.
pub const PERMISSIONS: [&str; 2] = ["view-device-management", "logout-device-management"];
const BACKUP_CODES: usize = 12;

/// A way to control the stand-in of Rocket.Chat from within its process, and what a client needs to use it.
///
/// The token's user, `deskhand`, is an admin whose second factor is an authenticator app.
#[derive(Debug, Clone)]
pub struct Rocketchat {
    pub(crate) context: ServiceContext,
    user_id: Arc<str>,
    token: Arc<SecretString>,
    totp: Arc<secrecy::SecretSlice<u8>>,
}

/// Which second factor the token's user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// None at all.
    Off,
    /// An authenticator app, and backup codes.
    Totp,
    /// Codes by e-mail.
    Email,
    /// None set up, so the password is asked for.
    Password,
}

impl Rocketchat {
    /// Loads the keys from the store, or creates them; with `examples` the first start adds a workspace to try.
    pub(crate) async fn open(context: ServiceContext, examples: bool) -> Result<Self, StoreError> {
        let now = context.clock.now();
        let (user_id, token, totp) = context
            .store
            .with(move |tx| {
                let user_id = keys::load_or_create(tx, TABLE, "user_id", keys::ALPHANUMERIC, 17)?;
                let token = keys::load_or_create(tx, TABLE, "token", keys::ALPHANUMERIC, 43)?;
                let totp = keys::load_or_create(tx, TABLE, "totp", keys::HEX, 40)?;
                let totp = data_encoding::HEXLOWER.decode(totp.as_bytes()).unwrap_or_default();
                if store::person(tx, "id", &user_id)?.is_none() {
                    create_workspace(tx, &user_id, &token, &totp)?;
                    if examples {
                        examples::put(tx, &user_id, now)?;
                    }
                }
                Ok((user_id, token, totp))
            })
            .await?;
        Ok(Self {
            context,
            user_id: user_id.into(),
            token: Arc::new(SecretString::from(token)),
            totp: Arc::new(totp.into()),
        })
    }

    /// Where its API begins.
    pub fn base_url(&self) -> String {
        self.context.origin.clone()
    }

    /// The id of the user that the token belongs to.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The user's personal access token.
    pub fn token(&self) -> SecretString {
        SecretString::clone(&self.token)
    }

    /// What the user's authenticator app shows now.
    pub fn authenticator_code(&self) -> SecretString {
        use secrecy::ExposeSecret as _;
        totp::code(self.totp.expose_secret(), self.context.clock.now()).into()
    }

    /// The user's backup codes that are not used up.
    ///
    /// # Errors
    /// The store's.
    pub async fn backup_codes(&self) -> Result<Vec<SecretString>, StoreError> {
        let user = self.user_id.clone();
        let codes = self.context.store.with(move |tx| store::backup_codes(tx, &user)).await?;
        Ok(codes.into_iter().map(SecretString::from).collect())
    }

    /// The code that was last sent to the user by e-mail, while it is good.
    ///
    /// # Errors
    /// The store's.
    pub async fn mailed_code(&self) -> Result<Option<SecretString>, StoreError> {
        let (user, now) = (self.user_id.clone(), self.context.clock.now());
        let code = self.context.store.with(move |tx| store::mailed_code(tx, &user, now)).await?;
        Ok(code.map(SecretString::from))
    }

    /// Gives the user another second factor; with [`SecondFactor::Password`] this password too.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_second_factor(
        &self,
        factor: SecondFactor,
        password: &SecretString,
    ) -> Result<(), StoreError> {
        use secrecy::ExposeSecret as _;
        let (word, with_password) = match factor {
            SecondFactor::Off => ("none", false),
            SecondFactor::Totp => ("totp", false),
            SecondFactor::Email => ("email", false),
            SecondFactor::Password => ("none", true),
        };
        let user = self.user_id.clone();
        let hash = with_password.then(|| people::hash_password(&user, password.expose_secret()));
        let set = move |tx: &Transaction<'_>| {
            store::set_factor(tx, &user, word)?;
            store::set_password(tx, &user, hash.as_deref())
        };
        self.context.store.with(set).await
    }

    /// Gives the user one of [`PERMISSIONS`], or takes it away.
    ///
    /// # Errors
    /// The store's.
    pub async fn grant(&self, permission: &'static str, granted: bool) -> Result<(), StoreError> {
        self.context.store.with(move |tx| store::grant(tx, ROLE, permission, granted)).await
    }

    /// Takes the token back: nobody is logged in with it any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoke_token(&self) -> Result<(), StoreError> {
        use secrecy::ExposeSecret as _;
        let hash = store::hash(self.token.expose_secret());
        self.context.store.with(move |tx| store::drop_token(tx, &hash)).await
    }

    /// Adds login sessions, each a second older than the one before, and their people.
    ///
    /// # Errors
    /// The store's; an id that is there already is one.
    pub async fn put_sessions(&self, sessions: Vec<DeviceSession>) -> Result<(), StoreError> {
        let now = self.context.clock.now();
        let put = move |tx: &Transaction<'_>| {
            for (age, session) in (0i64..).zip(&sessions) {
                let at = Millis(now.0.saturating_sub(age.saturating_mul(1000)));
                examples::put_session(tx, session, at)?;
            }
            Ok(())
        };
        self.context.store.with(put).await
    }

    /// The login session of this id that is not logged out, if there is one.
    ///
    /// # Errors
    /// The store's.
    pub async fn session(&self, id: &str) -> Result<Option<DeviceSession>, StoreError> {
        let id = id.to_owned();
        let found = self.context.store.with(move |tx| store::session(tx, &id, None)).await?;
        Ok(found.map(|(session, _)| session))
    }

    /// Everybody's login sessions that are not logged out, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn sessions(&self) -> Result<Vec<DeviceSession>, StoreError> {
        let all = |tx: &Transaction<'_>| {
            let pattern = store::pattern("").ok_or(rusqlite::Error::InvalidQuery)?;
            Ok(store::search(tx, &store::Search::newest(&pattern, usize::MAX))?.0)
        };
        self.context.store.with(all).await
    }

    /// Moves the clock forward; it is that of all three stand-ins.
    pub fn advance(&self, by: Duration) {
        self.context.clock.advance(by);
    }
}

/// Sets the workspace up at its first start: with the token's user, who may do everything.
fn create_workspace(
    tx: &Transaction<'_>,
    user_id: &str,
    token: &str,
    totp: &[u8],
) -> rusqlite::Result<()> {
    let person = store::Person {
        id: user_id.to_owned(),
        username: "deskhand".to_owned(),
        name: "Help desk".to_owned(),
        email: "help.desk@example.org".to_owned(),
        role: ROLE.to_owned(),
        factor: "totp".to_owned(),
        totp: totp.to_owned(),
        password: None,
    };
    store::put_person(tx, &person)?;
    store::put_token(tx, user_id, &store::hash(token))?;
    for _ in 0..BACKUP_CODES {
        store::put_backup_code(tx, user_id, &keys::random(keys::ALPHANUMERIC, 8))?;
    }
    PERMISSIONS.iter().try_for_each(|permission| store::grant(tx, ROLE, permission, true))
}
