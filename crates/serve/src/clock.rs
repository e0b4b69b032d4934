//! A server's clock: the machine's, plus an offset that a test or a demo can push forward.
//!
//! Timers of a server ask this clock alone, so advancing it makes them fire without any waiting.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// The time that is `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// Whole seconds since 1970; 0 for times before.
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(1000)).unwrap_or(0)
    }

    /// How long it is from an earlier time to this one; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms since 1970", self.0)
    }
}

/// A clock whose copies all show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    offset_ms: AtomicI64,
    /// `Some`: time stands still at this moment until it is advanced.
    frozen_at: Option<Millis>,
    moved: watch::Sender<()>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::with(None)
    }

    /// A clock that moves only when it is advanced.
    pub fn frozen(at: Millis) -> Self {
        Self::with(Some(at))
    }

    fn with(frozen_at: Option<Millis>) -> Self {
        let moved = watch::Sender::new(());
        Self(Arc::new(Inner { offset_ms: AtomicI64::new(0), frozen_at, moved }))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        let base = self.0.frozen_at.unwrap_or_else(|| {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Millis(millis(since_1970))
        });
        Millis(base.0.saturating_add(self.0.offset_ms.load(Ordering::SeqCst)))
    }

    /// Moves the clock forward and wakes everybody who sleeps on it.
    pub fn advance(&self, by: Duration) {
        self.0.offset_ms.fetch_add(millis(by), Ordering::SeqCst);
        // After the offset, so that whoever wakes reads the new time. `send` would fail without a sleeper.
        self.0.moved.send_replace(());
    }

    /// Waits until the clock shows `at`, however it gets there.
    pub async fn sleep_until(&self, at: Millis) {
        // Before the first look at the time, so that no advance falls between the look and the wait.
        let mut moved = self.0.moved.subscribe();
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            // A frozen clock never gets there by itself, so no timer could tell when to look again.
            if self.0.frozen_at.is_some() {
                let _ = moved.changed().await;
                continue;
            }
            // At most a minute at a time: after the machine slept, the clock is read again soon.
            let nap = left.min(Duration::from_secs(60));
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_shows_the_advanced_time() {
        let clock = Clock::frozen(Millis(1_000));
        clock.clone().advance(Duration::from_secs(60));
        assert_eq!(clock.now(), Millis(61_000));
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_advanced_to_its_time() {
        let clock = Clock::frozen(Millis(0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(Millis(5_000)).await;
                clock.now()
            }
        });
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap(), Millis(5_000));
    }

    #[test]
    fn times_before_1970_and_absurd_durations_do_not_overflow() {
        assert_eq!(Millis(-5).seconds(), 0);
        assert_eq!(Millis(5).after(Duration::MAX), Millis(i64::MAX));
        assert_eq!(Millis(5).since(Millis(10)), Duration::ZERO);
    }
}
