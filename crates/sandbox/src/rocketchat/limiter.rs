//! The rate limit: ten calls in 60 s for each address and route, counted from the first of them.
//!
//! Ours, since the service's windows begin with a client's first call and follow the shared clock, which tests move.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use serve::Millis;

pub(crate) const CALLS: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses and routes are looked at when one is added, to forget those whose time is over: more than one, so
/// that they go sooner than new ones come, and few, since everybody waits meanwhile.
const LOOKED_AT: usize = 4;

type Key = (IpAddr, &'static str);

/// Since when each address calls a route, and how often.
#[derive(Debug, Default)]
struct Windows {
    open: HashMap<Key, (Millis, u32)>,
    /// The same keys, in the order in which they are looked at.
    keys: VecDeque<Key>,
}

impl Windows {
    fn forget_some(&mut self, now: Millis) {
        for _ in 0..LOOKED_AT.min(self.keys.len()) {
            let Some(key) = self.keys.pop_front() else { return };
            // A clock that was set back leaves windows that begin in the future.
            if self.open.get(&key).is_some_and(|&(since, _)| is_open(since, now)) {
                self.keys.push_back(key);
            } else {
                self.open.remove(&key);
            }
        }
    }
}

fn is_open(since: Millis, now: Millis) -> bool {
    since <= now && now < since.after(WINDOW)
}

/// The windows that are open; clones are the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limiter(Arc<Mutex<Windows>>);

/// How much of its limit a client has left after a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitStatus {
    pub allowed: bool,
    pub remaining: u32,
    /// When calls are counted anew.
    pub reset: Millis,
}

impl Limiter {
    pub(crate) fn count(&self, ip: IpAddr, route: &'static str, now: Millis) -> RateLimitStatus {
        let mut windows = self.0.lock();
        if !windows.open.contains_key(&(ip, route)) {
            // Without it every address that ever called would stay in memory.
            windows.forget_some(now);
            windows.keys.push_back((ip, route));
        }
        let window = windows.open.entry((ip, route)).or_insert((now, 0));
        if !is_open(window.0, now) {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        RateLimitStatus {
            allowed: window.1 <= CALLS,
            remaining: CALLS.saturating_sub(window.1),
            reset: window.0.after(WINDOW),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_eleventh_call_waits_until_a_minute_after_the_first() {
        let (limiter, ip) = (Limiter::default(), IpAddr::from(Ipv4Addr::LOCALHOST));
        let count = |route, at| limiter.count(ip, route, Millis(at));
        for left in (0..10).rev() {
            let counted = count("a", 0);
            assert!(counted.allowed && counted.remaining == left);
        }
        let eleventh = count("a", 59_999);
        assert!(!eleventh.allowed && eleventh.reset == Millis(60_000));
        assert!(count("b", 59_999).allowed, "another route has a window of its own");
        assert!(count("a", 60_000).allowed);
    }

    #[test]
    fn addresses_that_call_no_more_are_forgotten_a_few_at_a_time() {
        let limiter = Limiter::default();
        let call = |n: u32, at| {
            limiter.count(Ipv4Addr::from_bits(n).into(), "a", Millis(at));
            let windows = limiter.0.lock();
            assert_eq!(windows.open.len(), windows.keys.len());
            windows.open.len()
        };
        assert_eq!((0..3_000).map(|n| call(n, 0)).last(), Some(3_000));
        let left: Vec<usize> = (3_000..4_500).map(|n| call(n, 60_000)).collect();
        assert!(left.is_sorted_by(|before, after| before.saturating_sub(*after) < LOOKED_AT));
        assert_eq!(left.last(), Some(&1_500), "those of the last minute");
    }
}
