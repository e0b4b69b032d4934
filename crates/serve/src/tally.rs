//! Counts what is refused, by kind, and tells the log of each kind at most once a minute: whoever knocks a thousand
//! times a second fills no disk.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Between two log lines about one kind.
const PAUSE: Duration = Duration::from_secs(60);

/// How often each kind of thing was refused. Kinds are fixed texts: they stand in logs and figures.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, Counted>>);

#[derive(Debug, Default)]
struct Counted {
    total: u64,
    /// Since the last line about it.
    unsaid: u64,
    said: Option<Instant>,
}

impl Tally {
    /// Counts one refusal.
    pub fn refused(&self, kind: &'static str) {
        if let Some(times) = self.count(kind, Instant::now()) {
            tracing::info!(kind, times, "refused");
        }
    }

    /// How often each kind was refused since the start.
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().iter().map(|(kind, counted)| (*kind, counted.total)).collect()
    }

    /// How many are to be told of now, if any.
    fn count(&self, kind: &'static str, now: Instant) -> Option<u64> {
        let mut all = self.0.lock();
        let counted = all.entry(kind).or_default();
        counted.total += 1;
        counted.unsaid += 1;
        if counted.said.is_some_and(|said| now.duration_since(said) < PAUSE) {
            return None;
        }
        counted.said = Some(now);
        Some(std::mem::take(&mut counted.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_whole_and_told_once_a_minute_for_each_kind() {
        let (tally, start) = (Tally::default(), Instant::now());
        let told: Vec<_> = (0..1_000).filter_map(|_| tally.count("too_many", start)).collect();
        assert_eq!(told, [1]);
        assert_eq!(tally.count("blocked", start), Some(1));
        assert_eq!(tally.count("too_many", start + PAUSE), Some(1_000));
        assert_eq!(tally.totals(), [("blocked", 1), ("too_many", 1_001)]);
    }
}
