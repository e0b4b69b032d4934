//! The rate limit: ten calls in 60 s for each address and route, counted from the first of them.
//!
//! Ours, since the service's windows begin with a client's first call and follow the shared clock, which tests move.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serve::Millis;

pub(crate) const CALLS: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses and routes are counted before those whose time is over are dropped.
const SWEEP_AT: usize = 1000;

type Windows = HashMap<(IpAddr, &'static str), (Millis, u32)>;

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
        // Without it every address that ever called would stay in memory.
        if windows.len() > SWEEP_AT {
            windows.retain(|_, (since, _)| since.after(WINDOW) > now);
        }
        let window = windows.entry((ip, route)).or_insert((now, 0));
        // A clock that was set back leaves a window that would otherwise stay for as long.
        if window.0.after(WINDOW) <= now || window.0 > now {
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
}
