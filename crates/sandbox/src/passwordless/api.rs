//! Passwordless.dev's calls: four for browsers, which show the public key, and five for backends, which show
//! the secret.

mod backend;
mod register;
mod signin;

use axum::{
    Router,
    http::header,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    cors,
    problem::{Problem, Stop},
    webauthn::{Expected, Refusal},
};
use crate::desk::Desk;

/// All routes.
pub(crate) fn routes(desk: Desk) -> Router {
    let browser = Router::new()
        .route("/register/begin", post(register::begin))
        .route("/register/complete", post(register::complete))
        .route("/signin/begin", post(signin::begin))
        .route("/signin/complete", post(signin::complete))
        .route_layer(middleware::from_fn(cors::allow));
    Router::new()
        .route("/register/token", post(register::token))
        .route("/signin/verify", post(signin::verify))
        .route("/alias", post(backend::set_aliases))
        .route("/credentials/list", get(backend::list_by_query).post(backend::list))
        .route("/credentials/delete", post(backend::delete))
        .merge(browser)
        .with_state(desk)
}

/// Works on the store in one transaction; a refusal keeps what was written before it.
async fn work<T: Send + 'static>(
    desk: &Desk,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T, Problem> {
    let ended = |tx: &Transaction<'_>| match work(tx) {
        Ok(done) => Ok(Ok(done)),
        Err(Stop::Refused(problem)) => Ok(Err(problem)),
        Err(Stop::Failed(error)) => Err(error),
    };
    desk.store.with(ended).await?
}

/// 200 with JSON, declared as the service declares it.
fn ok(body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (kind, body.to_string()).into_response()
}

/// A page that a ceremony is begun on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Page {
    rp_id: String,
    origin: String,
}

impl Page {
    /// What a browser would let the page ask for.
    fn checked(rp_id: String, origin: String) -> Result<Self, Problem> {
        let invalid = |field, why: &str| Problem::Invalid { field, why: why.to_owned() };
        let host = cors::page_host(&origin).ok_or(invalid("origin", "The origin is no page's."))?;
        let parent = host.strip_suffix(&rp_id).is_some_and(|sub| sub.ends_with('.'));
        if host == rp_id || (parent && rp_id.contains('.')) {
            Ok(Self { rp_id, origin })
        } else {
            Err(invalid("rpid", "The RPID is not the origin's host or a domain above it."))
        }
    }

    /// Whether a ceremony is completed where it was begun.
    fn is(&self, rp_id: &str, origin: &str) -> Result<(), Refusal> {
        if self.rp_id != rp_id {
            return Err(Refusal::RpId);
        }
        if self.origin == origin { Ok(()) } else { Err(Refusal::Origin) }
    }

    fn expected<'a>(&'a self, challenge: &'a [u8], user_verification: bool) -> Expected<'a> {
        Expected { challenge, origin: &self.origin, rp_id: &self.rp_id, user_verification }
    }
}

/// Bytes that a browser sends, in url-safe base64 with or without padding.
fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text.trim_end_matches('=')).ok()
}

/// A fresh challenge.
///
/// # Panics
/// If the operating system has no random bytes.
fn challenge() -> [u8; 32] {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge).expect("the operating system gives random bytes");
    challenge
}

/// A choice among documented names; `default` where none is made.
fn choice(
    field: &'static str,
    given: Option<String>,
    default: &str,
    names: &[&str],
) -> Result<String, Problem> {
    let given = given.filter(|name| !name.is_empty()).unwrap_or_else(|| default.to_owned());
    let given = given.to_ascii_lowercase();
    if names.contains(&given.as_str()) {
        return Ok(given);
    }
    Err(Problem::Invalid { field, why: format!("It should be one of: {}.", names.join(", ")) })
}

const USER_VERIFICATION: [&str; 3] = ["preferred", "required", "discouraged"];
