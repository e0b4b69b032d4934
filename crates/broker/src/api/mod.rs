//! The calls over HTTP: doors that parse, ask the switchboard once, and render the answer.

mod answer;
mod calls;
mod extensions;
mod programs;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, FromRequestParts, Request, State, WebSocketUpgrade},
    http::{Method, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serve::TrustedProxies;

use self::answer::AnswerAfter;
use crate::{
    error::Refused,
    live,
    network::Door,
    pages, splice, streams,
    switchboard::{Client, Switchboard},
};

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Desk {
    pub board: Arc<Switchboard>,
    pub door: Arc<Door>,
    pub proxies: TrustedProxies,
    pub compat_cors: bool,
}

/// All routes of the broker: calls, pages, live connections.
pub(crate) fn routes(desk: Desk) -> Router {
    let guard = desk.door.guard.clone();
    let faults = desk.board.faults.clone();
    let calls = Router::new()
        .merge(recorded(&desk))
        .route("/api/v1/chat", get(calls::chat))
        .route("/api/v1/email/{address}", post(calls::email))
        .route("/api/v1/report_abuse", post(calls::report_abuse))
        .route("/api/v1/session_exe", get(programs::session_exe))
        .route("/api/v1/x/capabilities", get(extensions::capabilities))
        .route("/api/v1/x/revoke", post(extensions::revoke))
        .route("/api/v1/x/reach", post(extensions::reach))
        .route("/api/v1/x/asker", put(extensions::set_asker).get(extensions::asker))
        .route("/api/v1/x/viewer_link", post(extensions::viewer_link))
        .route("/api/v1/x/roster", post(extensions::roster))
        .route("/api/v1/x/program", get(programs::program))
        .route("/api/v1/x/program_info", get(programs::program_info))
        .route("/region/{name}", get(calls::probe))
        .route("/live", get(live_connection))
        .route("/screen", get(screen_stream));
    let calls = faults
        .protect(calls)
        .route("/api/{*rest}", axum::routing::any(no_such_call))
        .layer(middleware::from_fn_with_state(desk.clone(), admit))
        .with_state(desk);
    guard.protect(calls.merge(pages::routes(guard.clone())))
}

/// Those on which the hosted service allows every origin (services.md).
fn recorded(desk: &Desk) -> Router<Desk> {
    Router::new()
        .route("/api/v1/regions", get(calls::regions).options(calls::preflight))
        .route("/api/v1/session_pin", get(calls::session_pin).options(calls::preflight))
        .route("/api/v1/hook/", put(calls::hook).options(calls::preflight))
        .route("/api/v1/hook", put(calls::hook).options(calls::preflight))
        .route("/api/v1/session_url", get(calls::session_url).options(calls::preflight))
        .route("/api/v1/session_parameters", get(calls::parameters).options(calls::preflight))
        .layer(middleware::from_fn_with_state(desk.clone(), allow_origin))
}

/// `*` if that was asked for, else this broker's own origin.
async fn allow_origin(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let allowed = if desk.compat_cors { "*" } else { &desk.door.origin };
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    response
}

/// Before every call: blocked clients and pages of foreign sites go no further.
async fn admit(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut client = desk.proxies.client(peer, request.headers());
    if desk.door.strangers && client.is_this_machine() {
        client = Client::STRANGER;
    }
    if desk.board.is_blocked(client) {
        return Refused::Blocked.into_response();
    }
    let probe = request.uri().path().starts_with("/region/");
    let live = matches!(request.uri().path(), "/live" | "/screen");
    // With `*` any page may call, but live connections are for pages of ours in any case.
    let open = (desk.compat_cors && !live) || probe;
    if !open && !desk.door.guard.allows_caller(request.headers()) {
        return Refused::ForeignPage.into_response();
    }
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if let Some(AnswerAfter(wait)) = response.extensions().get().copied() {
        tokio::time::sleep(wait).await;
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(header::HeaderValue::from_static(value));
    }
    response
}

async fn no_such_call(method: Method) -> Response {
    tracing::debug!(%method, "no such call");
    Refused::NoSuchCall.into_response()
}

async fn live_connection(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(16 * 1024)
        .max_frame_size(16 * 1024)
        .on_upgrade(move |socket| live::serve(socket, desk.board, client))
}

/// The write buffer holds one message, and a pong beside it: more is never written before the last
/// went out.
async fn screen_stream(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(splice::LONGEST)
        .max_frame_size(splice::LONGEST)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * splice::LONGEST)
        .on_upgrade(move |socket| streams::serve(socket, desk.board, client))
}

/// The query, read leniently: what can't be decoded is not there.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}
