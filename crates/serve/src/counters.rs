//! What a server counts of its connections: those that are open, and what it refused, by kind.
//!
//! No address is kept here: a number says enough of who came too often.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// How often a kind of refusal is logged at most.
const LOGGED_EVERY: Duration = Duration::from_mins(1);
/// For how long a server counts as full after somebody was refused.
const FULL_FOR: Duration = Duration::from_secs(10);

/// Why a server closed a connection, or never took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many connections were open as the server takes in all, or as it takes of those that have
    /// no room kept for them.
    Full,
    /// As many were open from one IPv4 address or one IPv6 /64 as it may have.
    Address,
    /// As many were open from one IPv6 /48.
    Owner,
    /// It sent no first byte in time, or no whole TLS hello; or nothing was under way on it when its place was needed.
    Silent,
    /// The rest of a request's headers or body didn't come in time.
    Slow,
    /// It didn't read what was sent to it, or too slowly.
    Unread,
    /// What its owner sent came faster than it is taken.
    Fast,
    /// The process or the system could open no more files. Whoever waits is accepted later.
    Files,
}

impl Refusal {
    /// Every kind, in the order of [`Counts::refused`].
    pub const ALL: [Self; 8] = [
        Self::Full,
        Self::Address,
        Self::Owner,
        Self::Silent,
        Self::Slow,
        Self::Unread,
        Self::Fast,
        Self::Files,
    ];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Address => "address",
            Self::Owner => "owner",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Unread => "unread",
            Self::Fast => "fast",
            Self::Files => "files",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// A server's counters; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    open: AtomicUsize,
    limit: AtomicUsize,
    /// Whether somebody's share of the places is used up.
    full: AtomicBool,
    refused: [AtomicU64; Refusal::ALL.len()],
    logged: [Mutex<Logged>; Refusal::ALL.len()],
}

/// When a kind was refused and logged last, and how many there were by then.
#[derive(Debug, Default)]
struct Logged {
    refused: Option<Instant>,
    logged: Option<Instant>,
    count: u64,
}

/// What [`Counters`] stood at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that are open.
    pub open: usize,
    /// How many may be open at once.
    pub limit: usize,
    /// Whether there is no room for some: places are used up, or somebody was refused for want of
    /// one in the last 10 seconds.
    pub full: bool,
    /// How often each kind was refused since the start, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

impl Counts {
    /// How often this kind was refused.
    pub const fn of(&self, refusal: Refusal) -> u64 {
        self.refused[refusal.index()]
    }
}

impl Counters {
    /// What they stand at now.
    pub fn snapshot(&self) -> Counts {
        // First, so that what is said of the places is no older than the refusals that they led to.
        let refused = array::from_fn(|at| self.0.refused[at].load(Ordering::Acquire));
        Counts {
            open: self.0.open.load(Ordering::Relaxed),
            limit: self.0.limit.load(Ordering::Relaxed),
            full: self.is_full(Instant::now()),
            refused,
        }
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// What the places stand at.
    pub(crate) fn stand_at(&self, open: usize, full: bool) {
        self.0.open.store(open, Ordering::Relaxed);
        self.0.full.store(full, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        if let Some(times) = self.count(refusal, Instant::now()) {
            let (kind, open) = (refusal.name(), self.0.open.load(Ordering::Relaxed));
            match refusal {
                Refusal::Full | Refusal::Address | Refusal::Owner | Refusal::Fast => {
                    tracing::warn!(kind, times, open, "connections were refused");
                }
                Refusal::Files => {
                    tracing::warn!(kind, times, open, "no file is free for another connection");
                }
                // Also browsers open connections in advance and then don't need them.
                Refusal::Silent | Refusal::Slow | Refusal::Unread => {
                    tracing::info!(kind, times, open, "connections were ended");
                }
            }
        }
    }

    /// Counts one more, and says how many to log, if it is time to.
    fn count(&self, refusal: Refusal, now: Instant) -> Option<u64> {
        let total = self.0.refused[refusal.index()].fetch_add(1, Ordering::Release) + 1;
        let mut last = self.0.logged[refusal.index()].lock();
        last.refused = Some(now);
        if last.logged.is_some_and(|at| now.duration_since(at) < LOGGED_EVERY) {
            return None;
        }
        let times = total.saturating_sub(last.count);
        last.logged = Some(now);
        last.count = total;
        Some(times)
    }

    fn is_full(&self, now: Instant) -> bool {
        let lately = [Refusal::Full, Refusal::Files].iter().any(|kind| {
            let refused = self.0.logged[kind.index()].lock().refused;
            refused.is_some_and(|at| now.duration_since(at) < FULL_FOR)
        });
        lately || self.0.full.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_by_itself_and_clones_count_together() {
        let counters = Counters::default();
        for (times, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal.index(), times);
            for _ in 0..times {
                counters.clone().refused(refusal);
            }
        }
        counters.stand_at(1, false);
        let counts = counters.snapshot();
        assert_eq!(counts.open, 1);
        assert_eq!(Refusal::ALL.map(|refusal| counts.of(refusal)), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_kind_is_logged_once_a_minute_with_all_that_came_meanwhile() {
        let (counters, start) = (Counters::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(counters.count(Refusal::Full, start), Some(1));
        assert_eq!(counters.count(Refusal::Silent, start), Some(1));
        assert_eq!(counters.count(Refusal::Full, after(1)), None);
        assert_eq!(counters.count(Refusal::Full, after(59)), None);
        assert_eq!(counters.count(Refusal::Full, after(60)), Some(3));
        assert!(counters.is_full(after(69)));
        assert!(!counters.is_full(after(70)));
    }
}
