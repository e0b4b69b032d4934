//! Who may do what, in the service's order: authentication, rate limit, parameters, permission, second
//! factor, handler. All of a call is one transaction, so a backup code can't be used twice.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use rusqlite::Transaction;
use serde_json::Value;
use serve::Millis;
use wire::rocketchat::DeviceSession;

use super::{
    answer::{Factor, Refused},
    limiter::{CALLS, Counted, Limiter},
    people, store,
    store::Person,
    totp,
};
use crate::{desk::Desk, keys};

/// After a good code the same token, User-Agent and address need none for so long.
const REMEMBERED: Duration = Duration::from_secs(1800);
/// A mailed code is good for so long.
const MAILED: Duration = Duration::from_secs(900);

/// What all handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub desk: Desk,
    pub limiter: Limiter,
}

/// What a call needs before it is carried out.
#[derive(Debug)]
pub(crate) struct Rules {
    pub route: &'static str,
    /// Parameters that may be there; those with `true` must be.
    pub params: &'static [(&'static str, bool)],
    pub permission: Option<&'static str>,
    pub second_factor: bool,
}

/// A request, as far as handlers see it.
#[derive(Debug)]
pub(crate) struct Asked {
    ip: IpAddr,
    headers: HeaderMap,
    /// The query's, or the body's.
    pub params: Params,
}

/// Parameters by name; none where they are no object.
pub(crate) type Params = BTreeMap<String, Value>;

/// Who calls, and when.
#[derive(Debug)]
pub(crate) struct Caller {
    pub person: Person,
    pub token: String,
    pub now: Millis,
}

/// What a handler does once the call is admitted.
pub(crate) type Act = fn(&Transaction<'_>, &Caller, &Params) -> Result<Value, Refused>;

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// By whom a remembered second factor may be used again.
    fn fingerprint(&self) -> String {
        let agent = self.header("user-agent").unwrap_or_default();
        store::hash(&format!("{agent}\n{}", self.ip))
    }

    /// Where the call comes from.
    pub(crate) const fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ip = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        let headers = request.headers().clone();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let read = request.method() == axum::http::Method::GET;
        let body = Bytes::from_request(request, state).await.map_err(|e| e.into_response())?;
        let params = if read { of_query(&query) } else { of_body(&headers, &body) };
        Ok(Self { ip, headers, params })
    }
}

fn of_query(query: &str) -> Params {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    pairs.map(|(name, value)| (name, Value::String(value))).collect()
}

fn of_body(headers: &HeaderMap, body: &[u8]) -> Params {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return of_query(&String::from_utf8_lossy(body));
    }
    serde_json::from_slice(body).unwrap_or_default()
}

/// Carries a call out, or says why not.
pub(crate) async fn serve(chat: Chat, asked: Asked, rules: &'static Rules, act: Act) -> Response {
    let now = chat.desk.clock.now();
    let limiter = chat.limiter;
    let done = chat.desk.store.with(move |tx| {
        let mut counted = None;
        let result = admit(tx, &limiter, &asked, rules, now, &mut counted)
            .and_then(|caller| act(tx, &caller, &asked.params));
        match result {
            // What could not be read or written leaves nothing behind.
            Err(Refused::Store(error)) => Err(error),
            result => Ok((result, counted)),
        }
    });
    let (result, counted) = match done.await {
        Ok(done) => done,
        Err(error) => {
            tracing::warn!(%error, "a call to Rocket.Chat's stand-in failed");
            return Refused::Store(rusqlite::Error::InvalidQuery).into_response();
        }
    };
    let mut response = match result {
        Ok(value) => Json(value).into_response(),
        Err(refused) => refused.into_response(),
    };
    if let Some(counted) = counted {
        tell_limit(response.headers_mut(), counted);
    }
    response
}

fn admit(
    tx: &Transaction<'_>,
    limiter: &Limiter,
    asked: &Asked,
    rules: &Rules,
    now: Millis,
    counted: &mut Option<Counted>,
) -> Result<Caller, Refused> {
    let caller = authenticate(tx, asked, now)?;
    let count = limiter.count(asked.ip, rules.route, now);
    *counted = Some(count);
    if !count.allowed {
        let wait = count.reset.since(now);
        return Err(Refused::TooMany { seconds: wait.as_millis().div_ceil(1000) as u64 });
    }
    check_params(&asked.params, rules)?;
    if let Some(permission) = rules.permission
        && !store::is_granted(tx, &caller.person.role, permission)?
    {
        return Err(Refused::NoPermission);
    }
    if rules.second_factor {
        second_factor(tx, asked, &caller)?;
    }
    Ok(caller)
}

fn authenticate(tx: &Transaction<'_>, asked: &Asked, now: Millis) -> Result<Caller, Refused> {
    let given = asked.header("x-user-id").zip(asked.header("x-auth-token"));
    let (user, token) = given.ok_or(Refused::NotLoggedIn)?;
    let token = store::hash(token);
    if !store::has_token(tx, user, &token)? {
        return Err(Refused::NotLoggedIn);
    }
    let person = store::person(tx, "id", user)?.ok_or(Refused::NotLoggedIn)?;
    Ok(Caller { person, token, now })
}

fn check_params(params: &Params, rules: &Rules) -> Result<(), Refused> {
    for (name, required) in rules.params {
        let wrong = match params.get(*name) {
            None if *required => format!("must have required property '{name}'"),
            None | Some(Value::String(_)) => continue,
            // Numbers come as text in a query and may come as they are in a body.
            Some(Value::Number(_) | Value::Bool(_)) => continue,
            Some(_) => format!("must be string, at {name}"),
        };
        return Err(Refused::InvalidParams(wrong));
    }
    let known = |name: &String| rules.params.iter().any(|(known, _)| known == name);
    match params.keys().all(known) {
        true => Ok(()),
        false => Err(Refused::InvalidParams("must NOT have additional properties".into())),
    }
}

fn second_factor(tx: &Transaction<'_>, asked: &Asked, caller: &Caller) -> Result<(), Refused> {
    let whom = asked.fingerprint();
    if store::is_remembered(tx, &caller.token, &whom, caller.now)? {
        return Ok(());
    }
    let given = Given { code: asked.header("x-2fa-code"), method: asked.header("x-2fa-method") };
    if check_code(tx, &caller.person, given, caller.now, false)? {
        store::remember(tx, &caller.token, &whom, caller.now.after(REMEMBERED))?;
    }
    Ok(())
}

/// A second factor as it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub code: Option<&'a str>,
    pub method: Option<&'a str>,
}

/// True if the code is good; false if the person has no second factor.
pub(crate) fn check_code(
    tx: &Transaction<'_>,
    person: &Person,
    given: Given<'_>,
    now: Millis,
    at_login: bool,
) -> Result<bool, Refused> {
    let own: &'static str = match person.factor.as_str() {
        "totp" => "totp",
        "email" => "email",
        // Who has set none up is asked for the password, where there is one.
        _ if person.password.is_some() && !at_login => "password",
        _ => return Ok(false),
    };
    let method = match given.method {
        Some("totp") => "totp",
        Some("email") => "email",
        Some(_) | None => own,
    };
    let code = given.code.map(str::trim).filter(|code| !code.is_empty());
    let good = match code {
        Some(code) => is_good(tx, person, method, code, now)?,
        None => false,
    };
    if good {
        return Ok(true);
    }
    let sent = method == "email" && own == "email" && mail_a_code(tx, person, now)?;
    let methods = if own == "password" { Vec::new() } else { vec![own] };
    Err(Refused::Factor(Factor { method, sent, methods, wrong: code.is_some(), at_login }))
}

fn is_good(
    tx: &Transaction<'_>,
    person: &Person,
    method: &str,
    code: &str,
    now: Millis,
) -> rusqlite::Result<bool> {
    Ok(match method {
        "totp" if person.factor == "totp" && code.len() == 8 => {
            store::use_backup_code(tx, &person.id, code)?
        }
        "totp" => person.factor == "totp" && totp::accepts(&person.totp, code, now),
        "email" => {
            let good = store::mailed_code(tx, &person.id, now)?.is_some_and(|sent| sent == code);
            if good {
                store::drop_mailed_code(tx, &person.id)?;
            }
            good
        }
        // The password's SHA-256, as clients send it.
        _ => people::is_password(person, &code.to_ascii_lowercase()),
    })
}

/// Whether a code was mailed just now: an earlier one that is still good is not followed by another.
fn mail_a_code(tx: &Transaction<'_>, person: &Person, now: Millis) -> rusqlite::Result<bool> {
    if store::mailed_code(tx, &person.id, now)?.is_some() {
        return Ok(false);
    }
    let code = keys::random(b"0123456789", 6);
    store::mail_code(tx, &person.id, &code, now.after(MAILED))?;
    Ok(true)
}

fn tell_limit(headers: &mut HeaderMap, Counted { remaining, reset, .. }: Counted) {
    let told = [
        ("x-ratelimit-limit", i64::from(CALLS)),
        ("x-ratelimit-remaining", i64::from(remaining)),
        ("x-ratelimit-reset", reset.0),
    ];
    for (name, value) in told {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

/// A parameter's text.
pub(crate) fn text<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A parameter's number, which a query has as text.
pub(crate) fn number(params: &Params, name: &str) -> Option<usize> {
    let value = params.get(name)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    usize::try_from(number).ok()
}

/// A login session as an answer has it.
pub(crate) fn session_body(session: &DeviceSession, with_owner: bool) -> Value {
    let mut body = serde_json::to_value(session).unwrap_or_default();
    body["_id"] = session.session_id.clone().into();
    if let (false, Some(body)) = (with_owner, body.as_object_mut()) {
        body.remove("_user");
    }
    body
}
