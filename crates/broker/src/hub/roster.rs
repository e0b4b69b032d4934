//! The roster of a session: which participants are present, who watches the screen, and how well.

use wire::{
    Pin, Side,
    shared_screen::{RosterEntry, Sharing},
};

use super::{
    Hub,
    change::Notice,
    connections::{Connection, Link, PresenterProgram},
    credential,
    messages::{Roster, ServerMessage},
    presence::{ConnectionId, PageId},
};

impl Hub {
    /// The name that a page gave itself.
    pub(super) fn page_name(&self, id: ConnectionId) -> String {
        let found = self.connections.get(id).and_then(|connection| {
            let side = connection.participant.side()?;
            let presence = self.sessions.get(&connection.pin)?.session.presence(side);
            presence.present().find(|(.., other)| *other == id).map(|(_, name, _)| name.to_owned())
        });
        found.unwrap_or_default()
    }

    /// The program that shares a session's screen, and its connection.
    pub fn presenter_program(&self, pin: &Pin) -> Option<(ConnectionId, &PresenterProgram)> {
        let presence = self.sessions.get(pin)?.session.presence(Side::Presenter);
        presence
            .present()
            .find_map(|(.., id)| Some((id, self.connections.get(id)?.participant.as_program()?)))
    }

    /// The roster, as it is sent to pages.
    pub fn roster(&self, pin: &Pin) -> Option<Roster> {
        let session = &self.sessions.get(pin)?.session;
        let names = |side| session.presence(side).present().map(|(_, name, _)| name.to_owned());
        let watcher = |(page, name, id): (PageId, &str, ConnectionId)| {
            let viewer = self.connections.get(id)?.participant.as_viewer()?;
            let stream = viewer.stream.and_then(|id| self.streams.joined(id));
            Some(RosterEntry {
                page: credential::public_half(page.0),
                name: name.to_owned(),
                role: viewer.role,
                watching: stream.is_some(),
                sealed: stream.is_some_and(|stream| stream.sealed),
                // Without a stream the figures are old, and would look as if the viewer still watched.
                latency_ms: viewer.latency_ms.filter(|_| stream.is_some()),
                fps: viewer.fps.filter(|_| stream.is_some()),
            })
        };
        Some(Roster {
            presenter: names(Side::Presenter).next(),
            viewers: names(Side::Viewers).collect(),
            sharing: self
                .presenter_program(pin)
                .map_or(Sharing::None, |(_, program)| program.sharing),
            waiting: self
                .presenter_program(pin)
                .map_or_else(Vec::new, |(_, program)| program.waiting.clone()),
            sharing_end: session.customer.sharing_end().map(|(why, _)| why),
            watchers: session.presence(Side::Viewers).present().filter_map(watcher).collect(),
        })
    }

    /// The notices that send the roster to all pages of a session.
    pub fn roster_notices(&self, pin: &Pin) -> Vec<Notice> {
        let Some(roster) = self.roster(pin) else { return Vec::new() };
        self.notices_for(pin, &ServerMessage::Presence { roster })
    }

    /// The notices that send a message to all pages of a session.
    pub fn notices_for(&self, pin: &Pin, message: &ServerMessage) -> Vec<Notice> {
        self.notices_where(pin, |_| true, message)
    }

    /// As [`Hub::notices_for`], for some of a session's pages.
    pub(super) fn notices_where(
        &self,
        pin: &Pin,
        chosen: impl Fn(&Connection) -> bool,
        message: &ServerMessage,
    ) -> Vec<Notice> {
        // A connection that was hung up has had its last message.
        let pages = self.connections.of_session(pin);
        let pages = pages.filter(|(_, one)| one.link == Link::Open && chosen(one));
        pages.map(|(to, _)| Notice::Send { to, message: message.clone() }).collect()
    }

    /// The connection of a page.
    pub fn find_connection(&self, pin: &Pin, page: PageId) -> Option<ConnectionId> {
        let mut pages = self.connections.of_session(pin);
        pages.find(|(_, one)| one.page == page).map(|(id, _)| id)
    }
}
