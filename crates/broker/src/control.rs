//! What the control API adds for this broker: stand-in presence, deliveries, the outbox.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use serve::control::Advance;
use uuid::Uuid;
use wire::{
    Pin, Side,
    screen::{Program, Sharing},
};

use crate::{
    lines::Wish,
    rules::presence::PageId,
    switchboard::{Switchboard, stand_in},
};

/// How the control API moves this broker's clock: deliveries that fell due have been made, or
/// given up, when it answers.
pub(crate) fn advance(board: &Arc<Switchboard>) -> Advance {
    let board = Arc::clone(board);
    Arc::new(move |by| {
        let board = Arc::clone(&board);
        Box::pin(async move {
            board.advance(by).await;
            board.deliverer.idle().await;
        })
    })
}

/// - `POST /control/presence {session_pin, side, page, name, online, sharing?}`: a page without a
///   browser; a presenter with `sharing` (`shared`, `paused`) counts as a program that shares;
/// - `POST /control/chat {session_pin, page, name, body}`: such a page says something;
/// - `POST /control/deliveries {hold}`: keeps fired hooks back, or lets them go;
/// - `GET /control/outbox`: the e-mails, newest last.
pub(crate) fn routes(board: Arc<Switchboard>) -> Router {
    Router::new()
        .route("/control/presence", post(presence))
        .route("/control/chat", post(chat))
        .route("/control/deliveries", post(deliveries))
        .route("/control/outbox", get(outbox))
        .with_state(board)
}

#[derive(Deserialize)]
struct Presence {
    session_pin: Pin,
    side: Side,
    page: Uuid,
    #[serde(default)]
    name: String,
    online: bool,
    /// A presenter that shares a screen, as far as others can tell; no stream of it answers.
    sharing: Option<Sharing>,
}

async fn presence(State(board): State<Arc<Switchboard>>, Json(asked): Json<Presence>) -> Response {
    let Presence { session_pin: pin, side, page, name, online, sharing } = asked;
    if online {
        let wish = match (side, sharing) {
            (Side::Presenter, Some(Sharing::Shared | Sharing::Paused)) => {
                Wish::Presenter(Some(stand_in_program()))
            }
            (Side::Presenter | Side::Viewers, _) => Wish::of(side),
        };
        let came = board.stand_in(stand_in(pin, wish, page, &name)).await;
        let shown = came.and_then(|line| match (side, sharing) {
            (Side::Presenter, Some(state @ (Sharing::Shared | Sharing::Paused))) => {
                board.lock().0.share(line, state)
            }
            (Side::Presenter | Side::Viewers, _) => Ok(()),
        });
        return match shown {
            Ok(()) => done(),
            Err(refused) => refused.into_response(),
        };
    }
    let line = board.lock().0.line_of(&pin, PageId(page));
    match line {
        Some(line) => {
            board.depart(line).await;
            done()
        }
        None => not_online(),
    }
}

fn stand_in_program() -> Program {
    Program { version: "0".into(), platform: "stand-in".into(), conf: None }
}

#[derive(Deserialize)]
struct Chat {
    session_pin: Pin,
    page: Uuid,
    #[serde(default)]
    name: String,
    body: String,
}

async fn chat(State(board): State<Arc<Switchboard>>, Json(asked): Json<Chat>) -> Response {
    let line = board.lock().0.line_of(&asked.session_pin, PageId(asked.page));
    let Some(line) = line else { return not_online() };
    match board.say(line, &asked.name, &asked.body).await {
        Ok(()) => done(),
        Err(refused) => refused.into_response(),
    }
}

#[derive(Deserialize)]
struct Deliveries {
    hold: bool,
}

async fn deliveries(
    State(board): State<Arc<Switchboard>>,
    Json(asked): Json<Deliveries>,
) -> Response {
    if asked.hold {
        board.deliverer.hold();
    } else {
        board.release_deliveries();
        board.deliverer.idle().await;
    }
    done()
}

async fn outbox(State(board): State<Arc<Switchboard>>) -> Response {
    let (state, _) = board.lock();
    let mails: Vec<_> = state
        .outbox
        .iter()
        .map(|mail| {
            json!({
                "id": mail.id, "at_s": mail.at.seconds(), "to": mail.to, "subject": mail.subject,
                "body": mail.body, "state": mail.state.word(),
            })
        })
        .collect();
    Json(json!({ "success": true, "outbox": mails })).into_response()
}

fn not_online() -> Response {
    let body = Json(json!({ "success": false, "error": "this page is not online" }));
    (StatusCode::CONFLICT, body).into_response()
}

fn done() -> Response {
    Json(json!({ "success": true })).into_response()
}
