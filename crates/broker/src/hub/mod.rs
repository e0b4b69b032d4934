//! What the broker decides. There is no clock, no random number, no network and no disk in here: time and
//! chance are arguments, and every decision returns a [`Change`](change::Change) that somebody else carries out.
//!
//! Each part of the state has a file and an owner of its own; [`Hub`] holds the parts and is the only type that sees
//! more than one. Nothing in here may import the entry points (`http`, `sockets`) or the coordinator.

pub mod abuse;
mod arrivals;
pub mod change;
pub mod chat;
pub mod conf;
pub mod connections;
pub mod credential;
pub mod customer;
mod facts;
pub mod hooks;
pub mod join;
pub mod limits;
pub mod mails;
pub mod messages;
pub mod outbox;
mod page_messages;
pub mod pin;
mod place;
pub mod presence;
pub mod rates;
pub mod records;
pub mod refusal;
mod roster;
pub mod service_calls;
pub mod session;
pub mod streams;
pub mod target;
pub mod text;
pub mod tickets;
mod timing;
mod watching;

use std::{collections::HashMap, time::Duration};

use serve::{Client, Millis};
use wire::Pin;

use self::{
    abuse::AbuseReports,
    chat::ChatLog,
    connections::Connections,
    limits::{HubSettings, Rates},
    outbox::Outbox,
    place::ProvenProgram,
    rates::{RateLimiter, Usage},
    records::StoredState,
    refusal::Refused,
    session::{Life, Session},
    streams::Streams,
    tickets::Tickets,
};

/// Everything that the broker knows.
#[derive(Debug)]
pub(crate) struct Hub {
    settings: HubSettings,
    sessions: HashMap<Pin, SessionEntry>,
    connections: Connections,
    streams: Streams,
    tickets: Tickets,
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
    chat: ChatLog,
    /// When the pages were last sent how well the viewers see the screen.
    quality_sent: Option<Millis>,
    /// The program that has proven itself and holds the presenter's place. After a restart of this broker that is known
    /// again once it has come back.
    proven: Option<ProvenProgram>,
    /// Greater with every change that consoles are told of.
    revision: u64,
    /// Consoles were told that the PIN has expired.
    expiry_announced: bool,
}

impl SessionEntry {
    fn new(session: Session, revision: u64) -> Self {
        let chat = ChatLog::default();
        Self { session, chat, quality_sent: None, proven: None, revision, expiry_announced: false }
    }
}

impl Hub {
    /// The hub as it was stored. Connections and streams don't survive a restart.
    pub fn new(settings: HubSettings, stored: StoredState) -> Self {
        let revision = stored.first_revision;
        let entry = |(pin, session)| (pin, SessionEntry::new(session, revision));
        let mut sessions: HashMap<Pin, SessionEntry> =
            stored.sessions.into_iter().map(entry).collect();
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
        Self {
            settings,
            sessions,
            connections: Connections::default(),
            streams: Streams::default(),
            tickets: stored.tickets.into_iter().collect(),
            abuse: AbuseReports::from_stored(stored.reports, stored.blocked),
            usage: Usage::default(),
            outbox: Outbox::from(stored.outbox),
            revision,
        }
    }

    /// Whether this client may not use the broker at all.
    ///
    /// Whoever owns the machine isn't shut out of their own broker, whatever strangers report.
    pub fn is_blocked(&self, client: Client) -> bool {
        !client.is_this_machine() && self.abuse.is_blocked(client)
    }

    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The session of a PIN that a client gave. An unknown PIN counts as a guess.
    fn known(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<&mut SessionEntry, Refused> {
        let guesses = self.recent_guesses(client, now)?;
        // The client was judged before the PIN is looked up: who has guessed too often learns nothing more, not
        // even that a PIN exists.
        if self.sessions.contains_key(pin) {
            // Looked up twice: a borrow that is returned from here would still last in the refusal below.
            return self.sessions.get_mut(pin).ok_or(Refused::PinOver);
        }
        let delay = self.count_guess(client, guesses, now);
        Err(Refused::UnknownPin { delay })
    }

    /// Returns what was found by a credential. An unknown credential counts as a guess, too.
    fn known_credential<T>(
        &mut self,
        client: Client,
        found: Option<T>,
        now: Millis,
    ) -> Result<T, Refused> {
        let guesses = self.recent_guesses(client, now)?;
        found.ok_or_else(|| {
            let delay = self.count_guess(client, guesses, now);
            Refused::UnknownKey { delay }
        })
    }

    /// As [`Hub::known`], for what only a living session can do.
    fn live(
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
    fn managed(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<&mut SessionEntry, Refused> {
        let entry = self.live(client, pin, now)?;
        if entry.session.may_be_managed_by(client) { Ok(entry) } else { Err(Refused::NotYours) }
    }

    fn rates(&self, client: Client) -> Rates {
        *self.settings.rates.for_client(client)
    }

    /// How often a client has guessed lately; an error once that is too often.
    fn recent_guesses(&mut self, client: Client, now: Millis) -> Result<usize, Refused> {
        let allowed = self.rates(client).guesses;
        let guesses = self.usage.guesses.count(&client, allowed.per, now);
        if guesses >= allowed.times {
            return Err(Refused::TooMany { retry_after: allowed.per });
        }
        Ok(guesses)
    }

    /// Counts a guess and returns for how long its answer is held back.
    fn count_guess(&mut self, client: Client, before: usize, now: Millis) -> Duration {
        let rates = self.rates(client);
        let guesses: &mut RateLimiter<Client> = &mut self.usage.guesses;
        guesses.record(&client, now);
        let over = before.saturating_sub(rates.slow_after.saturating_sub(1));
        // Capped, or a client with a large allowance would wait for minutes and keep its connection all that time.
        rates.guess_delay * u32::try_from(over).unwrap_or(u32::MAX).min(20)
    }
}

#[cfg(test)]
mod tests;
