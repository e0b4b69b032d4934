//! How a page or a presenter's program joins a session, and how its connection ends.

use std::collections::HashSet;

use serve::{Client, Millis};
use uuid::Uuid;
use wire::{
    Pin, Side,
    shared_screen::{ProgramHello, Role, Secret},
};

use super::{
    Hub, arrivals,
    census::IN_ONE_TURN,
    change::{Change, Effect, Notice},
    connections::{Connection, Link, Participant, Viewer},
    credential::{self, Credential, KeyHash},
    messages::{ServerMessage, Welcome},
    presence::{ConnectionId, Holder, PageId},
    refusal::Refused,
    streams::{StreamEnd, StreamId},
    text,
};

/// A page or a program that wants to connect.
pub(crate) struct JoinRequest {
    pub access: Access,
    /// The hash of the key that a console showed.
    pub console: Option<KeyHash>,
    pub join_as: JoinAs,
    pub page: PageId,
    pub name: String,
    /// [`Link::Open`], or [`Link::StandIn`] for a page without a socket.
    pub link: Link,
}

/// What admits a connection to a session.
pub(crate) enum Access {
    Pin(Pin),
    Ticket(Secret),
}

/// The part that a connection wants in the session.
pub(crate) enum JoinAs {
    Presenter(Option<ProgramHello>),
    Companion,
    /// A program that asks the customer whether they agree.
    Asking(ProgramHello),
    Viewer {
        read_only: bool,
    },
}

/// A connection that was admitted.
pub(crate) struct Joined {
    pin: Pin,
    page: PageId,
    side: Side,
    resumed: bool,
    role: Option<Role>,
    watch_key: Option<Secret>,
}

/// A session that somebody may enter.
struct Admission {
    pin: Pin,
    /// The most that may be done there.
    role: Role,
    /// Whether it took more than the PIN.
    invited: bool,
    /// Whether it is for the console that asked for the session.
    own: bool,
    /// The name that came with the ticket.
    name: String,
}

impl JoinRequest {
    /// The PIN that was given, unless a ticket was.
    pub const fn pin(&self) -> Option<&Pin> {
        match &self.access {
            Access::Pin(pin) => Some(pin),
            Access::Ticket(_) => None,
        }
    }

    /// A page without a socket and without a browser, for the control API and the broker's owner.
    pub fn stand_in(pin: Pin, join_as: JoinAs, page: Uuid, name: &str) -> Self {
        let (access, name) = (Access::Pin(pin), text::tidy_name(name));
        Self { access, console: None, join_as, page: PageId(page), name, link: Link::StandIn }
    }
}

impl JoinAs {
    /// As the plain page of a side.
    pub const fn plain_page(side: Side) -> Self {
        match side {
            Side::Presenter => Self::Presenter(None),
            Side::Viewers => Self::Viewer { read_only: false },
        }
    }

    const fn side(&self) -> Side {
        match self {
            Self::Presenter(_) | Self::Companion | Self::Asking(_) => Side::Presenter,
            Self::Viewer { .. } => Side::Viewers,
        }
    }
}

impl Hub {
    /// Lets a page in, if what it shows is right and there is room. `watch_key` becomes its own if it is a viewer.
    pub fn join(
        &mut self,
        id: ConnectionId,
        client: Client,
        request: JoinRequest,
        watch_key: Credential,
        now: Millis,
    ) -> Result<(Joined, Change), Refused> {
        let JoinRequest { access, console, join_as, page, name, link } = request;
        // Before the limits are checked: only a client that may enter learns how full the session is.
        let admission = self.admitted(client, access, console, now)?;
        if link == Link::Open {
            self.check_sockets(client, now)?;
        }
        let pin = admission.pin;
        let (side, mut is_proven) = (join_as.side(), false);
        let (participant, watch_key) = match join_as {
            JoinAs::Presenter(program) => {
                let program = self.checked_program(client, &pin, program, now)?;
                self.check_place(client, &pin, page, program.as_ref())?;
                (Participant::Presenter(program), None)
            }
            JoinAs::Companion => (Participant::Companion, None),
            JoinAs::Asking(program) => {
                let program = self.checked_program(client, &pin, Some(program), now)?;
                is_proven = program.is_some_and(|program| program.proven);
                (Participant::Asking, None)
            }
            JoinAs::Viewer { read_only } => {
                self.check_room(client, &pin, page, admission.invited)?;
                let role = if read_only { Role::Watch } else { admission.role };
                let viewer = Viewer::new(role, admission.invited, admission.own, watch_key.hash);
                (Participant::Viewer(viewer), Some(watch_key.secret))
            }
        };
        if link == Link::Open {
            self.check_pages(&pin, &participant, is_proven)?;
        }
        let role = participant.as_viewer().map(|viewer| viewer.role);
        // A name that a person typed on the page counts more than the one that the link was made with.
        let name = if name.is_empty() { admission.name } else { name };
        let connection = Connection { client, pin: pin.clone(), page, participant, link };
        let (resumed, change) = self.admit(id, connection, &name, now)?;
        Ok((Joined { pin, page, side, resumed, role, watch_key }, change))
    }

    /// The first message for a connection, with the state as it is now.
    pub fn welcome(
        &mut self,
        client: Client,
        joined: Joined,
        now: Millis,
    ) -> Result<ServerMessage, Refused> {
        let roster = self.roster(&joined.pin).ok_or(Refused::PinOver)?;
        let entry = self.live(client, &joined.pin, now)?;
        let welcome = Welcome {
            side: joined.side,
            resumed: joined.resumed,
            expires: entry.session.expires.seconds(),
            you: credential::public_half(joined.page.0),
            role: joined.role,
            watch_key: joined.watch_key,
            requester: entry.session.requester.clone(),
            roster,
            chat: entry.chat.current(now).cloned().collect(),
        };
        Ok(ServerMessage::Welcome(Box::new(welcome)))
    }

    fn admitted(
        &mut self,
        client: Client,
        access: Access,
        console: Option<KeyHash>,
        now: Millis,
    ) -> Result<Admission, Refused> {
        match access {
            Access::Pin(pin) => {
                let minted_by = self.live(client, &pin, now)?.session.console;
                let own = minted_by.is_some() && minted_by == console;
                let (role, name) = (Role::Control, String::new());
                Ok(Admission { pin, role, invited: own, own, name })
            }
            Access::Ticket(ticket) => {
                let found = self.tickets.get(&credential::sha256(ticket.expose())).cloned();
                let ticket = self.known_credential(client, found, now)?;
                self.live(client, &ticket.pin, now)?;
                Ok(Admission {
                    pin: ticket.pin,
                    role: ticket.role,
                    invited: true,
                    own: false,
                    name: ticket.name,
                })
            }
        }
    }

    /// A page that is connected already doesn't count: its new connection takes the old one's place. Those who have
    /// nothing but the PIN leave a quarter of the places to those who are invited.
    fn check_room(
        &self,
        client: Client,
        pin: &Pin,
        page: PageId,
        invited: bool,
    ) -> Result<(), Refused> {
        let most = self.rates(client).viewers_by_pin;
        let there = self.connections.viewers_beside(pin, page);
        let is_full = there.all >= most || (!invited && there.bare >= most - most / 4);
        if is_full { Err(Refused::Full) } else { Ok(()) }
    }

    fn admit(
        &mut self,
        id: ConnectionId,
        connection: Connection,
        name: &str,
        now: Millis,
    ) -> Result<(bool, Change), Refused> {
        let pin = connection.pin.clone();
        let entry = self.sessions.get_mut(&pin).ok_or(Refused::PinOver)?;
        let session = &mut entry.session;
        let mut change = Change { reschedules: true, ..Change::default() };
        let (mut resumed, mut displaced) = (false, Vec::new());
        if let Some(side) = connection.participant.side() {
            if let Some(program) = connection.participant.as_program() {
                let (page, client) = (connection.page, connection.client);
                let holder = Holder { page, client, proven: program.proven };
                session.presence_mut(side).holder = Some(holder);
            }
            let (arrival, fired) = session.arrive(side, connection.page, name, id, now);
            (resumed, displaced) = (!arrival.started, arrival.displaced);
            change.add_presence(&pin, session, side);
            if side == Side::Presenter {
                change.add_customer(&pin, session);
            }
            change.add_fired(&pin, session, fired);
            // Once saved, when the others can rely on it; the roster itself is made only then.
            change.effects.push(Effect::SendRoster(pin));
        } else if arrivals::arrives(&mut session.customer, &connection.participant, id, now) {
            change.add_customer(&pin, session);
        }
        self.reschedule(&connection.pin);
        self.connections.insert(id, connection);
        for old in displaced {
            change.notices.extend(self.hang_up(old, &ServerMessage::replaced()));
        }
        Ok((resumed, change))
    }

    /// A connection has ended.
    pub fn leave(&mut self, id: ConnectionId, now: Millis) -> Change {
        if self.connections.get(id).is_none() {
            return Change::default();
        }
        let notices = self.end_streams_for(id);
        let mut change = Change { notices, reschedules: true, ..Change::default() };
        let Some(connection) = self.connections.remove(id) else { return change };
        let Some(entry) = self.sessions.get_mut(&connection.pin) else { return change };
        let Some(side) = connection.participant.side() else {
            if arrivals::departs(&mut entry.session.customer, &connection.participant, id, now) {
                change.add_customer(&connection.pin, &entry.session);
            }
            return change;
        };
        if entry.session.depart(side, connection.page, id, now) {
            change.add_presence(&connection.pin, &entry.session, side);
            self.reschedule(&connection.pin);
            change.effects.push(Effect::SendRoster(connection.pin));
        }
        change
    }

    /// A socket takes no more messages. It counts as hung up, and viewers that wait for this presenter to dial are
    /// refused now instead of after the time-out.
    pub fn give_up(&mut self, id: ConnectionId) -> Vec<Notice> {
        self.connections.hang_up(id);
        let theirs = self.streams.of_connection(id);
        let waiting = theirs.filter(|(_, stream)| stream.presenter == id && !stream.joined);
        let waiting = waiting.map(|(id, _)| id).collect();
        self.end_streams(waiting, StreamEnd::ConnectionEnded)
    }

    /// Ends some of all connections; none once there are no more.
    pub fn hang_up_some(&mut self, message: &ServerMessage) -> Option<Vec<Notice>> {
        let some = self.connections.some_reachable(true, IN_ONE_TURN);
        let hung_up = || some.iter().flat_map(|id| self.hang_up(*id, message)).collect();
        (!some.is_empty()).then(hung_up)
    }

    /// Ends some of the connections and streams of everybody who isn't on this machine; none once there are no more.
    pub fn hang_up_strangers(&mut self, message: &ServerMessage) -> Option<Vec<Notice>> {
        let some = self.connections.some_reachable(false, IN_ONE_TURN);
        // A stream can have a stranger at one end only, whose live connection may be on this machine.
        let streams = self.streams.some_far(IN_ONE_TURN);
        if some.is_empty() && streams.is_empty() {
            return None;
        }
        let mut notices: Vec<_> = some.iter().flat_map(|id| self.hang_up(*id, message)).collect();
        notices.extend(self.end_streams(streams, StreamEnd::ConnectionEnded));
        Some(notices)
    }

    /// Ends the connections of one session.
    pub(super) fn hang_up_session(&mut self, pin: &Pin, message: &ServerMessage) -> Vec<Notice> {
        let ids: Vec<_> = self.connections.of_session(pin).map(|(id, _)| id).collect();
        ids.into_iter().flat_map(|id| self.hang_up(id, message)).collect()
    }

    /// Ends a connection. Its streams end at once, even if its socket takes a while to close.
    fn hang_up(&mut self, id: ConnectionId, message: &ServerMessage) -> Vec<Notice> {
        let mut notices = self.end_streams_for(id);
        if self.connections.hang_up(id) {
            notices.push(Notice::HangUp { connection: id, message: message.clone() });
        }
        notices
    }

    fn end_streams_for(&mut self, id: ConnectionId) -> Vec<Notice> {
        let theirs = self.streams.of_connection(id).map(|(id, _)| id).collect();
        self.end_streams(theirs, StreamEnd::ConnectionEnded)
    }

    /// Ends streams, and sends the roster to the sessions in which a viewer has lost its picture.
    pub(super) fn end_streams(&mut self, ids: Vec<StreamId>, why: StreamEnd) -> Vec<Notice> {
        let (mut notices, mut pins) = (Vec::new(), HashSet::new());
        for id in ids {
            let Some(stream) = self.streams.remove(id) else { continue };
            notices.push(Notice::EndStream { stream: id, why });
            if stream.joined {
                pins.insert(stream.pin);
            }
        }
        notices.extend(pins.iter().flat_map(|pin| self.roster_notices(pin)));
        notices
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::hub::{limits::HubSettings, records::StoredState, session::Session};

    fn show(hub: &mut Hub, pin: &Pin, conf: &str, from: u8) -> Result<(), Refused> {
        let program = ProgramHello {
            version: String::new(),
            platform: String::new(),
            conf: Some(conf.to_owned().into()),
        };
        let join_as = JoinAs::Presenter(Some(program));
        let request = JoinRequest::stand_in(pin.clone(), join_as, Uuid::new_v4(), "");
        let client = Client::from_ip([198, 51, 100, from].into());
        let id = ConnectionId(from.into());
        hub.join(id, client, request, Credential::from_random([0; 32]), Millis(0)).map(drop)
    }

    #[test]
    fn wrong_confs_of_many_clients_count_for_the_session_and_the_right_one_still_gets_in() {
        let mut hub = Hub::new(HubSettings::default(), StoredState::default());
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::from_ip([127, 0, 0, 1].into());
        let life = Duration::from_secs(60);
        let mut session = Session::new("us-east-1".parse().unwrap(), minter, Millis(0), life);
        session.conf_hash = Some(credential::sha256("right"));
        hub.add_session(pin.clone(), session);
        for from in 0..20 {
            let refused = show(&mut hub, &pin, "wrong", from).unwrap_err();
            assert!(matches!(refused, Refused::Malformed(_)), "{from}: {refused:?}");
        }
        let refused = show(&mut hub, &pin, "wrong", 20).unwrap_err();
        assert!(matches!(refused, Refused::TooMany { .. }), "{refused:?}");
        show(&mut hub, &pin, "right", 21).unwrap();
    }
}
