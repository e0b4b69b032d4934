//! The webhook listener: one socket, a secret route for each hook of each session.
//!
//! The token in the path alone says which session and which hook; the body is read, bounded, and
//! never trusted. Nothing here knows what a session does with an event. Two things start at once on
//! receipt: the session is told (it re-arms), and the event is committed; 200 means committed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, Weak,
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
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use wire::HookType;

use crate::{
    SessionId,
    bus::lock,
    clock::now,
    journal::{Answer, Journal, JournalError},
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
pub struct Nonces(Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>);

impl Nonces {
    /// Expects a call of `/reach/{nonce}`; the receiver resolves when it comes.
    pub fn expect(&self, nonce: String) -> oneshot::Receiver<()> {
        let (came, wait) = oneshot::channel();
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
    stopping: CancellationToken,
    /// Behind a lock, so that events go to the journal and to the line in the same order.
    line: Mutex<mpsc::UnboundedSender<Waiting>>,
}

/// An event on its way to the disk.
struct Waiting {
    route: Arc<Route>,
    at: Timestamp,
    written: Answer<u64>,
    done: oneshot::Sender<bool>,
}

/// The listener's routes, to be served behind [`serve::HostGuard`] and [`serve::Limits`].
pub fn router<R: Receiver>(
    routes: Routes,
    nonces: Nonces,
    journal: Journal,
    receiver: R,
    stopping: CancellationToken,
) -> Router {
    let (line, waiting) = mpsc::unbounded_channel();
    let shared =
        Arc::new(Shared { routes, nonces, journal, receiver, stopping, line: Mutex::new(line) });
    tokio::spawn(tell_in_order(Arc::downgrade(&shared), waiting));
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
    // The sender may hang up: the event is committed and told all the same.
    match shared.commit(route, now()).await {
        Ok(true) => StatusCode::OK,
        Ok(false) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl<R> Shared<R> {
    /// Sends an event to the disk. The answer says whether it is there.
    fn commit(&self, route: Arc<Route>, at: Timestamp) -> oneshot::Receiver<bool> {
        let (done, committed) = oneshot::channel();
        let line = lock(&self.line);
        let written = self.journal.append(route.session, route.hook, at);
        // The line ends only with the listener.
        let _ = line.send(Waiting { route, at, written, done });
        committed
    }
}

/// Tells of events in the order of their sequence, so that "applied up to" has no holes.
async fn tell_in_order<R: Receiver>(
    shared: Weak<Shared<R>>,
    mut waiting: mpsc::UnboundedReceiver<Waiting>,
) {
    while let Some(Waiting { route, at, written, done }) = waiting.recv().await {
        let written = written.await;
        let Some(shared) = shared.upgrade() else { return };
        let (session, hook) = (route.session, route.hook);
        match written {
            Ok(seq) => {
                route.uncommitted.fetch_sub(1, Ordering::Relaxed);
                shared.receiver.committed(session, hook, Some(seq), at);
                let _ = done.send(true);
            }
            Err(error) => {
                // It has happened, so it is applied; it is written as soon as the disk takes it.
                shared.receiver.disk(Some(&error));
                shared.receiver.committed(session, hook, None, at);
                let _ = done.send(false);
                tokio::spawn(write_later(shared, route, at));
            }
        }
    }
}

async fn write_later<R: Receiver>(shared: Arc<Shared<R>>, route: Arc<Route>, at: Timestamp) {
    loop {
        let wait = tokio::time::sleep(RETRY_WRITE);
        if shared.stopping.run_until_cancelled(wait).await.is_none() {
            return;
        }
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
