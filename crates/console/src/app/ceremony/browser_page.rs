//! The page that asks for a passkey, served to the system's browser on loopback for one step.
//!
//! The server answers nobody without the step's one-time state and no page of another origin. Loading the
//! page, again or in another browser, uses nothing up: a step begins with the person's click, as often as
//! they click, and ends with the first token. The state travels in the URL's fragment, which no browser sends,
//! and in the bodies of our own page's requests.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::State,
    extract::rejection::JsonRejection,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::token::{HookToken, TokenHash};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serve::{BindError, Bound, HostGuard, Limits, PagePolicy, Port, Server};
use tokio::sync::{mpsc, oneshot};

use crate::{
    app::pages::Pages,
    parameters::Secret,
    view::{Code, Trouble},
};

const PAGE: &str = include_str!("page.html");
/// How many questions may wait for their answers.
const WAITING: usize = 4;
/// How many ports are tried until one is free on both of loopback's addresses.
const TRIES: usize = 8;

/// The messages from the browser. Each is answered, unless the step is over.
pub enum BrowserMessage {
    /// The person wants to go on: the page asks for its task.
    Begin(oneshot::Sender<Result<PageTask, Trouble>>),
    /// The passkey service gave the page this token.
    Done(SecretString, oneshot::Sender<Result<String, Trouble>>),
    /// The browser reports a failure.
    Failed(BrowserFailure),
}

/// Why a ceremony failed in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserFailure {
    /// The person cancelled, or the time ran out.
    Cancelled,
    /// The browser doesn't support passkeys.
    Unsupported,
    /// Anything else.
    Failed,
}

/// What the page shows before the person goes on.
#[derive(Clone, Serialize)]
pub struct PageOffer {
    /// The step's purpose, for people.
    pub text: String,
    /// Whether a passkey is made or used.
    #[serde(rename = "do")]
    pub passkey_use: PasskeyUse,
}

#[derive(Clone, Serialize)]
pub struct PageTask {
    #[serde(flatten)]
    pub offer: PageOffer,
    /// The passkey service's API.
    pub api_url: String,
    /// The service's public key.
    pub api_key: String,
    /// The one-time token that lets the browser make a passkey.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    pub register_token: Option<SecretString>,
    /// The person who signs in; none if any owner of a passkey may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The name of the new passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
}

/// Whether a passkey is made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyUse {
    Register,
    SignIn,
}

pub struct CeremonyPage {
    servers: Vec<Server>,
    /// The page's origin, as the browser reports it.
    pub origin: String,
    pub messages: mpsc::Receiver<BrowserMessage>,
}

/// The reason why no page can be served.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No port can be listened on.
    #[error("{0}")]
    Bind(#[from] BindError),
    /// The socket can't be served.
    #[error("serve its socket: {0}")]
    Serve(#[from] io::Error),
}

#[derive(Clone)]
struct PageState {
    pages: Arc<dyn Pages>,
    state: TokenHash,
    offer: PageOffer,
    guard: HostGuard,
    messages: mpsc::Sender<BrowserMessage>,
}

impl CeremonyPage {
    /// Serves the page to browsers that have `state`; the page may call only its own origin and
    /// `service`.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn open(
        state: &HookToken,
        pages: Arc<dyn Pages>,
        service: &str,
        offer: PageOffer,
    ) -> Result<Self, PageError> {
        let bound = bind()?;
        let addr = bound[0].addr();
        let (send, messages) = mpsc::channel(WAITING);
        let guard = HostGuard::new(addr, None);
        let page =
            PageState { pages, state: state.hash(), offer, guard: guard.clone(), messages: send };
        let policy = PagePolicy::default().images("data:").service(service);
        let routes = guard.protect(policy.protect(routes(page)));
        let limits = Limits { body_bytes: 16 * 1024, connections: 32, ..Limits::default() };
        let mut servers = Vec::new();
        for bound in bound {
            servers.push(Server::start(bound, routes.clone(), limits, None)?);
        }
        // WebAuthn takes no IP address as a relying party, so the origin names `localhost`.
        Ok(Self { servers, origin: format!("http://localhost:{}", addr.port()), messages })
    }

    /// Finishes the answers under way, and frees the port.
    pub async fn close(self) {
        // Questions still waiting get the answer that the step is over, so that the servers
        // can end.
        drop(self.messages);
        for server in self.servers {
            server.shutdown().await;
        }
    }
}

/// One port on both of loopback's addresses: a browser may try either for `localhost`, and no other
/// program must be able to answer on one of them.
fn bind() -> Result<Vec<Bound>, BindError> {
    for _ in 0..TRIES {
        let four = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any)?;
        match serve::bind(Ipv6Addr::LOCALHOST.into(), Port::Exactly(four.addr().port())) {
            Ok(six) => return Ok(vec![four, six]),
            // Another program has this port on IPv6: try the next.
            Err(error) if error.source.kind() == io::ErrorKind::AddrInUse => {}
            // This computer has no IPv6.
            Err(_) => return Ok(vec![four]),
        }
    }
    serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).map(|four| vec![four])
}

fn routes(page: PageState) -> Router {
    Router::new()
        .route("/", get(async || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE)))
        .route("/passkey.js", get(script))
        .route("/passkey.css", get(style))
        .route("/offer", post(offer))
        .route("/begin", post(begin))
        .route("/done", post(done))
        .route("/failed", post(failed))
        .with_state(page)
}

async fn script(State(page): State<PageState>) -> Response {
    file(&page, "passkey.js", "text/javascript; charset=utf-8")
}

async fn style(State(page): State<PageState>) -> Response {
    file(&page, "passkey.css", "text/css; charset=utf-8")
}

fn file(page: &PageState, name: &str, kind: &'static str) -> Response {
    match page.pages.get(name) {
        Some(bytes) => ([(header::CONTENT_TYPE, kind)], bytes.into_owned()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Begin {
    state: String,
}

#[derive(Deserialize)]
struct Done {
    state: String,
    token: Secret,
}

#[derive(Deserialize)]
struct Failed {
    state: String,
    why: BrowserFailure,
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// Uses nothing up: pages are loaded again, and links opened by others than people.
async fn offer(State(page): State<PageState>, headers: HeaderMap, body: Body<Begin>) -> Response {
    let Ok(Json(Begin { state })) = body else { return unread() };
    if !page.is_our_page(&headers, &state) {
        return stranger();
    }
    if page.messages.is_closed() { over() } else { Json(&page.offer).into_response() }
}

async fn begin(State(page): State<PageState>, headers: HeaderMap, body: Body<Begin>) -> Response {
    let Ok(Json(Begin { state })) = body else { return unread() };
    if !page.is_our_page(&headers, &state) {
        return stranger();
    }
    let (answer, answered) = oneshot::channel();
    match page.ask(BrowserMessage::Begin(answer), answered).await {
        Some(Ok(asked)) => Json(asked).into_response(),
        Some(Err(trouble)) => refused(StatusCode::CONFLICT, &trouble),
        None => over(),
    }
}

async fn done(State(page): State<PageState>, headers: HeaderMap, body: Body<Done>) -> Response {
    let Ok(Json(Done { state, token: Secret(token) })) = body else { return unread() };
    if !page.is_our_page(&headers, &state) {
        return stranger();
    }
    let (answer, answered) = oneshot::channel();
    match page.ask(BrowserMessage::Done(token, answer), answered).await {
        Some(Ok(text)) => Json(json!({ "text": text })).into_response(),
        Some(Err(trouble)) => refused(StatusCode::CONFLICT, &trouble),
        None => over(),
    }
}

async fn failed(State(page): State<PageState>, headers: HeaderMap, body: Body<Failed>) -> Response {
    let Ok(Json(Failed { state, why })) = body else { return unread() };
    if !page.is_our_page(&headers, &state) {
        return stranger();
    }
    match page.messages.try_send(BrowserMessage::Failed(why)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => over(),
    }
}

impl PageState {
    /// Whether the request comes from our own page, for the step under way. The states are compared
    /// by their hashes, so that the time of the comparison gives nothing away.
    fn is_our_page(&self, headers: &HeaderMap, state: &str) -> bool {
        let is_our_page =
            self.guard.allows_caller(headers) && TokenHash::from_token(state) == self.state;
        if !is_our_page {
            tracing::warn!("somebody asked the page in the browser without its state");
        }
        is_our_page
    }

    /// Passes the message on and waits for its answer; none if the step is over
    /// or already answered.
    async fn ask<T>(&self, message: BrowserMessage, answered: oneshot::Receiver<T>) -> Option<T> {
        self.messages.try_send(message).ok()?;
        answered.await.ok()
    }
}

fn unread() -> Response {
    let text = "Go on with this page: what it sent can't be read.";
    refused(StatusCode::BAD_REQUEST, &again(text))
}

fn stranger() -> Response {
    let text = "Go on with this page: it does not belong to the step that Deskhand waits for.";
    refused(StatusCode::FORBIDDEN, &again(text))
}

fn over() -> Response {
    refused(StatusCode::CONFLICT, &used())
}

/// The trouble of a page whose step is over, or was never begun.
pub fn used() -> Trouble {
    again("Go on with this page: its step is over or already completed.")
}

fn again(text: &str) -> Trouble {
    Trouble {
        code: Code::Refused,
        text: text.into(),
        remedy: "Close this page; then begin again in Deskhand.".into(),
    }
}

fn refused(status: StatusCode, Trouble { text, remedy, .. }: &Trouble) -> Response {
    (status, Json(json!({ "text": text, "remedy": remedy }))).into_response()
}

fn exposed<S: serde::Serializer>(
    token: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match token {
        Some(token) => serializer.serialize_some(token.expose_secret()),
        None => serializer.serialize_none(),
    }
}
