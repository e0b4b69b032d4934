//! One input, one turn: the flat match that sends each input to the file that decides it.
//!
//! Invariant: a turn for [`Input::Received`] has no effect but `PutHook`, so nothing can come
//! before the re-arming.

mod arrival;
mod chat;
mod end_pin;
mod hooks;
mod life;
mod mail;
mod mail_fate;
mod observe;
mod presence;
mod save_program;
mod untold;
mod verify_person;

use crate::{
    Effect, Event, Input, State, Timer, Timestamp, Urgency, ViewingEvent,
    mail::{Order, Status},
};

/// The result of one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The session now.
    pub state: State,
    /// The effects, to be performed in this order after the record is stored.
    pub effects: Vec<Effect>,
    /// The events, in this order.
    pub events: Vec<Event>,
}

/// Takes one turn: applies `input` to `state` at `now`.
///
/// Never panics, whatever the order of inputs: an input that doesn't fit the state changes nothing.
pub fn step(state: State, input: Input, now: Timestamp) -> Transition {
    let mut turn = Turn { state, now, effects: Vec::new(), events: Vec::new() };
    match input {
        Input::Created { region } => turn.created(region),
        Input::Restored { since } => turn.restored(since),
        Input::RegionChosen { region } => turn.region_chosen(region),
        Input::Allocated { region, expires } => turn.allocated(region, expires),
        Input::AllocateFailed(failure) => turn.allocate_failed(failure),
        Input::RegionFailed { region, next, failure } => turn.region_failed(region, next, failure),
        Input::Retry { region } => turn.retry(region),
        Input::Received(hook) => turn.received(hook),
        // The actor stores the sequence number with the record; the events don't depend on it.
        Input::Committed { seq: _, hook, delivery } => turn.committed(hook, delivery),
        Input::Observed(seen) => turn.observed(*seen),
        Input::Unobserved { unknown_since } => turn.unobserved(unknown_since),
        Input::Armed { hook, generation } => turn.armed(hook, generation),
        Input::ArmFailed { hook, generation, failure } => {
            turn.arm_failed(hook, generation, failure)
        }
        Input::Elapsed(Timer::Heartbeat) => turn.heartbeat(),
        Input::Elapsed(Timer::Rearm(hook)) => turn.rearm(hook),
        Input::Elapsed(Timer::PollChat) => turn.poll_chat(),
        Input::Elapsed(Timer::RetryTranscript) => turn.retry_transcript(),
        Input::Elapsed(Timer::RetryRevoke) => turn.retry_revoke(),
        Input::Elapsed(Timer::PinOver) => turn.pin_over(),
        Input::Elapsed(Timer::PollVerification(id)) => turn.poll_phone(id),
        Input::Elapsed(Timer::VerificationOver(id)) => turn.verification_over(id),
        Input::Elapsed(Timer::GateOver) => turn.gate_moved(),
        Input::Elapsed(Timer::HooksDue) => turn.hooks_due(),
        Input::ServiceFails => turn.service_fails(),
        Input::Missed { since } => turn.missed(since),
        Input::WayBroken { since } => turn.way_broken(since),
        Input::Recheck => turn.put_all(Urgency::OnScreen),
        Input::OnScreen(on_screen) => turn.on_screen(on_screen),
        Input::Windows { open } => turn.state.windows = open,
        Input::Described(about) => turn.state.record.about = about,
        Input::MailOrdered { to, template, name, when, by } => {
            turn.mail_ordered(Order {
                id: 0,
                to,
                template,
                name,
                when,
                by,
                status: Status::Waiting,
                ids: Vec::new(),
                fate: None,
            });
        }
        Input::MailWithdrawn { id } => turn.mail_withdrawn(id),
        Input::MailRepeated { id } => turn.mail_repeated(id),
        Input::MailAccepted { id, mail } => turn.mail_accepted(id, mail),
        Input::MailFailed { id, failure } => turn.mail_failed(id, failure),
        Input::MailHeld { id } => turn.mail_held(id),
        Input::ChatSaved(saved) => turn.chat_saved(saved),
        Input::ChatFailed { failure, transcript } => turn.chat_failed(failure, transcript),
        Input::SaveProgram { by } => turn.save_program(by),
        Input::CancelProgram => turn.cancel_program(),
        Input::ParametersGiven => turn.parameters_given(),
        Input::ParametersFailed(failure) => turn.parameters_failed(failure),
        Input::ProgramSaved { bytes, path } => turn.program_saved(bytes, path),
        Input::ProgramBroken(why) => turn.program_broken(why),
        Input::Verify { asked, wait } => turn.verify(asked, wait),
        Input::VerificationAnswered { id, answer } => turn.verification_answered(id, answer),
        Input::VerificationFailed { id, end } => turn.verification_failed(id, end),
        Input::PollFailed { id, failure } => turn.poll_failed(id, failure),
        Input::PushTakenBack { id, unseen, left } => turn.push_taken_back(id, unseen, left),
        Input::CancelVerification { id } => turn.cancel_verification(id),
        Input::GateSet(gate) => turn.gate_set(gate),
        Input::GateOverridden { by, reason } => turn.gate_overridden(by, reason),
        Input::PictureSaved { by } => turn.tell(ViewingEvent::PictureSaved { by }),
        Input::Close { outcome, by } => turn.close(outcome, by),
        Input::Revoked(revocation) => turn.revoked(revocation),
        Input::GaveUp => turn.gave_up(),
    }
    Transition { state: turn.state, effects: turn.effects, events: turn.events }
}

/// A turn in the making.
struct Turn {
    state: State,
    now: Timestamp,
    effects: Vec<Effect>,
    events: Vec<Event>,
}

impl Turn {
    fn do_(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn tell(&mut self, event: impl Into<Event>) {
        let event = event.into();
        if event.facts().is_activity() {
            self.state.active_at = self.now;
        }
        self.events.push(event);
    }

    /// Keeps the time that both sides were there, after a fact has changed.
    fn count_active(&mut self) {
        self.count_active_until(self.now);
    }

    /// As [`Turn::count_active`]; what ends has lasted until `end`, which may be the last moment that was known.
    fn count_active_until(&mut self, end: Timestamp) {
        // The clock may have been set back since then.
        let end = end.min(self.now);
        let record = &mut self.state.record;
        match (record.active_since, record.is_active()) {
            (None, true) => record.active_since = Some(self.now),
            (Some(_), false) => {
                record.active_ms = record.active_ms_until(end);
                record.active_since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}
