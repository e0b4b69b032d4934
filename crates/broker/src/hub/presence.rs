//! Who is present on one side of a session.
//!
//! A page (or the presenter's program) makes an id when it loads. A page with a new id has *started*. One that comes
//! back with the same id within the grace has *resumed*, which fires no hook. A side goes offline once, when none of
//! its pages has been connected for more than the grace.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serve::{Client, Millis};
use uuid::Uuid;
use wire::{Side, session_events::SideFacts};

/// One load of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageId(pub Uuid);

/// One connection of a page; a page that reconnects has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The program that came last, and so holds the presenter's place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub page: PageId,
    pub client: Client,
    /// It has shown its session's conf.
    pub proven: bool,
}

/// One side's pages and what is known of the side as a whole.
#[derive(Debug, Clone)]
pub struct Presence {
    pub(super) pages: BTreeMap<PageId, Page>,
    pub(super) phase: Phase,
    pub(super) last_name: String,
    /// How often a page has started, and how often the side has gone offline.
    pub(super) started: u64,
    pub(super) went_offline: u64,
    /// How often a page of the other side had started when this side last went offline; none if that isn't known.
    pub(super) others_before: Option<u64>,
    /// The program that has the presenter's place; none on the viewers' side.
    pub(super) holder: Option<Holder>,
}

#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) name: String,
    pub(super) state: PageState,
    /// Since when it has been connected, or not.
    pub(super) since: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageState {
    Connected(ConnectionId),
    Disconnected,
}

/// What is known of a side as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Never,
    Online {
        since: Millis,
    },
    /// Nobody is there, and they may still come back within the grace.
    Leaving {
        since: Millis,
    },
    Offline {
        since: Millis,
    },
}

/// What an arrival means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// It is a page with a new id, which fires the side's `_started` hook; otherwise the page has resumed.
    pub started: bool,
    /// The connections whose place this one takes.
    pub displaced: Vec<ConnectionId>,
}

impl Default for Presence {
    fn default() -> Self {
        Self {
            pages: BTreeMap::new(),
            phase: Phase::Never,
            last_name: String::new(),
            started: 0,
            went_offline: 0,
            others_before: None,
            holder: None,
        }
    }
}

impl Presence {
    /// A page connects. A session has one presenter, so a new one takes the old one's place.
    pub fn arrive(
        &mut self,
        side: Side,
        page: PageId,
        name: &str,
        connection: ConnectionId,
        now: Millis,
    ) -> Arrival {
        let started = !self.pages.contains_key(&page);
        // A page that dials again before its old connection has ended was there all the time.
        let since = self.connected_since(page).unwrap_or(now);
        let displaced = match side {
            // The old page is forgotten, and not only away: if it comes back, it has started anew.
            Side::Presenter => {
                let connections = self.connections();
                self.pages.clear();
                connections
            }
            Side::Viewers => self.pages.get(&page).and_then(Page::connection).into_iter().collect(),
        };
        name.clone_into(&mut self.last_name);
        let state = PageState::Connected(connection);
        self.pages.insert(page, Page { name: name.to_owned(), state, since });
        if !matches!(self.phase, Phase::Online { .. }) {
            self.phase = Phase::Online { since: now };
        }
        self.started += u64::from(started);
        Arrival { started, displaced }
    }

    /// A connection ends. False if that changes nothing, since another has taken its place already.
    pub fn depart(&mut self, page: PageId, connection: ConnectionId, now: Millis) -> bool {
        let Some(present) =
            self.pages.get_mut(&page).filter(|page| page.connection() == Some(connection))
        else {
            return false;
        };
        (present.state, present.since) = (PageState::Disconnected, now);
        if !self.is_online() {
            self.phase = Phase::Leaving { since: now };
        }
        true
    }

    /// Forgets pages that were away for more than the grace; true if the side has just gone offline.
    pub fn expire(&mut self, now: Millis, grace: Duration) -> bool {
        let over = |since: Millis| now > since.after(grace);
        self.pages.retain(|_, page| match page.state {
            PageState::Connected(_) => true,
            PageState::Disconnected => !over(page.since),
        });
        match self.phase {
            Phase::Leaving { since } if over(since) => {
                self.phase = Phase::Offline { since: now };
                self.pages.clear();
                true
            }
            Phase::Never | Phase::Online { .. } | Phase::Leaving { .. } | Phase::Offline { .. } => {
                false
            }
        }
    }

    /// Counts that the side has gone offline in a session that was alive.
    pub const fn count_offline(&mut self) {
        self.went_offline += 1;
    }

    /// The side has just gone offline; remembers how often a page of the other side has started so far.
    pub const fn remember_others(&mut self, started: u64) {
        self.others_before = Some(started);
    }

    /// While this side is offline: whether a page of the other side, which has started so often, has done so since.
    /// None if that isn't known.
    pub fn others_came_since(&self, started: u64) -> Option<bool> {
        match self.phase {
            Phase::Offline { .. } => self.others_before.map(|before| started > before),
            Phase::Never | Phase::Online { .. } | Phase::Leaving { .. } => None,
        }
    }

    /// When [`Presence::expire`] has something to do next.
    pub fn next_deadline(&self, grace: Duration) -> Option<Millis> {
        let leaving = match self.phase {
            Phase::Leaving { since } => Some(since),
            Phase::Never | Phase::Online { .. } | Phase::Offline { .. } => None,
        };
        let away = self.pages.values().filter_map(|page| match page.state {
            PageState::Disconnected => Some(page.since),
            PageState::Connected(_) => None,
        });
        // The service fires after *more than* the grace, so this is the first millisecond after it.
        away.chain(leaving).min().map(|since| since.after(grace + Duration::from_millis(1)))
    }

    /// Whether a page is connected, or away for no longer than the grace.
    pub fn knows(&self, page: PageId) -> bool {
        self.pages.contains_key(&page)
    }

    pub fn is_online(&self) -> bool {
        self.pages.values().any(|page| page.connection().is_some())
    }

    /// The pages that are connected, each with its name and its connection.
    pub fn present(&self) -> impl Iterator<Item = (PageId, &str, ConnectionId)> {
        self.pages.iter().filter_map(|(id, page)| {
            page.connection().map(|connection| (*id, page.name.as_str(), connection))
        })
    }

    /// Since when each page that is connected has been so, with its name and its connection.
    pub fn connected(&self) -> impl Iterator<Item = (ConnectionId, &str, Millis)> {
        self.pages.values().filter_map(|page| Some((page.connection()?, &*page.name, page.since)))
    }

    /// The side as a console is told of it.
    pub fn facts(&self, now: Millis) -> SideFacts {
        let for_ms = |since| millis_between(since, now);
        match self.phase {
            Phase::Never => SideFacts::Never,
            Phase::Online { since } => SideFacts::Online { for_ms: for_ms(since) },
            Phase::Leaving { since } => SideFacts::Leaving { for_ms: for_ms(since) },
            Phase::Offline { since } => SideFacts::Offline { for_ms: for_ms(since) },
        }
    }

    /// How often a page of this side has started, and how often the side has gone offline.
    pub const fn happened(&self) -> (u64, u64) {
        (self.started, self.went_offline)
    }

    fn connected_since(&self, page: PageId) -> Option<Millis> {
        self.pages.get(&page).filter(|page| page.connection().is_some()).map(|page| page.since)
    }

    /// The name that a page of this side gave last.
    pub fn last_name(&self) -> &str {
        &self.last_name
    }

    /// A page gives itself another name.
    pub fn rename(&mut self, page: PageId, name: &str) {
        if let Some(page) = self.pages.get_mut(&page) {
            name.clone_into(&mut page.name);
            name.clone_into(&mut self.last_name);
        }
    }

    fn connections(&self) -> Vec<ConnectionId> {
        self.pages.values().filter_map(Page::connection).collect()
    }
}

impl Page {
    const fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            PageState::Connected(connection) => Some(connection),
            PageState::Disconnected => None,
        }
    }
}

/// How long it is from one moment to another, for a message; 0 where the clock was set back in between.
pub(super) fn millis_between(earlier: Millis, later: Millis) -> u64 {
    u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub const GRACE: Duration = Duration::from_secs(60);

    pub fn page(n: u128) -> PageId {
        PageId(Uuid::from_u128(n))
    }

    #[test]
    fn the_same_page_within_the_grace_has_resumed_and_a_new_one_has_started() {
        let mut side = Presence::default();
        assert!(side.arrive(Side::Viewers, page(1), "Anna", ConnectionId(1), Millis(0)).started);
        side.depart(page(1), ConnectionId(1), Millis(0));
        assert!(!side.expire(Millis(60_000), GRACE));
        assert!(!side.arrive(Side::Viewers, page(1), "Anna", ConnectionId(2), Millis(0)).started);
        assert!(side.arrive(Side::Viewers, page(2), "Ben", ConnectionId(3), Millis(0)).started);
    }

    #[test]
    fn goes_offline_once_and_only_after_more_than_the_grace() {
        let mut side = Presence::default();
        side.arrive(Side::Viewers, page(1), "", ConnectionId(1), Millis(0));
        side.depart(page(1), ConnectionId(1), Millis(5));
        assert_eq!(side.next_deadline(GRACE), Some(Millis(60_006)));
        assert!(!side.expire(Millis(60_005), GRACE));
        assert!(side.expire(Millis(60_006), GRACE));
        assert!(!side.expire(Millis(999_999), GRACE));
        assert!(
            side.arrive(Side::Viewers, page(1), "", ConnectionId(2), Millis(0)).started,
            "too late to resume"
        );
    }

    #[test]
    fn viewers_are_gone_only_when_all_are() {
        let mut side = Presence::default();
        side.arrive(Side::Viewers, page(1), "", ConnectionId(1), Millis(0));
        side.arrive(Side::Viewers, page(2), "", ConnectionId(2), Millis(0));
        side.depart(page(1), ConnectionId(1), Millis(0));
        assert!(!side.expire(Millis(120_000), GRACE));
        side.depart(page(2), ConnectionId(2), Millis(120_000));
        assert!(!side.expire(Millis(180_000), GRACE));
        assert!(side.expire(Millis(180_001), GRACE));
    }

    #[test]
    fn a_new_presenter_takes_the_old_ones_place_and_the_old_line_ending_changes_nothing() {
        let mut side = Presence::default();
        side.arrive(Side::Presenter, page(1), "", ConnectionId(1), Millis(0));
        let second = side.arrive(Side::Presenter, page(2), "", ConnectionId(2), Millis(0));
        assert_eq!(second, Arrival { started: true, displaced: vec![ConnectionId(1)] });
        assert!(!side.depart(page(1), ConnectionId(1), Millis(0)));
        assert!(side.is_online());
    }

    proptest! {
        #[test]
        fn whatever_comes_and_goes_offline_is_never_said_of_a_side_that_is_there(
            steps in proptest::collection::vec((0u8..3, 1u128..4, 0i64..90_000), 0..60)
        ) {
            let (mut side, mut now, mut line) = (Presence::default(), 0, 0);
            let mut open: BTreeMap<PageId, ConnectionId> = BTreeMap::new();
            for (what, id, wait) in steps {
                now += wait;
                match what {
                    0 => {
                        line += 1;
                        side.arrive(Side::Viewers, page(id), "", ConnectionId(line), Millis(now));
                        open.insert(page(id), ConnectionId(line));
                    }
                    1 => if let Some(line) = open.remove(&page(id)) {
                        side.depart(page(id), line, Millis(now));
                    }
                    _ => {
                        let gone = side.expire(Millis(now), GRACE);
                        prop_assert!(!gone || open.is_empty());
                        if let Some(deadline) = side.next_deadline(GRACE) { prop_assert!(deadline > Millis(now)); }
                    }
                }
                prop_assert_eq!(side.is_online(), !open.is_empty());
            }
        }
    }
}
