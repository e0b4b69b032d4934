//! Rocket.Chat's calls about login sessions, and the routes of all other calls.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::{
    authorization::{AuthenticatedUser, CallRules, RocketchatState, handle_call},
    limiter::Limiter,
    people,
    request::{ApiRequest, Params, number, text},
    response::{CallError, done, session_body},
    store, workspace_page,
};
use crate::context::ServiceContext;

/// Rows of one list, at most.
const MAX_ROWS: usize = 100;
const DEFAULT_ROWS: usize = 50;
/// People whose sessions a filter finds, at most.
const MAX_PEOPLE: usize = 5;

const VIEW: &str = "view-device-management";
const LOG_OUT: &str = "logout-device-management";
const PAGED: &[(&str, bool)] =
    &[("offset", false), ("count", false), ("filter", false), ("sort", false)];
const ONE: &[(&str, bool)] = &[("sessionId", true)];

/// All routes.
pub(crate) fn routes(context: ServiceContext) -> Router {
    let clock = context.clock.clone();
    let chat = RocketchatState { context, limiter: Limiter::default() };
    let sessions = Router::new()
        .route("/list", get(list))
        .route("/info", get(info))
        .route("/logout.me", post(log_out_mine))
        .route("/list.all", get(list_all))
        .route("/info.admin", get(info_admin))
        .route("/logout", post(log_out));
    let api = people::routes().nest("/sessions", sessions);
    Router::new()
        .nest("/api/v1", api)
        .merge(people::unversioned_routes())
        .merge(workspace_page::routes())
        .with_state(chat)
        // Times in bodies are the shared clock's, so the Date header has to be, too.
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let clock = clock.clone();
            async move {
                let mut response = next.run(request).await;
                let now = jiff::Timestamp::from_millisecond(clock.now().0).unwrap_or_default();
                let date = jiff::fmt::rfc2822::DateTimePrinter::new()
                    .timestamp_to_rfc9110_string(&now)
                    .ok()
                    .and_then(|date| HeaderValue::from_str(&date).ok());
                if let Some(date) = date {
                    response.headers_mut().insert(header::DATE, date);
                }
                response
            }
        }))
}

async fn list(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::for_everybody("sessions/list", PAGED);
    handle_call(chat, request, &RULES, |tx, caller, params| {
        // A filter is a text here and in `list.all`, unlike the pattern that `info.admin` takes.
        let pattern = compiled(&regex::escape(text(params, "filter")))?;
        session_list(tx, params, Some(&caller.person.id), &pattern)
    })
    .await
}

async fn info(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::for_everybody("sessions/info", ONE);
    handle_call(chat, request, &RULES, |tx, caller, params| {
        let found = store::session(tx, text(params, "sessionId"), Some(&caller.person.id))?;
        let (session, _) = found.ok_or(CallError::NotFound)?;
        Ok(done(session_body(&session, false)))
    })
    .await
}

async fn log_out_mine(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::for_everybody("sessions/logout.me", ONE);
    handle_call(chat, request, &RULES, |tx, caller, params| {
        end(tx, caller, params, Some(&caller.person.id))
    })
    .await
}

async fn list_all(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::with_permission("sessions/list.all", PAGED, VIEW);
    handle_call(chat, request, &RULES, |tx, _, params| {
        let filter = text(params, "filter");
        // A filter also finds the sessions of people whose name or username has it.
        let mut patterns = vec![regex::escape(filter)];
        if !filter.is_empty() {
            let pattern = compiled(&patterns[0])?;
            let people = store::people(tx)?.into_iter();
            let meant =
                people.filter(|p| pattern.is_match(&p.username) || pattern.is_match(&p.name));
            patterns.extend(meant.take(MAX_PEOPLE).map(|person| regex::escape(&person.id)));
        }
        session_list(tx, params, None, &compiled(&patterns.join("|"))?)
    })
    .await
}

async fn info_admin(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::with_permission("sessions/info.admin", ONE, VIEW);
    handle_call(chat, request, &RULES, |tx, _, params| {
        // As the real one does: whatever matches, in any case, and the newest of those.
        let pattern = compiled(text(params, "sessionId"))?;
        let (found, _) = store::search(tx, &store::Search::newest(&pattern, 1))?;
        let session = found.first().ok_or(CallError::NotFound)?;
        Ok(done(session_body(session, true)))
    })
    .await
}

async fn log_out(State(chat): State<RocketchatState>, request: ApiRequest) -> Response {
    static RULES: CallRules = CallRules::with_permission("sessions/logout", ONE, LOG_OUT);
    handle_call(chat, request, &RULES, |tx, caller, params| end(tx, caller, params, None)).await
}

fn end(
    tx: &Transaction<'_>,
    caller: &AuthenticatedUser,
    params: &Params,
    user: Option<&str>,
) -> Result<Value, CallError> {
    let id = text(params, "sessionId");
    let (_, token) = store::session(tx, id, user)?.ok_or(CallError::NotFound)?;
    store::log_out(tx, &token, &caller.person.id, caller.now)?;
    Ok(done(json!({ "sessionId": id })))
}

fn compiled(pattern: &str) -> Result<regex::Regex, CallError> {
    store::pattern(pattern).ok_or(CallError::Failed("Regular expression is invalid", None))
}

fn session_list(
    tx: &Transaction<'_>,
    params: &Params,
    user: Option<&str>,
    pattern: &regex::Regex,
) -> Result<Value, CallError> {
    let order = order(text(params, "sort"))?;
    let offset = number(params, "offset").unwrap_or_default();
    let count = number(params, "count").unwrap_or(DEFAULT_ROWS).min(MAX_ROWS);
    let search = store::Search { user, pattern, order: &order, offset, count };
    let (rows, total) = store::search(tx, &search)?;
    let sessions: Vec<Value> = rows.iter().map(|row| session_body(row, user.is_none())).collect();
    let count = sessions.len();
    Ok(done(json!({ "sessions": sessions, "count": count, "offset": offset, "total": total })))
}

/// `ORDER BY` of the service's `{"loginAt":-1}`.
fn order(sort: &str) -> Result<String, CallError> {
    let invalid =
        || CallError::Failed("Invalid sort parameter provided", Some("error-invalid-sort"));
    let keys: serde_json::Map<String, Value> = match sort {
        "" => return Ok(store::NEWEST_FIRST.to_owned()),
        sort => serde_json::from_str(sort).map_err(|_| invalid())?,
    };
    // Only columns of ours get into the SQL, never a text of the request.
    let mut order = String::new();
    for (key, way) in &keys {
        let column =
            store::sort_column(key).ok_or(CallError::Failed("error-invalid-sort-keys", None))?;
        let way = match way.as_i64() {
            Some(1) => "ASC",
            Some(-1) => "DESC",
            _ => return Err(invalid()),
        };
        order.push_str(&format!("{column} {way}, "));
    }
    // The id settles equal keys, so that the order is the same on every page.
    Ok(order + "s.id")
}
