//! Who is connected: how a page is let in, its seat and what it may do there, and how it goes.

use std::time::Duration;

use serve::{Client, Millis};
use tokio::sync::mpsc;
use wire::{
    Pin, Side,
    screen::{Program, Role, Secret, Sharing, ToPresenter},
};

use crate::{
    config::Rates,
    error::Refused,
    keys::{self, KeyHash},
    rules::presence::{LineId, PageId},
    state::{Act, Change, State, side_changed},
    streams::{Ending, StreamId},
    words::ToPage,
};

/// A page, or the presenter's program, that is connected.
#[derive(Debug)]
pub(crate) struct Line {
    pub client: Client,
    pub pin: Pin,
    pub page: PageId,
    pub seat: Seat,
    /// None for a stand-in of the control API, and once it was hung up.
    pub out: Option<mpsc::Sender<ToPage>>,
}

/// As what it is connected.
#[derive(Debug)]
pub(crate) enum Seat {
    /// The customer's PC; with a sharer if it is a program that shares its screen.
    Presenter(Option<Sharer>),
    /// The customer's page beside that program: reads and chats, and counts for no presence.
    Companion,
    Viewer(Viewer),
}

/// The presenter's program.
#[derive(Debug)]
pub(crate) struct Sharer {
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
    /// Of the credential with which it asks for a stream.
    pub key: KeyHash,
    pub stream: Option<StreamId>,
    pub latency_ms: Option<u32>,
    pub fps: Option<u16>,
}

/// A page that wants to connect.
pub(crate) struct Caller {
    pub claim: Claim,
    pub wish: Wish,
    pub page: PageId,
    pub name: String,
    pub out: Option<mpsc::Sender<ToPage>>,
}

/// What it shows to be let in.
pub(crate) enum Claim {
    Pin(Pin),
    Ticket(Secret),
}

/// As what it wants to be seated.
pub(crate) enum Wish {
    Presenter(Option<Program>),
    Companion,
    Viewer { ro: bool },
}

/// A page that was let in.
pub(crate) struct Arrived {
    pub line: LineId,
    pub resumed: bool,
    pub role: Option<Role>,
    pub watch_key: Option<Secret>,
}

impl Seat {
    /// The side for whose presence it counts.
    pub const fn side(&self) -> Option<Side> {
        match self {
            Self::Presenter(_) => Some(Side::Presenter),
            Self::Companion => None,
            Self::Viewer(_) => Some(Side::Viewers),
        }
    }
}

impl Wish {
    /// The plain page of a side.
    pub const fn of(side: Side) -> Self {
        match side {
            Side::Presenter => Self::Presenter(None),
            Side::Viewers => Self::Viewer { ro: false },
        }
    }

    pub const fn side(&self) -> Side {
        match self {
            Self::Presenter(_) | Self::Companion => Side::Presenter,
            Self::Viewer { .. } => Side::Viewers,
        }
    }
}

impl State {
    /// Lets a page in, if what it shows is right and there is room.
    pub fn arrive(
        &mut self,
        client: Client,
        caller: Caller,
        (rates, now): (&Rates, Millis),
    ) -> Result<(Pin, Arrived, Change), Refused> {
        let (pin, most, ticket_name) = self.claimed(client, caller.claim, rates, now)?;
        if caller.out.is_some() && self.lines_of(client) >= rates.lines_by_client {
            return Err(Refused::TooMany { retry_after: Duration::from_secs(60) });
        }
        let Caller { wish, page, name, out, .. } = caller;
        let (seat, watch_key) = match wish {
            Wish::Presenter(program) => {
                (Seat::Presenter(self.sharer(client, &pin, program, rates, now)?), None)
            }
            Wish::Companion => (Seat::Companion, None),
            Wish::Viewer { ro } => {
                self.room_for(&pin, page, rates)?;
                let (key, hash) = keys::make()?;
                let role = if ro { Role::Watch } else { most };
                (Seat::Viewer(Viewer::new(role, hash)), Some(key))
            }
        };
        let name = if name.is_empty() { ticket_name } else { name };
        let role = match &seat {
            Seat::Viewer(viewer) => Some(viewer.role),
            Seat::Presenter(_) | Seat::Companion => None,
        };
        let (line, resumed, change) =
            self.seat(Line { client, pin: pin.clone(), page, seat, out }, &name)?;
        Ok((pin, Arrived { line, resumed, role, watch_key }, change))
    }

    /// The session that a claim opens, the most that its holder may do there, and the name that
    /// comes with it.
    fn claimed(
        &mut self,
        client: Client,
        claim: Claim,
        rates: &Rates,
        now: Millis,
    ) -> Result<(Pin, Role, String), Refused> {
        match claim {
            Claim::Pin(pin) => {
                self.live(client, &pin, rates, now)?;
                Ok((pin, Role::Control, String::new()))
            }
            Claim::Ticket(ticket) => {
                let ticket = keys::hash_of(ticket.expose());
                let found = self.tickets.get(&ticket).cloned();
                let ticket = self.known_key(client, found, rates, now)?;
                self.live(client, &ticket.pin, rates, now)?;
                Ok((ticket.pin, ticket.role, ticket.name))
            }
        }
    }

    /// A program proves by its conf that it is this session's own; then only another that can do so
    /// takes its place while it is there.
    fn sharer(
        &mut self,
        client: Client,
        pin: &Pin,
        program: Option<Program>,
        rates: &Rates,
        now: Millis,
    ) -> Result<Option<Sharer>, Refused> {
        let conf = program.as_ref().and_then(|program| program.conf.as_ref());
        let given = self.sessions.get(pin).and_then(|entry| entry.session.conf_hash);
        let proven = conf.map(|conf| given == Some(keys::hash_of(conf.expose())));
        if proven == Some(false) {
            self.windows.guesses.note(&client, now);
            let wait = self.windows.proofs.admit(pin, rates.guesses, now);
            wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
            return Err(Refused::malformed("the program's conf is not this session's"));
        }
        let proven = proven.unwrap_or(false);
        if !proven && self.sharer_of(pin).is_some_and(|(_, sharer)| sharer.proven) {
            return Err(Refused::Taken);
        }
        Ok(program.map(|program| Sharer {
            version: program.version.chars().take(32).collect(),
            platform: program.platform.chars().take(32).collect(),
            proven,
            sharing: Sharing::Shared,
        }))
    }

    /// A page that is there already takes its own place.
    fn room_for(&self, pin: &Pin, page: PageId, rates: &Rates) -> Result<(), Refused> {
        let Some(entry) = self.sessions.get(pin) else { return Err(Refused::PinOver) };
        let others = entry.session.presence(Side::Viewers).here().filter(|(id, ..)| *id != page);
        if others.count() >= rates.viewers_by_pin { Err(Refused::Full) } else { Ok(()) }
    }

    fn seat(&mut self, line: Line, name: &str) -> Result<(LineId, bool, Change), Refused> {
        let id = LineId(self.next_line);
        let session = &mut self.sessions.get_mut(&line.pin).ok_or(Refused::PinOver)?.session;
        self.next_line += 1;
        let mut change = Change::default();
        let (mut resumed, mut displaced) = (false, Vec::new());
        if let Some(side) = line.seat.side() {
            let (arrival, fired) = session.arrive(side, line.page, name, id);
            (resumed, displaced) = (!arrival.started, arrival.displaced);
            change.writes.push(side_changed(&line.pin, session, side));
            change.add_fired(&line.pin, session.minter, fired);
            change.acts.push(Act::TellPresence(line.pin.clone()));
        }
        if let Seat::Viewer(viewer) = &line.seat {
            self.watch_keys.insert(viewer.key, id);
        }
        self.lines.insert(id, line);
        for old in displaced {
            self.hang_up(old, &ToPage::replaced());
        }
        Ok((id, resumed, change))
    }

    /// How many pages of this client are connected.
    fn lines_of(&self, client: Client) -> usize {
        self.lines.values().filter(|line| line.out.is_some() && line.client == client).count()
    }

    /// A page's connection has ended.
    pub fn depart(&mut self, id: LineId, now: Millis) -> Change {
        let mut change = Change::default();
        self.end_streams_of(id);
        let Some(line) = self.lines.remove(&id) else { return change };
        if let Seat::Viewer(viewer) = &line.seat {
            self.watch_keys.remove(&viewer.key);
        }
        let Some(entry) = self.sessions.get_mut(&line.pin) else { return change };
        let Some(side) = line.seat.side() else { return change };
        if entry.session.depart(side, line.page, id, now) {
            change.writes.push(side_changed(&line.pin, &entry.session, side));
            change.acts.push(Act::TellPresence(line.pin));
        }
        change
    }

    /// A page gives itself another name.
    pub fn rename(&mut self, id: LineId, name: &str) -> Change {
        let Some(line) = self.lines.get(&id) else { return Change::default() };
        let Some(side) = line.seat.side() else { return Change::default() };
        let Some(entry) = self.sessions.get_mut(&line.pin) else { return Change::default() };
        entry.session.presence_mut(side).rename(line.page, name);
        let write = side_changed(&line.pin, &entry.session, side);
        Change { writes: vec![write], acts: vec![Act::TellPresence(line.pin.clone())] }
    }

    /// Tells the presenter's program something that only it may know. False if it isn't there.
    pub fn tell_presenter(&mut self, line: LineId, told: ToPresenter) -> bool {
        let out = self.lines.get(&line).and_then(|line| line.out.as_ref());
        out.is_some_and(|out| send(out, &ToPage::Presenter(told)))
    }

    /// Tells all pages of a session something.
    pub fn tell(&mut self, pin: &Pin, told: &ToPage) {
        self.tell_where(|line| line.pin == *pin, told);
    }

    /// A page that doesn't read is hung up.
    pub fn tell_where(&mut self, chosen: impl Fn(&Line) -> bool, told: &ToPage) {
        for line in self.lines.values_mut().filter(|line| chosen(line)) {
            if line.out.as_ref().is_some_and(|out| !send(out, told)) {
                // Its socket closes with the sender, and `depart` follows.
                line.out = None;
            }
        }
    }

    /// Ends all connections, on shutdown.
    pub fn hang_up_all(&mut self, told: &ToPage) {
        self.hang_up_where(|_| true, told);
    }

    /// Ends the connections of everybody who isn't on this machine.
    pub fn hang_up_strangers(&mut self, told: &ToPage) {
        self.hang_up_where(|line| !line.client.is_this_machine(), told);
        self.end_streams_of_strangers();
    }

    /// Ends the connections of one session.
    pub fn hang_up_session(&mut self, pin: &Pin, told: &ToPage) {
        self.hang_up_where(|line| line.pin == *pin, told);
    }

    fn hang_up_where(&mut self, chosen: impl Fn(&Line) -> bool, told: &ToPage) {
        let ids: Vec<LineId> =
            self.lines.iter().filter(|(_, line)| chosen(line)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.hang_up(id, told));
    }

    /// What it could see ends at once, even if its socket takes its time.
    fn hang_up(&mut self, id: LineId, told: &ToPage) {
        self.end_streams_of(id);
        let Some(line) = self.lines.get_mut(&id) else { return };
        if let Some(out) = line.out.take() {
            send(&out, told);
        }
        if let Seat::Viewer(viewer) = &line.seat {
            self.watch_keys.remove(&viewer.key);
        }
    }

    fn end_streams_of(&mut self, id: LineId) {
        if let Some(pin) = self.streams.end_of_line(id, Ending::LineEnded) {
            self.tell_roster(&pin);
        }
    }

    fn end_streams_of_strangers(&mut self) {
        for pin in self.streams.end_strangers() {
            self.tell_roster(&pin);
        }
    }

    /// The stand-in (or page) that is connected under this id.
    pub fn line_of(&self, pin: &Pin, page: PageId) -> Option<LineId> {
        let is_it = |line: &Line| line.pin == *pin && line.page == page;
        self.lines.iter().find(|(_, line)| is_it(line)).map(|(id, _)| *id)
    }
}

impl Viewer {
    const fn new(role: Role, key: KeyHash) -> Self {
        Self { role, key, stream: None, latency_ms: None, fps: None }
    }
}

/// False if the page doesn't read what it is told, or is gone.
fn send(out: &mpsc::Sender<ToPage>, told: &ToPage) -> bool {
    out.try_send(told.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{rules::session::Session, state::Entry, store::StoredState};

    fn show(state: &mut State, pin: &Pin, conf: &str, from: u8) -> Result<(), Refused> {
        let program = Program {
            version: String::new(),
            platform: String::new(),
            conf: Some(conf.to_owned().into()),
        };
        let caller = Caller {
            claim: Claim::Pin(pin.clone()),
            wish: Wish::Presenter(Some(program)),
            page: PageId(Uuid::new_v4()),
            name: String::new(),
            out: None,
        };
        let client = Client::at([198, 51, 100, from].into());
        state.arrive(client, caller, (&Rates::network(), Millis(0))).map(drop)
    }

    #[test]
    fn wrong_confs_of_many_clients_count_for_the_session_and_the_right_one_still_gets_in() {
        let mut state = State::from_stored(StoredState::default());
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::at([127, 0, 0, 1].into());
        let life = Duration::from_secs(60);
        let mut session = Session::new("us-east-1".parse().unwrap(), minter, Millis(0), life);
        session.conf_hash = Some(keys::hash_of("right"));
        state.sessions.insert(pin.clone(), Entry::new(session));
        for from in 0..20 {
            let refused = show(&mut state, &pin, "wrong", from).unwrap_err();
            assert!(matches!(refused, Refused::Malformed(_)), "{from}: {refused:?}");
        }
        let refused = show(&mut state, &pin, "wrong", 20).unwrap_err();
        assert!(matches!(refused, Refused::TooMany { .. }), "{refused:?}");
        show(&mut state, &pin, "right", 21).unwrap();
    }
}
