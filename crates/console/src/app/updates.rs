//! The changes that feeds wait for beside the engine's own, and the revisions of the views.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::SessionId;
use tokio::sync::watch;

/// The changes that feeds wait for, and the numbers of what they push.
pub(crate) struct Updates {
    /// The session that the window shows.
    pub on_screen: watch::Sender<Option<SessionId>>,
    /// Counts changes that no snapshot shows, such as settings, notes and marks.
    changes: watch::Sender<u64>,
    revision: AtomicU64,
    /// The event after which feeds begin, if not the newest one.
    from_seq: Option<u64>,
    /// The newest event known in this run.
    newest: AtomicU64,
}

impl Updates {
    pub fn new(from_seq: Option<u64>, newest: u64) -> Self {
        Self {
            on_screen: watch::Sender::new(None),
            changes: watch::Sender::new(0),
            revision: AtomicU64::new(0),
            from_seq,
            newest: AtomicU64::new(newest),
        }
    }

    /// Makes feeds look again at the facts that no snapshot shows.
    pub fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The revision for a view whose facts are read after this call.
    pub fn next_revision(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The event after which a feed that starts now begins.
    pub fn start_of_feed(&self) -> u64 {
        self.from_seq.unwrap_or_else(|| self.newest())
    }

    pub fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    pub fn set_newest(&self, seq: u64) {
        self.newest.store(seq, Ordering::Release);
    }
}
