//! Rocket.Chat: finds whose device this is (services.md, section 3).
//!
//! The token goes to the workspace's own address only: no call follows a redirect. The service
//! takes a session's id as a regular expression, so an answer about another session than the asked
//! one is refused.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use ring::digest;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use session::Failure;
use url::Url;
use wire::rocketchat::{
    DeviceSession, FailureResponse, INVALID_PARAMS, LogOut, NOT_FOUND, SessionList, TOTP_INVALID,
    TOTP_REQUIRED,
};

use super::{
    Doing, ServiceError, Timeouts, USER_AGENT,
    error::{Cause, malformed},
    http,
};

/// The bytes of an answer, at most: a page has a hundred rows.
const MOST_BODY: usize = 1 << 20;
/// The most rows that a page has.
pub const MOST_ROWS: u32 = 100;
/// The longest wait that a service can impose.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Rocket.Chat's address and credentials.
#[derive(Debug, Clone)]
pub struct RocketChatConfig {
    /// The workspace, such as `https://chat.example.org`.
    pub base_url: Url,
    /// The user that the token belongs to.
    pub user_id: String,
    pub token: SecretString,
}

/// A client of Rocket.Chat. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct RocketChat {
    service: RocketChatConfig,
    timeouts: Timeouts,
    client: http::Client,
}

/// A second factor. After a good one the workspace asks this console for none for 30 minutes.
#[derive(Debug, Clone)]
pub struct Factor {
    /// `totp`, `email` or `password`; none lets the workspace choose.
    pub method: Option<String>,
    /// The code, or the password: of that only the SHA-256 is sent, as the service wants it.
    pub code: SecretString,
}

/// A page of login sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The sessions that can be read.
    pub sessions: Vec<DeviceSession>,
    /// How many there are on all pages.
    pub total: u32,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct RocketChatError {
    /// The call that failed.
    pub doing: Doing,
    /// Why it failed.
    pub why: Why,
}

/// Why a call failed, by its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The token or the user id is not accepted.
    NotLoggedIn,
    /// The token's user may not do this, or the workspace's plan doesn't have it.
    NoPermission,
    /// A second factor is asked for.
    FactorNeeded(FactorPrompt),
    /// The second factor was wrong.
    FactorWrong(FactorPrompt),
    /// There is no such session, or it is logged out.
    NotFound,
    /// Too many calls.
    RateLimited {
        /// How long to wait; none if the service doesn't say.
        retry_after: Option<Duration>,
    },
    /// The service didn't understand the parameters.
    InvalidParams,
    /// The answer is about another session than the asked one.
    OtherSession,
    /// Anything that can befall any call.
    Call(Failure, String),
}

/// A request for a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorPrompt {
    /// `totp`, `email`, `password`, or another word of the workspace's.
    pub method: String,
    /// The other methods that the workspace accepts.
    pub methods: Vec<String>,
    /// The workspace has sent a code.
    pub sent: bool,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotLoggedIn => "the workspace does not accept the token and its user id",
            Self::NoPermission => "the token's user has no permission for it",
            Self::FactorNeeded(_) => "the workspace asks for a second factor",
            Self::FactorWrong(_) => "the workspace does not accept the second factor",
            Self::NotFound => "the workspace knows no such login session",
            Self::RateLimited { retry_after: Some(wait) } => {
                return write!(
                    f,
                    "the workspace asks to wait {} s",
                    wait.as_millis().div_ceil(1000)
                );
            }
            Self::RateLimited { retry_after: None } => "the workspace received too many calls",
            Self::InvalidParams => "the workspace does not understand what it was asked",
            Self::OtherSession => {
                "the workspace answered with another login session than was asked for"
            }
            Self::Call(_, detail) => detail,
        })
    }
}

impl From<Cause> for Why {
    fn from((failure, detail): Cause) -> Self {
        match failure {
            Failure::Unauthorized => Self::NotLoggedIn,
            Failure::RateLimited { retry_after_ms } => {
                Self::RateLimited { retry_after: retry_after_ms.map(Duration::from_millis) }
            }
            failure => Self::Call(failure, detail),
        }
    }
}

impl RocketChat {
    /// A client of `service`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn new(service: RocketChatConfig) -> Result<Self, ServiceError> {
        Self::with_timeouts(service, Timeouts::default())
    }

    /// A client of `service` that waits no longer than `timeouts`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn with_timeouts(
        service: RocketChatConfig,
        timeouts: Timeouts,
    ) -> Result<Self, ServiceError> {
        if !super::is_plain_http(&service.base_url) {
            return Err(ServiceError::BaseUrl);
        }
        let client = http::client_of(USER_AGENT, &service.base_url, &timeouts)?;
        Ok(Self { service, timeouts, client })
    }

    /// `GET sessions/list`: whether address, user id and token are good. Asks for no second factor.
    ///
    /// # Errors
    /// [`RocketChatError`].
    pub async fn check(&self) -> Result<(), RocketChatError> {
        let query = [("count", "1"), ("offset", "0")];
        let request = self.client.request(Method::GET, self.url("list", &query));
        let _: SessionList = self.call(Doing::ListDevices, request, None).await?;
        Ok(())
    }

    /// `GET sessions/info.admin`: the login session of exactly this id.
    ///
    /// # Errors
    /// [`RocketChatError`]; [`Why::OtherSession`] where the id matched, as a regular expression,
    /// another one's.
    pub async fn info(
        &self,
        session_id: &str,
        factor: Option<&Factor>,
    ) -> Result<DeviceSession, RocketChatError> {
        let doing = Doing::LookUpDevice;
        let request =
            self.client.request(Method::GET, self.url("info.admin", &[("sessionId", session_id)]));
        let found: DeviceSession = self.call(doing, request, factor).await?;
        // The service takes the id as a regular expression, so another session may match it.
        if found.session_id != session_id {
            return Err(RocketChatError { doing, why: Why::OtherSession });
        }
        Ok(found)
    }

    /// `GET sessions/list.all`: a page of everybody's login sessions that fit `filter` (any text;
    /// empty for all), at most [`MOST_ROWS`]. `sort` is the service's own, such as
    /// `{"loginAt":-1}`.
    ///
    /// # Errors
    /// [`RocketChatError`].
    pub async fn list_all(
        &self,
        count: u32,
        offset: u32,
        filter: &str,
        sort: Option<&str>,
        factor: Option<&Factor>,
    ) -> Result<Page, RocketChatError> {
        let (count, offset) = (count.min(MOST_ROWS).to_string(), offset.to_string());
        let mut query = vec![("count", count.as_str()), ("offset", offset.as_str())];
        query.extend((!filter.is_empty()).then_some(("filter", filter)));
        query.extend(sort.map(|sort| ("sort", sort)));
        let request = self.client.request(Method::GET, self.url("list.all", &query));
        let list: SessionList = self.call(Doing::ListDevices, request, factor).await?;
        let total = list.total;
        Ok(Page { sessions: list.readable(), total })
    }

    /// `POST sessions/logout`: ends the login session of exactly this id.
    ///
    /// # Errors
    /// [`RocketChatError`].
    pub async fn log_out(
        &self,
        session_id: &str,
        factor: Option<&Factor>,
    ) -> Result<(), RocketChatError> {
        let doing = Doing::LogOutDevice;
        let body = LogOut { session_id: session_id.to_owned() };
        let request = self.client.request(Method::POST, self.url("logout", &[])).json(&body);
        let done: LogOut = self.call(doing, request, factor).await?;
        if done.session_id != session_id {
            return Err(RocketChatError { doing, why: Why::OtherSession });
        }
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        doing: Doing,
        request: RequestBuilder,
        factor: Option<&Factor>,
    ) -> Result<T, RocketChatError> {
        let failed = |why| RocketChatError { doing, why };
        let headers = self.headers(factor).map_err(failed)?;
        let exchange = async {
            let response = http::send(&self.client, request.headers(headers)).await?;
            let retry_after = retry_after(response.headers());
            Ok((retry_after, http::whole_response(response, MOST_BODY).await?))
        };
        let done = http::within(self.timeouts.call, exchange).await;
        let (retry_after, answer) = done.map_err(|cause| failed(cause.into()))?;
        read(&answer, retry_after).map_err(failed)
    }

    fn headers(&self, factor: Option<&Factor>) -> Result<header::HeaderMap, Why> {
        let mut headers = header::HeaderMap::new();
        // A text that isn't a valid header can't be an id or a token of the service.
        let own = [
            ("x-user-id", self.service.user_id.as_str()),
            ("x-auth-token", self.service.token.expose_secret()),
        ];
        for (name, text) in own {
            headers.insert(name, secret(text).ok_or(Why::NotLoggedIn)?);
        }
        if let Some(factor) = factor {
            let wrong = || {
                let method = factor.method.clone().unwrap_or_else(|| "totp".to_owned());
                Why::FactorWrong(FactorPrompt { method, methods: Vec::new(), sent: false })
            };
            headers.insert("x-2fa-code", factor.header().ok_or_else(wrong)?);
            if let Some(method) = &factor.method {
                headers.insert("x-2fa-method", secret(method).ok_or_else(wrong)?);
            }
        }
        Ok(headers)
    }

    fn url(&self, call: &str, query: &[(&str, &str)]) -> Url {
        let path = ["api", "v1", "sessions", call];
        let mut url = http::endpoint(&self.service.base_url, &path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl Factor {
    fn header(&self) -> Option<header::HeaderValue> {
        let code = self.code.expose_secret();
        if self.method.as_deref() != Some("password") {
            return secret(code.trim()).filter(|code| !code.is_empty());
        }
        let hash = digest::digest(&digest::SHA256, code.as_bytes());
        secret(&hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

/// A header that prints itself nowhere; none if the text can't be one.
fn secret(text: &str) -> Option<header::HeaderValue> {
    let mut value = header::HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `X-RateLimit-Reset`: when calls are taken again, in milliseconds since 1970 by the service's
/// clock, which the answer's own `Date` shows.
fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let reset: i64 = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let now = theirs.map_or_else(Timestamp::now, |date| date.timestamp());
    let wait = u64::try_from(reset.saturating_sub(now.as_millisecond())).unwrap_or(0);
    Some(Duration::from_millis(wait).min(LONGEST_WAIT))
}

fn read<T: DeserializeOwned>(
    answer: &http::HttpResponse,
    reset: Option<Duration>,
) -> Result<T, Why> {
    let Some(cause) = &answer.cause else {
        return http::succeeded(answer.status, &answer.body).map_err(Why::from);
    };
    // Without a JSON object of the service's, only the status counts.
    let said = serde_json::from_slice::<serde_json::Value>(http::bare(&answer.body)).ok();
    let said = said.filter(|said| said.is_object());
    let known = said.is_some();
    let said: FailureResponse =
        said.and_then(|said| serde_json::from_value(said).ok()).unwrap_or_default();
    Err(match (answer.status, said.error_type.as_str()) {
        (StatusCode::UNAUTHORIZED, _) => Why::NotLoggedIn,
        (StatusCode::TOO_MANY_REQUESTS, _) => match Why::from(cause.clone()) {
            Why::RateLimited { retry_after } => {
                Why::RateLimited { retry_after: retry_after.or(reset) }
            }
            other => other,
        },
        (_, TOTP_REQUIRED) => Why::FactorNeeded(asked(said)),
        (_, TOTP_INVALID) => Why::FactorWrong(asked(said)),
        (_, INVALID_PARAMS) => Why::InvalidParams,
        (StatusCode::FORBIDDEN, _) if known => Why::NoPermission,
        (StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST, _) if said.error == NOT_FOUND => {
            Why::NotFound
        }
        (StatusCode::NOT_FOUND, _) => {
            malformed("what answers at the workspace's address has no such call").into()
        }
        _ => cause.clone().into(),
    })
}

fn asked(said: FailureResponse) -> FactorPrompt {
    let details = said.details;
    // A prompt without a method means the usual one.
    let method = if details.method.is_empty() { "totp".to_owned() } else { details.method };
    FactorPrompt { method, methods: details.available_methods, sent: details.code_generated }
}
