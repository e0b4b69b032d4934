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
pub(crate) struct Tickets(HashMap<KeyHash, Ticket>);

impl Tickets {
    pub fn get(&self, hash: &KeyHash) -> Option<&Ticket> {
        self.0.get(hash)
    }

    pub fn insert(&mut self, hash: KeyHash, ticket: Ticket) {
        self.0.insert(hash, ticket);
    }

    /// Whether this session has as many links as it can have.
    pub fn is_full(&self, pin: &Pin) -> bool {
        self.0.values().filter(|ticket| ticket.pin == *pin).count() >= MOST_BY_SESSION
    }

    /// Forgets the tickets of all sessions but these.
    pub fn retain_sessions(&mut self, is_known: impl Fn(&Pin) -> bool) {
        self.0.retain(|_, ticket| is_known(&ticket.pin));
    }
}

impl FromIterator<(KeyHash, Ticket)> for Tickets {
    fn from_iter<T: IntoIterator<Item = (KeyHash, Ticket)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}
