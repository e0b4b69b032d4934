//! What feeds wait for beside the engine's own changes, and how what they push is numbered.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::SessionId;
use tokio::sync::watch;

/// What feeds wait for, and the numbers of what they push.
pub(crate) struct Updates {
    /// The session that the window shows.
    pub on_screen: watch::Sender<Option<SessionId>>,
    /// Counts changes that no snapshot shows, such as settings, notes and marks.
    changes: watch::Sender<u64>,
    revision: AtomicU64,
    /// Where feeds begin, if not at the newest event.
    from_seq: Option<u64>,
    /// The newest event that this run knows of.
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

    /// Has feeds look again at what no snapshot shows.
    pub fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A revision for a view that is about to be made: what is read after this is not older.
    pub fn next_revision(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The event after which a feed begins that starts now.
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
