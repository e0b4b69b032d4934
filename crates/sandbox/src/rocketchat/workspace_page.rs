//! The page that shows the workspace: its people, their login sessions, and the authenticator of the
//! token's user. Whoever reaches it sees everything; the sandbox is for trying and testing.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use serve::{PagePolicy, page_asset, page_html};

use super::{authorization::RocketchatState, response::session_body, store, totp};

/// Rows that are shown.
const ROWS: usize = 200;

pub(super) fn routes() -> Router<RocketchatState> {
    let routes = Router::new()
        .route("/", get(|| async { page_html("workspace", "workspace.html") }))
        .route("/page.css", get(|| async { page_asset("workspace", "page.css") }))
        .route("/page.js", get(|| async { page_asset("workspace", "page.js") }))
        .route("/page/workspace", get(workspace));
    PagePolicy::default().protect(routes)
}

async fn workspace(State(chat): State<RocketchatState>, headers: HeaderMap) -> Response {
    if !chat.context.guard.allows_caller(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // One moment for all of it, so that a code and the seconds that it has left belong together.
    let now = chat.context.clock.now();
    let shown = chat.context.store.with(move |tx| {
        let mut people = Vec::new();
        for person in store::people(tx)? {
            let code = (person.factor == "totp").then(|| totp::code(&person.totp, now));
            people.push(json!({
                "name": person.name,
                "username": person.username,
                "role": person.role,
                "factor": person.factor,
                "code": code,
                "secret": code.as_ref().map(|_| data_encoding::BASE32_NOPAD.encode(&person.totp)),
                "backupCodes": store::backup_codes(tx, &person.id)?,
                "mailedCode": store::mailed_code(tx, &person.id, now)?,
            }));
        }
        let all = store::pattern("").ok_or(rusqlite::Error::InvalidQuery)?;
        let (rows, total) = store::search(tx, &store::Search::newest(&all, ROWS))?;
        let sessions: Vec<Value> = rows.iter().map(|row| session_body(row, true)).collect();
        Ok(json!({
            "people": people,
            "sessions": sessions,
            "total": total,
            "secondsLeft": totp::seconds_left(now),
        }))
    });
    match shown.await {
        Ok(shown) => Json(shown).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
