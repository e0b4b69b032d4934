//! One session: how long it lives, its four hooks and its two sides.
//!
//! A hook fires at most once for each time that it was put, and an `_offline` hook only for a side
//! whose `_started` hook had fired (services.md, section 1).

use std::time::Duration;

use serve::{Client, Millis};
use wire::{HookType, Region, Side, shared_screen::Requester};

use super::{
    credential::KeyHash,
    customer::Customer,
    hooks::{ArmedHooks, FiredHook},
    presence::{Arrival, ConnectionId, PageId, Presence},
};

/// A session as the broker knows it.
#[derive(Debug, Clone)]
pub struct Session {
    /// The region that was asked for.
    pub region: Region,
    /// When its PIN was minted.
    pub minted: Millis,
    /// When its PIN expires.
    pub expires: Millis,
    /// The client that asked for it.
    pub minter: Client,
    /// Somebody who has the PIN ended it before its time.
    pub revoked: bool,
    /// The SHA-256 of the conf, once that was given. It is given only once.
    pub conf_hash: Option<KeyHash>,
    /// The hash of the key that the console gave when it asked for the PIN. Following the session takes that key.
    pub console: Option<KeyHash>,
    /// The technician and company who ask for the screen.
    pub requester: Requester,
    /// The conf says that nobody at the customer's computer has to agree.
    pub unattended: bool,
    /// How far the customer has come.
    pub customer: Customer,
    hooks: ArmedHooks,
    presenter: SideState,
    viewers: SideState,
}

/// One side, and whether it was ever announced.
#[derive(Debug, Clone, Default)]
struct SideState {
    presence: Presence,
    /// Its `_started` hook has fired.
    announced: bool,
    /// When a page of it last started, and when it last went offline: as far as this process has seen it.
    started_at: Option<Millis>,
    offline_at: Option<Millis>,
}

/// Whether a session can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Live,
    Expired,
    Revoked,
}

impl Session {
    pub fn new(region: Region, minter: Client, minted: Millis, life: Duration) -> Self {
        Self {
            region,
            minted,
            expires: minted.after(life),
            minter,
            revoked: false,
            conf_hash: None,
            console: None,
            requester: Requester::default(),
            unattended: false,
            customer: Customer::default(),
            hooks: ArmedHooks::default(),
            presenter: SideState::default(),
            viewers: SideState::default(),
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
    /// Whoever has the PIN may, unless it was minted on this machine: otherwise a customer on the network, who has
    /// it, too, could redirect the technician's hooks or write e-mails in their name (docs/adr/0006).
    pub fn may_be_managed_by(&self, client: Client) -> bool {
        client.is_this_machine() || !self.minter.is_this_machine()
    }

    /// Forgets who was there and whom it was about, and ends it. What is left says that there was such a PIN, and who
    /// may give orders about it.
    pub fn empty(&mut self) {
        self.revoked = true;
        self.requester = Requester::default();
        self.customer = Customer::default();
        self.hooks = ArmedHooks::default();
        self.presenter = SideState::default();
        self.viewers = SideState::default();
    }

    /// Arms a hook, or changes where it goes.
    pub fn put_hook(&mut self, hook: HookType, url: String) {
        self.hooks.put(hook, url);
    }

    /// A page of one side connects.
    pub fn arrive(
        &mut self,
        side: Side,
        page: PageId,
        name: &str,
        connection: ConnectionId,
        now: Millis,
    ) -> (Arrival, Option<FiredHook>) {
        if side == Side::Presenter {
            let others = self.presenter.presence.present().any(|(other, ..)| other != page);
            self.customer.came_online(others, now);
        }
        let arrival = self.side_mut(side).presence.arrive(side, page, name, connection, now);
        if arrival.started {
            self.side_mut(side).started_at = Some(now);
        }
        let fired = if arrival.started { self.fire(started(side)) } else { None };
        (arrival, fired)
    }

    /// A page's connection ends; false if that changes nothing.
    pub fn depart(
        &mut self,
        side: Side,
        page: PageId,
        connection: ConnectionId,
        now: Millis,
    ) -> bool {
        self.side_mut(side).presence.depart(page, connection, now)
    }

    /// Lets time pass on one side. True if the side has just gone offline, with the hook that fires for it.
    pub fn expire_side(
        &mut self,
        side: Side,
        now: Millis,
        grace: Duration,
    ) -> (bool, Option<FiredHook>) {
        if !self.expire_presence(side, now, grace) {
            return (false, None);
        }
        let of_side = self.side_mut(side);
        of_side.presence.count_offline();
        of_side.offline_at = Some(now);
        // A hook that isn't armed by now has missed this event, and doesn't fire for it later.
        let fired = if self.side(side).announced { self.fire(offline(side)) } else { None };
        (true, fired)
    }

    /// How often each hook's event has happened, in the order of [`HookType::ALL`].
    pub fn happened(&self) -> [u64; HookType::ALL.len()] {
        HookType::ALL.map(|hook| {
            let (started, offline) = self.presence(hook.side()).happened();
            if hook.is_started() { started } else { offline }
        })
    }

    /// When each of them last happened, where this process has seen it.
    pub fn happened_at(&self) -> [Option<Millis>; HookType::ALL.len()] {
        HookType::ALL.map(|hook| {
            let side = self.side(hook.side());
            if hook.is_started() { side.started_at } else { side.offline_at }
        })
    }

    /// Lets time pass on one side of a session whose life is over: nothing happens any more for which a hook could
    /// fire. True if the side has just gone offline.
    pub fn expire_presence(&mut self, side: Side, now: Millis, grace: Duration) -> bool {
        let gone = self.side_mut(side).presence.expire(now, grace);
        if gone {
            let (others, _) = self.presence(other(side)).happened();
            self.side_mut(side).presence.remember_others(others);
        }
        gone
    }

    /// While no viewer is left: whether a program of the customer has started since, which makes the session live
    /// again. None if that isn't known.
    pub fn reopened(&self) -> Option<bool> {
        let (started, _) = self.presenter.presence.happened();
        self.viewers.presence.others_came_since(started)
    }

    /// When a side's grace is over next.
    pub fn next_deadline(&self, grace: Duration) -> Option<Millis> {
        let deadline = |side| self.side(side).presence.next_deadline(grace);
        deadline(Side::Presenter).into_iter().chain(deadline(Side::Viewers)).min()
    }

    pub fn presence(&self, side: Side) -> &Presence {
        &self.side(side).presence
    }

    /// One side, where a page is to be renamed.
    pub fn presence_mut(&mut self, side: Side) -> &mut Presence {
        &mut self.side_mut(side).presence
    }

    /// Whether a side's `_started` hook has fired.
    pub fn announced(&self, side: Side) -> bool {
        self.side(side).announced
    }

    /// Restores a side from the store.
    pub fn restore_side(&mut self, side: Side, presence: Presence, announced: bool) {
        *self.side_mut(side) = SideState { presence, announced, ..SideState::default() };
    }

    fn fire(&mut self, hook: HookType) -> Option<FiredHook> {
        let url = self.hooks.take(hook)?;
        // Only once the hook has fired: a console that got no start event must get no offline event either.
        let state = self.side_mut(hook.side());
        state.announced |= hook.is_started();
        Some(FiredHook { hook, url, name: state.presence.last_name().to_owned() })
    }

    fn side(&self, side: Side) -> &SideState {
        match side {
            Side::Presenter => &self.presenter,
            Side::Viewers => &self.viewers,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Presenter => &mut self.presenter,
            Side::Viewers => &mut self.viewers,
        }
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Presenter => Side::Viewers,
        Side::Viewers => Side::Presenter,
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
        let minter = Client::from_ip(Ipv4Addr::LOCALHOST.into());
        let life = Duration::from_secs(86_400);
        let region = "us-east-1".parse().unwrap();
        Session::new(region, minter, Millis(0), life)
    }

    fn arrive(session: &mut Session, side: Side, n: u64) -> Option<HookType> {
        let page = PageId(Uuid::from_u128(n.into()));
        session.arrive(side, page, "Maria", ConnectionId(n), Millis(0)).1.map(|fired| fired.hook)
    }

    fn leave(session: &mut Session, side: Side, n: u64, now: i64) {
        session.depart(side, PageId(Uuid::from_u128(n.into())), ConnectionId(n), Millis(now));
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
