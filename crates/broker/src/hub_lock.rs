//! The hub behind its lock. How long others have to wait for it is counted: everybody notices that.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard};

use crate::hub::Hub;

/// Never held across an `await`, nor for work that grows with the number of sessions.
#[derive(Debug)]
pub(crate) struct HubLock {
    hub: Mutex<Hub>,
    longest_micros: AtomicU64,
}

impl HubLock {
    pub const fn new(hub: Hub) -> Self {
        Self { hub: Mutex::new(hub), longest_micros: AtomicU64::new(0) }
    }

    pub fn lock(&self) -> HubGuard<'_> {
        let hub = self.hub.lock();
        HubGuard { hold: Hold { began: Instant::now(), longest: &self.longest_micros }, hub }
    }

    /// Works on the hub in turns, as long as a turn returns that there is more to do. Between two turns others get at
    /// the hub.
    pub fn in_turns(&self, mut turn: impl FnMut(&mut Hub) -> bool) {
        loop {
            let mut held = self.lock();
            let more = turn(&mut held);
            held.release();
            if !more {
                return;
            }
        }
    }

    /// The longest time for which it was held since this was asked last, in microseconds.
    pub fn take_longest_micros(&self) -> u64 {
        self.longest_micros.swap(0, Ordering::Relaxed)
    }
}

/// The hub, while it is held.
pub(crate) struct HubGuard<'a> {
    // First, so that it ends before the lock is let go.
    hold: Hold<'a>,
    hub: MutexGuard<'a, Hub>,
}

/// How long the hub is held.
struct Hold<'a> {
    began: Instant,
    longest: &'a AtomicU64,
}

impl HubGuard<'_> {
    /// Fairly: otherwise this thread could have it again before anybody who waits has woken up.
    fn release(self) {
        drop(self.hold);
        MutexGuard::unlock_fair(self.hub);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.longest.fetch_max(micros, Ordering::Relaxed);
    }
}

impl Deref for HubGuard<'_> {
    type Target = Hub;

    fn deref(&self) -> &Hub {
        &self.hub
    }
}

impl DerefMut for HubGuard<'_> {
    fn deref_mut(&mut self) -> &mut Hub {
        &mut self.hub
    }
}
