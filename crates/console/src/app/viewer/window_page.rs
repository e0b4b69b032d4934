//! The content of a viewer window, on loopback: the page that the broker serves to browsers, and
//! the page's two WebSockets, under the window's own secret path.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State, WebSocketUpgrade, ws::WebSocket},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use engine::remote::web_socket::STREAM_BYTES;
use serve::HostGuard;

use super::{ViewerWindow, live, picture, stream};
use crate::app::Console;

/// The longest text that a page may send on its live connection: one chat message, and some spare.
const LONGEST_TEXT: usize = 256 << 10;

#[derive(Clone)]
struct PageState {
    console: Arc<Console>,
    guard: HostGuard,
}

pub(super) fn routes(console: Arc<Console>, guard: HostGuard) -> Router {
    let policy = broker::viewer_policy(guard.clone());
    let state = PageState { console, guard };
    let routes = Router::new()
        .route("/viewer/{token}/", get(html))
        .route(
            "/viewer/{token}/live",
            connection(LONGEST_TEXT, async |page, console, window| {
                live::serve(page, &console, &window).await;
            }),
        )
        .route(
            "/viewer/{token}/screen",
            connection(STREAM_BYTES, async |page, console, window| {
                stream::serve(page, &console, &window).await;
            }),
        )
        .route("/viewer/{token}/picture", post(save_picture))
        .route("/viewer/{token}/{*file}", get(file))
        .with_state(state);
    policy.protect(routes)
}

async fn html(State(state): State<PageState>, Path(token): Path<String>) -> Response {
    asset(&state, &token, "viewer.html")
}

async fn file(
    State(state): State<PageState>,
    Path((token, name)): Path<(String, String)>,
) -> Response {
    asset(&state, &token, &name)
}

fn asset(state: &PageState, token: &str, name: &str) -> Response {
    if state.console.viewers.find(token).is_none() {
        return stranger();
    }
    match state.console.viewers.asset(name) {
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

/// Takes a WebSocket of the window's own page, whose messages have at most `longest` bytes.
fn connection<F>(
    longest: usize,
    serve: impl FnOnce(WebSocket, Arc<Console>, Arc<ViewerWindow>) -> F + Clone + Send + Sync + 'static,
) -> MethodRouter<PageState>
where
    F: Future<Output = ()> + Send + 'static,
{
    get(
        move |State(state): State<PageState>,
              Path(token): Path<String>,
              headers: HeaderMap,
              upgrade: WebSocketUpgrade| async move {
            let Some(window) = state.admit(&headers, &token) else { return stranger() };
            let upgrade = upgrade.max_message_size(longest).max_frame_size(longest);
            upgrade.on_upgrade(move |page| serve(page, state.console, window))
        },
    )
}

async fn save_picture(
    State(state): State<PageState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    png: Bytes,
) -> Response {
    let Some(window) = state.admit(&headers, &token) else { return stranger() };
    match picture::save(&state.console, window.session, png).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(trouble) => {
            let text = format!("{} {}", trouble.text, trouble.remedy);
            (StatusCode::CONFLICT, text).into_response()
        }
    }
}

impl PageState {
    /// The window, if its own page sent the request.
    fn admit(&self, headers: &HeaderMap, token: &str) -> Option<Arc<ViewerWindow>> {
        let window = self.console.viewers.find(token);
        window.filter(|_| self.guard.allows_caller(headers))
    }
}

/// The answer to anybody without a window's secret, or whose window is closed.
fn stranger() -> Response {
    (StatusCode::NOT_FOUND, "This window is closed.\n").into_response()
}
