//! Sliding windows: how often somebody may do something.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use serve::{Client, Millis};
use wire::Pin;

use super::presence::PageId;

/// How many times in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub times: usize,
    /// In any period of this length.
    pub per: Duration,
}

impl Rate {
    pub const fn new(times: usize, seconds: u64) -> Self {
        Self { times, per: Duration::from_secs(seconds) }
    }
}

/// What has happened lately, by key. Holds at most [`MOST_KEYS`] keys.
#[derive(Debug)]
pub(crate) struct RateLimiter<K>(HashMap<K, VecDeque<Millis>>);

/// With more keys than this the ones that are idle longest are forgotten, so that a flood can't fill the memory.
const MOST_KEYS: usize = 20_000;

impl<K> Default for RateLimiter<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// Counts one more, unless the rate is used up.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn admit(&mut self, key: &K, rate: Rate, now: Millis) -> Result<(), Duration> {
        let lately = self.count(key, rate.per, now);
        if lately >= rate.times {
            let oldest = self.0.get(key).and_then(|times| times.front()).copied();
            let free = oldest.map_or(now, |oldest| oldest.after(rate.per));
            // Clients get whole seconds; with 0 they would try again at once.
            return Err(free.since(now).max(Duration::from_secs(1)));
        }
        self.record(key, now);
        Ok(())
    }

    /// Counts one more, whatever the rate.
    pub fn record(&mut self, key: &K, now: Millis) {
        if self.0.len() >= MOST_KEYS && !self.0.contains_key(key) {
            self.forget_oldest_half();
        }
        self.0.entry(key.clone()).or_default().push_back(now);
    }

    /// How many there were in the last `per`.
    pub fn count(&mut self, key: &K, per: Duration, now: Millis) -> usize {
        let Some(times) = self.0.get_mut(key) else { return 0 };
        while times.front().is_some_and(|&time| time.after(per) <= now) {
            times.pop_front();
        }
        let left = times.len();
        // Without its empty window a client that stays away takes no memory.
        if left == 0 {
            self.0.remove(key);
        }
        left
    }

    /// Half of them at once, or a flood would sort all keys for each of its requests.
    fn forget_oldest_half(&mut self) {
        let mut last: Vec<Millis> = self.0.values().filter_map(|t| t.back().copied()).collect();
        last.sort_unstable();
        let middle = last[last.len() / 2];
        self.0.retain(|_, times| times.back().is_some_and(|&time| time > middle));
    }
}

/// All counters, each with its key.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub mint: RateLimiter<Client>,
    pub mail_by_client: RateLimiter<Client>,
    pub mail_by_pin: RateLimiter<Pin>,
    pub guesses: RateLimiter<Client>,
    pub reach: RateLimiter<Client>,
    pub chat: RateLimiter<PageId>,
    /// Chat messages of a session's console, which has no page.
    pub console_chat: RateLimiter<Pin>,
    pub streams: RateLimiter<PageId>,
    pub signals: RateLimiter<PageId>,
    /// Wrong confs that programs showed. Counted by session, since many clients may try one session's conf.
    pub wrong_confs: RateLimiter<Pin>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_as_many_as_the_rate_says_and_then_says_how_long_to_wait() {
        let mut windows = RateLimiter::default();
        let rate = Rate::new(2, 10);
        assert_eq!(windows.admit(&"a", rate, Millis(0)), Ok(()));
        assert_eq!(windows.admit(&"a", rate, Millis(4_000)), Ok(()));
        assert_eq!(windows.admit(&"a", rate, Millis(5_000)), Err(Duration::from_secs(5)));
        assert_eq!(windows.admit(&"b", rate, Millis(5_000)), Ok(()));
        assert_eq!(windows.admit(&"a", rate, Millis(10_000)), Ok(()));
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let mut windows = RateLimiter::default();
        for key in 0..(MOST_KEYS as u64 * 3) {
            windows.record(&key, Millis(i64::try_from(key).unwrap()));
        }
        assert!(windows.0.len() <= MOST_KEYS);
    }
}
