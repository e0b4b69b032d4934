//! A session and a service, together.

use std::{collections::HashSet, time::Duration};

use session::{
    About, Delivery, Effect, Event, Failure, Input, Life, Outcome, Revocation, SavedChat,
    SessionStatus, State, Timer, Timestamp, Transcript, step,
};

pub const T0: Timestamp = Timestamp(1_700_000_000_000);
pub const DAY: Duration = Duration::from_secs(86_400);

/// A session and a service in which somebody writes until the PIN is ended.
pub struct Told {
    pub state: State,
    pub now: Timestamp,
    pub events: Vec<Event>,
    pub timers: HashSet<Timer>,
    /// Calls to end the PIN that aren't answered.
    pub revoking: u32,
    /// Fetches of the transcript that aren't answered, each with the number of messages that it reads.
    pub fetching: Vec<u32>,
    pub written: u32,
    /// How much was written when it was closed.
    pub written_at_close: Option<u32>,
    pub is_over: bool,
    pub archived: u32,
}

impl Told {
    pub fn live() -> Self {
        let region: wire::Region = "us-east-1".parse().unwrap();
        let mut told = Self {
            state: State::new(About::default(), "anna".into(), T0),
            now: T0,
            events: Vec::new(),
            timers: HashSet::new(),
            revoking: 0,
            fetching: Vec::new(),
            written: 0,
            written_at_close: None,
            is_over: false,
            archived: 0,
        };
        told.tell(Input::Created { region: None });
        told.tell(Input::RegionChosen { region: region.clone() });
        told.tell(Input::Allocated { region, expires: T0.plus(DAY) });
        told
    }

    pub fn closed() -> Self {
        let mut told = Self::live();
        told.close();
        told
    }

    pub fn tell(&mut self, input: Input) -> Vec<Effect> {
        self.now = self.now.plus(Duration::from_millis(100));
        let transition = step(self.state.clone(), input, self.now);
        self.state = transition.state;
        self.events.extend(transition.events);
        for effect in &transition.effects {
            match effect {
                Effect::RevokePin => self.revoking += 1,
                // The worst case: what is written while it is under way isn't in it.
                Effect::FetchChat { transcript: true } => self.fetching.push(self.written),
                Effect::Start { timer, .. } => drop(self.timers.insert(*timer)),
                Effect::Stop { timer } => drop(self.timers.remove(timer)),
                _ => {}
            }
        }
        transition.effects
    }

    pub fn close(&mut self) -> Vec<Effect> {
        self.written_at_close.get_or_insert(self.written);
        self.tell(Input::Close { outcome: Outcome::Resolved, by: "anna".into() })
    }

    pub fn elapse(&mut self, timer: Timer) {
        if self.timers.remove(&timer) {
            self.tell(Input::Elapsed(timer));
        }
    }

    pub fn restart(&mut self) {
        self.state = State::restored(self.state.record.clone());
        self.timers.clear();
        (self.revoking, self.fetching) = (0, Vec::new());
        let since = self.now;
        self.tell(Input::Restored { since });
    }

    pub fn write(&mut self) {
        if !self.is_over {
            self.written += 1;
        }
    }

    pub fn viewers_gone(&mut self) {
        let hook = wire::HookType::ViewerOffline;
        self.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
    }

    /// The PIN runs out by itself.
    pub fn expire(&mut self) {
        self.now = self.now.max(T0.plus(DAY));
        self.is_over = true;
    }

    pub fn count(&self, event: &Event) -> usize {
        self.events.iter().filter(|told| *told == event).count()
    }

    pub fn answer_revoke(&mut self, revocation: Revocation) {
        if self.revoking > 0 {
            self.revoking -= 1;
            self.is_over |= revocation == Revocation::Done;
            self.tell(Input::Revoked(revocation));
        }
    }

    pub fn answer_fetch(&mut self, fails: bool) {
        let Some(read) = self.fetching.pop() else { return };
        if fails {
            self.tell(Input::ChatFailed {
                failure: Failure::Faulty { status: 503 },
                transcript: true,
            });
            return;
        }
        let new = read.saturating_sub(self.archived);
        self.archived = self.archived.max(read);
        let total = self.archived;
        self.tell(Input::ChatSaved(SavedChat {
            new,
            total,
            transcript: true,
            ..SavedChat::default()
        }));
    }

    pub fn revoked(&self) -> Option<bool> {
        match self.state.record.life {
            Life::Closed { revoked, .. } => revoked,
            _ => None,
        }
    }

    pub fn saved(&self) -> Option<u32> {
        match self.state.record.transcript {
            Transcript::Saved { messages, .. } => Some(messages),
            Transcript::NotYet | Transcript::Wanted { .. } => None,
        }
    }

    pub fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }
}
