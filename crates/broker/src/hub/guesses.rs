//! PINs and credentials that somebody gives: what is known by them, and what it costs to guess.
//!
//! Who has guessed too often is refused before anything is looked up, so that a right guess tells no more than a wrong
//! one. Misses alone count, by client, by owner and in all. The limit in all concerns those who miss: somebody whose
//! addresses have missed nothing lately is served, whatever others do. So with it each owner of addresses has a few
//! guesses, and not each address.

use std::time::Duration;

use serve::{Client, Millis};
use wire::Pin;

use super::{Hub, SessionEntry, limits, refusal::Refused, session::Life};

/// How many times as long each pause is as the one before it.
const PAUSES_GROW: u32 = 4;

impl Hub {
    /// The session of a PIN that a client gave. An unknown PIN counts as a guess.
    pub(super) fn known(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<&mut SessionEntry, Refused> {
        let guesses = self.may_guess(client, now)?;
        // The client was judged before the PIN is looked up: who has guessed too often learns nothing more, not
        // even that a PIN exists.
        if self.sessions.contains_key(pin) {
            // Looked up twice: a borrow that is returned from here would still last in the refusal below.
            return self.sessions.get_mut(pin).map(Box::as_mut).ok_or(Refused::PinOver);
        }
        Err(self.count_guess(client, guesses, now, |delay| Refused::UnknownPin { delay }))
    }

    /// Returns what was found by a credential. An unknown credential counts as a guess, too.
    pub(super) fn known_credential<T>(
        &mut self,
        client: Client,
        found: Option<T>,
        now: Millis,
    ) -> Result<T, Refused> {
        let guesses = self.may_guess(client, now)?;
        found.ok_or_else(|| {
            self.count_guess(client, guesses, now, |delay| Refused::UnknownKey { delay })
        })
    }

    /// As [`Hub::known`], for what only a living session can do.
    pub(super) fn live(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<&mut SessionEntry, Refused> {
        let entry = self.known(client, pin, now)?;
        match entry.session.life(now) {
            Life::Live => Ok(entry),
            // Not as unknown: whoever has the PIN may know that it existed, and should ask for a new one.
            Life::Expired | Life::Revoked => Err(Refused::PinOver),
        }
    }

    /// As [`Hub::live`], for calls that need more than the PIN ([`Session::may_be_managed_by`]).
    pub(super) fn managed(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<&mut SessionEntry, Refused> {
        let entry = self.live(client, pin, now)?;
        if entry.session.may_be_managed_by(client) { Ok(entry) } else { Err(Refused::NotYours) }
    }

    /// How often a client has missed lately; an error if it has to wait before it may give another PIN.
    fn may_guess(&mut self, client: Client, now: Millis) -> Result<usize, Refused> {
        let allowed = self.rates(client).guesses;
        let lately = self.usage.guesses.check(client, allowed, guessers_share(client), now);
        let lately = lately.map_err(|_| Refused::TooMany { retry_after: allowed.per })?;
        match self.pause(client, now) {
            Some(retry_after) => Err(Refused::Guessing { retry_after }),
            None => Ok(lately),
        }
    }

    /// Counts a miss; what its client is told, which is held back for longer and longer.
    pub(super) fn count_guess(
        &mut self,
        client: Client,
        before: usize,
        now: Millis,
        unknown: impl FnOnce(Duration) -> Refused,
    ) -> Refused {
        let rates = self.rates(client);
        self.usage.guesses.record(client, rates.guesses.per, now);
        let in_all = &mut self.usage.guesses_in_all;
        if !client.is_this_machine() && in_all.admit(&(), rates.guesses_in_all, now).is_err() {
            let retry_after = self.pause(client, now).unwrap_or(rates.guess_pause);
            return Refused::Guessing { retry_after };
        }
        let over = before.saturating_sub(rates.slow_after.saturating_sub(1));
        // Capped, or a client with a large allowance would wait for minutes and keep its connection all that time.
        unknown(rates.guess_delay * u32::try_from(over).unwrap_or(u32::MAX).min(20))
    }

    /// How long a stranger has to wait who has missed lately, while more is guessed in all than may be.
    fn pause(&mut self, client: Client, now: Millis) -> Option<Duration> {
        let rates = self.rates(client);
        let in_all = self.usage.guesses_in_all.check(&(), rates.guesses_in_all, now);
        if client.is_this_machine() || in_all.is_ok() {
            return None;
        }
        let (misses, last) = self.usage.guesses.by_owner(client, now);
        let further = u32::try_from(misses.checked_sub(1)?).unwrap_or(u32::MAX);
        let grown = PAUSES_GROW.saturating_pow(further);
        let pause = rates.guess_pause.saturating_mul(grown).min(rates.guesses.per);
        let left = last?.after(pause).since(now);
        (!left.is_zero()).then_some(left)
    }
}

/// However many are behind an IPv4 address, they mistype no more PINs than a client may.
const fn guessers_share(client: Client) -> usize {
    if client.is_whole_owner() { 1 } else { limits::GUESSERS_SHARE }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        net::{Ipv4Addr, Ipv6Addr},
    };

    use proptest::prelude::*;

    use super::*;
    use crate::hub::{
        limits::{HubSettings, Rates},
        records::StoredState,
        session::Session,
    };

    const RATES: Rates = Rates::network();

    /// A hub with one session, and its PIN.
    fn hub() -> (Hub, Pin) {
        let mut hub = Hub::new(HubSettings::default(), StoredState::default());
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::from_ip(Ipv4Addr::LOCALHOST.into());
        let life = Duration::from_secs(86_400);
        let session = Session::new("us-east-1".parse().unwrap(), minter, Millis(0), life);
        hub.add_session(pin.clone(), session);
        (hub, pin)
    }

    fn wrong() -> Pin {
        "000-00-0000".parse().unwrap()
    }

    fn client(owner: u16, subnet: u16) -> Client {
        Client::from_ip(Ipv6Addr::new(0x2001, 0xdb8, owner, subnet, 0, 0, 0, 1).into())
    }

    fn guess(hub: &mut Hub, client: Client, now: i64) -> Refused {
        hub.known(client, &wrong(), Millis(now)).unwrap_err()
    }

    fn served(refused: &Refused) -> bool {
        matches!(refused, Refused::UnknownPin { .. })
    }

    #[test]
    fn an_owner_guesses_no_more_often_from_a_hundred_thousand_addresses() {
        let (mut hub, pin) = hub();
        let guesses = (0..20_098).map(|n| (client(1, n), i64::from(n) * 1_000 / 1_301));
        let told = guesses.filter(|&(client, now)| served(&guess(&mut hub, client, now))).count();
        assert_eq!(told, RATES.guesses.times * limits::GUESSERS_SHARE);
        let right = hub.known(client(1, 60_000), &pin, Millis(20_000));
        assert!(matches!(right, Err(Refused::TooMany { .. })), "not even the right one");
        assert!(hub.known(client(2, 0), &pin, Millis(20_000)).is_ok(), "others come in");
    }

    #[test]
    fn a_flood_from_many_owners_frees_no_guesser_and_shuts_out_nobody_without_a_miss() {
        let (mut hub, pin) = hub();
        let guesser = Client::from_ip(Ipv4Addr::new(198, 51, 100, 1).into());
        (0..RATES.guesses.times).for_each(|_| drop(guess(&mut hub, guesser, 0)));
        let told = (0..20_000).filter(|&n| served(&guess(&mut hub, client(n, 0), 1))).count();
        assert_eq!(told + RATES.guesses.times, RATES.guesses_in_all.times);
        assert!(matches!(guess(&mut hub, guesser, 2), Refused::TooMany { .. }));
        assert!(hub.known(client(30_000, 0), &pin, Millis(2)).is_ok());
        // Who mistypes once waits for a moment.
        let customer = Client::from_ip(Ipv4Addr::new(203, 0, 113, 9).into());
        let Refused::Guessing { retry_after } = guess(&mut hub, customer, 3) else { panic!() };
        assert_eq!(retry_after, RATES.guess_pause);
        assert!(hub.known(customer, &pin, Millis(4)).is_err());
        let later = Millis(3).after(retry_after);
        assert!(hub.known(customer, &pin, later).is_ok());
        let Refused::Guessing { retry_after } = guess(&mut hub, customer, later.0) else {
            panic!()
        };
        assert_eq!(retry_after, RATES.guess_pause * PAUSES_GROW, "and longer the next time");
    }

    #[test]
    fn this_machine_is_not_slowed_by_what_strangers_guess() {
        let (mut hub, pin) = hub();
        (0..1_000).for_each(|n| drop(guess(&mut hub, client(n, 0), 0)));
        let local = Client::from_ip(Ipv4Addr::LOCALHOST.into());
        assert!(served(&guess(&mut hub, local, 1)));
        assert!(hub.known(local, &pin, Millis(1)).is_ok());
    }

    proptest! {
        #[test]
        fn whoever_guesses_the_served_guesses_stay_bounded_and_a_right_pin_without_a_miss_passes(
            guesses in prop::collection::vec((0u16..400, 0u16..4, 0i64..4_000), 1..1_500),
        ) {
            let (mut hub, pin) = hub();
            let (mut now, mut told) = (0, Vec::new());
            let mut by_owner: HashMap<u16, Vec<i64>> = HashMap::new();
            for (n, &(owner, subnet, later)) in guesses.iter().enumerate() {
                now += later;
                if served(&guess(&mut hub, client(owner, subnet), now)) {
                    told.push(now);
                    by_owner.entry(owner).or_default().push(now);
                }
                let honest = client(1_000 + u16::try_from(n).unwrap(), 0);
                prop_assert!(hub.known(honest, &pin, Millis(now)).is_ok());
            }
            let bounded = |times: &[i64], most: usize, per: Duration| {
                times.windows(most + 1).all(|some| Millis(some[0]).after(per) <= Millis(some[most]))
            };
            prop_assert!(bounded(&told, RATES.guesses_in_all.times, RATES.guesses_in_all.per));
            for times in by_owner.values() {
                let most = RATES.guesses.times * limits::GUESSERS_SHARE;
                prop_assert!(bounded(times, most, RATES.guesses.per));
            }
        }
    }
}
