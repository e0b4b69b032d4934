//! Passwordless.dev's calls: four for browsers, which show the public key, and five for backends, which show
//! the secret.

mod backend;
mod register;
mod signin;

use std::str::FromStr;

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
use strum::VariantNames;

use super::{
    cors,
    problem::{Problem, Stop},
    webauthn::{Expected, Refusal},
};
use crate::context::ServiceContext;

/// All routes.
pub(crate) fn routes(context: ServiceContext) -> Router {
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
        // Backends send no Origin, so only the browsers' calls have CORS.
        .merge(browser)
        .with_state(context)
}

/// Runs `work` in one transaction; a refusal commits what was written before it, such as a used token.
async fn in_transaction<T: Send + 'static>(
    context: &ServiceContext,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T, Problem> {
    let ended = |tx: &Transaction<'_>| match work(tx) {
        Ok(done) => Ok(Ok(done)),
        Err(Stop::Refused(problem)) => Ok(Err(problem)),
        Err(Stop::Failed(error)) => Err(error),
    };
    context.store.with(ended).await?
}

/// 200 with JSON, declared as the service declares it.
fn ok(body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (kind, body.to_string()).into_response()
}

/// The relying party and the origin that a ceremony is bound to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CeremonyScope {
    rp_id: String,
    origin: String,
}

impl CeremonyScope {
    /// Takes only what a browser would let the page ask for.
    fn new(rp_id: String, origin: String) -> Result<Self, Problem> {
        let host = cors::page_host(&origin)
            .ok_or_else(|| Problem::invalid("origin", "The origin is no page's."))?;
        // A domain above the host must itself have a dot: `example.com` may be a relying party, `com` may not.
        let parent = host.strip_suffix(&rp_id).is_some_and(|sub| sub.ends_with('.'));
        if host == rp_id || (parent && rp_id.contains('.')) {
            Ok(Self { rp_id, origin })
        } else {
            Err(Problem::invalid("rpid", "The RPID is not the origin's host or a domain above it."))
        }
    }

    /// Refuses a ceremony that is completed elsewhere than where it was begun.
    fn check(&self, rp_id: &str, origin: &str) -> Result<(), Refusal> {
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
fn decode(text: &str) -> Option<Vec<u8>> {
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

/// A choice among documented names, in any case; the default where none is made.
fn choice<T: FromStr + Default + VariantNames>(
    field: &'static str,
    given: Option<&str>,
) -> Result<T, Problem> {
    let Some(name) = given.filter(|name| !name.is_empty()) else { return Ok(T::default()) };
    name.parse().map_err(|_| {
        Problem::invalid(field, format!("It should be one of: {}.", T::VARIANTS.join(", ")))
    })
}
