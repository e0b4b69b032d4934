//! How much of everything there is, for those who run the broker. No name or address is in it.
//!
//! Nothing here grows with the number of sessions: counters are kept where something changes, and whoever wants to see
//! every session gets them in turns, between which others get at the hub.

use serve::Millis;
use wire::{Pin, Region};

use super::{
    Hub,
    connections::{Connected, Connection, Link},
    live_sessions::ListPosition,
    outbox::MailState,
    session::Life,
};

/// How many sessions and connections are looked at in one turn.
pub(super) const IN_ONE_TURN: usize = 128;

/// What there is at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Sessions whose PIN works.
    pub live_sessions: u64,
    /// Those and the ones that are remembered after that.
    pub kept_sessions: u64,
    pub connected: Connected,
    /// Streams with both ends.
    pub streams: u64,
    /// E-mails in the outbox, by what became of them.
    pub mails: Vec<(&'static str, u64)>,
}

/// A session whose PIN works, and who is connected to it.
#[derive(Debug)]
pub(crate) struct LiveSession {
    /// Not to be shown: whoever knows it can join.
    pub pin: Pin,
    pub region: Region,
    pub minted: Millis,
    pub expires: Millis,
    pub connected: Connected,
    pub streams: u64,
}

/// Some of the sessions whose PIN works.
#[derive(Debug, Default)]
pub(crate) struct SomeSessions {
    /// Oldest first.
    pub sessions: Vec<LiveSession>,
    /// Where the next turn goes on; none if there is nothing left.
    pub rest: Option<ListPosition>,
}

impl Hub {
    /// Some of the sessions whose PIN works: those after this place, or the oldest.
    pub fn live_sessions_after(&self, place: Option<ListPosition>, now: Millis) -> SomeSessions {
        let (mut some, mut looked_at) = (SomeSessions::default(), 0);
        for (place, pin) in self.live.after(place) {
            if looked_at >= IN_ONE_TURN {
                return some;
            }
            looked_at += 1;
            some.rest = Some(place);
            let Some(entry) = self.sessions.get(pin) else { continue };
            // Its deadline may have come this moment.
            if entry.session.life(now) != Life::Live {
                continue;
            }
            let (mut connected, mut streams) = (Connected::default(), 0);
            for (_, connection) in self.connections.of_session(pin) {
                looked_at += 1;
                if connection.link != Link::HungUp {
                    *connected.of(&connection.participant) += 1;
                    streams += u64::from(self.has_stream(connection));
                }
            }
            let (pin, region) = (pin.clone(), entry.session.region.clone());
            let (minted, expires) = (entry.session.minted, entry.session.expires);
            let session = LiveSession { pin, region, minted, expires, connected, streams };
            some.sessions.push(session);
        }
        SomeSessions { rest: None, ..some }
    }

    fn has_stream(&self, connection: &Connection) -> bool {
        let stream = connection.participant.as_viewer().and_then(|viewer| viewer.stream);
        stream.is_some_and(|id| self.streams.joined(id).is_some())
    }

    pub fn census(&self) -> Census {
        Census {
            live_sessions: self.live.count(),
            kept_sessions: self.kept.count(),
            connected: self.connections.connected(),
            streams: self.streams.count_joined(),
            mails: self.mails_by_state(),
        }
    }

    /// The outbox has an end, so this has one, too.
    fn mails_by_state(&self) -> Vec<(&'static str, u64)> {
        const ALL: [MailState; 5] = [
            MailState::Unsent,
            MailState::Sending,
            MailState::Waiting(String::new()),
            MailState::Sent,
            MailState::Failed(String::new()),
        ];
        let mut by_state = ALL.map(|state| (state.word(), 0));
        for mail in self.outbox.iter() {
            let word = mail.state.word();
            by_state.iter_mut().filter(|(state, _)| *state == word).for_each(|(_, n)| *n += 1);
        }
        by_state.into()
    }
}

#[cfg(test)]
#[path = "census_test.rs"]
mod tests;
