//! Sign-in, sign-out and the calls about people, as far as clients need them to get at login sessions.

use std::num::NonZeroU32;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use data_encoding::HEXLOWER;
use ring::{digest, pbkdf2};
use rusqlite::Transaction;
use serde_json::{Value, json};
use serve::Millis;
use wire::rocketchat::{Device, DeviceSession, Os};

use super::{
    authorization::{CallRules, RocketchatState, handle_call, respond},
    request::{ApiRequest, Params, number, text},
    response::{CallError, done},
    second_factor::{FactorAttempt, check_code},
    store,
    store::Person,
};
use crate::keys;

/// The version that the stand-in claims to be.
const VERSION: &str = "6.13.0";
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("is not zero");

pub(super) fn routes() -> Router<RocketchatState> {
    Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/me", get(me))
        .route("/info", get(info))
        .route("/users.info", get(users_info))
        .route("/users.list", get(users_list))
}

/// The calls outside of the versioned API.
pub(super) fn unversioned_routes() -> Router<RocketchatState> {
    Router::new().route("/api/info", get(info))
}

async fn info() -> Response {
    Json(done(json!({ "version": VERSION, "info": { "version": VERSION } }))).into_response()
}

async fn login(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    let now = chat.context.clock.now();
    // Before the password is hashed: guesses are limited, and with them the work that they cause.
    let counted = chat.limiter.count(request.ip(), "login", now);
    if !counted.allowed {
        let seconds = counted.reset.since(now).as_secs().max(1);
        return CallError::TooMany { seconds }.into_response();
    }
    let done = chat.context.store.with(move |tx| match sign_in(tx, &request, now) {
        Err(CallError::Store(error)) => Err(error),
        result => Ok(result),
    });
    respond(done.await.unwrap_or_else(|error| Err(error.into())))
}

fn sign_in(tx: &Transaction<'_>, request: &ApiRequest, now: Millis) -> Result<Value, CallError> {
    let params = &request.params;
    let named = ["user", "username", "email"].into_iter().map(|name| text(params, name));
    let named = named.into_iter().find(|name| !name.is_empty()).ok_or(CallError::WrongLogin)?;
    let column = if named.contains('@') { "email" } else { "username" };
    let person = store::person(tx, column, named)?.ok_or(CallError::WrongLogin)?;
    // The same refusal as for an unknown name, so that nobody learns which names there are.
    if !is_password(&person, &password_hash(params)) {
        return Err(CallError::WrongLogin);
    }
    let code = Some(text(params, "code")).filter(|code| !code.is_empty());
    check_code(tx, &person, FactorAttempt { code, method: None }, now, true)?;
    let token = keys::random(keys::ALPHANUMERIC, 43);
    store::put_token(tx, &person.id, &store::hash(&token))?;
    let session = session_from_request(request, &person);
    store::put_session(tx, &session, now, &store::hash(&token))?;
    let me = about(&person);
    Ok(json!({
        "status": "success",
        "data": { "userId": person.id, "authToken": token, "me": me },
    }))
}

/// Clients send a password as it is, or its SHA-256.
fn password_hash(params: &Params) -> String {
    match params.get("password") {
        Some(Value::String(plain)) => sha256(plain),
        Some(given) => given["digest"].as_str().unwrap_or_default().to_ascii_lowercase(),
        None => String::new(),
    }
}

/// The login session of a client, as its headers describe it.
fn session_from_request(request: &ApiRequest, person: &Person) -> DeviceSession {
    let agent = request.header("user-agent").unwrap_or_default();
    let (name, version) = agent.split_once('/').unwrap_or((agent, ""));
    let version = version.split(' ').next().unwrap_or_default();
    // Headers may be as long as the server's limit; the list shows these in columns.
    let cut = |text: &str| text.chars().take(64).collect::<String>();
    DeviceSession {
        session_id: keys::random(keys::ALPHANUMERIC, 17),
        user_id: person.id.clone(),
        device: Device {
            kind: "other".to_owned(),
            name: cut(name),
            long_version: cut(version),
            os: Os::default(),
            version: cut(version),
        },
        host: cut(request.header("host").unwrap_or_default()),
        ip: request.ip().to_string(),
        login_at: String::new(),
        user: wire::rocketchat::Person::default(),
    }
}

async fn logout(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::for_everybody("logout", &[]);
    handle_call(chat, request, &RULES, |tx, caller, _| {
        store::log_out(tx, &caller.token, &caller.person.id, caller.now)?;
        Ok(json!({ "status": "success", "data": { "message": "You've been logged out!" } }))
    })
    .await
}

async fn me(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::for_everybody("me", &[]);
    handle_call(chat, request, &RULES, |_, caller, _| Ok(done(about(&caller.person)))).await
}

async fn users_info(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    const PARAMS: &[(&str, bool)] = &[("userId", false), ("username", false)];
    static RULES: CallRules = CallRules::for_everybody("users.info", PARAMS);
    handle_call(chat, request, &RULES, |tx, _, params| {
        let person = match text(params, "userId") {
            "" => store::person(tx, "username", text(params, "username"))?,
            id => store::person(tx, "id", id)?,
        };
        let person = person.ok_or(CallError::Failed("User not found.", None))?;
        Ok(done(json!({ "user": about(&person) })))
    })
    .await
}

async fn users_list(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    const PARAMS: &[(&str, bool)] = &[
        ("offset", false),
        ("count", false),
        ("sort", false),
        ("query", false),
        ("fields", false),
    ];
    static RULES: CallRules = CallRules::for_everybody("users.list", PARAMS);
    handle_call(chat, request, &RULES, |tx, _, params| {
        let people = store::people(tx)?;
        let offset = number(params, "offset").unwrap_or_default();
        let count = number(params, "count").unwrap_or(50).min(100);
        let users: Vec<Value> = people.iter().skip(offset).take(count).map(about).collect();
        let (count, total) = (users.len(), people.len());
        Ok(done(json!({ "users": users, "count": count, "offset": offset, "total": total })))
    })
    .await
}

fn about(person: &Person) -> Value {
    json!({
        "_id": person.id,
        "username": person.username,
        "name": person.name,
        "emails": [{ "address": person.email, "verified": true }],
        "roles": [person.role],
        "active": true,
        "status": "online",
        "type": "user",
    })
}

/// The hash under which a person's password is stored.
pub(crate) fn hash_password(user: &str, password: &str) -> String {
    let mut kept = [0u8; 32];
    // Over the SHA-256, which is all that some clients send; the id is the salt.
    let text = sha256(password);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, user.as_bytes(), text.as_bytes(), &mut kept);
    HEXLOWER.encode(&kept)
}

/// Whether `sha256` (in hex) is that of the person's password.
pub(crate) fn is_password(person: &Person, sha256: &str) -> bool {
    let kept = person.password.as_ref().and_then(|kept| HEXLOWER.decode(kept.as_bytes()).ok());
    kept.is_some_and(|kept| {
        let (salt, given) = (person.id.as_bytes(), sha256.as_bytes());
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, given, &kept).is_ok()
    })
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}
