//! The pages, compiled in. They carry no data: what they show comes over the live connection.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serve::HostGuard;

pub(crate) fn routes(guard: HostGuard) -> Router {
    Router::new()
        .route("/", get(|| async { html(include_str!("pages/front.html")) }))
        .route("/join", get(|| async { html(include_str!("pages/join.html")) }))
        .route("/view", get(|| async { html(include_str!("pages/view.html")) }))
        .route("/assets/pages.css", get(|| async { css(include_str!("pages/pages.css")) }))
        .route("/assets/front.js", get(|| async { script(include_str!("pages/front.js")) }))
        .route("/assets/join.js", get(|| async { script(include_str!("pages/join.js")) }))
        .route("/assets/view.js", get(|| async { script(include_str!("pages/view.js")) }))
        .route("/assets/live.js", get(|| async { script(include_str!("pages/live.js")) }))
        .route("/assets/icon.svg", get(|| async { icon() }))
        .layer(middleware::from_fn_with_state(guard, protect))
}

/// Nothing inline, nothing from elsewhere, in no frame, and no referrer that could carry a PIN.
async fn protect(State(guard): State<HostGuard>, request: Request, next: Next) -> Response {
    let policy = content_policy(&guard, request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let fixed = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let permissions = "camera=(), microphone=(), geolocation=(), display-capture=()";
    headers.insert("permissions-policy", HeaderValue::from_static(permissions));
    response
}

/// Older engines don't count a WebSocket of the same host as 'self', so it is named; the host has
/// passed the guard by then.
fn content_policy(guard: &HostGuard, headers: &HeaderMap) -> HeaderValue {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let live = match host.filter(|host| guard.allows_host(host)) {
        Some(host) => format!(" ws://{host} wss://{host}"),
        None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'{live}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn html(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn css(own: &str) -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], serve::style_sheet(own)).into_response()
}

fn script(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
}

fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("pages/icon.svg")).into_response()
}
