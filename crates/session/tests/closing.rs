//! What closing a session promises: its PIN ends, whatever fails, and no message that was written until then is lost.

#![allow(clippy::unwrap_used)]

use std::{collections::HashSet, time::Duration};

use proptest::prelude::*;
use session::{
    About, Delivery, Effect, Event, Failure, Input, Life, LifeEvent, Outcome, Revocation,
    SavedChat, SessionStatus, State, Timer, Timestamp, Transcript, step,
};

const T0: Timestamp = Timestamp(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// A session and a service in which somebody writes until the PIN is ended.
struct Told {
    state: State,
    now: Timestamp,
    events: Vec<Event>,
    timers: HashSet<Timer>,
    /// Calls to end the PIN that aren't answered.
    revoking: u32,
    /// Fetches of the transcript that aren't answered, each with the number of messages that it reads.
    fetching: Vec<u32>,
    written: u32,
    is_over: bool,
    archived: u32,
}

impl Told {
    fn live() -> Self {
        let region: wire::Region = "us-east-1".parse().unwrap();
        let mut told = Self {
            state: State::new(About::default(), "anna".into(), T0),
            now: T0,
            events: Vec::new(),
            timers: HashSet::new(),
            revoking: 0,
            fetching: Vec::new(),
            written: 0,
            is_over: false,
            archived: 0,
        };
        told.tell(Input::Created { region: None });
        told.tell(Input::RegionChosen { region: region.clone() });
        told.tell(Input::Allocated { region, expires: T0.plus(DAY) });
        told
    }

    fn closed() -> Self {
        let mut told = Self::live();
        told.close();
        told
    }

    fn tell(&mut self, input: Input) -> Vec<Effect> {
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

    fn close(&mut self) -> Vec<Effect> {
        self.tell(Input::Close { outcome: Outcome::Resolved, by: "anna".into() })
    }

    fn elapse(&mut self, timer: Timer) {
        if self.timers.remove(&timer) {
            self.tell(Input::Elapsed(timer));
        }
    }

    fn restart(&mut self) {
        self.state = State::restored(self.state.record.clone());
        self.timers.clear();
        (self.revoking, self.fetching) = (0, Vec::new());
        let since = self.now;
        self.tell(Input::Restored { since });
    }

    fn write(&mut self) {
        if !self.is_over {
            self.written += 1;
        }
    }

    fn answer_revoke(&mut self, revocation: Revocation) {
        if self.revoking > 0 {
            self.revoking -= 1;
            self.is_over |= revocation == Revocation::Done;
            self.tell(Input::Revoked(revocation));
        }
    }

    fn answer_fetch(&mut self, fails: bool) {
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

    fn revoked(&self) -> Option<bool> {
        match self.state.record.life {
            Life::Closed { revoked, .. } => revoked,
            _ => None,
        }
    }

    fn saved(&self) -> Option<u32> {
        match self.state.record.transcript {
            Transcript::Saved { messages, .. } => Some(messages),
            Transcript::NotYet | Transcript::Wanted { .. } => None,
        }
    }

    fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }
}

#[test]
fn closing_ends_the_pin_first_and_saves_all_that_was_written_until_then() {
    let mut told = Told::live();
    let effects = told.close();
    assert!(effects.contains(&Effect::RevokePin));
    assert!(!effects.contains(&Effect::FetchChat { transcript: true }), "it could lack the end");
    let ending =
        |word| matches!(word, SessionStatus::Closed { pin_valid_until: Some(_), ending: true, .. });
    assert!(ending(told.word()));
    told.write();
    told.answer_revoke(Revocation::Done);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(1));
    assert_eq!((told.revoking, told.fetching.len()), (0, 0));
}

#[test]
fn a_transcript_that_cant_be_fetched_doesnt_hold_up_the_end_of_the_pin() {
    let mut told = Told::closed();
    told.answer_revoke(Revocation::Done);
    for _ in 0..5 {
        told.answer_fetch(true);
        assert_eq!(told.revoked(), Some(true));
        told.elapse(Timer::RetryTranscript);
    }
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(0));
}

#[test]
fn an_end_of_the_pin_that_fails_is_told_and_tried_until_it_is_done_beside_the_transcript() {
    let mut told = Told::closed();
    let failure = Failure::Unreachable;
    for _ in 0..5 {
        told.answer_revoke(Revocation::Failed(failure));
        assert!(matches!(told.word(), SessionStatus::Closed { ending: true, .. }));
        told.answer_fetch(false);
        told.write();
        told.elapse(Timer::RetryRevoke);
    }
    assert_eq!(told.saved(), Some(0), "the one doesn't wait for the other");
    told.answer_revoke(Revocation::Done);
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(5), "what was written until the PIN was ended");
    let of_pin = |event: &&Event| {
        matches!(event, Event::Life(LifeEvent::PinNotEnded { .. } | LifeEvent::PinEnded))
    };
    let of_pin: Vec<_> = told.events.iter().filter(of_pin).cloned().collect();
    let expected: [Event; 2] =
        [LifeEvent::PinNotEnded { failure }.into(), LifeEvent::PinEnded.into()];
    assert_eq!(of_pin, expected, "each once");
}

#[test]
fn the_end_of_the_pin_is_tried_again_after_a_restart_and_no_longer_than_it_is_good() {
    let mut told = Told::closed();
    told.restart();
    assert_eq!(told.revoking, 1);
    told.answer_revoke(Revocation::Failed(Failure::TimedOut));
    told.now = T0.plus(DAY);
    told.elapse(Timer::RetryRevoke);
    assert_eq!(told.revoking, 0);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    told.restart();
    assert_eq!(told.revoking, 0);
}

#[test]
fn a_service_that_ends_no_pin_is_asked_for_the_chat_and_not_again_for_the_end() {
    let mut told = Told::live();
    told.write();
    told.close();
    told.answer_revoke(Revocation::Impossible);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: Some(_), ending: false, .. }
    ));
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(1));
    told.restart();
    assert_eq!((told.revoking, told.timers.contains(&Timer::RetryRevoke)), (0, false));
}

#[derive(Debug, Clone)]
enum Happens {
    Close,
    Writes,
    Revoked(Revocation),
    Fetched { fails: bool },
    Elapsed(Timer),
    Restart,
    ViewersGone,
}

fn happens() -> impl Strategy<Value = Happens> {
    let failures = [
        Failure::Unreachable,
        Failure::Faulty { status: 500 },
        Failure::Rejected { status: 403 },
        Failure::Malformed,
    ];
    let failed = proptest::sample::select(failures.to_vec()).prop_map(Revocation::Failed);
    prop_oneof![
        1 => Just(Happens::Close),
        3 => Just(Happens::Writes),
        2 => failed.prop_map(Happens::Revoked),
        1 => Just(Happens::Revoked(Revocation::Done)),
        3 => any::<bool>().prop_map(|fails| Happens::Fetched { fails }),
        2 => Just(Happens::Elapsed(Timer::RetryRevoke)),
        2 => Just(Happens::Elapsed(Timer::RetryTranscript)),
        1 => Just(Happens::Restart),
        1 => Just(Happens::ViewersGone),
    ]
}

proptest! {
    #[test]
    fn a_closed_pin_is_ended_and_nothing_written_until_then_is_lost_whatever_fails(
        all in proptest::collection::vec(happens(), 0..60),
    ) {
        let mut told = Told::live();
        for one in all {
            match one {
                Happens::Close => drop(told.close()),
                Happens::Writes => told.write(),
                Happens::Revoked(revocation) => told.answer_revoke(revocation),
                Happens::Fetched { fails } => told.answer_fetch(fails),
                Happens::Elapsed(timer) => told.elapse(timer),
                Happens::Restart => told.restart(),
                Happens::ViewersGone => {
                    let hook = wire::HookType::ViewerOffline;
                    told.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
                }
            }
            prop_assert!(told.fetching.len() <= 1, "one fetch at a time");
            let is_closed = matches!(told.state.record.life, Life::Closed { .. });
            let is_tried = told.revoking > 0 || told.timers.contains(&Timer::RetryRevoke);
            prop_assert!(!is_closed || told.revoked().is_some() || is_tried, "nothing ends the PIN");
        }
        told.close();
        // The service works again.
        for _ in 0..4 {
            told.answer_revoke(Revocation::Done);
            told.answer_fetch(false);
            told.elapse(Timer::RetryRevoke);
            told.elapse(Timer::RetryTranscript);
        }
        prop_assert_eq!(told.revoked(), Some(true));
        prop_assert_eq!(told.saved(), Some(told.written));
        prop_assert!(told.revoking == 0 && told.fetching.is_empty(), "nothing is left to do");
    }
}
