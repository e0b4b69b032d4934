//! Sliding windows: how often somebody may do something.
//!
//! Nothing is forgotten before its time: where too many are counted to count each by themselves, the rest share one
//! window. So a flood can shut out those who come after it, and never frees anybody who has used up their share.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use serve::{Client, Millis, Owner};
use wire::Pin;

use super::presence::ConnectionId;

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

    /// The rate of so many that share it.
    pub const fn shared_by(self, many: usize) -> Self {
        Self { times: self.times.saturating_mul(many), per: self.per }
    }
}

/// What happened lately: until when each counts, the oldest first.
#[derive(Debug, Default)]
struct Window {
    until: VecDeque<Millis>,
    /// When the last one happened.
    last: Option<Millis>,
}

impl Window {
    /// How many count; an error once those are as many as allowed.
    fn check(&mut self, times: usize, now: Millis) -> Result<usize, Duration> {
        while self.until.front().is_some_and(|&until| until <= now) {
            self.until.pop_front();
        }
        let lately = self.until.len();
        if lately < times {
            return Ok(lately);
        }
        let free = self.until.front().copied().unwrap_or(now);
        // Clients get whole seconds; with 0 they would try again at once.
        Err(free.since(now).max(Duration::from_secs(1)))
    }

    fn record(&mut self, per: Duration, now: Millis) {
        self.until.push_back(now.after(per));
        self.last = Some(now);
    }

    fn is_over(&self, now: Millis) -> bool {
        self.until.back().is_none_or(|&until| until <= now)
    }
}

/// What has happened lately, by key. At most [`MOST_KEYS`] are counted each by itself; all others together.
#[derive(Debug)]
pub(crate) struct RateLimiter<K> {
    windows: HashMap<K, Box<Window>>,
    /// All keys in `windows`, in the order in which they are looked at to be forgotten.
    keys: VecDeque<K>,
    others: Window,
}

/// How many keys are counted each by itself. A window takes about 100 bytes, and 8 more for each time.
const MOST_KEYS: usize = 65_536;
/// How many keys are looked at when one is added. More than one, so that what is over goes sooner than new keys come.
const LOOKED_AT: usize = 4;

impl<K> Default for RateLimiter<K> {
    fn default() -> Self {
        Self { windows: HashMap::new(), keys: VecDeque::new(), others: Window::default() }
    }
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// Counts one more, unless the rate is used up.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn admit(&mut self, key: &K, rate: Rate, now: Millis) -> Result<(), Duration> {
        self.check(key, rate, now)?;
        self.record(key, rate.per, now);
        Ok(())
    }

    /// How many there were lately, unless the rate is used up.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn check(&mut self, key: &K, rate: Rate, now: Millis) -> Result<usize, Duration> {
        if let Some(window) = self.windows.get_mut(key) {
            return window.check(rate.times, now);
        }
        if self.is_full() { self.others.check(rate.times, now) } else { Ok(0) }
    }

    /// Counts one more, whatever the rate. It is remembered for as long as `per`.
    pub fn record(&mut self, key: &K, per: Duration, now: Millis) {
        if let Some(window) = self.windows.get_mut(key) {
            return window.record(per, now);
        }
        self.forget_some(now);
        if self.is_full() {
            return self.others.record(per, now);
        }
        self.keys.push_back(key.clone());
        self.windows.entry(key.clone()).or_default().record(per, now);
    }

    /// When the last one was.
    pub fn last(&self, key: &K) -> Option<Millis> {
        let own = self.windows.get(key).map(Box::as_ref);
        let window = own.or_else(|| self.is_full().then_some(&self.others));
        window.and_then(|window| window.last)
    }

    /// Whether this key is counted by itself.
    fn has_place_for(&self, key: &K) -> bool {
        !self.is_full() || self.windows.contains_key(key)
    }

    fn is_full(&self) -> bool {
        self.windows.len() >= MOST_KEYS
    }

    /// Looks at a few keys, whose windows are forgotten if they are over: the work doesn't grow with their number.
    fn forget_some(&mut self, now: Millis) {
        for _ in 0..LOOKED_AT.min(self.keys.len()) {
            let Some(key) = self.keys.pop_front() else { return };
            if self.windows.get(&key).is_some_and(|window| !window.is_over(now)) {
                self.keys.push_back(key);
            } else {
                self.windows.remove(&key);
            }
        }
    }
}

/// What has happened lately, by where it came from: an IPv4 address or an IPv6 /64, and who owns that. An IPv4 address
/// is an owner by itself, and has all that an owner has: a whole office may be behind it.
#[derive(Debug, Default)]
pub(crate) struct AddressLimiter {
    clients: RateLimiter<Client>,
    owners: RateLimiter<Owner>,
}

impl AddressLimiter {
    /// Counts one more, unless the client's rate is used up, or its owner's, which is `share` times as much.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn admit(
        &mut self,
        client: Client,
        rate: Rate,
        share: usize,
        now: Millis,
    ) -> Result<(), Duration> {
        self.check(client, rate, share, now)?;
        self.record(client, rate.per, now);
        Ok(())
    }

    /// How many there were lately from this client, unless its rate is used up or its owner's.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn check(
        &mut self,
        client: Client,
        rate: Rate,
        share: usize,
        now: Millis,
    ) -> Result<usize, Duration> {
        let owner = client.owner();
        let lately = self.owners.check(&owner, rate.shared_by(share), now)?;
        if client.is_whole_owner() {
            Ok(lately)
        } else if self.clients.has_place_for(&client) {
            self.clients.check(&client, rate, now)
        } else {
            // As if it had done all that was done from its owner's other addresses.
            self.owners.check(&owner, rate, now)
        }
    }

    /// Counts one more, whatever the rate.
    pub fn record(&mut self, client: Client, per: Duration, now: Millis) {
        self.owners.record(&client.owner(), per, now);
        if !client.is_whole_owner() {
            self.clients.record(&client, per, now);
        }
    }

    /// How many there were lately from this client's owner, and when the last one was.
    pub fn by_owner(&mut self, client: Client, now: Millis) -> (usize, Option<Millis>) {
        let owner = client.owner();
        let any = Rate { times: usize::MAX, per: Duration::ZERO };
        (self.owners.check(&owner, any, now).unwrap_or_default(), self.owners.last(&owner))
    }
}

/// What has happened lately on sockets: each socket has its rate, and so have all sockets of one address together, or
/// a new socket would be a new beginning.
#[derive(Debug, Default)]
pub(crate) struct SocketLimiter {
    connections: RateLimiter<ConnectionId>,
    addresses: AddressLimiter,
}

/// How many times as much as one socket all those of one client may do together. The same holds for an owner and one of
/// its clients.
const SHARE: usize = 4;

impl SocketLimiter {
    /// Counts one more, unless the rate of the socket, its client or its owner is used up.
    ///
    /// # Errors
    /// Too many: the time until the next one is allowed.
    pub fn admit(
        &mut self,
        (id, client): (ConnectionId, Client),
        rate: Rate,
        now: Millis,
    ) -> Result<(), Duration> {
        self.connections.check(&id, rate, now)?;
        self.addresses.admit(client, rate.shared_by(SHARE), SHARE, now)?;
        self.connections.record(&id, rate.per, now);
        Ok(())
    }
}

/// All counters, each with its key. None is a key that whoever is counted can choose, or it has a limit by address
/// beside it.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub mint: AddressLimiter,
    pub mail_by_client: AddressLimiter,
    pub mail_by_pin: RateLimiter<Pin>,
    pub mail_by_recipient: RateLimiter<String>,
    /// E-mails in all, of strangers and of this machine.
    pub mail_in_all: RateLimiter<bool>,
    pub guesses: AddressLimiter,
    /// Guesses of strangers in all.
    pub guesses_in_all: RateLimiter<()>,
    pub reach: AddressLimiter,
    pub downloads: AddressLimiter,
    pub transcripts: AddressLimiter,
    pub reports: AddressLimiter,
    pub chat: SocketLimiter,
    /// Chat messages of consoles, which have no socket: by session, and by address.
    pub console_chat: RateLimiter<Pin>,
    pub console_chat_by_client: AddressLimiter,
    /// Answers of consoles about viewers that wait.
    pub console_answers: RateLimiter<Pin>,
    pub streams: SocketLimiter,
    pub signals: SocketLimiter,
    pub joins: AddressLimiter,
    /// Wrong confs that programs showed. Counted by session, since many clients may try one session's conf.
    pub wrong_confs: RateLimiter<Pin>,
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn client(owner: u16, subnet: u16) -> Client {
        Client::from_ip(Ipv6Addr::new(0x2001, 0xdb8, owner, subnet, 0, 0, 0, 1).into())
    }

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
    fn a_flood_of_keys_frees_nobody_and_fills_no_memory() {
        let (mut windows, rate) = (RateLimiter::default(), Rate::new(2, 60));
        for _ in 0..2 {
            windows.admit(&u64::MAX, rate, Millis(0)).unwrap();
        }
        let admitted = (0..3 * MOST_KEYS as u64)
            .filter(|key| windows.admit(key, rate, Millis(1)).is_ok())
            .count();
        assert_eq!(admitted, MOST_KEYS - 1 + rate.times, "all the others count as one");
        assert!(windows.admit(&u64::MAX, rate, Millis(2)).is_err(), "still used up");
        assert_eq!((windows.windows.len(), windows.keys.len()), (MOST_KEYS, MOST_KEYS));
        let later = Millis(2).after(MINUTE);
        assert!(windows.admit(&u64::MAX, rate, later).is_ok());
        for key in 0..1_000 {
            windows.admit(&(key + 10 * MOST_KEYS as u64), rate, later).unwrap();
        }
        assert!(windows.windows.len() < MOST_KEYS, "what is over is forgotten bit by bit");
    }

    #[test]
    fn an_owners_addresses_have_a_share_together() {
        let (mut limiter, rate) = (AddressLimiter::default(), Rate::new(3, 60));
        let mut admitted = |client| limiter.admit(client, rate, 4, Millis(0)).is_ok();
        assert_eq!((0..9).filter(|_| admitted(client(1, 1))).count(), 3);
        assert_eq!((0..1_000).filter(|&n| admitted(client(1, n))).count(), 9);
        assert!(admitted(client(2, 1)), "others go on");
    }

    #[test]
    fn an_office_behind_one_ipv4_address_has_an_owners_share_and_no_more() {
        let (mut limiter, rate) = (AddressLimiter::default(), Rate::new(3, 60));
        let office = Client::from_ip([203, 0, 113, 7].into());
        let admitted = |limiter: &mut AddressLimiter, share| {
            (0..100).filter(|_| limiter.admit(office, rate, share, Millis(0)).is_ok()).count()
        };
        assert_eq!(admitted(&mut limiter, 4), 12);
        assert_eq!(admitted(&mut AddressLimiter::default(), 1), 3);
        // The first network of a /48 begins as the /48 does, and is one of many all the same.
        let first = (0..100).filter(|_| limiter.admit(client(1, 0), rate, 4, Millis(0)).is_ok());
        assert_eq!(first.count(), 3);
    }

    #[test]
    fn with_no_place_for_a_client_its_owner_is_judged_as_one() {
        let (mut limiter, rate) = (AddressLimiter::default(), Rate::new(3, 60));
        for n in 0..=u16::MAX {
            limiter.record(client(n, 0), MINUTE, Millis(0));
        }
        assert!(limiter.clients.is_full());
        let admitted =
            (1..100).filter(|&n| limiter.admit(client(7, n), rate, 4, Millis(1)).is_ok());
        assert_eq!(admitted.count(), 2, "one was there before");
    }

    #[test]
    fn a_new_socket_is_no_new_beginning() {
        let (mut limiter, rate) = (SocketLimiter::default(), Rate::new(2, 10));
        let mut admitted =
            |id, client| limiter.admit((ConnectionId(id), client), rate, Millis(0)).is_ok();
        assert_eq!((0..5).filter(|_| admitted(1, client(1, 1))).count(), 2);
        assert_eq!((2..100).filter(|&id| admitted(id, client(1, 1))).count(), 6);
        assert!(admitted(100, client(2, 1)));
        assert_eq!((200..300).filter(|&id| admitted(id, client(1, id as u16))).count(), 24);
    }
}
