//! The calls over HTTP: each parses its request, has the hub decide once, and renders the answer.

mod calls;
mod context;
mod downloads;
mod extensions;
pub(crate) mod request;
mod response;

use std::net::SocketAddr;

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request, State, WebSocketUpgrade},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serve::Turns;

pub(crate) use self::context::ApiContext;
use self::{
    request::{Call, ConsoleKey},
    response::{HttpResult, RefusalKind, ResponseDelay},
};
use crate::{
    hub::refusal::Refused,
    pages,
    sockets::{event_channel, live_connection, splice, stream_socket},
};

/// All routes of the broker: calls, pages, live connections.
pub(crate) fn routes(context: ApiContext) -> Router {
    let guard = context.endpoint.guard.clone();
    let (faults, health) = (context.coordinator.faults.clone(), context.health.clone());
    let calls = Router::new()
        .merge(recorded(&context))
        .route("/api/v1/chat", get(calls::chat))
        .route("/api/v1/email/{address}", post(calls::email))
        .route("/api/v1/report_abuse", post(calls::report_abuse))
        .route("/api/v1/session_exe", get(downloads::session_exe).head(only_get))
        .route("/api/v1/x/events", get(event_channel))
        .route("/api/v1/x/chat", post(extensions::chat))
        .route("/api/v1/x/admit", post(extensions::admit))
        .route("/api/v1/x/capabilities", get(extensions::capabilities))
        .route("/api/v1/x/revoke", post(extensions::revoke))
        .route("/api/v1/x/delete", post(extensions::delete))
        .route("/api/v1/x/reach", post(extensions::reach))
        .route("/api/v1/x/asker", put(extensions::set_requester).get(extensions::requester))
        .route("/api/v1/x/viewer_link", post(extensions::viewer_link))
        .route("/api/v1/x/roster", post(extensions::roster))
        .route("/api/v1/x/program", get(downloads::program).head(only_get))
        .route("/api/v1/x/program_info", get(downloads::program_info))
        .route("/region/{name}", get(calls::probe))
        .route("/live", get(live_connection))
        .route("/screen", get(screen_stream));
    let calls = faults
        .protect(calls)
        // After the fault plan, which knows routes by their templates.
        .route("/api/{*rest}", axum::routing::any(no_such_call))
        .layer(middleware::from_fn_with_state(context.clone(), admit))
        .layer(middleware::from_fn_with_state(context.clone(), count_refusals))
        .with_state(context);
    // Outermost, so that a foreign Host reaches neither a call nor a page.
    health.beside(&guard, guard.protect(calls.merge(pages::routes(guard.clone()))))
}

/// The calls on which the hosted service allows every origin (services.md).
fn recorded(context: &ApiContext) -> Router<ApiContext> {
    Router::new()
        .route("/api/v1/regions", get(calls::regions).options(calls::preflight))
        .route(
            "/api/v1/session_pin",
            get(calls::session_pin).head(only_get).options(calls::preflight),
        )
        .route("/api/v1/hook/", put(calls::hook).options(calls::preflight))
        .route("/api/v1/hook", put(calls::hook).options(calls::preflight))
        .route("/api/v1/session_url", get(calls::session_url).options(calls::preflight))
        .route(
            "/api/v1/session_parameters",
            get(calls::parameters).head(only_get).options(calls::preflight),
        )
        .layer(middleware::from_fn_with_state(context.clone(), allow_origin))
}

/// For a GET that changes something: whoever only looks at a link (HEAD) must not use it up.
async fn only_get() -> impl IntoResponse {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")])
}

/// `*` if the settings ask for it, otherwise this broker's own origin.
async fn allow_origin(State(context): State<ApiContext>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let allowed = if context.compat_cors() { "*" } else { &context.endpoint.origin };
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    response
}

/// Before every call: refuses blocked clients and pages of other sites.
async fn admit(
    State(context): State<ApiContext>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = context.endpoint.client(peer, request.headers());
    if context.coordinator.with_hub(|hub, _| hub.is_blocked(client)) {
        return Refused::Blocked.into_response();
    }
    // A probe's answer holds nothing secret, so pages of any origin may time it.
    let probe = request.uri().path().starts_with("/region/");
    let live = matches!(request.uri().path(), "/live" | "/screen" | "/api/v1/x/events");
    // With `*` any page may call, but live connections are for our own pages in any case: a WebSocket isn't bound by
    // the same-origin policy.
    let open = (context.compat_cors() && !live) || probe;
    if !open && !context.endpoint.guard.allows_caller(request.headers()) {
        return Refused::ForeignPage.into_response();
    }
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if let Some(ResponseDelay(wait)) = response.extensions().get().copied() {
        tokio::time::sleep(wait).await;
    }
    add_fixed_headers(response.headers_mut());
    response
}

async fn count_refusals(
    State(context): State<ApiContext>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if let Some(RefusalKind(kind)) = response.extensions().get().copied() {
        context.coordinator.refusals.refused(kind);
    }
    response
}

fn add_fixed_headers(headers: &mut HeaderMap) {
    let fixed = [
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(header::HeaderValue::from_static(value));
    }
}

async fn no_such_call(method: Method) -> Response {
    tracing::debug!(%method, "no such call");
    Refused::NoSuchCall.into_response()
}

/// How much is read at once. Each WebSocket has that much memory for as long as it is open, and by default it would be
/// 128 KiB: more than all the rest that a page costs.
const SMALL_BUFFER: usize = 4 * 1024;
const STREAM_BUFFER: usize = 32 * 1024;

/// Without any, as over HTTP/2, nothing becomes a WebSocket either.
fn turns_of(turns: Option<Extension<Turns>>) -> Turns {
    turns.map_or_else(Turns::default, |Extension(turns)| turns)
}

async fn live_connection(
    call: Call,
    key: ConsoleKey,
    turns: Option<Extension<Turns>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let turns = turns_of(turns);
    // A chat message of 2000 characters takes 8 KB in UTF-8, and nothing else that a page sends is longer.
    let upgrade = upgrade.read_buffer_size(SMALL_BUFFER);
    upgrade.max_message_size(16 * 1024).max_frame_size(16 * 1024).on_upgrade(move |socket| {
        live_connection::serve(socket, turns, call.coordinator, call.client, key.0)
    })
}

/// Nothing is buffered here: each state is made when the one before it went out, so it is as new as can be.
async fn event_channel(
    call: Call,
    key: ConsoleKey,
    turns: Option<Extension<Turns>>,
    upgrade: WebSocketUpgrade,
) -> HttpResult {
    let (console, turns) = (key.required()?, turns_of(turns));
    let upgraded = upgrade
        .read_buffer_size(SMALL_BUFFER)
        .max_message_size(event_channel::LONGEST)
        .max_frame_size(event_channel::LONGEST)
        .write_buffer_size(0)
        .on_upgrade(move |socket| {
            event_channel::serve(socket, turns, call.coordinator, call.client, console)
        });
    Ok(upgraded)
}

/// The write buffer holds one message and a pong: nothing more is written before the last one went out.
async fn screen_stream(call: Call, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(STREAM_BUFFER)
        .max_message_size(splice::LONGEST)
        .max_frame_size(splice::LONGEST)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * splice::LONGEST)
        .on_upgrade(move |socket| stream_socket::serve(socket, call.coordinator, call.client))
}
