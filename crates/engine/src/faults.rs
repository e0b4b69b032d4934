//! Faults that tests inject on purpose. No other code sets them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::archive::ArchiveError;

/// Faults of the sessions' actors, of the archive that they write to, and of time. Clones switch
/// the same faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    deaths: Arc<AtomicU32>,
    archive_locked: Arc<AtomicBool>,
    unseen_ms: Arc<AtomicU64>,
    way_rests: Arc<AtomicBool>,
}

impl Faults {
    /// The next `times` events that are applied kill their actor.
    pub fn kill_actors(&self, times: u32) {
        self.deaths.store(times, Ordering::SeqCst);
    }

    /// From now on another program holds the archive whenever a chat is to be archived, or not
    /// any more.
    pub fn lock_archive(&self, locked: bool) {
        self.archive_locked.store(locked, Ordering::SeqCst);
    }

    /// Time passes as if the process had been stopped meanwhile: all clocks went on.
    pub fn let_time_pass_unseen(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.unseen_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// From now on time alone brings no test of the way to the listener: it is tested when something asks for it.
    pub fn test_way_only_when_asked(&self) {
        self.way_rests.store(true, Ordering::SeqCst);
    }

    pub(crate) fn way_is_tested_only_when_asked(&self) -> bool {
        self.way_rests.load(Ordering::SeqCst)
    }

    pub(crate) fn time_unseen(&self) -> Duration {
        Duration::from_millis(self.unseen_ms.load(Ordering::SeqCst))
    }

    pub(crate) fn check_archive(&self) -> Result<(), ArchiveError> {
        if self.archive_locked.load(Ordering::SeqCst) {
            return Err(ArchiveError::Locked { doing: "archive the transcript" });
        }
        Ok(())
    }

    /// Panics if a death was asked for.
    pub(crate) fn die_if_asked(&self) {
        let left = self
            .deaths
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "a fault was asked for");
    }
}
