//! The two outputs: snapshots (the level, may be skipped) and events (the edge, never skipped).
//!
//! A slow subscriber costs no memory: it learns only which sessions changed, and that there are new
//! events; it reads the newest snapshot, and the events from the journal, when it gets to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use session::{Failure, Gate, Lamp, LiveFacts, Record, State, Timestamp, push_brake::Brake};
use tokio::sync::Notify;
use wire::Pin;

use crate::SessionId;

/// A session as it is now.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub id: SessionId,
    /// Newer is larger, per session and run of the engine.
    pub revision: u64,
    /// The stored record.
    pub record: Arc<Record>,
    /// The hooks' lamps.
    pub lamps: [Lamp; 4],
    /// Who is connected and whether the screen is shared, by the broker's word; none while nobody tells it.
    pub facts: Option<LiveFacts>,
    /// Viewer windows of ours.
    pub windows: u32,
    /// When the chat was last fetched.
    pub chat_as_of: Option<Timestamp>,
    /// Why the chat could not be fetched last; none if it could.
    pub chat_failure: Option<Failure>,
    /// The PIN; it doesn't print itself.
    pub pin: Option<Pin>,
    /// Whether its newest change isn't on disk yet.
    pub unsaved: bool,
    /// When its newest activity happened.
    pub active_at: Timestamp,
    /// The progress of the customer's program while it is being downloaded.
    pub progress: Option<Progress>,
    /// Why the person who was asked last may not be sent another push yet, and until when.
    pub next_push: Option<Brake>,
    /// The verification gate's policy.
    pub gate: Gate,
}

/// A download's progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes written to the file.
    pub bytes: u64,
    /// The file's size in bytes, if the service gives it.
    pub total: Option<u64>,
}

impl Snapshot {
    pub(crate) fn new(
        id: SessionId,
        revision: u64,
        record: &Arc<Record>,
        state: &State,
        pin: Option<Pin>,
        unsaved: bool,
    ) -> Self {
        Self {
            id,
            revision,
            record: record.clone(),
            lamps: state.lamps.clone(),
            facts: state.facts.clone(),
            windows: state.windows,
            chat_as_of: state.chat_as_of,
            chat_failure: state.chat_failure,
            pin,
            unsaved,
            active_at: state.active_at,
            progress: None,
            next_push: None,
            gate: state.gate,
        }
    }
}

/// Where snapshots are put and subscribers wait.
#[derive(Default)]
pub struct Bus {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    latest: BTreeMap<SessionId, Arc<Snapshot>>,
    subscribers: Vec<Weak<Subscriber>>,
}

#[derive(Default)]
struct Subscriber {
    dirty: Mutex<Dirty>,
    notify: Notify,
}

#[derive(Default)]
struct Dirty {
    sessions: BTreeSet<SessionId>,
    gone: BTreeSet<SessionId>,
    happened: bool,
    troubled: bool,
}

/// The changes since the last call.
#[derive(Debug, Default)]
pub struct Changes {
    /// The newest snapshots of the sessions that changed.
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The sessions that were deleted.
    pub gone: Vec<SessionId>,
    /// Whether the journal has new events.
    pub happened: bool,
    /// Whether the engine's own health changed.
    pub health: bool,
}

/// A subscription; it ends when dropped.
pub struct Subscription {
    subscriber: Arc<Subscriber>,
    bus: Arc<Bus>,
}

impl Bus {
    /// Subscribes; the first look has every session.
    pub fn subscribe(self: &Arc<Self>) -> Subscription {
        let subscriber = Arc::new(Subscriber::default());
        let mut inner = self.inner.lock();
        {
            let mut dirty = subscriber.dirty.lock();
            dirty.sessions = inner.latest.keys().copied().collect();
            dirty.happened = true;
            dirty.troubled = true;
        }
        subscriber.notify.notify_one();
        // Still under the lock: a change between the list of sessions and the subscription would
        // be lost.
        inner.subscribers.retain(|weak| weak.strong_count() > 0);
        inner.subscribers.push(Arc::downgrade(&subscriber));
        drop(inner);
        Subscription { subscriber, bus: self.clone() }
    }

    /// The newest snapshot of a session.
    pub fn latest(&self, id: SessionId) -> Option<Arc<Snapshot>> {
        self.inner.lock().latest.get(&id).cloned()
    }

    /// The newest snapshots of all sessions.
    pub fn all(&self) -> Vec<Arc<Snapshot>> {
        self.inner.lock().latest.values().cloned().collect()
    }

    pub(crate) fn publish(&self, snapshot: Snapshot, happened: bool) {
        let mut inner = self.inner.lock();
        let id = snapshot.id;
        // Stored before subscribers wake up, since they read it here.
        inner.latest.insert(id, Arc::new(snapshot));
        inner.tell(|dirty| {
            dirty.sessions.insert(id);
            dirty.happened |= happened;
        });
    }

    /// Forgets a session that was deleted.
    pub(crate) fn forget(&self, id: SessionId) {
        let mut inner = self.inner.lock();
        inner.latest.remove(&id);
        inner.tell(|dirty| {
            dirty.sessions.remove(&id);
            dirty.gone.insert(id);
        });
    }

    pub(crate) fn health_changed(&self) {
        self.inner.lock().tell(|dirty| dirty.troubled = true);
    }
}

impl Inner {
    fn tell(&self, mark: impl Fn(&mut Dirty)) {
        for subscriber in self.subscribers.iter().filter_map(Weak::upgrade) {
            mark(&mut subscriber.dirty.lock());
            subscriber.notify.notify_one();
        }
    }
}

impl Subscription {
    /// Waits for the next change and takes all changes up to then.
    pub async fn changed(&mut self) -> Changes {
        loop {
            self.subscriber.notify.notified().await;
            let dirty = std::mem::take(&mut *self.subscriber.dirty.lock());
            let news = !dirty.sessions.is_empty() || !dirty.gone.is_empty();
            if !news && !dirty.happened && !dirty.troubled {
                continue;
            }
            // Only now: `publish` takes `dirty` while it holds `inner`, so the other order could
            // block both.
            let inner = self.bus.inner.lock();
            let snapshots =
                dirty.sessions.iter().filter_map(|id| inner.latest.get(id).cloned()).collect();
            let gone = dirty.gone.into_iter().collect();
            return Changes { snapshots, gone, happened: dirty.happened, health: dirty.troubled };
        }
    }
}
