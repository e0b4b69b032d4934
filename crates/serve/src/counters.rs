//! What a server counts of its connections: those that are open, and what it refused, by kind.
//!
//! No address is kept here: a number says enough of who came too often.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Why a server closed a connection, or never took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many connections were open as the server takes in all, or as it takes of those that have
    /// no room kept for them.
    Full,
    /// As many were open from one IPv4 address or one IPv6 /64.
    Address,
    /// As many were open from one IPv6 /48.
    Owner,
    /// It sent no first byte in time, or no whole TLS hello.
    Silent,
    /// The rest of a request's headers or body didn't come in time.
    Slow,
    /// It didn't read what was sent to it.
    Unread,
}

impl Refusal {
    /// Every kind, in the order of [`Counts::refused`].
    pub const ALL: [Self; 6] =
        [Self::Full, Self::Address, Self::Owner, Self::Silent, Self::Slow, Self::Unread];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Address => "address",
            Self::Owner => "owner",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Unread => "unread",
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
    refused: [AtomicU64; Refusal::ALL.len()],
}

/// What [`Counters`] stood at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that are open.
    pub open: usize,
    /// How many may be open at once.
    pub limit: usize,
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
        Counts {
            open: self.0.open.load(Ordering::Relaxed),
            limit: self.0.limit.load(Ordering::Relaxed),
            refused: array::from_fn(|at| self.0.refused[at].load(Ordering::Relaxed)),
        }
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    pub(crate) fn opened(&self) {
        self.0.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.0.refused[refusal.index()].fetch_add(1, Ordering::Relaxed);
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
        counters.opened();
        counters.opened();
        counters.closed();
        let counts = counters.snapshot();
        assert_eq!(counts.open, 1);
        assert_eq!(Refusal::ALL.map(|refusal| counts.of(refusal)), [0, 1, 2, 3, 4, 5]);
    }
}
