//! LoginTC: push verification (services.md, section 2).
//!
//! Only an answer that says `approved` is an approval, and only one that says `denied` a denial;
//! what isn't understood is a failure. [`LoginTc::ask`] and [`LoginTc::mail_code`] reach a person,
//! so they must not be repeated after an unclear end.

use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use session::Failure;
use url::Url;
pub use wire::logintc::{Attribute, Code, InvalidCode, PushState};
use wire::logintc::{
    CreateSession, ErrorResponse, MEDIA_TYPE, MailCode, Ping, PushSession, UserRef, code,
    is_domain, is_id, is_key, limits,
};

use super::{
    CallError, Doing, ServiceError, Timeouts, USER_AGENT,
    error::{Cause, malformed},
    http::{self, HttpResponse},
    is_loopback, is_plain_http,
};

/// Where the hosted service is.
pub const HOSTED_BASE_URL: &str = "https://cloud.logintc.com/api";

/// The bytes of an answer, at most.
const BODY: usize = 64 << 10;

/// LoginTC's address and credentials.
#[derive(Debug, Clone)]
pub struct LoginTcConfig {
    /// Where its API begins, such as `https://cloud.logintc.com/api`.
    pub base_url: Url,
    /// The domain's id: 40 hex digits.
    pub domain: String,
    /// The API key: 64 letters and digits.
    pub key: SecretString,
}

/// The person to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// By the service's id of the person.
    Id(String),
    /// By the person's name there.
    Username(String),
}

/// A push that was sent, or a code that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedVerification {
    /// The service's id of it, for [`LoginTc::poll`] and [`LoginTc::cancel`].
    pub id: String,
    /// Its state; with a code it can be decided at once.
    pub state: PushState,
}

/// Why a verification call failed; one variant for each remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The person has no device there.
    #[error("ask the phone: this person has no device at the verification service")]
    NoDevice,
    /// No such person there.
    #[error("{0}: the verification service knows no such person")]
    UnknownUser(Doing),
    /// Codes by e-mail are not enabled in the domain.
    #[error(
        "have a code sent by e-mail: it is not enabled in this domain of the verification service"
    )]
    NotEnabled,
    /// The key is wrong, or was revoked.
    #[error("{0}: the verification service does not accept the API key")]
    Unauthorized(Doing),
    /// No such domain, or not of this key.
    #[error("{0}: the verification service knows no such domain")]
    WrongDomain(Doing),
    /// The service has no such verification any more: cancelled, or expired.
    #[error("{0}: the verification service no longer has this verification")]
    Gone(Doing),
    /// The request is invalid and was not sent.
    #[error("{0}: {1}")]
    Input(Doing, InputError),
    /// Everything else.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Error {
    /// The failure, by its remedy.
    pub const fn failure(&self) -> Failure {
        match self {
            Self::Unauthorized(_) => Failure::Unauthorized,
            Self::NoDevice | Self::UnknownUser(_) | Self::WrongDomain(_) | Self::Gone(_) => {
                Failure::Rejected { status: 404 }
            }
            Self::NotEnabled => Failure::Rejected { status: 403 },
            // Requests are checked before they are ordered, so this is a bug of ours.
            Self::Input(..) => Failure::Internal,
            Self::Call(call) => call.failure,
        }
    }
}

/// Why a request can't be sent; each variant names the part to change, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The id of a person or a verification.
    #[error("an id has letters and digits only, mostly 40")]
    Id,
    /// The name of a person.
    #[error("a username has 1 to {} characters and no line breaks", limits::USERNAME)]
    Username,
    /// There are too many attributes.
    #[error("the phone shows {} details at most", limits::ATTRIBUTES)]
    Attributes,
    /// An attribute's key.
    #[error("a detail's name has 1 to {} characters and no line breaks", limits::KEY)]
    Key,
    /// An attribute's value.
    #[error("a detail has {} characters at most and no control characters", limits::VALUE)]
    Value,
}

/// A client of LoginTC. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct LoginTc {
    service: LoginTcConfig,
    timeouts: Timeouts,
    client: http::Client,
}

impl LoginTc {
    /// A client of `service`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn new(service: LoginTcConfig) -> Result<Self, ServiceError> {
        Self::with_timeouts(service, Timeouts::default())
    }

    /// A client of `service` that waits no longer than `timeouts`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn with_timeouts(service: LoginTcConfig, timeouts: Timeouts) -> Result<Self, ServiceError> {
        service.check()?;
        let client = http::client_of(USER_AGENT, &service.base_url, &timeouts)?;
        Ok(Self { service, timeouts, client })
    }

    /// A client of `service` whose requests `stand_in` answers.
    #[cfg(test)]
    pub(crate) fn to(service: LoginTcConfig, stand_in: std::sync::Arc<dyn http::StandIn>) -> Self {
        Self { service, timeouts: Timeouts::default(), client: http::Client::to(stand_in) }
    }

    /// `GET /ping`: whether it is there and takes the key.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ping(&self) -> Result<(), Error> {
        let doing = Doing::PingVerification;
        let answer = self.call(doing, Method::GET, &["ping"], None::<&()>).await?;
        match read::<Ping>(doing, &answer)?.status.as_str() {
            "OK" => Ok(()),
            _ => Err(failed(doing, malformed("the service says that it is not ready"))),
        }
    }

    /// `POST .../sessions`: asks the person's phone, or has a code checked instead.
    ///
    /// # Errors
    /// [`Error`]; after an unclear end the push "may have been sent".
    pub async fn ask(
        &self,
        user: &User,
        attributes: &[Attribute],
        code: Option<&Code>,
    ) -> Result<StartedVerification, Error> {
        let doing = Doing::AskPhone;
        let body = request(user, attributes, code).map_err(|why| Error::Input(doing, why))?;
        let path = ["domains", &self.service.domain, "sessions"];
        let answer = self.call(doing, Method::POST, &path, Some(&body)).await?;
        let PushSession { id, state } = read(doing, &answer)?;
        match id.filter(|id| is_id(id)) {
            Some(id) => Ok(StartedVerification { id, state }),
            None => Err(failed(doing, malformed("the service's answer names no verification"))),
        }
    }

    /// `GET .../sessions/{id}`: how far it is.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Gone`] once it is cancelled or expired.
    pub async fn poll(&self, id: &str) -> Result<PushState, Error> {
        let doing = Doing::PollPhone;
        let answer = self.session(doing, Method::GET, id).await?;
        let session: PushSession = read(doing, &answer)?;
        // An approval of somebody else's must not count for this person.
        if session.id.is_some_and(|answered| answered != id) {
            return Err(failed(doing, malformed("the service answered for another verification")));
        }
        Ok(session.state)
    }

    /// `DELETE .../sessions/{id}`: takes the push back.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Gone`] if there is nothing to take back.
    pub async fn cancel(&self, id: &str) -> Result<(), Error> {
        self.session(Doing::CancelPhone, Method::DELETE, id).await.map(drop)
    }

    /// `POST .../users/{u}/otp`: has a one-time password sent by e-mail. Takes the id, never
    /// the name.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotEnabled`] if the domain doesn't have it.
    pub async fn mail_code(&self, user_id: &str) -> Result<(), Error> {
        let doing = Doing::MailCode;
        if !is_id(user_id) {
            return Err(Error::Input(doing, InputError::Id));
        }
        let path = ["domains", &self.service.domain, "users", user_id, "otp"];
        let body = MailCode { by: MailCode::EMAIL.to_owned() };
        self.call(doing, Method::POST, &path, Some(&body)).await.map(drop)
    }

    async fn session(&self, doing: Doing, method: Method, id: &str) -> Result<HttpResponse, Error> {
        if !is_id(id) {
            return Err(Error::Input(doing, InputError::Id));
        }
        let path = ["domains", &self.service.domain, "sessions", id];
        self.call(doing, method, &path, None::<&()>).await
    }

    /// One call, sent once. A redirect is an answer: the key goes nowhere else.
    async fn call(
        &self,
        doing: Doing,
        method: Method,
        path: &[&str],
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<HttpResponse, Error> {
        let request = self
            .client
            .request(method, http::endpoint(&self.service.base_url, path))
            .header(header::AUTHORIZATION, self.service.authorization())
            .header(header::ACCEPT, MEDIA_TYPE);
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, MEDIA_TYPE).json(body),
            None => request,
        };
        let call = async {
            let response = self.client.send(request).await?;
            http::whole_response(response, BODY).await
        };
        let answer =
            http::within(self.timeouts.call, call).await.map_err(|cause| failed(doing, cause))?;
        match &answer.cause {
            None => Ok(answer),
            Some(cause) => Err(refusal(doing, &answer, cause)),
        }
    }
}

impl LoginTcConfig {
    /// Whether it can be used. [`LoginTc::new`] checks it too.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn check(&self) -> Result<(), ServiceError> {
        let base = &self.base_url;
        // The key goes there with every call.
        let safe = base.scheme() == "https" || is_loopback(base);
        if !is_plain_http(base) || !safe || base.query().is_some() || base.fragment().is_some() {
            return Err(ServiceError::BaseUrl);
        }
        if !is_domain(&self.domain) {
            return Err(ServiceError::VerificationDomain);
        }
        if !is_key(self.key.expose_secret()) {
            return Err(ServiceError::VerificationKey);
        }
        Ok(())
    }

    fn authorization(&self) -> header::HeaderValue {
        let text = format!("LoginTC key=\"{}\"", self.key.expose_secret());
        // The key was checked to be letters and digits, which every header can hold.
        let mut value = header::HeaderValue::try_from(text)
            .unwrap_or(header::HeaderValue::from_static("LoginTC"));
        value.set_sensitive(true);
        value
    }
}

/// Checks a request for a push without sending it.
///
/// # Errors
/// [`Error::Input`].
pub fn check_request(user: &User, attributes: &[Attribute]) -> Result<(), Error> {
    request(user, attributes, None).map(drop).map_err(|why| Error::Input(Doing::AskPhone, why))
}

fn request(
    user: &User,
    attributes: &[Attribute],
    code: Option<&Code>,
) -> Result<CreateSession, InputError> {
    let user = match user {
        User::Id(id) if is_id(id) => UserRef { id: Some(id.clone()), username: None },
        User::Id(_) => return Err(InputError::Id),
        User::Username(name) if fits(name, 1, limits::USERNAME) => {
            UserRef { id: None, username: Some(name.clone()) }
        }
        User::Username(_) => return Err(InputError::Username),
    };
    if attributes.len() > limits::ATTRIBUTES {
        return Err(InputError::Attributes);
    }
    for Attribute { key, value } in attributes {
        if !fits(key, 1, limits::KEY) {
            return Err(InputError::Key);
        }
        if !fits(value, 0, limits::VALUE) {
            return Err(InputError::Value);
        }
    }
    let (otp, bypasscode) = match code {
        None => (None, None),
        Some(Code::Otp(code)) => (Some(code.clone()), None),
        Some(Code::Bypass(code)) => (None, Some(code.clone())),
    };
    let attributes = attributes.to_vec();
    Ok(CreateSession { user, attributes, ip_address: None, otp, bypasscode })
}

fn fits(text: &str, least: usize, most: usize) -> bool {
    !text.chars().any(char::is_control) && (least..=most).contains(&text.chars().count())
}

/// The error for an unsuccessful answer: by its error code if there is one, else by its status.
fn refusal(doing: Doing, answer: &HttpResponse, cause: &Cause) -> Error {
    let status = answer.status;
    if status == StatusCode::UNAUTHORIZED {
        return Error::Unauthorized(doing);
    }
    // Rate limits, server errors and redirects are classified as for every service.
    if status == StatusCode::TOO_MANY_REQUESTS || !status.is_client_error() {
        return failed(doing, cause.clone());
    }
    let Ok(ErrorResponse { errors }) = http::json(&answer.body) else {
        return failed(doing, malformed("the service's refusal is not what it documents"));
    };
    match errors.first().map(|error| error.code.as_str()) {
        Some(code::NO_DEVICE) => Error::NoDevice,
        Some(code::NO_USER) => Error::UnknownUser(doing),
        Some(code::NO_DOMAIN) => Error::WrongDomain(doing),
        Some(code::NO_SESSION) => Error::Gone(doing),
        Some(code::MAIL_NOT_ENABLED) => Error::NotEnabled,
        // The one documented reason is a setting of the domain.
        Some(_) if doing == Doing::MailCode && status == StatusCode::FORBIDDEN => Error::NotEnabled,
        Some(_) if status == StatusCode::FORBIDDEN => Error::Unauthorized(doing),
        Some(_) => failed(doing, cause.clone()),
        None => failed(doing, malformed("the service's refusal gives no reason")),
    }
}

fn read<T: DeserializeOwned>(doing: Doing, answer: &HttpResponse) -> Result<T, Error> {
    http::json(&answer.body).map_err(|cause| failed(doing, cause))
}

fn failed(doing: Doing, (failure, detail): Cause) -> Error {
    Error::Call(CallError { doing, failure, detail })
}
