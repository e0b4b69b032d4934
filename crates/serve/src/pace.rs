//! How fast what comes from one owner of addresses is taken. What comes faster waits, so whoever floods a server waits for
//! themselves, and the others are served meanwhile.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::Owner;

/// How fast things of one owner are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two of them.
    pub each: Duration,
    /// How many may come at once before that.
    pub at_once: u32,
    /// Whoever would have to wait for longer is refused.
    pub patience: Duration,
}

/// The paces of a server, for each kind of thing that costs it work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paces {
    /// New connections. None of them waits: those that come so fast that they would have to wait for longer than the
    /// patience are closed before anything is done for them.
    pub connections: Pace,
    /// Requests: they wait, and get 429 beyond the patience. Where bodies are [ignored](crate::Bodies::Ignored) each is
    /// handled at once, and its answer waits, for the patience at most.
    pub requests: Pace,
    /// Messages on WebSockets, where their handler asks for its [turns](crate::Turns).
    pub messages: Pace,
    /// Reads from any connection, by how much work may be in what was read. Beyond the patience the connection ends.
    pub reads: Pace,
}

impl Paces {
    /// 200 connections and 200 requests in a second after 400 at once: as when a large office comes back after a restart.
    /// 500 messages in a second: what a thousand pages say while nobody floods. 4,000 reads in a second: as many as
    /// thirty people who move their pointers over screens all the time.
    pub const OF_MANY_PEOPLE: Self = {
        let patience = Duration::from_secs(5);
        let of_calls = Pace { each: Duration::from_millis(5), at_once: 400, patience };
        Self {
            connections: of_calls,
            requests: of_calls,
            messages: Pace { each: Duration::from_millis(2), at_once: 1_000, patience },
            reads: Pace {
                each: Duration::from_micros(250),
                at_once: 8_000,
                patience: Duration::from_secs(30),
            },
        }
    };

    /// For webhooks, all of which a service may send from one address, without waiting for an answer, and once: as many
    /// at once as ten thousand sessions have when their region restarts, each on a connection of its own and with a body
    /// that just fits. What goes on longer is taken at 2,000 a second.
    pub const OF_WEBHOOKS: Self = {
        let of_hooks = Pace {
            each: Duration::from_micros(500),
            at_once: 40_000,
            patience: Duration::from_secs(5),
        };
        Self {
            connections: of_hooks,
            // Our own broker waits 5 s for an answer. One that came later would look like none, and the hook be repeated.
            requests: Pace { patience: Duration::from_secs(4), ..of_hooks },
            reads: Pace { at_once: 40_000 * 70, ..Self::OF_MANY_PEOPLE.reads },
            ..Self::OF_MANY_PEOPLE
        }
    };
}

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paced {
    Connections,
    Requests,
    Messages,
    Reads,
}

/// What is due of every owner, at the paces of a server; nothing waits where it has none.
#[derive(Debug)]
pub(crate) struct Schedules {
    paces: Option<Paces>,
    /// In the order of [`Paced`].
    due: [Mutex<Schedule>; 4],
}

impl Schedules {
    pub fn new(paces: Option<Paces>) -> Self {
        Self { paces, due: Default::default() }
    }

    /// Counts so much of a kind; for how long it has to wait, or `None` if that is more than it may.
    pub fn count(&self, paced: Paced, owner: Owner, cost: u32) -> Option<Duration> {
        let Some(pace) = self.pace(paced) else { return Some(Duration::ZERO) };
        self.due[paced as usize].lock().count(owner, pace, cost, Instant::now())
    }

    /// As [`count`](Self::count), for what is never refused: it waits for the patience at most.
    pub fn count_patiently(&self, paced: Paced, owner: Owner, cost: u32) -> Duration {
        let patience = self.pace(paced).map_or(Duration::ZERO, |pace| pace.patience);
        self.count(paced, owner, cost).unwrap_or(patience)
    }

    fn pace(&self, paced: Paced) -> Option<Pace> {
        let paces = self.paces.as_ref()?;
        Some(match paced {
            Paced::Connections => paces.connections,
            Paced::Requests => paces.requests,
            Paced::Messages => paces.messages,
            Paced::Reads => paces.reads,
        })
    }
}

/// When the next thing of each owner is due, if all come at the pace.
#[derive(Debug, Default)]
struct Schedule {
    due: HashMap<Owner, Instant>,
    /// The same owners, in the order in which they are looked at to be forgotten.
    owners: VecDeque<Owner>,
}

/// How many owners are looked at when one is added: more than one, so that they go sooner than new ones come.
const LOOKED_AT: usize = 4;

impl Schedule {
    /// Counts so much; for how long it has to wait, or `None` if that is more than it may.
    fn count(&mut self, owner: Owner, pace: Pace, cost: u32, now: Instant) -> Option<Duration> {
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
        *due = begun + pace.each * cost;
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
        let waits: Vec<_> = (0..20).map(|_| due.count(owner(1), PACE, 1, now)).collect();
        let millis = |ms| Some(Duration::from_millis(ms));
        assert_eq!(waits[..7], [0, 0, 0, 0, 0, 0, 10].map(millis));
        assert_eq!(waits[14..17], [millis(90), millis(100), None]);
        assert_eq!(due.count(owner(2), PACE, 1, now), millis(0));
        assert_eq!(due.count(owner(1), PACE, 1, now + PACE.each * 2), millis(90));
        assert_eq!(due.count(owner(1), PACE, 1, now + PACE.each * 40), millis(0));
    }

    #[test]
    fn what_costs_more_makes_the_next_wait_longer() {
        let (mut due, now) = (Schedule::default(), Instant::now());
        let mut waits = |cost| due.count(owner(1), PACE, cost, now).map(|wait| wait.as_millis());
        assert_eq!([waits(4), waits(3), waits(6), waits(1)], [0, 0, 20, 80].map(Some));
        assert_eq!([waits(5), waits(1)], [Some(90), None]);
    }

    /// As when a region restarts. Below the sockets, of which there are not so many here.
    #[test]
    fn tens_of_thousands_of_hooks_that_one_address_sends_at_once_wait_for_nothing() {
        let (of_hooks, now) = (Paces::OF_WEBHOOKS, Instant::now());
        let kinds = [(of_hooks.connections, 1), (of_hooks.requests, 1), (of_hooks.reads, 70)];
        for (pace, cost) in kinds {
            let mut due = Schedule::default();
            let mut wait = || due.count(owner(1), pace, cost, now);
            assert!((0..40_000).all(|_| wait() == Some(Duration::ZERO)), "{pace:?}");
            // Nor do the first ones after those have to be refused.
            assert!((0..1_000).all(|_| wait().is_some_and(|wait| wait <= pace.patience)));
        }
    }

    #[test]
    fn what_is_never_refused_waits_for_the_patience_at_most() {
        let each = Duration::from_secs(100);
        let requests = Pace { each, at_once: 2, patience: each * 2 };
        let schedules = Schedules::new(Some(Paces { requests, ..Paces::OF_WEBHOOKS }));
        let wait = || schedules.count_patiently(Paced::Requests, owner(1), 1);
        assert!((0..3).all(|_| wait().is_zero()));
        let longest = (0..20).map(|_| wait()).max();
        assert_eq!(longest, Some(requests.patience));
        assert_eq!(schedules.count(Paced::Requests, owner(1), 1), None, "it is that many");
        let unpaced = Schedules::new(None);
        assert_eq!(unpaced.count_patiently(Paced::Requests, owner(1), 1), Duration::ZERO);
    }

    #[test]
    fn owners_that_ask_no_more_are_forgotten_a_few_at_a_time() {
        let (mut due, now) = (Schedule::default(), Instant::now());
        assert!((0..3_000).all(|n| due.count(owner(n), PACE, 1, now).is_some()));
        assert_eq!(due.due.len(), 3_000);
        let later = now + Duration::from_secs(1);
        assert!((3_000..4_500).all(|n| due.count(owner(n), PACE, 1, later).is_some()));
        assert_eq!((due.due.len(), due.owners.len()), (1_500, 1_500));
    }
}
