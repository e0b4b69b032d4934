//! The connections of pages and of presenters' programs: who is at the other end of
//! each, and whether messages still reach it.

use std::collections::HashMap;

use serve::Client;
use wire::{
    Pin, Side,
    shared_screen::{Role, Sharing},
};

use super::{
    credential::KeyHash,
    presence::{ConnectionId, PageId},
    streams::StreamId,
};

/// A connected page, or the presenter's program.
#[derive(Debug)]
pub(crate) struct Connection {
    pub client: Client,
    pub pin: Pin,
    pub page: PageId,
    pub participant: Participant,
    pub link: Link,
}

/// Whether messages still reach a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// A socket is open.
    Open,
    /// A stand-in that the control API made; it has no socket.
    StandIn,
    /// The last message was sent, or the other end stopped reading.
    HungUp,
}

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) enum Participant {
    /// The customer's computer: a program that shares its screen, or only a page.
    Presenter(Option<PresenterProgram>),
    /// The customer's page beside that program: it reads and chats, and counts for no presence.
    Companion,
    /// A program that asks the customer whether they agree. It counts for no presence.
    Asking,
    Viewer(Viewer),
}

/// The program that shares the customer's screen.
#[derive(Debug)]
pub(crate) struct PresenterProgram {
    pub version: String,
    pub platform: String,
    /// It has shown this session's conf.
    pub proven: bool,
    pub sharing: Sharing,
}

/// A viewer's page.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub role: Role,
    /// It has more than the PIN: a link's ticket, or it is the session's console. Others see the screen only once
    /// the customer has let them in.
    pub invited: bool,
    /// The hash of the credential with which it asks for a stream.
    pub key: KeyHash,
    pub stream: Option<StreamId>,
    pub latency_ms: Option<u32>,
    pub fps: Option<u16>,
}

impl Viewer {
    pub const fn new(role: Role, invited: bool, key: KeyHash) -> Self {
        Self { role, invited, key, stream: None, latency_ms: None, fps: None }
    }
}

impl Participant {
    /// The side for whose presence this participant counts.
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Presenter(_) => Some(Side::Presenter),
            Self::Companion | Self::Asking => None,
            Self::Viewer(_) => Some(Side::Viewers),
        }
    }

    /// The side to which it belongs, present or not.
    pub const fn belongs_to(&self) -> Side {
        match self {
            Self::Presenter(_) | Self::Companion | Self::Asking => Side::Presenter,
            Self::Viewer(_) => Side::Viewers,
        }
    }

    pub const fn as_viewer(&self) -> Option<&Viewer> {
        match self {
            Self::Viewer(viewer) => Some(viewer),
            Self::Presenter(_) | Self::Companion | Self::Asking => None,
        }
    }

    pub const fn as_viewer_mut(&mut self) -> Option<&mut Viewer> {
        match self {
            Self::Viewer(viewer) => Some(viewer),
            Self::Presenter(_) | Self::Companion | Self::Asking => None,
        }
    }

    pub const fn as_program(&self) -> Option<&PresenterProgram> {
        match self {
            Self::Presenter(program) => program.as_ref(),
            Self::Companion | Self::Asking | Self::Viewer(_) => None,
        }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    all: HashMap<ConnectionId, Connection>,
    /// Which viewer asks for streams with which key, by the key's hash.
    watch_keys: HashMap<KeyHash, ConnectionId>,
}

impl Connections {
    pub fn insert(&mut self, id: ConnectionId, connection: Connection) {
        if let Some(viewer) = connection.participant.as_viewer() {
            self.watch_keys.insert(viewer.key, id);
        }
        self.all.insert(id, connection);
    }

    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.all.remove(&id)?;
        if let Some(viewer) = connection.participant.as_viewer() {
            self.watch_keys.remove(&viewer.key);
        }
        Some(connection)
    }

    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.all.get(&id)
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.all.get_mut(&id)
    }

    /// The viewer that this watch key was given to, while it is connected.
    pub fn with_watch_key(&self, key: &KeyHash) -> Option<ConnectionId> {
        self.watch_keys.get(key).copied()
    }

    /// How many sockets of this client are open.
    pub fn open_sockets_by(&self, client: Client) -> usize {
        let open = |one: &&Connection| one.link == Link::Open && one.client == client;
        self.all.values().filter(open).count()
    }

    pub fn ids_where(&self, chosen: impl Fn(&Connection) -> bool) -> Vec<ConnectionId> {
        self.all.iter().filter(|(_, one)| chosen(one)).map(|(id, _)| *id).collect()
    }

    /// Takes a connection's rights away, before its socket is closed: closing may take a while. False if no
    /// message could reach it any more.
    pub fn hang_up(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.all.get_mut(&id) else { return false };
        if let Some(viewer) = connection.participant.as_viewer() {
            self.watch_keys.remove(&viewer.key);
        }
        std::mem::replace(&mut connection.link, Link::HungUp) == Link::Open
    }
}
