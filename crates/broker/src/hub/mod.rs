//! What the broker decides. There is no clock, no random number, no network and no disk in here: time and
//! chance are arguments, and every decision returns a [`Change`](change::Change) that somebody else carries out.
//!
//! Each part of the state has a file and an owner of its own; [`Hub`] holds the parts and is the only type that sees
//! more than one. Nothing in here may import the entry points (`http`, `sockets`) or the coordinator.

pub mod abuse;
mod admitting;
mod arrivals;
pub mod census;
pub mod change;
pub mod chat;
pub mod conf;
pub mod connections;
pub mod credential;
pub mod customer;
mod deadlines;
mod deletion;
mod facts;
mod guesses;
pub mod hooks;
pub mod join;
mod kept_sessions;
pub mod limits;
mod live_sessions;
pub mod mails;
pub mod messages;
pub mod outbox;
mod page_messages;
pub mod pin;
pub mod presence;
pub mod rates;
pub mod records;
pub mod refusal;
mod roster;
pub mod service_calls;
pub mod session;
pub mod stored_presence;
pub mod streams;
mod takeover;
pub mod target;
pub mod text;
pub mod tickets;
mod timing;
mod watching;

use std::collections::HashMap;

use serve::{Client, Millis};
use wire::Pin;

use self::{
    abuse::AbuseReports,
    chat::ChatLog,
    connections::Connections,
    deadlines::Deadlines,
    kept_sessions::KeptSessions,
    limits::{HubSettings, Rates},
    live_sessions::{ListPosition, LiveSessions},
    outbox::Outbox,
    rates::Usage,
    records::StoredState,
    session::Session,
    streams::Streams,
    tickets::{Ticket, Tickets},
};

/// Everything that the broker knows.
#[derive(Debug)]
pub(crate) struct Hub {
    settings: HubSettings,
    /// Boxed, here as in all that grows with what comes: everybody waits while a table moves its entries.
    sessions: HashMap<Pin, Box<SessionEntry>>,
    /// Whose they are.
    kept: KeptSessions,
    /// Those whose PIN works.
    live: LiveSessions,
    connections: Connections,
    streams: Streams,
    tickets: Tickets,
    deadlines: Deadlines,
    abuse: AbuseReports,
    usage: Usage,
    outbox: Outbox,
    /// The revision that was given last, of all sessions.
    revision: u64,
}

/// A session with its chat.
#[derive(Debug)]
struct SessionEntry {
    session: Session,
    /// Among the sessions whose PIN works, or where it was.
    place: ListPosition,
    chat: ChatLog,
    /// When the pages were last sent how well the viewers see the screen.
    quality_sent: Option<Millis>,
    /// Greater with every change that consoles are told of.
    revision: u64,
    /// Consoles were told that the PIN has expired.
    expiry_announced: bool,
}

impl SessionEntry {
    fn new(session: Session, place: ListPosition, revision: u64) -> Self {
        Self {
            session,
            place,
            chat: ChatLog::default(),
            quality_sent: None,
            revision,
            expiry_announced: false,
        }
    }
}

impl Hub {
    /// Decides by other settings from now on. What was promised stays: a PIN that was minted lives as long as it was
    /// to live.
    pub fn use_settings(&mut self, settings: HubSettings) {
        self.settings = settings;
    }

    /// The hub as it was stored. Connections and streams don't survive a restart.
    pub fn new(settings: HubSettings, stored: StoredState) -> Self {
        let revision = stored.first_revision;
        let (mut live, mut sessions) = (LiveSessions::default(), HashMap::new());
        let mut kept = KeptSessions::default();
        let mut by_age = stored.sessions;
        by_age.sort_by_key(|(_, session)| session.minted);
        for (pin, session) in by_age {
            // Those that have expired leave at their deadline, which is over.
            let (place, revoked) = (live.add(&pin), session.revoked);
            if revoked {
                live.remove(place);
            }
            kept.add(session.minter);
            sessions.insert(pin, Box::new(SessionEntry::new(session, place, revision)));
        }
        for (pin, message) in stored.messages {
            if let Some(entry) = sessions.get_mut(&pin) {
                entry.chat.restore(message);
            }
        }
        for (pin, last) in stored.last_messages {
            if let Some(entry) = sessions.get_mut(&pin) {
                entry.chat.continue_after(last);
            }
        }
        let known = |(_, ticket): &(_, Ticket)| sessions.contains_key(&ticket.pin);
        let tickets = stored.tickets.into_iter().filter(known).collect();
        let pins: Vec<Pin> = sessions.keys().cloned().collect();
        let mut hub = Self {
            settings,
            sessions,
            kept,
            live,
            connections: Connections::default(),
            streams: Streams::default(),
            tickets,
            deadlines: Deadlines::default(),
            abuse: AbuseReports::from_stored(stored.reports, stored.blocked),
            usage: Usage::default(),
            outbox: Outbox::from(stored.outbox),
            revision,
        };
        pins.iter().for_each(|pin| hub.reschedule(pin));
        hub
    }

    /// Whether this client may not use the broker at all.
    ///
    /// Whoever owns the machine isn't shut out of their own broker, whatever strangers report.
    pub fn is_blocked(&self, client: Client) -> bool {
        !client.is_this_machine() && self.abuse.is_blocked(client.owner())
    }

    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Adds a session that was minted now.
    fn add_session(&mut self, pin: Pin, session: Session) {
        self.kept.add(session.minter);
        let entry = SessionEntry::new(session, self.live.add(&pin), self.revision);
        self.sessions.insert(pin, Box::new(entry));
    }

    fn rates(&self, client: Client) -> Rates {
        *self.settings.rates.for_client(client)
    }
}

#[cfg(test)]
mod tests;
