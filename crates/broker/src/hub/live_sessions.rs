//! The sessions whose PIN works, in the order in which they were minted: nobody has to look for them among all.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use wire::Pin;

/// A session's place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct LiveSessions {
    by_place: BTreeMap<Place, Pin>,
    last: u64,
}

impl LiveSessions {
    /// Adds a session, as the one that was minted last.
    pub fn add(&mut self, pin: &Pin) -> Place {
        self.last += 1;
        self.by_place.insert(Place(self.last), pin.clone());
        Place(self.last)
    }

    /// The PIN works no longer; again does nothing.
    pub fn remove(&mut self, place: Place) {
        self.by_place.remove(&place);
    }

    pub fn count(&self) -> u64 {
        self.by_place.len() as u64
    }

    /// Those after this place, or all.
    pub fn after(&self, place: Option<Place>) -> impl Iterator<Item = (Place, &Pin)> {
        let from = place.map_or(Unbounded, Excluded);
        self.by_place.range((from, Unbounded)).map(|(place, pin)| (*place, pin))
    }
}
