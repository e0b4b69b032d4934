//! The tickets in viewers' links, by their hash: which session and which role each of them admits to.

use std::collections::HashMap;

use wire::{Pin, shared_screen::Role};

use super::credential::KeyHash;

/// How many links one session can have. Each is a row in the store until its PIN is forgotten.
const MOST_BY_SESSION: usize = 100;

/// What a viewer's link lets its holder do.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub pin: Pin,
    pub role: Role,
    /// The name that its holder's page begins with.
    pub name: String,
}

/// All tickets.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    by_hash: HashMap<KeyHash, Ticket>,
    by_session: HashMap<Pin, Vec<KeyHash>>,
}

impl Tickets {
    pub fn get(&self, hash: &KeyHash) -> Option<&Ticket> {
        self.by_hash.get(hash)
    }

    pub fn insert(&mut self, hash: KeyHash, ticket: Ticket) {
        self.by_session.entry(ticket.pin.clone()).or_default().push(hash);
        self.by_hash.insert(hash, ticket);
    }

    /// Whether this session has as many links as it can have.
    pub fn is_full(&self, pin: &Pin) -> bool {
        self.by_session.get(pin).is_some_and(|tickets| tickets.len() >= MOST_BY_SESSION)
    }

    /// Forgets the tickets of a session.
    pub fn forget_session(&mut self, pin: &Pin) {
        for hash in self.by_session.remove(pin).unwrap_or_default() {
            self.by_hash.remove(&hash);
        }
    }
}

impl FromIterator<(KeyHash, Ticket)> for Tickets {
    fn from_iter<T: IntoIterator<Item = (KeyHash, Ticket)>>(all: T) -> Self {
        let mut tickets = Self::default();
        all.into_iter().for_each(|(hash, ticket)| tickets.insert(hash, ticket));
        tickets
    }
}
