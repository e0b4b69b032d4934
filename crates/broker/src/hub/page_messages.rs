//! The messages that pages send on their live connections, and what each of them changes.

use std::time::Duration;

use serve::Millis;
use uuid::Uuid;
use wire::{Pin, shared_screen::Sharing};

use super::{
    Hub,
    change::{Change, Effect},
    chat::{Author, Message},
    connections::{Connection, Participant},
    messages::ServerMessage,
    presence::ConnectionId,
    records::Write,
    refusal::Refused,
    text,
};

/// Viewers' figures are passed on no more often than this, since each time sends a roster to all pages.
const QUALITY_INTERVAL: Duration = Duration::from_secs(2);
/// The most that a viewer may claim. The figures are shown to people, and nothing is calculated from them.
const SLOWEST_MS: u32 = 60_000;
const FASTEST_FPS: u16 = 1_000;

impl Hub {
    /// A page writes a chat message.
    pub fn post_chat(
        &mut self,
        id: ConnectionId,
        (name, body): (&str, &str),
        guid: Uuid,
        now: Millis,
    ) -> Result<Change, Refused> {
        let body = text::tidy_message(body).ok_or_else(text::bad_message)?;
        let connection = self.connections.get(id).ok_or(Refused::PinOver)?;
        let (pin, client) = (connection.pin.clone(), connection.client);
        let author = connection.participant.author();
        let allowed = self.rates(client).chat;
        self.usage.chat.admit((id, client), allowed, now).map_err(Refused::too_many)?;
        self.add_to_chat(pin, author, (name, body), guid, now).map(|(_, change)| change)
    }

    /// Adds a message to a session's chat; its number, and the change that sends it to everybody.
    pub(super) fn add_to_chat(
        &mut self,
        pin: Pin,
        author: Author,
        (name, body): (&str, String),
        guid: Uuid,
        now: Millis,
    ) -> Result<(u64, Change), Refused> {
        let entry = self.sessions.get_mut(&pin).ok_or(Refused::PinOver)?;
        // A page that was hung up may still have been writing: what was deleted stays so.
        if entry.session.revoked {
            return Err(Refused::PinOver);
        }
        let chat = &mut entry.chat;
        if chat.is_full() {
            return Err(Refused::malformed("this session's chat is full"));
        }
        let timestamp = now.seconds();
        let ttl = timestamp + self.settings.durations.chat_life.as_secs();
        let (subject, number) = (text::tidy_name(name), chat.next_number());
        let Author { side, is_console: by_console } = author;
        let side = Some(side);
        let message = Message { guid, ttl, timestamp, subject, body, number, side, by_console };
        chat.add(message.clone());
        let write = Write::ChatAdded { pin: pin.clone(), message: message.clone() };
        let change = Change::of_session(&pin, write);
        let effects = vec![Effect::SendChat(pin, message)];
        Ok((number, Change { effects, ..change }))
    }

    /// A page gives itself another name.
    pub fn rename(&mut self, id: ConnectionId, name: &str, now: Millis) -> Result<Change, Refused> {
        self.count_signal(id, now)?;
        let mut change = Change::default();
        let Some(connection) = self.connections.get(id) else { return Ok(change) };
        let Some(side) = connection.participant.side() else { return Ok(change) };
        let Some(entry) = self.sessions.get_mut(&connection.pin) else { return Ok(change) };
        entry.session.presence_mut(side).rename(connection.page, &text::tidy_name(name));
        change.add_presence(&connection.pin, &entry.session, side);
        change.effects.push(Effect::SendRoster(connection.pin.clone()));
        Ok(change)
    }

    /// Counts what a connection tells everybody else of a session.
    pub(super) fn count_signal(&mut self, id: ConnectionId, now: Millis) -> Result<(), Refused> {
        let client = self.connections.get(id).ok_or(Refused::PinOver)?.client;
        let allowed = self.rates(client).signals;
        self.usage.signals.admit((id, client), allowed, now).map_err(Refused::too_many)
    }

    /// The presenter's program says whether it shares the screen.
    pub fn share(
        &mut self,
        id: ConnectionId,
        state: Sharing,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.count_signal(id, now)?;
        let connection = self.connections.get_mut(id).ok_or(Refused::PinOver)?;
        match (&mut connection.participant, state) {
            (Participant::Presenter(Some(program)), Sharing::Shared | Sharing::Paused) => {
                program.sharing = state;
            }
            // A program that shares nothing any more ends its connection instead.
            (
                Participant::Presenter(_)
                | Participant::Companion
                | Participant::Asking
                | Participant::Viewer(_),
                _,
            ) => {
                return Err(Refused::malformed(
                    "only a program that shares a screen may report this",
                ));
            }
        }
        let pin = connection.pin.clone();
        let notices = self.roster_notices(&pin);
        Ok(Change { changed: vec![pin], ..Change::with_notices(notices) })
    }

    /// A viewer reports how well it sees the screen. Reports that come too often are ignored.
    pub fn report_quality(
        &mut self,
        id: ConnectionId,
        (latency_ms, fps): (u32, u16),
        now: Millis,
    ) -> Result<Change, Refused> {
        let client = self.connections.get(id).ok_or(Refused::PinOver)?.client;
        let allowed = self.rates(client).signals;
        let connection = self.connections.get_mut(id).ok_or(Refused::PinOver)?;
        let pin = connection.pin.clone();
        let Some(viewer) = connection.participant.as_viewer_mut() else {
            return Err(not_a_viewer());
        };
        // No error, since the page could do nothing about it: the next figures replace these.
        if self.usage.signals.admit((id, client), allowed, now).is_err() {
            return Ok(Change::default());
        }
        viewer.latency_ms = Some(latency_ms.min(SLOWEST_MS));
        viewer.fps = Some(fps.min(FASTEST_FPS));
        let entry = self.sessions.get_mut(&pin).ok_or(Refused::PinOver)?;
        if entry.quality_sent.is_some_and(|told| now < told.after(QUALITY_INTERVAL)) {
            return Ok(Change::default());
        }
        // One time for the whole session: with a time for each viewer, every further viewer would add messages.
        entry.quality_sent = Some(now);
        Ok(Change::with_notices(self.roster_notices(&pin)))
    }

    /// A viewer has saved a picture of the screen: the customer is told.
    pub fn saved_picture(&mut self, id: ConnectionId, now: Millis) -> Result<Change, Refused> {
        let connection = self.connections.get(id).ok_or(Refused::PinOver)?;
        if connection.participant.as_viewer().is_none() {
            return Err(not_a_viewer());
        }
        let pin = connection.pin.clone();
        self.count_signal(id, now)?;
        let message = ServerMessage::Snapshot { by: self.page_name(id) };
        let is_customer = |one: &Connection| one.participant.as_viewer().is_none();
        let customers = self.notices_where(&pin, is_customer, &message);
        Ok(Change::with_notices(customers))
    }
}

const fn not_a_viewer() -> Refused {
    Refused::Malformed(std::borrow::Cow::Borrowed("only a viewer may send this"))
}
