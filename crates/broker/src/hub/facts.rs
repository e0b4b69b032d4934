//! What consoles are told of their sessions: who may follow one, its present state, and the order of its states.

use std::collections::HashSet;

use serve::{Client, Millis};
use uuid::Uuid;
use wire::{
    Pin, Side,
    session_events::{NumberedMessage, Participant, PinLife, SessionFacts, SharingEndFacts},
    shared_screen::Sharing,
};

use super::{
    Hub, SessionEntry,
    change::{Change, Effect},
    chat::Author,
    credential::{self, KeyHash},
    customer::Incident,
    limits::OWNERS_SHARE,
    presence::{ConnectionId, millis_between},
    refusal::Refused,
    session::Life,
    text,
};

/// How many sessions' worth of chat messages one client's consoles may write.
const CONSOLES_SHARE: usize = 16;

impl Hub {
    /// Gives each session that changed its next revision, which the deliveries of its hooks carry.
    pub fn stamp(&mut self, change: &mut Change) {
        let mut stamped = HashSet::new();
        change.changed.retain(|pin| stamped.insert(pin.clone()));
        for pin in &change.changed {
            self.revision += 1;
            if let Some(entry) = self.sessions.get_mut(pin) {
                entry.revision = self.revision;
            }
        }
        for effect in &mut change.effects {
            if let Effect::Deliver(delivery) = effect {
                let entry = self.sessions.get(&delivery.pin);
                delivery.revision = entry.map_or(self.revision, |entry| entry.revision);
            }
        }
    }

    /// Whether this client may follow a session and write in its name, with the key that its console showed.
    pub fn check_console(
        &mut self,
        client: Client,
        console: Option<&KeyHash>,
        pin: &Pin,
        now: Millis,
    ) -> Result<(), Refused> {
        let own = self.sessions.get(pin).and_then(|entry| entry.session.console);
        // Before guesses are counted: whoever shows the key guesses nothing, whatever else their address has done.
        if own.is_some() && own.as_ref() == console {
            return Ok(());
        }
        let session = &self.known(client, pin, now)?.session;
        let allowed = session.console.is_none() && session.may_be_managed_by(client);
        if allowed { Ok(()) } else { Err(Refused::NotYours) }
    }

    /// A session's console writes a chat message, whoever is connected; the message's number.
    pub fn post_console_chat(
        &mut self,
        client: Client,
        console: Option<&KeyHash>,
        pin: &Pin,
        (name, body): (&str, &str),
        guid: Uuid,
        now: Millis,
    ) -> Result<(u64, Change), Refused> {
        self.check_console(client, console, pin, now)?;
        self.live(client, pin, now)?;
        let body = text::tidy_message(body).ok_or_else(text::bad_message)?;
        let allowed = self.rates(client).chat;
        self.usage.console_chat.admit(pin, allowed, now).map_err(Refused::too_many)?;
        // Beside it, since a client may mint as many PINs as it is allowed to.
        let in_all = allowed.shared_by(CONSOLES_SHARE);
        let by_client = &mut self.usage.console_chat_by_client;
        by_client.admit(client, in_all, OWNERS_SHARE, now).map_err(Refused::too_many)?;
        let own = self.sessions.get(pin).and_then(|entry| entry.session.console);
        let is_console = own.is_some() && own.as_ref() == console;
        let author = Author { side: Side::Viewers, is_console };
        self.add_to_chat(pin.clone(), author, (name, body), guid, now)
    }

    /// Messages of the session's chat up to this number are on disk.
    pub fn mark_chat_saved(&mut self, pin: &Pin, number: u64) {
        if let Some(entry) = self.sessions.get_mut(pin) {
            entry.chat.mark_saved(number);
        }
    }

    /// The number after which a console goes on that has this session's chat up to this message.
    pub fn chat_position(&self, pin: &Pin, number: u64, guid: Option<&str>) -> u64 {
        self.sessions.get(pin).map_or(0, |entry| entry.chat.position(number, guid))
    }

    /// At most `most` messages of a session's chat, from the one after `number` on. A number beyond the last message
    /// counts as the last one's.
    pub fn chat_after(
        &self,
        pin: &Pin,
        number: u64,
        most: usize,
        now: Millis,
    ) -> Vec<NumberedMessage> {
        let Some(entry) = self.sessions.get(pin) else { return Vec::new() };
        entry.chat.after(number, most, now)
    }

    /// Whether somebody ended this session, or it is forgotten.
    pub fn is_revoked(&self, pin: &Pin) -> bool {
        self.sessions.get(pin).is_none_or(|entry| entry.session.revoked)
    }

    /// The present state of a session; `None` if there is none with this PIN.
    pub fn facts(&self, pin: &Pin, now: Millis) -> Option<SessionFacts> {
        let entry = self.sessions.get(pin)?;
        let session = &entry.session;
        let program = self.presenter_program(pin).map(|(_, program)| program);
        let side = |side| session.presence(side).facts(now);
        Some(SessionFacts {
            session_pin: pin.clone(),
            revision: entry.revision,
            // Chance is none of the hub's.
            run: None,
            life: match session.life(now) {
                Life::Live => PinLife::Live,
                Life::Expired => PinLife::Expired,
                Life::Revoked => PinLife::Revoked,
            },
            expires_in_ms: (session.life(now) == Life::Live)
                .then(|| millis_between(now, session.expires)),
            arrival: session.customer.arrival(now),
            sharing: program.map_or(Sharing::None, |program| program.sharing),
            presenter: side(Side::Presenter),
            viewers: side(Side::Viewers),
            reopened: session.reopened(),
            participants: self.participants(entry, now),
            waiting: program.map(|program| program.waiting.clone()).unwrap_or_default(),
            mails: self.outbox.facts_of(pin),
            happened: session.happened(),
            happened_ms: session.happened_at().map(|at| at.map(|at| millis_between(at, now))),
            // Only whoever delivers them knows.
            under_way: None,
            other_program_ms: session
                .customer
                .other_program()
                .map(|one| millis_between(one.at, now)),
            other_program_id: session.customer.other_program().map(Incident::id),
            sharing_end: session.customer.sharing_end().map(|(why, end)| SharingEndFacts {
                why,
                ago_ms: millis_between(end.at, now),
                id: Some(end.id()),
            }),
            messages: entry.chat.last_saved(),
        })
    }

    fn participants(&self, entry: &SessionEntry, now: Millis) -> Vec<Participant> {
        let of_side = |side| {
            let online = entry.session.presence(side).connected();
            online.filter_map(move |(id, name, since): (ConnectionId, &str, Millis)| {
                let connection = self.connections.get(id)?;
                let viewer = connection.participant.as_viewer();
                let stream = viewer.and_then(|viewer| self.streams.joined(viewer.stream?));
                let program = connection.participant.as_program();
                Some(Participant {
                    side,
                    name: name.to_owned(),
                    role: viewer.map(|viewer| viewer.role),
                    for_ms: millis_between(since, now),
                    page: credential::public_half(connection.page.0),
                    watching: stream.is_some(),
                    sealed: stream.is_some_and(|stream| stream.sealed),
                    platform: program.map(|program| program.platform.clone()),
                })
            })
        };
        of_side(Side::Presenter).chain(of_side(Side::Viewers)).collect()
    }
}
