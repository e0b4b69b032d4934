//! How fast the requests of one owner of addresses are taken. Those that come faster wait, so whoever floods a server
//! waits for themselves, and the others are served meanwhile.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::Owner;

/// How fast the requests of one owner are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two requests.
    pub each: Duration,
    /// How many may come at once before that.
    pub at_once: u32,
    /// Whoever would have to wait for longer gets 429.
    pub patience: Duration,
}

impl Pace {
    /// 200 requests in a second after 400 at once: as when a large office comes back after a restart.
    pub const OF_MANY_PEOPLE: Self =
        Self { each: Duration::from_millis(5), at_once: 400, patience: Duration::from_secs(5) };
}

/// When the next request of each owner is due, if all come at the pace.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: HashMap<Owner, Instant>,
    /// The same owners, in the order in which they are looked at to be forgotten.
    owners: VecDeque<Owner>,
}

/// How many owners are looked at when one is added: more than one, so that they go sooner than new ones come.
const LOOKED_AT: usize = 4;

impl Schedule {
    /// Counts a request; for how long it has to wait, or `None` if that is more than it may.
    pub fn count(&mut self, owner: Owner, pace: Pace, now: Instant) -> Option<Duration> {
        if !self.due.contains_key(&owner) {
            self.forget_some(now);
            self.owners.push_back(owner);
        }
        let due = self.due.entry(owner).or_insert(now);
        let begun = (*due).max(now);
        let wait = begun.duration_since(now).saturating_sub(pace.each * pace.at_once);
        // One that is refused doesn't make the others wait.
        if wait > pace.patience {
            return None;
        }
        *due = begun + pace.each;
        Some(wait)
    }

    fn forget_some(&mut self, now: Instant) {
        for _ in 0..LOOKED_AT.min(self.owners.len()) {
            let Some(owner) = self.owners.pop_front() else { return };
            if self.due.get(&owner).is_some_and(|due| *due > now) {
                self.owners.push_back(owner);
            } else {
                self.due.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PACE: Pace =
        Pace { each: Duration::from_millis(10), at_once: 5, patience: Duration::from_millis(100) };

    fn owner(n: u32) -> Owner {
        Owner::of_ip(Ipv4Addr::from_bits(n).into())
    }

    #[test]
    fn some_come_at_once_then_each_waits_for_those_before_it_and_others_do_not() {
        let (mut due, now) = (Schedule::default(), Instant::now());
        let waits: Vec<_> = (0..20).map(|_| due.count(owner(1), PACE, now)).collect();
        let millis = |ms| Some(Duration::from_millis(ms));
        assert_eq!(waits[..7], [0, 0, 0, 0, 0, 0, 10].map(millis));
        assert_eq!(waits[14..17], [millis(90), millis(100), None]);
        assert_eq!(due.count(owner(2), PACE, now), millis(0));
        assert_eq!(due.count(owner(1), PACE, now + PACE.each * 2), millis(90));
        assert_eq!(due.count(owner(1), PACE, now + PACE.each * 40), millis(0));
    }

    #[test]
    fn owners_that_ask_no_more_are_forgotten_a_few_at_a_time() {
        let (mut due, now) = (Schedule::default(), Instant::now());
        assert!((0..3_000).all(|n| due.count(owner(n), PACE, now).is_some()));
        assert_eq!(due.due.len(), 3_000);
        let later = now + Duration::from_secs(1);
        assert!((3_000..4_500).all(|n| due.count(owner(n), PACE, later).is_some()));
        assert_eq!((due.due.len(), due.owners.len()), (1_500, 1_500));
    }
}
