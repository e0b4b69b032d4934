//! Wall-clock moments as plain numbers, handed in by whoever has a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since 1970 (UTC), as a wall clock showed it. It may jump back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Nothing is waited for longer than this in one go. A longer wait comes from a clock that was wrong
/// for a while, and a timer can't hold it; whoever is woken too early looks at the clock again.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30 * 86_400);

/// `wait`, or [`LONGEST_WAIT`] if that is shorter: for every wait that was reckoned from wall clocks.
#[must_use]
pub fn bounded(wait: Duration) -> Duration {
    wait.min(LONGEST_WAIT)
}

/// Two times of the same fact that differ by less than this are the same time: each is made from how long ago
/// something was, and messages take a while.
const SAME_TIME: Duration = Duration::from_secs(5);

impl Timestamp {
    /// This moment and `later` more.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        // A wall clock may be set to anything, so arithmetic on it must not panic.
        Self(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if the clock was set back in between.
    pub fn since(self, earlier: Self) -> Duration {
        // A duration can't be negative, and no caller could do anything sensible with one that is.
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// `known`, unless `since` is another time.
pub(crate) fn same_time(known: Timestamp, since: Timestamp) -> Timestamp {
    if is_later(known, since) || is_later(since, known) { since } else { known }
}

/// Whether `since` is another time than `known`, and a later one.
pub(crate) fn is_later(known: Timestamp, since: Timestamp) -> bool {
    since.since(known) >= SAME_TIME
}
