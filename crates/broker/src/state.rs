//! Everything that the broker knows, in memory, under one lock that is never held across a wait.
//!
//! Every change answers what has to be written ([`Write`]) and what has to be done once that is on
//! disk ([`Act`]); it does neither itself.

use std::collections::{HashMap, VecDeque};

use serve::{Client, Millis};
use tokio::sync::mpsc;
use uuid::Uuid;
use wire::{HookType, Pin, Side};

use crate::{
    chat::{MOST_MESSAGES, Message},
    config::{ByClient, Durations, Rates},
    deliver::Delivery,
    error::Refused,
    live::ToPage,
    mail::Mail,
    rules::{
        abuse::Strikes,
        presence::{LineId, PageId},
        rates::Windows,
        session::{Fired, Life, Session},
    },
    store::{Kept, Write},
};

/// How many e-mails the outbox lists.
const OUTBOX_LENGTH: usize = 1_000;

/// What has to be done once a change is on disk.
#[derive(Debug)]
pub(crate) enum Act {
    /// Deliver a consumed hook.
    Deliver(Delivery),
    /// Tell all pages of a session who is there.
    TellPresence(Pin),
    /// Show a message to all pages of a session.
    TellMessage(Pin, Message),
    /// Send an e-mail.
    SendMail(Mail),
}

/// What a change asks for.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub writes: Vec<Write>,
    pub acts: Vec<Act>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub sessions: HashMap<Pin, Entry>,
    lines: HashMap<LineId, Line>,
    next_line: u64,
    pub strikes: Strikes,
    pub windows: AllWindows,
    pub outbox: VecDeque<Mail>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub session: Session,
    pub chat: Vec<Message>,
}

/// What is counted, and for whom.
#[derive(Debug, Default)]
pub(crate) struct AllWindows {
    pub mint: Windows<Client>,
    pub mail_by_client: Windows<Client>,
    pub mail_by_pin: Windows<Pin>,
    pub guesses: Windows<Client>,
    pub reach: Windows<Client>,
    pub chat: Windows<PageId>,
}

/// A page that is connected.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    client: Client,
    pub pin: Pin,
    pub side: Side,
    pub page: PageId,
    /// None for a stand-in of the control API.
    out: Option<mpsc::Sender<ToPage>>,
}

/// A page that wants to connect.
pub(crate) struct Caller {
    pub side: Side,
    pub page: PageId,
    pub name: String,
    pub out: Option<mpsc::Sender<ToPage>>,
}

impl State {
    pub fn from_kept(kept: Kept) -> Self {
        let entry = |(pin, session)| (pin, Entry { session, chat: Vec::new() });
        let mut sessions: HashMap<Pin, Entry> = kept.sessions.into_iter().map(entry).collect();
        for (pin, message) in kept.messages {
            if let Some(entry) = sessions.get_mut(&pin) {
                entry.chat.push(message);
            }
        }
        let mut strikes = Strikes::default();
        for (minter, pin, reporter) in kept.reports {
            strikes.report(minter, pin, reporter);
        }
        kept.blocked.into_iter().for_each(|client| strikes.block(client));
        let outbox = kept.outbox.into();
        let (lines, windows) = (HashMap::new(), AllWindows::default());
        Self { sessions, lines, next_line: 1, strikes, windows, outbox }
    }

    /// The session of a PIN that somebody gave. Unknown PINs count as guesses.
    pub fn known(
        &mut self,
        client: Client,
        pin: &Pin,
        rates: &Rates,
        now: Millis,
    ) -> Result<&mut Entry, Refused> {
        let guesses = self.windows.guesses.count(&client, rates.guesses.per, now);
        if guesses >= rates.guesses.times {
            return Err(Refused::TooMany { retry_after: rates.guesses.per });
        }
        let Some(entry) = self.sessions.get_mut(pin) else {
            self.windows.guesses.note(&client, now);
            let over = guesses.saturating_sub(rates.slow_after.saturating_sub(1));
            let over = u32::try_from(over).unwrap_or(u32::MAX).min(20);
            return Err(Refused::UnknownPin { answer_after: rates.guess_delay * over });
        };
        Ok(entry)
    }

    /// As [`State::known`], for what only a live session can do.
    pub fn live(
        &mut self,
        client: Client,
        pin: &Pin,
        rates: &Rates,
        now: Millis,
    ) -> Result<&mut Entry, Refused> {
        let entry = self.known(client, pin, rates, now)?;
        match entry.session.life(now) {
            Life::Live => Ok(entry),
            Life::Expired | Life::Revoked => Err(Refused::PinOver),
        }
    }

    /// A page connects to a live session.
    pub fn arrive(
        &mut self,
        client: Client,
        pin: &Pin,
        caller: Caller,
    ) -> Option<(LineId, bool, Change)> {
        let id = LineId(self.next_line);
        let Caller { side, page, name, out } = caller;
        let session = &mut self.sessions.get_mut(pin)?.session;
        self.next_line += 1;
        let (arrival, fired) = session.arrive(side, page, &name, id);
        let mut change = Change { writes: vec![side_changed(pin, session, side)], acts: vec![] };
        change.add_fired(pin, session.minter, fired);
        change.acts.push(Act::TellPresence(pin.clone()));
        for line in &arrival.displaced {
            self.hang_up(*line, ToPage::replaced());
        }
        self.lines.insert(id, Line { client, pin: pin.clone(), side, page, out });
        Some((id, !arrival.started, change))
    }

    /// How many pages of this client are connected.
    pub fn lines_of(&self, client: Client) -> usize {
        self.lines.values().filter(|line| line.out.is_some() && line.client == client).count()
    }

    /// A page's connection has ended.
    pub fn depart(&mut self, id: LineId, now: Millis) -> Change {
        let mut change = Change::default();
        let Some(line) = self.lines.remove(&id) else { return change };
        let Some(entry) = self.sessions.get_mut(&line.pin) else { return change };
        if entry.session.depart(line.side, line.page, id, now) {
            change.writes.push(side_changed(&line.pin, &entry.session, line.side));
            change.acts.push(Act::TellPresence(line.pin));
        }
        change
    }

    /// Fires what is due: graces that are over, PINs whose life is over.
    pub fn fire_due(&mut self, now: Millis, durations: &Durations) -> Change {
        let mut change = Change::default();
        let mut over = Vec::new();
        for (pin, entry) in &mut self.sessions {
            match entry.session.life(now) {
                Life::Live => entry.expire_sides(pin, now, durations, &mut change),
                Life::Expired => over.push(pin.clone()),
                Life::Revoked => {}
            }
            entry.chat.retain(|message| message.ttl > now.seconds());
        }
        for pin in over {
            self.hang_up_session(&pin, &ToPage::over("expired"));
        }
        change
    }

    /// When [`State::fire_due`] has something to do next.
    pub fn next_due(&self, now: Millis, durations: &Durations) -> Option<Millis> {
        let of = |entry: &Entry| match entry.session.life(now) {
            Life::Live => {
                let grace = entry.session.next_due(durations.offline_grace);
                Some(grace.map_or(entry.session.expires, |due| due.min(entry.session.expires)))
            }
            Life::Expired | Life::Revoked => None,
        };
        self.sessions.values().filter_map(of).min()
    }

    /// Somebody says something.
    pub fn say(
        &mut self,
        id: LineId,
        name: String,
        body: String,
        (now, durations, rates): (Millis, &Durations, &ByClient<Rates>),
    ) -> Result<Change, Refused> {
        let line = self.lines.get(&id).cloned().ok_or(Refused::PinOver)?;
        let wait = self.windows.chat.admit(&line.page, rates.of(line.client).chat, now);
        wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
        let entry = self.sessions.get_mut(&line.pin).ok_or(Refused::PinOver)?;
        if entry.chat.len() >= MOST_MESSAGES {
            return Err(Refused::malformed("this session's chat is full"));
        }
        let timestamp = now.seconds();
        let ttl = timestamp + durations.chat_life.as_secs();
        let message = Message { guid: Uuid::new_v4(), ttl, timestamp, subject: name, body };
        entry.chat.push(message.clone());
        let pin = line.pin;
        let write = Write::Said { pin: pin.clone(), message: message.clone() };
        Ok(Change { writes: vec![write], acts: vec![Act::TellMessage(pin, message)] })
    }

    /// A page gives itself another name.
    pub fn rename(&mut self, id: LineId, name: &str) -> Change {
        let Some(line) = self.lines.get(&id) else { return Change::default() };
        let Some(entry) = self.sessions.get_mut(&line.pin) else { return Change::default() };
        entry.session.presence_mut(line.side).rename(line.page, name);
        let write = side_changed(&line.pin, &entry.session, line.side);
        Change { writes: vec![write], acts: vec![Act::TellPresence(line.pin.clone())] }
    }

    /// Ends a session before its time.
    pub fn revoke(&mut self, pin: &Pin) -> Change {
        let Some(entry) = self.sessions.get_mut(pin) else { return Change::default() };
        entry.session.revoked = true;
        self.hang_up_session(pin, &ToPage::over("revoked"));
        Change { writes: vec![Write::Revoked { pin: pin.clone() }], acts: Vec::new() }
    }

    /// Puts a mail into the outbox.
    pub fn keep_mail(&mut self, mail: Mail, send: bool) -> Change {
        if self.outbox.len() >= OUTBOX_LENGTH {
            self.outbox.pop_front();
        }
        self.outbox.push_back(mail.clone());
        let writes = vec![Write::MailKept { mail: mail.clone() }];
        let acts = if send { vec![Act::SendMail(mail)] } else { Vec::new() };
        Change { writes, acts }
    }

    /// Forgets what is too old to matter: sessions a day after their chat could last be fetched.
    pub fn forget_old(&mut self, now: Millis, durations: &Durations) -> Change {
        let keep = durations.chat_life * 2;
        let before = Millis(now.0 - Millis(0).after(keep).0);
        self.sessions.retain(|_, entry| entry.session.expires >= before);
        self.outbox.retain(|mail| mail.at >= before);
        let write = Write::Forget { sessions_before: before, messages_before: now };
        Change { writes: vec![write], acts: Vec::new() }
    }

    /// Who is there, as pages are told it.
    pub fn presence(&self, pin: &Pin) -> Option<ToPage> {
        let session = &self.sessions.get(pin)?.session;
        Some(ToPage::presence(session))
    }

    /// Tells all pages of a session something. A page that doesn't read is hung up.
    pub fn tell(&mut self, pin: &Pin, told: &ToPage) {
        for line in self.lines.values_mut().filter(|line| line.pin == *pin) {
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
    }

    fn hang_up_where(&mut self, chosen: impl Fn(&Line) -> bool, told: &ToPage) {
        for line in self.lines.values_mut().filter(|line| chosen(line)) {
            if let Some(out) = line.out.take() {
                send(&out, told);
            }
        }
    }

    /// The stand-in (or page) that is connected under this id.
    pub fn line_of(&self, pin: &Pin, page: PageId) -> Option<LineId> {
        let is_it = |line: &Line| line.pin == *pin && line.page == page;
        self.lines.iter().find(|(_, line)| is_it(line)).map(|(id, _)| *id)
    }

    fn hang_up_session(&mut self, pin: &Pin, told: &ToPage) {
        self.hang_up_where(|line| line.pin == *pin, told);
    }

    fn hang_up(&mut self, id: LineId, told: ToPage) {
        if let Some(out) = self.lines.get_mut(&id).and_then(|line| line.out.take()) {
            let _ = out.try_send(told);
        }
    }
}

impl Entry {
    fn expire_sides(&mut self, pin: &Pin, now: Millis, durations: &Durations, change: &mut Change) {
        for side in [Side::Presenter, Side::Viewers] {
            let (gone, fired) = self.session.expire_side(side, now, durations.offline_grace);
            if gone {
                change.writes.push(side_changed(pin, &self.session, side));
                change.add_fired(pin, self.session.minter, fired);
            }
        }
    }
}

impl Change {
    fn add_fired(&mut self, pin: &Pin, minter: Client, fired: Option<Fired>) {
        if let Some(fired) = fired {
            let hook: HookType = fired.hook;
            self.writes.push(Write::HookConsumed { pin: pin.clone(), hook });
            self.acts.push(Act::Deliver(Delivery { pin: pin.clone(), fired, minter }));
        }
    }
}

fn side_changed(pin: &Pin, session: &Session, side: Side) -> Write {
    let presence = session.presence(side).to_stored();
    Write::SideChanged { pin: pin.clone(), side, presence, announced: session.announced(side) }
}

/// False if the page doesn't read what it is told, or is gone.
fn send(out: &mpsc::Sender<ToPage>, told: &ToPage) -> bool {
    out.try_send(told.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_guess_is_answered_later_than_the_last_until_there_is_no_answer() {
        let mut state = State::from_kept(Kept::default());
        let rates = Rates::network();
        let guesser = Client::at([198, 51, 100, 1].into());
        let pin: Pin = "AAA-AA-AAAA".parse().unwrap();
        let mut guess = || state.known(guesser, &pin, &rates, Millis(0)).unwrap_err();
        let delays: Vec<_> = (0..rates.guesses.times)
            .map(|_| match guess() {
                Refused::UnknownPin { answer_after } => answer_after,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(delays[..5], [Duration::ZERO; 5][..]);
        assert!(delays[4..].is_sorted_by(|a, b| a < b), "{delays:?}");
        assert!(matches!(guess(), Refused::TooMany { .. }));
    }
}
