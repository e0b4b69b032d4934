//! What goes wrong on purpose, for tests of what happens then. Nobody else sets any of it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Faults of the sessions' actors. Clones switch the same faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    deaths: Arc<AtomicU32>,
}

impl Faults {
    /// The next `times` events that are applied kill their actor.
    pub fn kill_actors(&self, times: u32) {
        self.deaths.store(times, Ordering::SeqCst);
    }

    /// Dies if it was asked for.
    ///
    /// # Panics
    /// Then.
    pub(crate) fn die_if_asked(&self) {
        let left = self
            .deaths
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "a fault was asked for");
    }
}
