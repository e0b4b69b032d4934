//! Passwordless.dev: passkeys (services.md, section 4).
//!
//! Only the calls that carry the API secret; those of the browser are its own business. Nothing is
//! repeated here: a token is good for one check.

mod refusal;

pub use refusal::{Field, PasskeyError};

use jiff::{Timestamp, civil, tz::TimeZone};
use reqwest::{Method, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use url::Url;
use uuid::Uuid;
use wire::passwordless::{
    self as form, CredentialList, RegisterToken, SignInKind, Token, VerifiedSignIn,
};

use super::{
    CallError, Doing, ServiceError, Timeouts, USER_AGENT,
    error::{Cause, malformed},
    http::{self, HttpResponse},
    is_plain_http,
};

/// Where the hosted service is.
pub const HOSTED_BASE_URL: &str = "https://v4.passwordless.dev";

/// The bytes of an answer, at most.
const BODY: usize = 4 << 20;
/// The passkeys of one user that are read, at most.
const MOST_CREDENTIALS: usize = 1_000;

/// Passwordless.dev's address and credentials.
#[derive(Debug, Clone)]
pub struct PasswordlessConfig {
    /// Where it is, such as `https://v4.passwordless.dev`.
    pub base_url: Url,
    /// The public API key, which the browser gets.
    pub api_key: String,
    pub api_secret: SecretString,
}

/// A client of Passwordless.dev. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Passwordless {
    service: PasswordlessConfig,
    timeouts: Timeouts,
    client: http::Client,
}

/// The sign-in that a token from the browser proves. Success, user, origin, relying party and age
/// are the caller's to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Whether somebody has signed in at all.
    pub success: bool,
    /// The service's id of the person.
    pub user_id: String,
    /// When it was, by the service's clock.
    pub timestamp: Timestamp,
    /// The relying party's id: the host of the page.
    pub rp_id: String,
    /// The page's origin.
    pub origin: String,
    /// The browser and its system.
    pub device: String,
    /// Two letters, or nothing.
    pub country: String,
    /// The passkey's name; may be empty.
    pub nickname: String,
    /// When the token ends, by the service's clock.
    pub expires_at: Timestamp,
    /// The token's id; each names one sign-in.
    pub token_id: String,
    /// The passkey's id; empty in the service's older form.
    pub credential_id: String,
    /// Whether the passkey was created or used to sign in.
    pub kind: SignInKind,
}

/// A passkey as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: String,
    /// Its name; may be empty.
    pub nickname: String,
    /// The browser that made or last used it, and its system.
    pub device: String,
    /// Two letters, or nothing.
    pub country: String,
    /// The page that it was made on.
    pub origin: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl Passwordless {
    /// A client of `service`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn new(service: PasswordlessConfig) -> Result<Self, ServiceError> {
        Self::with_timeouts(service, Timeouts::default())
    }

    /// A client of `service` that waits no longer than `timeouts`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn with_timeouts(
        service: PasswordlessConfig,
        timeouts: Timeouts,
    ) -> Result<Self, ServiceError> {
        let base = &service.base_url;
        if !is_plain_http(base) || base.query().is_some() || base.fragment().is_some() {
            return Err(ServiceError::BaseUrl);
        }
        let client = http::client_of(USER_AGENT, base, &timeouts)?;
        Ok(Self { service, timeouts, client })
    }

    /// The service's address and settings.
    pub fn service(&self) -> &PasswordlessConfig {
        &self.service
    }

    /// `POST /register/token`: the token with which the browser makes a passkey within two minutes.
    ///
    /// # Errors
    /// [`PasskeyError`]; [`PasskeyError::AliasConflict`] if an alias is somebody else's.
    pub async fn register_token(
        &self,
        asked: &RegisterToken,
    ) -> Result<SecretString, PasskeyError> {
        let doing = Doing::BeginPasskey;
        asked.check().map_err(|limit| PasskeyError::Limit { doing, limit })?;
        let answer: Token = self.ask(doing, &["register", "token"], asked).await?;
        Ok(answer.token)
    }

    /// `POST /signin/verify`: the sign-in that a token proves. Each token is good for one call.
    ///
    /// # Errors
    /// [`PasskeyError`]; [`PasskeyError::ExpiredToken`] and [`PasskeyError::InvalidToken`] for a
    /// token that is too old, forged or used.
    pub async fn verify(&self, token: &SecretString) -> Result<SignIn, PasskeyError> {
        let doing = Doing::CheckSignIn;
        let body = json!({ "token": token.expose_secret() });
        let answer = self.ask(doing, &["signin", "verify"], &body).await?;
        sign_in(answer).ok_or_else(|| {
            failed(doing, malformed("the service's answer is not what it documents")).into()
        })
    }

    /// `POST /credentials/list`: a user's passkeys, in the service's order.
    ///
    /// A row without an id is left out, so that it doesn't cost the others.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn credentials(&self, user_id: &str) -> Result<Vec<Credential>, PasskeyError> {
        let doing = Doing::ListPasskeys;
        form::check_user_id(user_id).map_err(|limit| PasskeyError::Limit { doing, limit })?;
        let body = json!({ "userId": user_id });
        let answer: CredentialList = self.ask(doing, &["credentials", "list"], &body).await?;
        let rows = answer.rows();
        let sent = rows.len();
        let rows = rows.into_iter().take(MOST_CREDENTIALS);
        let read: Vec<Credential> = rows.filter_map(credential).collect();
        if read.len() < sent {
            tracing::warn!(unreadable = sent - read.len(), "passkeys were left out");
        }
        Ok(read)
    }

    /// `POST /credentials/delete`: the passkey signs nobody in any more.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn delete_credential(&self, id: &str) -> Result<(), PasskeyError> {
        let body = json!({ "credentialId": id });
        self.tell(Doing::DeletePasskey, &["credentials", "delete"], &body).await
    }

    /// `POST /alias`: replaces all of the user's aliases.
    ///
    /// # Errors
    /// [`PasskeyError`]; [`PasskeyError::Limit`] without a call.
    pub async fn set_aliases(
        &self,
        user_id: &str,
        aliases: &[String],
        hashing: bool,
    ) -> Result<(), PasskeyError> {
        let doing = Doing::SetAliases;
        form::check_user_id(user_id)
            .and_then(|()| form::check_aliases(aliases))
            .map_err(|limit| PasskeyError::Limit { doing, limit })?;
        let body = json!({ "userId": user_id, "aliases": aliases, "hashing": hashing });
        self.tell(doing, &["alias"], &body).await
    }

    /// Checks that the service answers and accepts the API secret, by a request for the passkeys of
    /// no user.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn ping(&self) -> Result<(), PasskeyError> {
        self.credentials(&Uuid::new_v4().to_string()).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        doing: Doing,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<T, PasskeyError> {
        let answer = self.post(doing, path, body).await?;
        http::json(&answer.body).map_err(|cause| failed(doing, cause).into())
    }

    /// Any 2xx is a success: the service has answered 200 and answers 204.
    async fn tell(
        &self,
        doing: Doing,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<(), PasskeyError> {
        self.post(doing, path, body).await.map(drop)
    }

    async fn post(
        &self,
        doing: Doing,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<HttpResponse, PasskeyError> {
        // A text that isn't a valid header can't be a secret of the service.
        let secret = self.service.api_secret.expose_secret();
        let mut secret =
            HeaderValue::from_str(secret).map_err(|_| PasskeyError::Unauthorized(doing))?;
        secret.set_sensitive(true);
        let request =
            self.client.request(Method::POST, http::endpoint(&self.service.base_url, path));
        let request = request.header("ApiSecret", secret).json(body);
        let call =
            async { http::whole_response(http::send(&self.client, request).await?, BODY).await };
        let answer =
            http::within(self.timeouts.call, call).await.map_err(|cause| failed(doing, cause))?;
        match answer.cause {
            None => Ok(answer),
            Some(cause) => Err(refusal::from_response(doing, cause, &answer.body)),
        }
    }
}

fn sign_in(answer: VerifiedSignIn) -> Option<SignIn> {
    Some(SignIn {
        timestamp: time(&answer.timestamp)?,
        expires_at: time(&answer.expires_at)?,
        rp_id: answer.rp_id()?.to_owned(),
        success: answer.success,
        user_id: answer.user_id,
        origin: answer.origin,
        device: answer.device,
        country: answer.country,
        nickname: answer.nickname,
        token_id: answer.token_id,
        credential_id: answer.credential_id,
        kind: answer.kind,
    })
}

fn credential(row: serde_json::Value) -> Option<Credential> {
    let row: form::Credential = serde_json::from_value(row).ok()?;
    (!row.descriptor.id.is_empty()).then(|| Credential {
        created_at: time(&row.created_at),
        last_used_at: time(&row.last_used_at),
        id: row.descriptor.id,
        nickname: row.nickname,
        device: row.device,
        country: row.country,
        origin: row.origin,
    })
}

/// A time as the service writes it: without a zone it is UTC.
fn time(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| {
        let local = text.parse::<civil::DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(local).ok()
    })
}

fn failed(doing: Doing, (failure, detail): Cause) -> CallError {
    CallError { doing, failure, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let utc: Timestamp = "2023-04-21T13:33:50.0764103Z".parse().unwrap();
        assert_eq!(time("2023-04-21T13:33:50.0764103"), Some(utc));
        assert_eq!(time("2023-04-21T15:33:50.0764103+02:00"), Some(utc));
        assert_eq!(time("TODO"), None);
    }
}
