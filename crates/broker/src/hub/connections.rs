//! The connections of pages and of presenters' programs: who is at the other end of
//! each, and whether messages still reach it.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    hash::Hash,
    time::Duration,
};

use serve::{Client, Millis, Owner};
use wire::{
    Pin, Side,
    shared_screen::{Role, Sharing, WaitingViewer},
};

use super::{
    Hub,
    chat::Author,
    credential::KeyHash,
    limits::OWNERS_SHARE,
    presence::{ConnectionId, PageId},
    refusal::Refused,
    streams::StreamId,
};

/// A client with too many connections is asked to wait for this long.
const RETRY_CONNECTING: Duration = Duration::from_secs(60);
/// How many pages and programs that ask a session has at once, beside its viewers and the program that shares its screen.
const MOST_PAGES: usize = 64;
/// So many more programs that have shown the session's conf: whoever has only the PIN keeps none of them out.
const KEPT_FOR_PROGRAMS: usize = 16;

/// How many connections there are that messages still reach, by who is at the other end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connected {
    /// Programs that share a screen, or could.
    pub programs: u64,
    pub customer_pages: u64,
    /// Programs that ask their customer.
    pub asking: u64,
    pub viewers: u64,
}

impl Connected {
    /// The number that this participant belongs to.
    pub const fn of(&mut self, participant: &Participant) -> &mut u64 {
        match participant {
            Participant::Presenter(Some(_)) => &mut self.programs,
            Participant::Presenter(None) | Participant::Companion => &mut self.customer_pages,
            Participant::Asking => &mut self.asking,
            Participant::Viewer(_) => &mut self.viewers,
        }
    }
}

impl Hub {
    /// Counts one more socket of this client, if it may open one.
    pub(super) fn check_sockets(&mut self, client: Client, now: Millis) -> Result<(), Refused> {
        let rates = self.rates(client);
        if !self.connections.has_room_for(client, rates.connections_by_client) {
            return Err(Refused::TooMany { retry_after: RETRY_CONNECTING });
        }
        let joins = self.usage.joins.admit(client, rates.joins, OWNERS_SHARE, now);
        joins.map_err(Refused::too_many)
    }

    /// Whether one more connection may join that isn't a viewer's. The program that shares the screen always may, since
    /// it takes the place of the one before it.
    pub(super) fn check_pages(
        &self,
        pin: &Pin,
        participant: &Participant,
        is_proven: bool,
    ) -> Result<(), Refused> {
        let most = MOST_PAGES + if is_proven { KEPT_FOR_PROGRAMS } else { 0 };
        if participant.is_page() && self.connections.pages_of(pin) >= most {
            return Err(Refused::TooMany { retry_after: RETRY_CONNECTING });
        }
        Ok(())
    }
}

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
    /// The viewers that wait to be let in.
    pub waiting: Vec<WaitingViewer>,
}

/// A viewer's page.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub role: Role,
    /// It has more than the PIN: a link's ticket, or it is the session's console. Others see the screen only once
    /// the customer has let them in.
    pub invited: bool,
    /// It is the session's console, whose person may answer for the customer.
    pub own: bool,
    /// The hash of the credential with which it asks for a stream.
    pub key: KeyHash,
    pub stream: Option<StreamId>,
    pub latency_ms: Option<u32>,
    pub fps: Option<u16>,
}

impl Viewer {
    pub const fn new(role: Role, invited: bool, own: bool, key: KeyHash) -> Self {
        Self { role, invited, own, key, stream: None, latency_ms: None, fps: None }
    }
}

impl Participant {
    /// It is on the customer's side, and shares no screen.
    const fn is_page(&self) -> bool {
        matches!(self, Self::Presenter(None) | Self::Companion | Self::Asking)
    }

    /// The side for whose presence this participant counts.
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Presenter(_) => Some(Side::Presenter),
            Self::Companion | Self::Asking => None,
            Self::Viewer(_) => Some(Side::Viewers),
        }
    }

    /// Who writes what it writes, whether or not it counts as present.
    pub const fn author(&self) -> Author {
        match self {
            Self::Presenter(_) | Self::Companion | Self::Asking => {
                Author { side: Side::Presenter, is_console: false }
            }
            Self::Viewer(viewer) => Author { side: Side::Viewers, is_console: viewer.own },
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
    all: HashMap<ConnectionId, Box<Connection>>,
    /// Which viewer asks for streams with which key, by the key's hash.
    watch_keys: HashMap<KeyHash, ConnectionId>,
    by_session: HashMap<Pin, OfSession>,
    /// How many sockets are open, so that nobody has to count them.
    open_by_client: HashMap<Client, usize>,
    open_by_owner: HashMap<Owner, usize>,
    /// Those that weren't hung up: from this machine, and of all others.
    here: BTreeSet<ConnectionId>,
    elsewhere: BTreeSet<ConnectionId>,
    connected: Connected,
}

/// The connections of one session.
#[derive(Debug, Default)]
struct OfSession {
    ids: BTreeSet<ConnectionId>,
    viewers: HashMap<PageId, ViewerPage>,
    /// How many of these pages have a connection that has nothing but the PIN.
    bare: usize,
    /// How many sockets are open that are neither a viewer's nor of the program that shares the screen.
    others: usize,
}

/// The connections of one viewer's page. It can have several: one whose place was taken by the page's next one may still
/// be there.
#[derive(Debug, Default, Clone, Copy)]
struct ViewerPage {
    all: usize,
    bare: usize,
}

impl OfSession {
    fn insert(&mut self, id: ConnectionId, connection: &Connection) {
        self.ids.insert(id);
        self.others +=
            usize::from(connection.link == Link::Open && connection.participant.is_page());
        let Some(viewer) = connection.participant.as_viewer() else { return };
        let page = self.viewers.entry(connection.page).or_default();
        page.all += 1;
        if !viewer.invited {
            page.bare += 1;
            self.bare += usize::from(page.bare == 1);
        }
    }

    fn remove(&mut self, id: ConnectionId, connection: &Connection) {
        self.ids.remove(&id);
        let Some(viewer) = connection.participant.as_viewer() else { return };
        let Entry::Occupied(mut page) = self.viewers.entry(connection.page) else { return };
        page.get_mut().all -= 1;
        if !viewer.invited {
            page.get_mut().bare -= 1;
            self.bare -= usize::from(page.get().bare == 0);
        }
        if page.get().all == 0 {
            page.remove();
        }
    }
}

/// How many pages of viewers a session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Viewers {
    pub all: usize,
    /// Those that have nothing but the PIN.
    pub bare: usize,
}

impl Connections {
    pub fn insert(&mut self, id: ConnectionId, connection: Connection) {
        if let Some(viewer) = connection.participant.as_viewer() {
            self.watch_keys.insert(viewer.key, id);
        }
        if connection.link == Link::Open {
            *self.open_by_client.entry(connection.client).or_default() += 1;
            *self.open_by_owner.entry(connection.client.owner()).or_default() += 1;
        }
        if connection.link != Link::HungUp {
            *self.connected.of(&connection.participant) += 1;
            self.reachable(connection.client).insert(id);
        }
        self.by_session.entry(connection.pin.clone()).or_default().insert(id, &connection);
        self.all.insert(id, Box::new(connection));
    }

    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.hang_up(id);
        let connection = *self.all.remove(&id)?;
        if let Some(of_session) = self.by_session.get_mut(&connection.pin) {
            of_session.remove(id, &connection);
            if of_session.ids.is_empty() {
                self.by_session.remove(&connection.pin);
            }
        }
        Some(connection)
    }

    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.all.get(&id).map(Box::as_ref)
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.all.get_mut(&id).map(Box::as_mut)
    }

    /// The viewer that this watch key was given to, while it is connected.
    pub fn with_watch_key(&self, key: &KeyHash) -> Option<ConnectionId> {
        self.watch_keys.get(key).copied()
    }

    /// Whether this client may open one more socket: `most` at once, and [`OWNERS_SHARE`] times as many from all
    /// addresses of its owner, which an IPv4 address is by itself.
    pub fn has_room_for(&self, client: Client, most: usize) -> bool {
        let by_client = self.open_by_client.get(&client).copied().unwrap_or_default();
        let by_owner = self.open_by_owner.get(&client.owner()).copied().unwrap_or_default();
        (client.is_whole_owner() || by_client < most)
            && by_owner < most.saturating_mul(OWNERS_SHARE)
    }

    /// The connections of a session.
    pub fn of_session(&self, pin: &Pin) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        let ids = self.by_session.get(pin).into_iter().flat_map(|of_session| &of_session.ids);
        ids.filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// How many pages of viewers a session has beside this one, those included that still have to be closed.
    pub fn viewers_beside(&self, pin: &Pin, page: PageId) -> Viewers {
        let Some(of_session) = self.by_session.get(pin) else { return Viewers { all: 0, bare: 0 } };
        let this = of_session.viewers.get(&page).copied().unwrap_or_default();
        Viewers {
            all: of_session.viewers.len() - usize::from(this.all > 0),
            bare: of_session.bare - usize::from(this.bare > 0),
        }
    }

    /// How many sockets of a session are open that are neither a viewer's nor of the program that shares its screen.
    fn pages_of(&self, pin: &Pin) -> usize {
        self.by_session.get(pin).map_or(0, |of_session| of_session.others)
    }

    /// How many there are that weren't hung up.
    pub const fn connected(&self) -> Connected {
        self.connected
    }

    /// At most `most` of those that weren't hung up: strangers, and of this machine as well if `all`.
    pub fn some_reachable(&self, all: bool, most: usize) -> Vec<ConnectionId> {
        let here = all.then_some(&self.here);
        self.elsewhere.iter().chain(here.into_iter().flatten()).take(most).copied().collect()
    }

    fn reachable(&mut self, client: Client) -> &mut BTreeSet<ConnectionId> {
        if client.is_this_machine() { &mut self.here } else { &mut self.elsewhere }
    }

    /// Takes a connection's rights away, before its socket is closed: closing may take a while. False if no
    /// message could reach it any more.
    pub fn hang_up(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.all.get_mut(&id) else { return false };
        if let Some(viewer) = connection.participant.as_viewer() {
            self.watch_keys.remove(&viewer.key);
        }
        let (was, client) =
            (std::mem::replace(&mut connection.link, Link::HungUp), connection.client);
        if was == Link::HungUp {
            return false;
        }
        *self.connected.of(&connection.participant) -= 1;
        let is_other = was == Link::Open && connection.participant.is_page();
        if let (true, Some(of_session)) = (is_other, self.by_session.get_mut(&connection.pin)) {
            of_session.others -= 1;
        }
        self.reachable(client).remove(&id);
        if was == Link::Open {
            self.socket_closed(client);
        }
        was == Link::Open
    }

    fn socket_closed(&mut self, client: Client) {
        count_down(&mut self.open_by_client, client);
        count_down(&mut self.open_by_owner, client.owner());
    }
}

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
#[path = "connections_test.rs"]
mod tests;
