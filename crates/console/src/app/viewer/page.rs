//! What a viewer window loads, on loopback: the page that the broker's browsers have too, and its two
//! WebSockets, under the window's own secret path.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State, WebSocketUpgrade, ws::WebSocket},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::remote::web_socket::STREAM_BYTES;
use serve::HostGuard;

use super::{Seat, live, picture, stream};
use crate::app::Inner;

/// What a page may say on its live connection at once: a message of the chat, and some.
const LONGEST_TEXT: usize = 256 << 10;

#[derive(Clone)]
struct Desk {
    inner: Arc<Inner>,
    guard: HostGuard,
}

pub(super) fn routes(inner: Arc<Inner>, guard: HostGuard) -> Router {
    let policy = broker::viewer_policy(guard.clone());
    let desk = Desk { inner, guard };
    let routes = Router::new()
        .route("/viewer/{token}/", get(html))
        .route("/viewer/{token}/live", get(live_line))
        .route("/viewer/{token}/screen", get(screen_line))
        .route("/viewer/{token}/picture", post(save_picture))
        .route("/viewer/{token}/{*file}", get(file))
        .with_state(desk);
    policy.protect(routes)
}

async fn html(State(desk): State<Desk>, Path(token): Path<String>) -> Response {
    asset(&desk, &token, "viewer.html")
}

async fn file(State(desk): State<Desk>, Path((token, name)): Path<(String, String)>) -> Response {
    asset(&desk, &token, &name)
}

fn asset(desk: &Desk, token: &str, name: &str) -> Response {
    if desk.inner.viewers.find(token).is_none() {
        return stranger();
    }
    match super::asset(&desk.inner, name) {
        Some(bytes) => ([(header::CONTENT_TYPE, kind(name))], bytes.into_owned()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "application/octet-stream",
    }
}

async fn live_line(
    State(desk): State<Desk>,
    Path(token): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(LONGEST_TEXT).max_frame_size(LONGEST_TEXT);
    line(&desk, &token, &headers, upgrade, async |page, inner, seat| {
        live::serve(page, &inner, &seat).await;
    })
}

async fn screen_line(
    State(desk): State<Desk>,
    Path(token): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(STREAM_BYTES).max_frame_size(STREAM_BYTES);
    line(&desk, &token, &headers, upgrade, async |page, inner, seat| {
        stream::serve(page, &inner, &seat).await;
    })
}

fn line<F>(
    desk: &Desk,
    token: &str,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
    serve: impl FnOnce(WebSocket, Arc<Inner>, Arc<Seat>) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(seat) = desk.admit(headers, token) else { return stranger() };
    let inner = desk.inner.clone();
    upgrade.on_upgrade(move |page| serve(page, inner, seat))
}

async fn save_picture(
    State(desk): State<Desk>,
    Path(token): Path<String>,
    headers: HeaderMap,
    png: Bytes,
) -> Response {
    let Some(seat) = desk.admit(&headers, &token) else { return stranger() };
    match picture::save(&desk.inner, seat.session, png).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(trouble) => {
            let text = format!("{} {}", trouble.text, trouble.remedy);
            (StatusCode::CONFLICT, text).into_response()
        }
    }
}

impl Desk {
    /// The seat of the window whose own page asks.
    fn admit(&self, headers: &HeaderMap, token: &str) -> Option<Arc<Seat>> {
        let seat = self.inner.viewers.find(token);
        seat.filter(|_| self.guard.allows_caller(headers))
    }
}

/// Somebody without a window's secret, or whose window is closed.
fn stranger() -> Response {
    (StatusCode::NOT_FOUND, "This window is closed.\n").into_response()
}
