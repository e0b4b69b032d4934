//! The phones: a page where pushes appear and are answered by hand, and the calls that the page makes.
//!
//! It needs no key, but only pages of this origin and programs may use it.

use axum::{
    Json, Router,
    extract::{Path, Request, State as Shared},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use serve::{HostGuard, Millis, PagePolicy, page_asset, page_html};
use wire::logintc::{UserRef, limits};

use super::{
    Logintc, MAIL,
    store::{self, Kind, SESSION_LIFE},
};
use crate::StoreError;

pub(super) fn routes(logintc: Logintc) -> Router {
    let guard = logintc.context.guard.clone();
    let routes = Router::new()
        .route("/phone", get(|| async { page_html("phone", "phone.html") }))
        .route("/phone/phone.css", get(|| async { page_asset("phone", "phone.css") }))
        .route("/phone/phone.js", get(|| async { page_asset("phone", "phone.js") }))
        .route("/phone/icon.svg", get(|| async { page_asset("phone", "icon.svg") }))
        .route("/phone/state", get(state))
        .route("/phone/pushes/{session}", post(answer))
        .route("/phone/users", post(add_user))
        .route("/phone/users/{user}/device", post(set_device))
        .route("/phone/users/{user}/bypass", post(add_bypass_code))
        .route("/phone/mail", post(set_mail))
        .layer(middleware::from_fn_with_state(guard, refuse_foreign_pages))
        .with_state(logintc);
    PagePolicy::default().protect(routes)
}

/// Refuses the calls of other sites' pages.
async fn refuse_foreign_pages(
    Shared(guard): Shared<HostGuard>,
    request: Request,
    next: Next,
) -> Response {
    // A link from elsewhere may open the page; its data and its buttons are for the page alone.
    let opens_page = request.uri().path() == "/phone";
    if !opens_page && !guard.allows_caller(request.headers()) {
        return (StatusCode::FORBIDDEN, "Another page asked for this.\n").into_response();
    }
    next.run(request).await
}

/// Everything that the page shows. It asks each second, so one answer has all of it.
async fn state(Shared(logintc): Shared<Logintc>) -> Result<Json<Value>, PageError> {
    let now = logintc.context.clock.now();
    Ok(Json(logintc.context.store.with(move |tx| shown(tx, now)).await?))
}

fn shown(tx: &Transaction<'_>, now: Millis) -> rusqlite::Result<Value> {
    let mut users = Vec::new();
    for user in store::users(tx)? {
        let bypass = store::codes(tx, &user.id, Kind::Bypass, now)?;
        let mailed = store::codes(tx, &user.id, Kind::Mailed, now)?;
        // Without a phone there is nothing that would show it.
        let otp = user.device.then_some(user.otp);
        users.push(json!({
            "id": user.id, "username": user.username, "device": user.device,
            "otp": otp, "bypass": bypass, "mailed": mailed,
        }));
    }
    let pushes = store::pushes(tx, now)?.into_iter().map(|push| {
        let left = push.made.after(SESSION_LIFE).since(now);
        json!({
            "id": push.id, "user": push.user, "attributes": push.attributes, "state": push.state,
            "seconds_ago": now.since(push.made).as_secs(), "seconds_left": left.as_secs(),
        })
    });
    let pushes: Vec<Value> = pushes.collect();
    Ok(json!({ "mail": store::is_on(tx, MAIL)?, "users": users, "pushes": pushes }))
}

#[derive(Deserialize)]
struct PushAnswer {
    approve: bool,
}

async fn answer(
    Shared(logintc): Shared<Logintc>,
    Path(session): Path<String>,
    Json(given): Json<PushAnswer>,
) -> Result<StatusCode, PageError> {
    done_or(
        logintc.answer(&session, given.approve).await?,
        "This request is no longer waiting for an answer.",
    )
}

#[derive(Deserialize)]
struct NewUser {
    username: String,
    device: bool,
}

async fn add_user(
    Shared(logintc): Shared<Logintc>,
    Json(request): Json<NewUser>,
) -> Result<Json<Value>, PageError> {
    let username = request.username.trim();
    let length = username.chars().count();
    if !(1..=limits::USERNAME).contains(&length) || username.chars().any(char::is_control) {
        return Err(PageError::Refused("A username has 1 to 255 characters."));
    }
    match logintc.add_user(username, request.device).await? {
        Some(id) => Ok(Json(json!({ "id": id }))),
        None => Err(PageError::Refused("This username is taken: choose another.")),
    }
}

#[derive(Deserialize)]
struct Device {
    device: bool,
}

async fn set_device(
    Shared(logintc): Shared<Logintc>,
    Path(user): Path<String>,
    Json(request): Json<Device>,
) -> Result<StatusCode, PageError> {
    done_or(logintc.set_device(&user, request.device).await?, NOBODY)
}

async fn add_bypass_code(
    Shared(logintc): Shared<Logintc>,
    Path(user): Path<String>,
) -> Result<StatusCode, PageError> {
    let now = logintc.context.clock.now();
    let add = move |tx: &Transaction<'_>| {
        let request = UserRef { id: Some(user), username: None };
        let Some(user) = store::user(tx, &request)? else { return Ok(false) };
        store::add_code(tx, &user.id, Kind::Bypass, now).map(|_| true)
    };
    done_or(logintc.context.store.with(add).await?, NOBODY)
}

#[derive(Deserialize)]
struct Mail {
    enabled: bool,
}

async fn set_mail(
    Shared(logintc): Shared<Logintc>,
    Json(request): Json<Mail>,
) -> Result<StatusCode, PageError> {
    logintc.set_mail(request.enabled).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn done_or(is_done: bool, refusal: &'static str) -> Result<StatusCode, PageError> {
    if is_done { Ok(StatusCode::NO_CONTENT) } else { Err(PageError::Refused(refusal)) }
}

const NOBODY: &str = "There is no such person: reload the page.";

/// Why something can't be done, in words for the page.
enum PageError {
    Refused(&'static str),
    Store(StoreError),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Refused(text) => (StatusCode::CONFLICT, text),
            Self::Store(error) => {
                tracing::error!(%error, "answer the phone page");
                (StatusCode::INTERNAL_SERVER_ERROR, "The store could not be used: see the log.")
            }
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}
