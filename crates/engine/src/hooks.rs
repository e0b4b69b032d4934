//! The webhook listener: one socket, a secret route for each hook of each session.
//!
//! The token in the path alone says which session and which hook; the body's content and state
//! decide nothing, for the service fires a hook once, however badly it sends it. This module doesn't know how a session handles an event. On receipt two
//! things start at once: the session re-arms the hook, and the event is committed; 200
//! means committed.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    routing::{get, post},
};
use parking_lot::{Mutex, RwLock};
use ring::digest::{SHA256, digest};
use serve::{Bodies, Limits, Paces, Tally};
use session::{Delivery, DeliveryId, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot};
use wire::{HookType, session_events::REVISION_HEADER};

use crate::{
    SessionId,
    clock::now,
    journal::{Answer, Journal, JournalError},
    token::{HookToken, TokenHash},
    watch::Watch,
};

/// At most this many events of one token may wait for the disk; further ones get 429. Whoever hangs up at once never
/// sees that answer, so it is far more than happen while a disk is slow.
const MOST_UNCOMMITTED: u32 = 1_024;
/// The id of a delivery, the same at each try, by Standard Webhooks.
const ID_HEADER: &str = "webhook-id";
/// Between two tries to write an event that the disk refused.
const RETRY_WRITE: Duration = Duration::from_secs(2);

/// Receives a hook's events.
pub trait Receiver: Send + Sync + 'static {
    /// A hook has fired. It isn't committed yet.
    fn received(&self, session: SessionId, hook: HookType);
    /// It is committed, at `seq`; or not yet (`None`), because the disk refused it.
    fn committed(
        &self,
        session: SessionId,
        hook: HookType,
        delivery: Delivery,
        seq: Option<u64>,
        at: Timestamp,
    );
    /// An event that the disk had refused is written now.
    fn written(&self, session: SessionId, seq: u64);
    /// The disk refused an event, or took one again (`None`).
    fn disk(&self, failure: Option<&JournalError>);
}

/// The secret routes, by the SHA-256 of their tokens, and what came in by them.
#[derive(Clone, Default)]
pub struct Routes {
    open: Arc<RwLock<OpenRoutes>>,
    some_unread: Arc<AtomicBool>,
    pub(crate) counts: Arc<Counts>,
}

#[derive(Default)]
struct OpenRoutes {
    by_token: HashMap<TokenHash, Arc<Route>>,
    /// So that nobody has to look through all routes for those of one session.
    by_session: HashMap<SessionId, HashSet<TokenHash>>,
}

/// What came to the listener since the engine's start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Webhooks that are on the disk.
    pub saved: AtomicU64,
    /// Webhooks that count, but that the disk has refused at first.
    pub unsaved: AtomicU64,
    pub refusals: Tally,
}

struct Route {
    session: SessionId,
    hook: HookType,
    uncommitted: AtomicU32,
}

impl Routes {
    /// Opens the four routes of a session.
    pub fn open(&self, session: SessionId, tokens: &[HookToken; 4]) {
        let mut open = self.open.write();
        for (hook, token) in HookType::ALL.into_iter().zip(tokens) {
            let route = Route { session, hook, uncommitted: AtomicU32::new(0) };
            open.by_token.insert(token.hash(), Arc::new(route));
            open.by_session.entry(session).or_default().insert(token.hash());
        }
    }

    /// Closes the routes of a session: its tokens are unknown from now on.
    pub fn close(&self, tokens: &[HookToken; 4]) {
        let mut open = self.open.write();
        for hash in tokens.iter().map(HookToken::hash) {
            let Some(route) = open.by_token.remove(&hash) else { continue };
            if let Entry::Occupied(mut theirs) = open.by_session.entry(route.session) {
                theirs.get_mut().remove(&hash);
                if theirs.get().is_empty() {
                    theirs.remove();
                }
            }
        }
    }

    /// Closes the routes of a session whose tokens nobody has any more.
    pub fn forget(&self, session: SessionId) {
        let mut open = self.open.write();
        for hash in open.by_session.remove(&session).unwrap_or_default() {
            open.by_token.remove(&hash);
        }
    }

    /// Sessions of the journal can't be read, so a token that isn't known may be one of theirs: whoever comes with it is
    /// asked to come again, for what can't be read now may be restored.
    pub fn some_are_unread(&self) {
        self.some_unread.store(true, Ordering::Relaxed);
    }

    /// Whether this may be the token of a session that can't be read.
    fn may_be_unread(&self, text: &str) -> bool {
        self.some_unread.load(Ordering::Relaxed) && text.parse::<HookToken>().is_ok()
    }

    fn find(&self, text: &str) -> Option<Arc<Route>> {
        // Looked up by its hash: the map holds no token in plain.
        let hash = TokenHash::from_token(text);
        self.open.read().by_token.get(&hash).cloned()
    }
}

/// The nonces with which the service's way to this listener is tested.
#[derive(Clone, Default)]
pub struct Nonces(Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>);

impl Nonces {
    /// Expects a call of `/hook/reach/{nonce}`; the receiver resolves when it comes.
    pub fn expect(&self, nonce: String) -> oneshot::Receiver<()> {
        let (came, wait) = oneshot::channel();
        let mut nonces = self.0.lock();
        nonces.retain(|_, waiting| !waiting.is_closed());
        nonces.insert(nonce, came);
        wait
    }

    fn came(&self, nonce: &str) -> bool {
        let waiting = self.0.lock().remove(nonce);
        waiting.is_some_and(|waiting| waiting.send(()).is_ok())
    }
}

/// The parts that the listener's handlers share.
struct Shared<R> {
    routes: Routes,
    nonces: Nonces,
    inbox: Arc<Inbox<R>>,
    /// Behind a lock, so that events enter the journal and this queue in the same order.
    queue: Mutex<mpsc::UnboundedSender<Queued>>,
}

/// The destinations of events: the journal and the receiver.
struct Inbox<R> {
    journal: Journal,
    receiver: R,
    /// Events that the disk refused, oldest first.
    refused: Mutex<VecDeque<(Uncommitted, Timestamp)>>,
    was_refused: Notify,
}

/// An event that isn't on the disk yet: it counts against its token for as long as this lives.
struct Uncommitted(Arc<Route>, Delivery);

/// An event on its way to the disk.
struct Queued {
    event: Uncommitted,
    at: Timestamp,
    written: Answer<u64>,
    done: oneshot::Sender<bool>,
}

/// The limits to serve the listener with: an event counts whatever becomes of its body and however many come at once.
/// It takes so many connections, or as many as a server does by default.
pub fn limits(connections: Option<usize>) -> Limits {
    let (bodies, paces) = (Bodies::Ignored, Some(Paces::OF_WEBHOOKS));
    let limits = Limits { bodies, paces, ..Limits::default() };
    Limits { connections: connections.unwrap_or(limits.connections), ..limits }
}

/// The listener's routes, to be served behind [`serve::HostGuard`] and with [`limits`].
pub fn router<R: Receiver>(
    routes: Routes,
    nonces: Nonces,
    journal: Journal,
    receiver: R,
    watch: &Watch,
) -> Router {
    let (queue, queued) = mpsc::unbounded_channel();
    let (refused, was_refused) = (Mutex::default(), Notify::new());
    let inbox = Arc::new(Inbox { journal, receiver, refused, was_refused });
    // Not ended by `stopping`: requests that are under way then are still answered. It ends with
    // the router.
    let (telling, queued) = (inbox.clone(), Arc::new(tokio::sync::Mutex::new(queued)));
    watch.keep("tell the sessions what their webhooks report", move || {
        tell_in_order(telling.clone(), queued.clone())
    });
    let (writing, stopping) = (inbox.clone(), watch.stopping.clone());
    watch.keep("save the webhooks that the disk refused", move || {
        let (writing, stopping) = (writing.clone(), stopping.clone());
        async move {
            let _ = stopping.run_until_cancelled(write_refused(writing)).await;
        }
    });
    let shared = Arc::new(Shared { routes, nonces, inbox, queue: Mutex::new(queue) });
    Router::new()
        .route("/hook/{token}", post(hook::<R>))
        .route("/hook/reach/{nonce}", post(reach::<R>))
        // Where tests went before; somebody's own check of a proxy may still go there.
        .route("/reach/{nonce}", get(reach::<R>).post(reach::<R>))
        .with_state(shared)
}

async fn hook<R: Receiver>(
    State(shared): State<Arc<Shared<R>>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> StatusCode {
    let counts = &shared.routes.counts;
    let Some(route) = shared.routes.find(&token) else {
        if shared.routes.may_be_unread(&token) {
            counts.refusals.refused("unread_session");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        counts.refusals.refused("unknown_token");
        return StatusCode::NOT_FOUND;
    };
    // Before anything is refused: the service has fired the hook, so it has to be put again whatever becomes of this.
    shared.inbox.receiver.received(route.session, route.hook);
    let Some(event) = Uncommitted::new(route, delivery(&headers)) else {
        counts.refusals.refused("too_many");
        return StatusCode::TOO_MANY_REQUESTS;
    };
    // The sender may hang up: the event is committed and passed on all the same.
    let (session, hook) = (event.0.session, event.0.hook);
    match shared.commit(event, now()).await {
        Ok(true) => {
            tracing::info!(%session, %hook, "a webhook arrived");
            counts.saved.fetch_add(1, Ordering::Relaxed);
            StatusCode::OK
        }
        Ok(false) | Err(_) => {
            counts.unsaved.fetch_add(1, Ordering::Relaxed);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// What the headers say: the session's revision, which our own broker gives, and the id of Standard Webhooks. The token
/// has told already which hook of which session it is, so whoever lies here deceives nobody but themselves.
fn delivery(headers: &HeaderMap) -> Delivery {
    let revision = headers.get(REVISION_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    let id = headers.get(ID_HEADER).map(HeaderValue::as_bytes).filter(|id| !id.is_empty());
    Delivery { revision, id: id.map(short_digest) }
}

/// As short as can be kept of many: by chance two ids are the same once in more deliveries than there will ever be.
fn short_digest(id: &[u8]) -> DeliveryId {
    let digest = digest(&SHA256, id);
    DeliveryId(digest.as_ref().iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

impl Uncommitted {
    /// None if the route has as many as it may.
    fn new(route: Arc<Route>, delivery: Delivery) -> Option<Self> {
        // Counted before it is compared, so that two requests at once can't both take the
        // last place.
        let before = route.uncommitted.fetch_add(1, Ordering::Relaxed);
        let event = Self(route, delivery);
        (before < MOST_UNCOMMITTED).then_some(event)
    }
}

impl Drop for Uncommitted {
    fn drop(&mut self) {
        self.0.uncommitted.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<R> Shared<R> {
    /// Sends an event to the disk. The answer says whether it is there.
    fn commit(&self, event: Uncommitted, at: Timestamp) -> oneshot::Receiver<bool> {
        let (done, committed) = oneshot::channel();
        let queue = self.queue.lock();
        let written =
            self.inbox.journal.append_reported(event.0.session, event.0.hook, event.1, at);
        // The other end is kept for as long as this one lives.
        let _ = queue.send(Queued { event, at, written, done });
        committed
    }
}

/// Passes events on in the order of their sequence, so that "applied up to" has no holes.
async fn tell_in_order<R: Receiver>(
    inbox: Arc<Inbox<R>>,
    queued: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Queued>>>,
) {
    let mut queued = queued.lock().await;
    while let Some(Queued { event, at, written, done }) = queued.recv().await {
        let (session, hook, delivery) = (event.0.session, event.0.hook, event.1);
        let written = written.await;
        match &written {
            Ok(seq) => {
                drop(event);
                inbox.receiver.committed(session, hook, delivery, Some(*seq), at);
            }
            Err(error) => {
                // It has happened, so it is applied; it is written as soon as the disk takes it.
                inbox.refused.lock().push_back((event, at));
                inbox.was_refused.notify_one();
                inbox.receiver.disk(Some(error));
                inbox.receiver.committed(session, hook, delivery, None, at);
            }
        }
        // Whoever sent it may have hung up.
        let _ = done.send(written.is_ok());
    }
}

/// Retries writing events that the disk refused. An event leaves the queue only once it is written,
/// so that none is lost with this task.
async fn write_refused<R: Receiver>(inbox: Arc<Inbox<R>>) {
    let oldest = || {
        let refused = inbox.refused.lock();
        refused.front().map(|(event, at)| (event.0.session, event.0.hook, event.1, *at))
    };
    loop {
        if oldest().is_none() {
            inbox.was_refused.notified().await;
        }
        tokio::time::sleep(RETRY_WRITE).await;
        while let Some((session, hook, delivery, at)) = oldest() {
            match inbox.journal.append_reported(session, hook, delivery, at).await {
                Ok(seq) => {
                    inbox.refused.lock().pop_front();
                    inbox.receiver.written(session, seq);
                    inbox.receiver.disk(None);
                }
                Err(error) => {
                    inbox.receiver.disk(Some(&error));
                    break;
                }
            }
        }
    }
}

async fn reach<R: Receiver>(
    State(shared): State<Arc<Shared<R>>>,
    Path(nonce): Path<String>,
) -> StatusCode {
    if shared.nonces.came(&nonce) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}
