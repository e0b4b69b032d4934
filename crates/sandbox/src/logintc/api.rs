//! LoginTC's calls. Any Accept and any Content-Type is accepted; every response is compact JSON, or empty.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rusqlite::Transaction;
use secrecy::ExposeSecret as _;
use serde::{Serialize, de::DeserializeOwned};
use serve::Millis;
use wire::logintc::{
    ApiError, CreateSession, ErrorResponse, MEDIA_TYPE, MailCode, Ping, PushSession, PushState,
    UserRef, code, limits,
};

use super::{
    Logintc, MAIL, REVOKED, phone_page,
    store::{self, Kind},
};
use crate::StoreError;

/// All routes.
pub(crate) fn routes(logintc: Logintc) -> Router {
    Router::new()
        .route("/api/ping", get(ping))
        .route("/api/domains/{domain}/sessions", post(create))
        .route("/api/domains/{domain}/sessions/{session}", get(read).delete(cancel))
        .route("/api/domains/{domain}/users/{user}/otp", post(mail_code))
        .with_state(logintc.clone())
        .merge(phone_page::routes(logintc))
}

/// Why a call is refused.
enum Refusal {
    BadKey,
    NoDomain,
    NoUser,
    NoSession,
    NoDevice,
    MailNotEnabled,
    BadRequest(&'static str),
    Store(StoreError),
}

async fn ping(Shared(logintc): Shared<Logintc>, headers: HeaderMap) -> Result<Response, Refusal> {
    logintc.authorize(&headers).await?;
    Ok(json(StatusCode::OK, &Ping { status: "OK".to_owned() }))
}

async fn create(
    Shared(logintc): Shared<Logintc>,
    Path(domain): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    logintc.authorize(&headers).await?;
    logintc.expect_domain(&domain)?;
    let request = checked(parse(&body)?)?;
    let now = logintc.context.clock.now();
    let session = logintc.context.store.with(move |tx| open_session(tx, &request, now)).await??;
    // After the commit, so that whoever is woken finds the push.
    logintc.changed.send_replace(());
    Ok(json(StatusCode::OK, &session))
}

/// Opens a session. A bypass code wins over a one-time password, and either over a push.
fn open_session(
    tx: &Transaction<'_>,
    request: &CreateSession,
    now: Millis,
) -> rusqlite::Result<Result<PushSession, Refusal>> {
    let Some(user) = store::user(tx, &request.user)? else { return Ok(Err(Refusal::NoUser)) };
    // A code decides at once, so such a session is never pending; without one it waits for the phone.
    let good = match (&request.bypasscode, &request.otp) {
        (Some(code), _) => Some(store::spend_code(tx, &user.id, Kind::Bypass, code.expose(), now)?),
        (None, Some(otp)) => Some(
            store::spend_otp(tx, &user.id, otp.expose())?
                || store::spend_code(tx, &user.id, Kind::Mailed, otp.expose(), now)?,
        ),
        (None, None) if user.device => None,
        (None, None) => return Ok(Err(Refusal::NoDevice)),
    };
    let state = match good {
        None => PushState::Pending,
        Some(true) => PushState::Approved,
        Some(false) => PushState::Denied,
    };
    let kind = (good.is_none(), state.clone());
    let id = store::add_session(tx, &user.id, &request.attributes, kind, now)?;
    Ok(Ok(PushSession { id: Some(id), state }))
}

/// Holds a request to the documented limits.
fn checked(request: CreateSession) -> Result<CreateSession, Refusal> {
    if request.user.id.is_none() && request.user.username.is_none() {
        return Err(Refusal::BadRequest("A user needs an id or a username."));
    }
    let fits = |text: &str, most| text.chars().count() <= most;
    let attributes_fit = request.attributes.len() <= limits::ATTRIBUTES
        && request
            .attributes
            .iter()
            .all(|a| fits(&a.key, limits::KEY) && fits(&a.value, limits::VALUE));
    if attributes_fit {
        Ok(request)
    } else {
        Err(Refusal::BadRequest("The attributes are too long."))
    }
}

async fn read(
    Shared(logintc): Shared<Logintc>,
    Path((domain, session)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    logintc.authorize(&headers).await?;
    logintc.expect_domain(&domain)?;
    let (id, now) = (session.clone(), logintc.context.clock.now());
    let state = logintc.context.store.with(move |tx| store::state(tx, &session, now)).await?;
    let state = state.ok_or(Refusal::NoSession)?;
    Ok(json(StatusCode::OK, &PushSession { id: Some(id), state }))
}

/// 200 and not 204, which a shipped client takes for a failure.
async fn cancel(
    Shared(logintc): Shared<Logintc>,
    Path((domain, session)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    logintc.authorize(&headers).await?;
    logintc.expect_domain(&domain)?;
    let now = logintc.context.clock.now();
    let cancelled = logintc.context.store.with(move |tx| store::cancel(tx, &session, now)).await?;
    logintc.changed.send_replace(());
    if cancelled { Ok(StatusCode::OK) } else { Err(Refusal::NoSession) }
}

async fn mail_code(
    Shared(logintc): Shared<Logintc>,
    Path((domain, user)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    logintc.authorize(&headers).await?;
    logintc.expect_domain(&domain)?;
    let MailCode { by } = parse(&body)?;
    if by != MailCode::EMAIL {
        return Err(Refusal::BadRequest("deliverableOTPType must be EMAIL."));
    }
    let now = logintc.context.clock.now();
    let mail = move |tx: &Transaction<'_>| {
        let request = UserRef { id: Some(user), username: None };
        let Some(user) = store::user(tx, &request)? else { return Ok(Err(Refusal::NoUser)) };
        if !store::is_on(tx, MAIL)? {
            return Ok(Err(Refusal::MailNotEnabled));
        }
        store::add_code(tx, &user.id, Kind::Mailed, now).map(|_| Ok(StatusCode::OK))
    };
    logintc.context.store.with(mail).await?
}

impl Logintc {
    async fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = given.and_then(|text| text.strip_prefix("LoginTC key=\"")?.strip_suffix('"'));
        // Asked each time, for a key can be revoked while the service runs.
        let revoked = self.context.store.with(|tx| store::is_on(tx, REVOKED)).await?;
        match key {
            Some(key) if key == self.key.expose_secret() && !revoked => Ok(()),
            Some(_) | None => Err(Refusal::BadKey),
        }
    }

    fn expect_domain(&self, domain: &str) -> Result<(), Refusal> {
        if domain == self.domain() { Ok(()) } else { Err(Refusal::NoDomain) }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|_| Refusal::BadRequest("The body is not what is documented."))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::BadKey => (StatusCode::UNAUTHORIZED, code::BAD_KEY, "The API key is not valid."),
            Self::NoDomain => (StatusCode::NOT_FOUND, code::NO_DOMAIN, "There is no such domain."),
            Self::NoUser => (StatusCode::NOT_FOUND, code::NO_USER, "There is no such user."),
            Self::NoSession => {
                (StatusCode::NOT_FOUND, code::NO_SESSION, "There is no such session.")
            }
            // A user without a device is "not found" to the service, with a code of its own.
            Self::NoDevice => (StatusCode::NOT_FOUND, code::NO_DEVICE, "No token loaded for user."),
            Self::MailNotEnabled => {
                let message = "Email OTP is not enabled for the domain.";
                (StatusCode::FORBIDDEN, code::MAIL_NOT_ENABLED, message)
            }
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, code::BAD_REQUEST, message),
            Self::Store(error) => {
                tracing::error!(%error, "answer a verification call");
                let message = "The store could not be used.";
                (StatusCode::INTERNAL_SERVER_ERROR, "api.error.internal", message)
            }
        };
        let error = ApiError { code: code.to_owned(), message: message.to_owned() };
        json(status, &ErrorResponse { errors: vec![error] })
    }
}
