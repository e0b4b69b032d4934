//! How much of everything there is, for those who run the broker. No name or address is in it.

use std::collections::HashMap;

use serve::Millis;
use wire::{Pin, Region};

use super::{
    Hub,
    connections::{Link, Participant},
    outbox::MailState,
    session::Life,
};

/// What there is at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Sessions whose PIN works.
    pub live_sessions: u64,
    /// Connected programs that share a screen, or could.
    pub presenters: u64,
    /// Connected pages of customers.
    pub customer_pages: u64,
    /// Connected programs that ask their customer.
    pub asking: u64,
    /// Connected pages of viewers.
    pub viewers: u64,
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
}

/// Who is connected to a session.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Connected {
    /// A program that shares the screen, or could.
    pub program: bool,
    pub customer_pages: u64,
    pub viewers: u64,
    pub streams: u64,
}

impl Hub {
    /// The sessions whose PIN works, oldest first.
    pub fn live_sessions(&self, now: Millis) -> Vec<LiveSession> {
        let connected = self.connected();
        let live = self.sessions.iter().filter(|(_, entry)| entry.session.life(now) == Life::Live);
        let mut live: Vec<LiveSession> = live
            .map(|(pin, entry)| LiveSession {
                pin: pin.clone(),
                region: entry.session.region.clone(),
                minted: entry.session.minted,
                expires: entry.session.expires,
                connected: connected.get(pin).copied().unwrap_or_default(),
            })
            .collect();
        live.sort_by_key(|session| session.minted);
        live
    }

    fn connected(&self) -> HashMap<Pin, Connected> {
        let mut all: HashMap<Pin, Connected> = HashMap::new();
        for connection in self.connections.iter().filter(|one| one.link != Link::HungUp) {
            let counted = all.entry(connection.pin.clone()).or_default();
            match &connection.participant {
                Participant::Presenter(Some(_)) => counted.program = true,
                Participant::Presenter(None) | Participant::Companion | Participant::Asking => {
                    counted.customer_pages += 1;
                }
                Participant::Viewer(viewer) => {
                    counted.viewers += 1;
                    let joined = viewer.stream.and_then(|stream| self.streams.joined(stream));
                    counted.streams += u64::from(joined.is_some());
                }
            }
        }
        all
    }

    pub fn census(&self, now: Millis) -> Census {
        let live = |session: &super::SessionEntry| session.session.life(now) == Life::Live;
        let mut census = Census {
            live_sessions: count(self.sessions.values().filter(|entry| live(entry))),
            streams: count(self.streams.ids_where(|stream| stream.joined).into_iter()),
            mails: self.mails_by_state(),
            ..Census::default()
        };
        for connection in self.connections.iter().filter(|one| one.link != Link::HungUp) {
            *match connection.participant {
                Participant::Presenter(Some(_)) => &mut census.presenters,
                Participant::Presenter(None) | Participant::Companion => &mut census.customer_pages,
                Participant::Asking => &mut census.asking,
                Participant::Viewer(_) => &mut census.viewers,
            } += 1;
        }
        census
    }

    fn mails_by_state(&self) -> Vec<(&'static str, u64)> {
        const ALL: [MailState; 5] = [
            MailState::Unsent,
            MailState::Sending,
            MailState::Waiting(String::new()),
            MailState::Sent,
            MailState::Failed(String::new()),
        ];
        let of = |state: MailState| {
            let word = state.word();
            (word, count(self.outbox.iter().filter(|mail| mail.state.word() == word)))
        };
        ALL.map(of).into()
    }
}

fn count<T>(all: impl Iterator<Item = T>) -> u64 {
    all.fold(0, |so_far, _| so_far + 1)
}
