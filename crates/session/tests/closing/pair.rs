//! A session and a service, together.

use session::{
    Delivery, Effect, Event, Failure, Input, Life, Outcome, Revocation, SavedChat, Timer,
    Transcript,
};

use crate::told::{DAY, T0, Told};

/// A session and a service in which somebody writes until the PIN is ended.
pub struct Pair {
    pub session: Told,
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

impl Pair {
    pub fn live() -> Self {
        Self {
            session: Told::live(),
            revoking: 0,
            fetching: Vec::new(),
            written: 0,
            written_at_close: None,
            is_over: false,
            archived: 0,
        }
    }

    pub fn closed() -> Self {
        let mut pair = Self::live();
        pair.close();
        pair
    }

    pub fn tell(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.session.tell(input);
        self.hear(&effects);
        effects
    }

    /// The service begins what it is asked for.
    fn hear(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::RevokePin => self.revoking += 1,
                // The worst case: what is written while it is under way isn't in it.
                Effect::FetchChat { transcript: true } => self.fetching.push(self.written),
                _ => {}
            }
        }
    }

    pub fn close(&mut self) -> Vec<Effect> {
        self.written_at_close.get_or_insert(self.written);
        self.tell(Input::Close { outcome: Outcome::Resolved, by: "anna".into() })
    }

    pub fn elapse(&mut self, timer: Timer) {
        if self.session.timers.remove(&timer) {
            self.tell(Input::Elapsed(timer));
        }
    }

    pub fn restart(&mut self) {
        (self.revoking, self.fetching) = (0, Vec::new());
        let effects = self.session.restart();
        self.hear(&effects);
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
        self.session.now = self.session.now.max(T0.plus(DAY));
        self.is_over = true;
    }

    pub fn count(&self, event: &Event) -> usize {
        self.session.events.iter().filter(|told| *told == event).count()
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
        match self.session.state.record.life {
            Life::Closed { revoked, .. } => revoked,
            _ => None,
        }
    }

    pub fn saved(&self) -> Option<u32> {
        match self.session.state.record.transcript {
            Transcript::Saved { messages, .. } => Some(messages),
            Transcript::NotYet | Transcript::Wanted { .. } => None,
        }
    }
}
