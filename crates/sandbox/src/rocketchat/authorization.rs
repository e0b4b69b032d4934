//! Who may do what, in the service's order: authentication, rate limit, parameters, permission, second
//! factor, handler. All of a call is one transaction, so a backup code can't be used twice.

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse as _, Response},
};
use rusqlite::Transaction;
use serde_json::Value;
use serve::Millis;

use super::{
    limiter::{CALLS, Limiter, RateLimitStatus},
    request::{ApiRequest, Params},
    response::CallError,
    second_factor::require_second_factor,
    store,
    store::Person,
};
use crate::context::ServiceContext;

/// The state that all handlers share; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct RocketchatState {
    pub context: ServiceContext,
    pub limiter: Limiter,
}

/// The conditions under which a call is carried out.
#[derive(Debug)]
pub(crate) struct CallRules {
    pub route: &'static str,
    /// Parameters that may be there; those with `true` must be.
    pub params: &'static [(&'static str, bool)],
    pub permission: Option<&'static str>,
    pub second_factor: bool,
}

impl CallRules {
    /// The rules of a call that everybody who is logged in may make.
    pub const fn for_everybody(
        route: &'static str,
        params: &'static [(&'static str, bool)],
    ) -> Self {
        Self { route, params, permission: None, second_factor: false }
    }

    /// The rules of a call that takes a permission and a second factor.
    pub const fn with_permission(
        route: &'static str,
        params: &'static [(&'static str, bool)],
        permission: &'static str,
    ) -> Self {
        Self { route, params, permission: Some(permission), second_factor: true }
    }
}

/// The person whose token was shown, and the time of the call.
#[derive(Debug)]
pub(crate) struct AuthenticatedUser {
    pub person: Person,
    pub token: String,
    pub now: Millis,
}

/// A handler, which runs once the call has passed every check.
pub(crate) type Handler =
    fn(&Transaction<'_>, &AuthenticatedUser, &Params) -> Result<Value, CallError>;

/// Checks a call and runs its handler.
pub(crate) async fn handle_call(
    chat: RocketchatState,
    request: ApiRequest,
    rules: &'static CallRules,
    handler: Handler,
) -> Response {
    let now = chat.context.clock.now();
    let limiter = chat.limiter;
    let done = chat.context.store.with(move |tx| {
        let mut rate_limit = None;
        let result = authorize(tx, &limiter, &request, rules, now, &mut rate_limit)
            .and_then(|caller| handler(tx, &caller, &request.params));
        match result {
            // Rolls the transaction back. Every other refusal commits, for it has counted an attempt, used a
            // code up or mailed one.
            Err(CallError::Store(error)) => Err(error),
            result => Ok((result, rate_limit)),
        }
    });
    let (result, rate_limit) = done.await.unwrap_or_else(|error| (Err(error.into()), None));
    let mut response = respond(result);
    // Also on a refusal, as the real service does.
    if let Some(rate_limit) = rate_limit {
        add_limit_headers(response.headers_mut(), rate_limit);
    }
    response
}

/// The body of a call that was carried out, or the refusal.
pub(crate) fn respond(result: Result<Value, CallError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(refused) => refused.into_response(),
    }
}

fn authorize(
    tx: &Transaction<'_>,
    limiter: &Limiter,
    request: &ApiRequest,
    rules: &CallRules,
    now: Millis,
    rate_limit: &mut Option<RateLimitStatus>,
) -> Result<AuthenticatedUser, CallError> {
    let caller = authenticate(tx, request, now)?;
    let count = limiter.count(request.ip(), rules.route, now);
    *rate_limit = Some(count);
    if !count.allowed {
        let wait = count.reset.since(now);
        return Err(CallError::TooMany { seconds: wait.as_millis().div_ceil(1000) as u64 });
    }
    check_params(&request.params, rules)?;
    if let Some(permission) = rules.permission
        && !store::is_granted(tx, &caller.person.role, permission)?
    {
        return Err(CallError::NoPermission);
    }
    if rules.second_factor {
        require_second_factor(tx, request, &caller)?;
    }
    Ok(caller)
}

fn authenticate(
    tx: &Transaction<'_>,
    request: &ApiRequest,
    now: Millis,
) -> Result<AuthenticatedUser, CallError> {
    let given = request.header("x-user-id").zip(request.header("x-auth-token"));
    let (user, token) = given.ok_or(CallError::NotLoggedIn)?;
    let token = store::hash(token);
    if !store::has_token(tx, user, &token)? {
        return Err(CallError::NotLoggedIn);
    }
    let person = store::person(tx, "id", user)?.ok_or(CallError::NotLoggedIn)?;
    Ok(AuthenticatedUser { person, token, now })
}

fn check_params(params: &Params, rules: &CallRules) -> Result<(), CallError> {
    for (name, required) in rules.params {
        let wrong = match params.get(*name) {
            None if *required => format!("must have required property '{name}'"),
            None | Some(Value::String(_)) => continue,
            // Numbers come as text in a query, and possibly as numbers in a body.
            Some(Value::Number(_) | Value::Bool(_)) => continue,
            Some(_) => format!("must be string, at {name}"),
        };
        return Err(CallError::InvalidParams(wrong));
    }
    let known = |name: &String| rules.params.iter().any(|(known, _)| known == name);
    match params.keys().all(known) {
        true => Ok(()),
        false => Err(CallError::InvalidParams("must NOT have additional properties".into())),
    }
}

fn add_limit_headers(
    headers: &mut HeaderMap,
    RateLimitStatus { remaining, reset, .. }: RateLimitStatus,
) {
    let values = [
        ("x-ratelimit-limit", i64::from(CALLS)),
        ("x-ratelimit-remaining", i64::from(remaining)),
        ("x-ratelimit-reset", reset.0),
    ];
    for (name, value) in values {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}
