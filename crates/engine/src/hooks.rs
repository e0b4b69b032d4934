//! The webhook listener: one socket, a secret route for each hook of each session.
//!
//! The token in the path alone says which session and which hook; the body is read, bounded, and
//! never trusted. Nothing here knows what a session does with an event. Two things start at once on
//! receipt: the session is told (it re-arms), and the event is committed; 200 means committed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use session::Timestamp;
use wire::HookType;

use crate::{
    SessionId,
    clock::now,
    journal::{Journal, JournalError},
    token::{HookToken, TokenHash},
};

/// More events of one token than this wait for the disk: the rest get 429.
const MOST_UNCOMMITTED: u32 = 32;
/// Between two tries to write an event that the disk refused.
const RETRY_WRITE: Duration = Duration::from_secs(2);

/// Who is told of a hook's events.
pub trait Receiver: Send + Sync + 'static {
    /// A hook has fired. It isn't committed yet.
    fn received(&self, session: SessionId, hook: HookType);
    /// It is committed, at `seq`; or not yet (`None`), because the disk refused it.
    fn committed(&self, session: SessionId, hook: HookType, seq: Option<u64>, at: Timestamp);
    /// An event that the disk had refused is written now.
    fn written(&self, session: SessionId, seq: u64);
    /// The disk refused an event, or took one again (`None`).
    fn disk(&self, failure: Option<&JournalError>);
}

/// The secret routes, by the SHA-256 of their tokens.
#[derive(Clone, Default)]
pub struct Routes(Arc<RwLock<HashMap<TokenHash, Arc<Route>>>>);

struct Route {
    session: SessionId,
    hook: HookType,
    uncommitted: AtomicU32,
}

impl Routes {
    /// Opens the four routes of a session.
    pub fn open(&self, session: SessionId, tokens: &[HookToken; 4]) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (hook, token) in HookType::ALL.into_iter().zip(tokens) {
            let route = Route { session, hook, uncommitted: AtomicU32::new(0) };
            routes.insert(token.hash(), Arc::new(route));
        }
    }

    /// Closes the routes of a session: its tokens are unknown from now on.
    pub fn close(&self, tokens: &[HookToken; 4]) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for token in tokens {
            routes.remove(&token.hash());
        }
    }

    fn find(&self, text: &str) -> Option<Arc<Route>> {
        let hash = TokenHash::of(text);
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned()
    }
}

/// The nonces with which the service's way to this listener is tested.
#[derive(Clone, Default)]
pub struct Nonces(Arc<Mutex<HashMap<String, tokio::sync::oneshot::Sender<()>>>>);

impl Nonces {
    /// Expects a call of `/reach/{nonce}`; the receiver resolves when it comes.
    pub fn expect(&self, nonce: String) -> tokio::sync::oneshot::Receiver<()> {
        let (came, wait) = tokio::sync::oneshot::channel();
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|_, waiting| !waiting.is_closed());
        nonces.insert(nonce, came);
        wait
    }

    fn came(&self, nonce: &str) -> bool {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(nonce);
        waiting.is_some_and(|waiting| waiting.send(()).is_ok())
    }
}

/// What the listener's handlers share.
struct Shared<R> {
    routes: Routes,
    nonces: Nonces,
    journal: Journal,
    receiver: R,
}

/// The listener's routes, to be served behind [`serve::HostGuard`] and [`serve::Limits`].
pub fn router<R: Receiver>(
    routes: Routes,
    nonces: Nonces,
    journal: Journal,
    receiver: R,
) -> Router {
    let shared = Arc::new(Shared { routes, nonces, journal, receiver });
    Router::new()
        .route("/hook/{token}", post(hook::<R>))
        .route("/reach/{nonce}", get(reach::<R>).post(reach::<R>))
        .with_state(shared)
}

async fn hook<R: Receiver>(
    State(shared): State<Arc<Shared<R>>>,
    Path(token): Path<String>,
    // Read to its end, so that the limits apply; what it says is not trusted and not kept.
    _body: Bytes,
) -> StatusCode {
    let Some(route) = shared.routes.find(&token) else { return StatusCode::NOT_FOUND };
    if route.uncommitted.fetch_add(1, Ordering::Relaxed) >= MOST_UNCOMMITTED {
        route.uncommitted.fetch_sub(1, Ordering::Relaxed);
        return StatusCode::TOO_MANY_REQUESTS;
    }
    shared.receiver.received(route.session, route.hook);
    let at = now();
    // In a task of its own: the sender may hang up, and the event must be committed all the same.
    let committed = tokio::spawn(commit(shared.clone(), route, at)).await;
    if committed.unwrap_or(false) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Commits one event and tells of it. Answers whether it is on disk.
async fn commit<R: Receiver>(shared: Arc<Shared<R>>, route: Arc<Route>, at: Timestamp) -> bool {
    let (session, hook) = (route.session, route.hook);
    match shared.journal.append(session, hook, at).await {
        Ok(seq) => {
            route.uncommitted.fetch_sub(1, Ordering::Relaxed);
            shared.receiver.committed(session, hook, Some(seq), at);
            true
        }
        Err(error) => {
            // It has happened, so it is applied; it is written as soon as the disk takes it.
            shared.receiver.disk(Some(&error));
            shared.receiver.committed(session, hook, None, at);
            tokio::spawn(write_later(shared, route, at));
            false
        }
    }
}

async fn write_later<R: Receiver>(shared: Arc<Shared<R>>, route: Arc<Route>, at: Timestamp) {
    loop {
        tokio::time::sleep(RETRY_WRITE).await;
        match shared.journal.append(route.session, route.hook, at).await {
            Ok(seq) => {
                route.uncommitted.fetch_sub(1, Ordering::Relaxed);
                shared.receiver.written(route.session, seq);
                shared.receiver.disk(None);
                return;
            }
            Err(JournalError::Closed { .. }) => return,
            Err(error) => shared.receiver.disk(Some(&error)),
        }
    }
}

async fn reach<R: Receiver>(
    State(shared): State<Arc<Shared<R>>>,
    Path(nonce): Path<String>,
) -> StatusCode {
    if shared.nonces.came(&nonce) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}
