//! The sessions whose PIN works, in the order in which they were minted: nobody has to look for them among all.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use wire::Pin;

/// A session's place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListPosition(u64);

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct LiveSessions {
    by_place: BTreeMap<ListPosition, Pin>,
    last: u64,
}

impl LiveSessions {
    /// Adds a session, as the one that was minted last.
    pub fn add(&mut self, pin: &Pin) -> ListPosition {
        self.last += 1;
        self.by_place.insert(ListPosition(self.last), pin.clone());
        ListPosition(self.last)
    }

    /// The PIN works no longer; again does nothing.
    pub fn remove(&mut self, place: ListPosition) {
        self.by_place.remove(&place);
    }

    pub fn count(&self) -> u64 {
        self.by_place.len() as u64
    }

    /// Those after this place, or all.
    pub fn after(&self, place: Option<ListPosition>) -> impl Iterator<Item = (ListPosition, &Pin)> {
        let from = place.map_or(Unbounded, Excluded);
        self.by_place.range((from, Unbounded)).map(|(place, pin)| (*place, pin))
    }
}
