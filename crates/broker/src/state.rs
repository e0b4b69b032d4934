//! Everything that the broker knows, in memory, under one lock that is never held across a wait.
//!
//! Every change answers what has to be written ([`Write`]) and what has to be done once that is on
//! disk ([`Act`]); it does neither itself.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serve::{Client, Millis};
use uuid::Uuid;
use wire::{HookType, Pin, Side, screen::Role};

use crate::{
    chat::{MOST_MESSAGES, Message},
    config::{ByClient, Durations, Rates},
    deliver::Delivery,
    error::Refused,
    keys::KeyHash,
    lines::Line,
    mail::Mail,
    rules::{
        abuse::Strikes,
        presence::{LineId, PageId},
        rates::Windows,
        session::{Fired, Life, Session},
    },
    store::{StoredState, Write},
    streams::Streams,
    words::ToPage,
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
    pub lines: HashMap<LineId, Line>,
    pub next_line: u64,
    /// Which viewer asks with which key, by the key's hash.
    pub watch_keys: HashMap<KeyHash, LineId>,
    pub streams: Streams,
    /// Viewers' links, by the hash of what they carry.
    pub tickets: HashMap<KeyHash, Ticket>,
    pub strikes: Strikes,
    pub windows: AllWindows,
    pub outbox: VecDeque<Mail>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub session: Session,
    pub chat: Vec<Message>,
    /// When its viewers' quality was told last.
    pub quality_told: Option<Millis>,
}

/// What a viewer's link lets its holder do.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub pin: Pin,
    pub role: Role,
    /// The name that its holder's page begins with.
    pub name: String,
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
    pub streams: Windows<PageId>,
    pub signals: Windows<PageId>,
    /// Wrong confs that programs showed.
    pub proofs: Windows<Pin>,
}

impl State {
    pub fn from_stored(stored: StoredState) -> Self {
        let entry = |(pin, session)| (pin, Entry::new(session));
        let mut sessions: HashMap<Pin, Entry> = stored.sessions.into_iter().map(entry).collect();
        for (pin, message) in stored.messages {
            if let Some(entry) = sessions.get_mut(&pin) {
                entry.chat.push(message);
            }
        }
        let mut strikes = Strikes::default();
        for (minter, pin, reporter) in stored.reports {
            strikes.report(minter, pin, reporter);
        }
        stored.blocked.into_iter().for_each(|client| strikes.block(client));
        let outbox = stored.outbox.into();
        Self {
            sessions,
            lines: HashMap::new(),
            next_line: 1,
            watch_keys: HashMap::new(),
            streams: Streams::default(),
            tickets: stored.tickets.into_iter().collect(),
            strikes,
            windows: AllWindows::default(),
            outbox,
        }
    }

    /// The session of a PIN that somebody gave. Unknown PINs count as guesses.
    pub fn known(
        &mut self,
        client: Client,
        pin: &Pin,
        rates: &Rates,
        now: Millis,
    ) -> Result<&mut Entry, Refused> {
        let guesses = self.guesses_of(client, rates, now)?;
        let Some(entry) = self.sessions.get_mut(pin) else {
            let answer_after = note_guess(&mut self.windows.guesses, client, guesses, rates, now);
            return Err(Refused::UnknownPin { answer_after });
        };
        Ok(entry)
    }

    /// What a credential of ours leads to, if it was found. Unknown ones count as guesses, too.
    pub fn known_key<T>(
        &mut self,
        client: Client,
        found: Option<T>,
        rates: &Rates,
        now: Millis,
    ) -> Result<T, Refused> {
        let guesses = self.guesses_of(client, rates, now)?;
        found.ok_or_else(|| {
            let answer_after = note_guess(&mut self.windows.guesses, client, guesses, rates, now);
            Refused::UnknownKey { answer_after }
        })
    }

    /// How often a client has guessed lately; refused once that is too often.
    fn guesses_of(&mut self, client: Client, rates: &Rates, now: Millis) -> Result<usize, Refused> {
        let guesses = self.windows.guesses.count(&client, rates.guesses.per, now);
        if guesses >= rates.guesses.times {
            return Err(Refused::TooMany { retry_after: rates.guesses.per });
        }
        Ok(guesses)
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
        let line = self.lines.get(&id).ok_or(Refused::PinOver)?;
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
        let pin = line.pin.clone();
        let write = Write::Said { pin: pin.clone(), message: message.clone() };
        Ok(Change { writes: vec![write], acts: vec![Act::TellMessage(pin, message)] })
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
        self.tickets.retain(|_, ticket| self.sessions.contains_key(&ticket.pin));
        self.outbox.retain(|mail| mail.at >= before);
        let write = Write::Forget { sessions_before: before, messages_before: now };
        Change { writes: vec![write], acts: Vec::new() }
    }
}

impl Entry {
    pub const fn new(session: Session) -> Self {
        Self { session, chat: Vec::new(), quality_told: None }
    }

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
    pub fn add_fired(&mut self, pin: &Pin, minter: Client, fired: Option<Fired>) {
        if let Some(fired) = fired {
            let hook: HookType = fired.hook;
            self.writes.push(Write::HookConsumed { pin: pin.clone(), hook });
            self.acts.push(Act::Deliver(Delivery { pin: pin.clone(), fired, minter }));
        }
    }
}

pub(crate) fn side_changed(pin: &Pin, session: &Session, side: Side) -> Write {
    let presence = session.presence(side).to_stored();
    Write::SideChanged { pin: pin.clone(), side, presence, announced: session.announced(side) }
}

/// Counts a guess; answers how long this one's answer is held back.
fn note_guess(
    windows: &mut Windows<Client>,
    client: Client,
    before: usize,
    rates: &Rates,
    now: Millis,
) -> Duration {
    windows.note(&client, now);
    let over = before.saturating_sub(rates.slow_after.saturating_sub(1));
    rates.guess_delay * u32::try_from(over).unwrap_or(u32::MAX).min(20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guess_is_answered_later_than_the_last_until_there_is_no_answer() {
        let mut state = State::from_stored(StoredState::default());
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
