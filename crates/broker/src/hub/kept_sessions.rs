//! Whose sessions are kept. There is an end to them, or whoever has many addresses would fill the memory; and a share for
//! each, or they would leave none to others.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

use serve::{Client, Owner};

use super::refusal::Refused;

/// How many sessions there are, by who minted them.
#[derive(Debug, Default)]
pub(crate) struct KeptSessions {
    here: usize,
    elsewhere: usize,
    by_owner: HashMap<Owner, usize>,
    by_provider: HashMap<Provider, usize>,
}

/// The IPv6 /32 that an owner's /48 is in: as much as a provider is given, so that one with all of its addresses is still
/// one. Nobody has that many IPv4 addresses side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Provider(u32);

impl Provider {
    fn of(client: Client) -> Option<Self> {
        match client.owner().first() {
            IpAddr::V6(ip) => {
                let [one, two, ..] = ip.segments();
                Some(Self(u32::from(one) << 16 | u32::from(two)))
            }
            IpAddr::V4(_) => None,
        }
    }
}

impl KeptSessions {
    /// Whether a client may mint one more, where so many are kept of all strangers, or of this machine.
    pub fn check(&self, client: Client, most: usize) -> Result<(), Refused> {
        if client.is_this_machine() {
            return if self.here < most { Ok(()) } else { Err(Refused::AllSessions) };
        }
        if self.elsewhere >= most {
            return Err(Refused::AllSessions);
        }
        let of_owner = count(&self.by_owner, client.owner());
        let of_provider = Provider::of(client).map_or(0, |of| count(&self.by_provider, of));
        let has_room = of_owner < (most / 4).max(1) && of_provider < (most / 2).max(1);
        if has_room { Ok(()) } else { Err(Refused::OwnSessions) }
    }

    pub fn add(&mut self, minter: Client) {
        if minter.is_this_machine() {
            self.here += 1;
            return;
        }
        self.elsewhere += 1;
        *self.by_owner.entry(minter.owner()).or_default() += 1;
        if let Some(provider) = Provider::of(minter) {
            *self.by_provider.entry(provider).or_default() += 1;
        }
    }

    pub fn remove(&mut self, minter: Client) {
        if minter.is_this_machine() {
            self.here -= 1;
            return;
        }
        self.elsewhere -= 1;
        decrease(&mut self.by_owner, minter.owner());
        if let Some(provider) = Provider::of(minter) {
            decrease(&mut self.by_provider, provider);
        }
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        (self.here + self.elsewhere) as u64
    }
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, of: K) -> usize {
    counts.get(&of).copied().unwrap_or_default()
}

fn decrease<K: Eq + Hash>(counts: &mut HashMap<K, usize>, of: K) {
    if let Some(count) = counts.get_mut(&of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, time::Duration};

    use serve::Millis;

    use super::*;
    use crate::hub::{
        Hub,
        limits::{HubSettings, Rates},
        records::StoredState,
    };

    const MOST: usize = 40;
    const LIFE: Duration = Duration::from_secs(60);

    fn hub() -> Hub {
        let regions = vec!["r".parse().unwrap()];
        let mut settings = HubSettings { regions, ..HubSettings::default() };
        settings.durations.pin_life = LIFE;
        settings.durations.chat_life = LIFE;
        let rates = Rates { sessions_in_all: MOST, ..Rates::network() };
        settings.rates = rates.into();
        Hub::new(settings, StoredState::default())
    }

    fn network(provider: u16, owner: u16) -> Client {
        Client::from_ip(Ipv6Addr::new(0x2001, provider, owner, 0, 0, 0, 0, 1).into())
    }

    fn office(last: u8) -> Client {
        Client::from_ip([198, 51, 100, last].into())
    }

    /// How many of so many are minted, each by another client.
    fn minted(hub: &mut Hub, times: u16, by: impl Fn(u16) -> Client, now: Millis) -> usize {
        let region: wire::Region = "r".parse().unwrap();
        let mut mint = |n: u16| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&(hub.kept.count() + 1).to_be_bytes());
            random[8..16].copy_from_slice(&(now.0 + 1).to_be_bytes());
            let attempts = std::array::from_fn::<_, 64, _>(|at| random.map(|byte| byte ^ at as u8));
            hub.mint(by(n), region.clone(), None, &attempts, now).map(drop)
        };
        let results: Vec<_> = (0..times).map(&mut mint).collect();
        let refused =
            |refused: &Refused| matches!(refused, Refused::OwnSessions | Refused::AllSessions);
        assert!(results.iter().all(|one| one.as_ref().err().is_none_or(refused)), "{results:?}");
        results.iter().filter(|one| one.is_ok()).count()
    }

    #[test]
    fn somebody_with_all_networks_of_a_provider_leaves_half_of_the_sessions_to_others() {
        let (mut hub, now) = (hub(), Millis(0));
        assert_eq!(minted(&mut hub, 1_000, |n| network(1, n), now), MOST / 2);
        assert_eq!(minted(&mut hub, 1_000, |_| office(1), now), MOST / 4, "an owner has a quarter");
        assert_eq!(minted(&mut hub, 5, |_| office(2), now), 5);
        assert_eq!(minted(&mut hub, 1_000, |n| network(n + 2, 1), now), MOST / 4 - 5);
        assert_eq!(hub.kept.count(), MOST as u64, "there is an end in all");
        let here = |_| Client::from_ip([127, 0, 0, 1].into());
        assert_eq!(
            minted(&mut hub, 1_000, here, now),
            MOST,
            "whoever owns the machine has their own"
        );
    }

    #[test]
    fn a_session_counts_for_as_long_as_it_is_remembered_whatever_became_of_it() {
        let (mut hub, now) = (hub(), Millis(0));
        assert_eq!(minted(&mut hub, 20, |_| office(1), now), MOST / 4);
        let pins: Vec<_> = hub.sessions.keys().cloned().collect();
        for pin in &pins {
            hub.revoke(office(1), pin, now).unwrap();
        }
        assert_eq!(minted(&mut hub, 20, |_| office(1), now), 0, "ending it frees no memory");
        let forgotten = Millis(now.after(LIFE * 3).0 + 2);
        while hub.next_deadline().is_some_and(|at| at <= forgotten) {
            hub.fire_elapsed(forgotten);
        }
        assert_eq!(hub.kept.count(), 0);
        assert!(hub.kept.by_owner.is_empty() && hub.kept.by_provider.is_empty());
        let later = forgotten.after(Duration::from_secs(600));
        assert_eq!(minted(&mut hub, 20, |_| office(1), later), MOST / 4);
    }
}
