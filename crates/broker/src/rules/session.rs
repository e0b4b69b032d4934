//! One session: its life, its four hooks and its two sides.
//!
//! A hook fires at most once for each time that it was put, and an `_offline` hook only for a side
//! whose `_started` hook had fired (services.md, section 1).

use std::time::Duration;

use serve::{Client, Millis};
use wire::{HookType, Region, Side, screen::Asker};

use super::presence::{Arrival, LineId, PageId, Presence};

/// A session as the broker knows it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Where it was asked for.
    pub region: Region,
    /// When its PIN was minted.
    pub minted: Millis,
    /// When its PIN's life is over.
    pub expires: Millis,
    /// Who asked for it.
    pub minter: Client,
    /// Ended before its time by whoever holds the PIN.
    pub revoked: bool,
    /// SHA-256 of the conf once that was given; it is given once, ever.
    pub conf_hash: Option<[u8; 32]>,
    /// Who asks for the screen.
    pub asker: Asker,
    /// The conf says that nobody at the PC has to agree.
    pub unattended: bool,
    hooks: [Option<String>; 4],
    presenter: Party,
    viewers: Party,
}

/// One side and whether it was ever announced.
#[derive(Debug, Clone, Default)]
struct Party {
    presence: Presence,
    /// Its `_started` hook has fired.
    announced: bool,
}

/// A hook that has just been consumed and must now be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Which one.
    pub hook: HookType,
    /// Where to.
    pub url: String,
    /// The name of the side that it speaks of.
    pub name: String,
}

/// Whether a session can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The PIN works.
    Live,
    /// The PIN's time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl Session {
    /// A session that has just been minted.
    pub fn new(region: Region, minter: Client, minted: Millis, life: Duration) -> Self {
        Self {
            region,
            minted,
            expires: minted.after(life),
            minter,
            revoked: false,
            conf_hash: None,
            asker: Asker::default(),
            unattended: false,
            hooks: [const { None }; 4],
            presenter: Party::default(),
            viewers: Party::default(),
        }
    }

    /// Whether its PIN still works.
    pub fn life(&self, now: Millis) -> Life {
        if self.revoked {
            Life::Revoked
        } else if now >= self.expires {
            Life::Expired
        } else {
            Life::Live
        }
    }

    /// Whether a client may arm its hooks and send e-mail about it.
    ///
    /// Whoever holds the PIN may, except where it was minted on this machine: then a customer of the
    /// network, who holds it too, could turn the technician's hooks away or write in their name.
    pub fn takes_orders_of(&self, client: Client) -> bool {
        client.is_this_machine() || !self.minter.is_this_machine()
    }

    /// Arms a hook, or edits where it goes.
    pub fn put_hook(&mut self, hook: HookType, url: String) {
        self.hooks[hook.index()] = Some(url);
    }

    /// A page of one side connects.
    pub fn arrive(
        &mut self,
        side: Side,
        page: PageId,
        name: &str,
        line: LineId,
    ) -> (Arrival, Option<Fired>) {
        let arrival = self.party_mut(side).presence.arrive(side, page, name, line);
        let fired = if arrival.started { self.fire(started(side)) } else { None };
        (arrival, fired)
    }

    /// A page's connection ends; true if that changed anything.
    pub fn depart(&mut self, side: Side, page: PageId, line: LineId, now: Millis) -> bool {
        self.party_mut(side).presence.depart(page, line, now)
    }

    /// Lets time pass on one side: true if it has just gone offline, and the hook that says so.
    pub fn expire_side(
        &mut self,
        side: Side,
        now: Millis,
        grace: Duration,
    ) -> (bool, Option<Fired>) {
        if !self.party_mut(side).presence.expire(now, grace) {
            return (false, None);
        }
        // A hook that isn't armed now has missed it: one put later doesn't fire for it.
        let fired = if self.party(side).announced { self.fire(offline(side)) } else { None };
        (true, fired)
    }

    /// When a side's grace is over next.
    pub fn next_due(&self, grace: Duration) -> Option<Millis> {
        let due = |side| self.party(side).presence.next_due(grace);
        due(Side::Presenter).into_iter().chain(due(Side::Viewers)).min()
    }

    /// One side.
    pub fn presence(&self, side: Side) -> &Presence {
        &self.party(side).presence
    }

    /// One side, to rename a page.
    pub fn presence_mut(&mut self, side: Side) -> &mut Presence {
        &mut self.party_mut(side).presence
    }

    /// Whether a side's `_started` hook has fired.
    pub fn announced(&self, side: Side) -> bool {
        self.party(side).announced
    }

    /// Puts back what the store kept of a side.
    pub fn restore_side(&mut self, side: Side, presence: Presence, announced: bool) {
        *self.party_mut(side) = Party { presence, announced };
    }

    fn fire(&mut self, hook: HookType) -> Option<Fired> {
        let url = self.hooks[hook.index()].take()?;
        let party = self.party_mut(hook.side());
        party.announced |= hook.is_started();
        Some(Fired { hook, url, name: party.presence.last_name().to_owned() })
    }

    fn party(&self, side: Side) -> &Party {
        match side {
            Side::Presenter => &self.presenter,
            Side::Viewers => &self.viewers,
        }
    }

    fn party_mut(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Presenter => &mut self.presenter,
            Side::Viewers => &mut self.viewers,
        }
    }
}

const fn started(side: Side) -> HookType {
    match side {
        Side::Presenter => HookType::PresenterStarted,
        Side::Viewers => HookType::ViewerStarted,
    }
}

const fn offline(side: Side) -> HookType {
    match side {
        Side::Presenter => HookType::PresenterOffline,
        Side::Viewers => HookType::ViewerOffline,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use uuid::Uuid;

    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn session() -> Session {
        let minter = Client::at(Ipv4Addr::LOCALHOST.into());
        let life = Duration::from_secs(86_400);
        let region = "us-east-1".parse().unwrap();
        Session::new(region, minter, Millis(0), life)
    }

    fn arrive(session: &mut Session, side: Side, n: u64) -> Option<HookType> {
        let page = PageId(Uuid::from_u128(n.into()));
        session.arrive(side, page, "Maria", LineId(n)).1.map(|fired| fired.hook)
    }

    fn leave(session: &mut Session, side: Side, n: u64, now: i64) {
        session.depart(side, PageId(Uuid::from_u128(n.into())), LineId(n), Millis(now));
    }

    #[test]
    fn a_hook_that_fired_is_consumed_until_it_is_put_again() {
        let mut session = session();
        session.put_hook(HookType::PresenterStarted, "u".into());
        assert_eq!(arrive(&mut session, Side::Presenter, 1), Some(HookType::PresenterStarted));
        assert_eq!(arrive(&mut session, Side::Presenter, 2), None);
        session.put_hook(HookType::PresenterStarted, "u".into());
        assert_eq!(arrive(&mut session, Side::Presenter, 3), Some(HookType::PresenterStarted));
    }

    #[test]
    fn offline_fires_only_for_a_side_whose_started_hook_had_fired() {
        let mut session = session();
        session.put_hook(HookType::ViewerOffline, "u".into());
        arrive(&mut session, Side::Viewers, 1);
        leave(&mut session, Side::Viewers, 1, 0);
        assert_eq!(session.expire_side(Side::Viewers, Millis(60_001), GRACE), (true, None));
        session.put_hook(HookType::ViewerStarted, "u".into());
        arrive(&mut session, Side::Viewers, 2);
        leave(&mut session, Side::Viewers, 2, 100_000);
        let (_, fired) = session.expire_side(Side::Viewers, Millis(160_001), GRACE);
        assert_eq!(
            fired.map(|f| (f.hook, f.name)),
            Some((HookType::ViewerOffline, "Maria".into()))
        );
    }

    #[test]
    fn an_offline_hook_armed_after_the_fact_does_not_fire_for_it() {
        let mut session = session();
        session.put_hook(HookType::PresenterStarted, "u".into());
        arrive(&mut session, Side::Presenter, 1);
        leave(&mut session, Side::Presenter, 1, 0);
        assert_eq!(session.expire_side(Side::Presenter, Millis(60_001), GRACE), (true, None));
        session.put_hook(HookType::PresenterOffline, "u".into());
        assert_eq!(session.expire_side(Side::Presenter, Millis(900_000), GRACE), (false, None));
    }

    #[test]
    fn a_pins_life_ends_at_its_time_or_when_it_is_revoked() {
        let mut session = session();
        assert_eq!(session.life(Millis(86_399_999)), Life::Live);
        assert_eq!(session.life(Millis(86_400_000)), Life::Expired);
        session.revoked = true;
        assert_eq!(session.life(Millis(0)), Life::Revoked);
    }
}
