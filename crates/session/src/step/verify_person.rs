//! Verifications: requested once, polled each second, ended in time; and mails held by the gate.
//!
//! Invariant: no push ends by our clock or hand before the service was asked once more, and a person's
//! word counts whenever it comes.

use std::time::Duration;

use super::Turn;
use crate::{
    Effect, Failure, Timer, Timestamp, VerificationChange, VerificationEvent, ViewingEvent,
    denials::Denials,
    verification::{
        Cause, Gate, LAST_LOOK, Method, Override, POLL, Status, Verification, VerificationAnswer,
        VerificationOutcome, VerificationRequest,
    },
};

impl Turn {
    /// Somebody orders a verification.
    pub(super) fn verify(&mut self, asked: VerificationRequest, wait: Duration) {
        if self.state.record.verification_obstacle(asked.who).is_some() {
            return;
        }
        let known = &self.state.record.verifications;
        let id = known.iter().map(|v| v.id).max().unwrap_or(0).saturating_add(1);
        let (at, until) = (self.now, self.now.plus(wait));
        self.tell(VerificationEvent {
            id,
            who: asked.who,
            user: asked.user.clone(),
            change: VerificationChange::VerificationAsked { how: asked.how, by: asked.by.clone() },
        });
        let effect = Effect::AskPhone {
            id,
            user: asked.user.clone(),
            by_id: asked.by_id,
            shown: asked.shown.clone(),
        };
        let status = Status::Asking { until };
        self.state.record.verifications.push(Verification { id, asked, at, status });
        self.do_(effect);
        let timer = Timer::VerificationOver(id);
        self.do_(Effect::Start { timer, after: wait, spread: false });
    }

    /// The service answered the request, or a poll of it.
    pub(super) fn verification_answered(&mut self, id: u32, answer: VerificationAnswer) {
        let Some(status) = self.status(id) else { return };
        match (status.clone(), answer) {
            // The last look is on its way already, and decides.
            (Status::Waiting { .. }, VerificationAnswer::Pending)
                if self.state.taking_back.contains_key(&id) => {}
            (
                Status::Asking { until } | Status::Waiting { until, .. },
                VerificationAnswer::Pending,
            ) => {
                self.set_status(id, Status::Waiting { until, blind: None });
                self.poll_later(id, POLL);
            }
            (Status::Asking { .. } | Status::Waiting { .. }, VerificationAnswer::Approved) => {
                self.end_verification(id, VerificationOutcome::Approved);
            }
            (Status::Asking { .. } | Status::Waiting { .. }, VerificationAnswer::Denied) => {
                self.end_verification(id, self.no(id));
            }
            // It was cancelled, or given up, while the request was on its way: the phone must
            // stop ringing.
            (Status::Ended { .. }, VerificationAnswer::Pending) => {
                self.do_(Effect::CancelPhone { id })
            }
            // It ended by our own clock or hand, and the person's word came all the same.
            (Status::Ended { end, .. }, VerificationAnswer::Approved)
                if end.is_ours() && self.is_push(id) =>
            {
                self.end_verification(id, VerificationOutcome::Approved);
            }
            (Status::Ended { end, .. }, VerificationAnswer::Denied)
                if end.is_ours() && self.is_push(id) =>
            {
                self.end_verification(id, VerificationOutcome::Denied);
            }
            (Status::Ended { .. }, VerificationAnswer::Approved | VerificationAnswer::Denied) => {}
        }
    }

    /// The service refused the request.
    pub(super) fn verification_failed(&mut self, id: u32, end: VerificationOutcome) {
        match self.status(id) {
            Some(Status::Asking { .. }) => self.end_verification(id, end),
            Some(Status::Waiting { .. } | Status::Ended { .. }) | None => {}
        }
    }

    /// A poll failed. The person may have answered all the same, so polling goes on.
    pub(super) fn poll_failed(&mut self, id: u32, failure: Failure) {
        if self.state.taking_back.contains_key(&id) {
            return;
        }
        if let Some(&Status::Waiting { until, .. }) = self.status(id) {
            self.set_status(id, Status::Waiting { until, blind: Some(failure) });
            let asked = failure.asked_wait().unwrap_or(POLL);
            self.poll_later(id, asked.max(POLL));
        }
    }

    pub(super) fn poll_phone(&mut self, id: u32) {
        match self.status(id) {
            Some(Status::Waiting { .. }) => self.do_(Effect::PollPhone { id }),
            Some(Status::Asking { .. } | Status::Ended { .. }) | None => {}
        }
    }

    /// Its time is up.
    pub(super) fn verification_over(&mut self, id: u32) {
        if self.state.taking_back.contains_key(&id) {
            // Not even the last look was answered.
            self.end_taken_back(id, Some(Failure::TimedOut));
        } else {
            self.take_back(id, VerificationOutcome::TimedOut);
        }
    }

    pub(super) fn cancel_verification(&mut self, id: u32) {
        if !self.state.taking_back.contains_key(&id) {
            self.take_back(id, VerificationOutcome::Cancelled);
        }
    }

    /// The service has said that nobody had answered, or could not say it.
    pub(super) fn push_taken_back(
        &mut self,
        id: u32,
        unseen: Option<Failure>,
        left: Option<Failure>,
    ) {
        if self.state.taking_back.contains_key(&id) {
            self.end_taken_back(id, unseen);
        }
        if let Some(failure) = left {
            self.tell_of(id, VerificationChange::VerificationNotTakenBack { failure });
        }
    }

    /// Begins to end a verification. The service has the last word: somebody may have answered since
    /// the last poll.
    fn take_back(&mut self, id: u32, end: VerificationOutcome) {
        match self.status(id) {
            Some(Status::Waiting { .. }) => {
                self.state.taking_back.insert(id, end);
                self.do_(Effect::Stop { timer: Timer::PollVerification(id) });
                self.do_(Effect::CancelPhone { id });
                let timer = Timer::VerificationOver(id);
                self.do_(Effect::Start { timer, after: LAST_LOOK, spread: false });
            }
            // The service hasn't named it yet, so it can't be asked.
            Some(Status::Asking { .. }) => self.call_off(id, end),
            Some(Status::Ended { .. }) | None => {}
        }
    }

    /// Ends a verification that was being taken back and that nobody has answered.
    fn end_taken_back(&mut self, id: u32, unseen: Option<Failure>) {
        let Some(&end) = self.state.taking_back.get(&id) else { return };
        let end = match (end, unseen) {
            // That nobody answered in time is not known.
            (VerificationOutcome::TimedOut, Some(failure)) => {
                VerificationOutcome::Failed { cause: Cause::Call { failure } }
            }
            (end, _) => end,
        };
        self.end_verification(id, end);
    }

    /// The session is over, and its verifications with it.
    pub(super) fn cancel_verifications(&mut self) {
        for id in self.under_way() {
            self.call_off(id, VerificationOutcome::Cancelled);
        }
        // Nothing opens the gate of a session that is over, so its end needs no timer.
        self.do_(Effect::Stop { timer: Timer::GateOver });
    }

    /// After a start: a request may have been sent, and the id that a poll needs is gone.
    pub(super) fn interrupted_verifications(&mut self) {
        for id in self.under_way() {
            self.end_verification(id, VerificationOutcome::Unknown);
        }
    }

    /// Somebody overrode the gate, so a viewer may open without a verification.
    pub(super) fn gate_overridden(&mut self, by: String, reason: String) {
        if !self.state.record.is_live() {
            return;
        }
        self.tell(ViewingEvent::GateOverridden { by: by.clone(), reason: reason.clone() });
        self.state.record.overridden = Some(Override { by, at: self.now, reason });
        self.gate_moved();
    }

    /// The settings ask for something else now.
    pub(super) fn gate_set(&mut self, gate: Gate) {
        self.state.gate = gate;
        self.gate_moved();
    }

    /// After the gate may have opened or shut: releases held mails, and sets the timer for the end
    /// of the approval or override that counts now.
    pub(super) fn gate_moved(&mut self) {
        match self.state.gate.next_end(&self.state.record, self.now) {
            Some(end) => {
                let after = end.since(self.now);
                self.do_(Effect::Start { timer: Timer::GateOver, after, spread: false });
            }
            None => self.do_(Effect::Stop { timer: Timer::GateOver }),
        }
        self.release_mails();
    }

    fn status(&self, id: u32) -> Option<&Status> {
        self.state.record.verifications.iter().find(|v| v.id == id).map(|v| &v.status)
    }

    fn denied_before(&self, id: u32) -> Option<Denials> {
        let of = self.state.record.verifications.iter().find(|v| v.id == id);
        of.and_then(|v| v.asked.denied_before)
    }

    fn is_push(&self, id: u32) -> bool {
        let of = self.state.record.verifications.iter().find(|v| v.id == id);
        of.is_some_and(|v| v.asked.how == Method::Push)
    }

    /// The outcome of a denial: for a push the person denied, for a code the code is wrong.
    fn no(&self, id: u32) -> VerificationOutcome {
        if self.is_push(id) {
            VerificationOutcome::Denied
        } else {
            VerificationOutcome::Failed { cause: Cause::WrongCode }
        }
    }

    fn set_status(&mut self, id: u32, status: Status) {
        if let Some(of) = self.state.record.verifications.iter_mut().find(|v| v.id == id) {
            of.status = status;
        }
    }

    fn under_way(&self) -> Vec<u32> {
        let all = self.state.record.verifications.iter();
        all.filter(|v| v.status.is_under_way()).map(|v| v.id).collect()
    }

    fn poll_later(&mut self, id: u32, after: Duration) {
        self.do_(Effect::Start { timer: Timer::PollVerification(id), after, spread: false });
    }

    /// Ends a verification and cancels it at the service.
    fn call_off(&mut self, id: u32, end: VerificationOutcome) {
        self.end_verification(id, end);
        self.do_(Effect::CancelPhone { id });
    }

    fn end_verification(&mut self, id: u32, end: VerificationOutcome) {
        let at: Timestamp = self.now;
        self.state.taking_back.remove(&id);
        self.set_status(id, Status::Ended { at, end });
        // Left running, they would go on polling and end the verification a second time.
        for timer in [Timer::PollVerification(id), Timer::VerificationOver(id)] {
            self.do_(Effect::Stop { timer });
        }
        let denied = self.denied_before(id);
        self.tell_of(id, change(end, denied));
        self.gate_moved();
    }

    fn tell_of(&mut self, id: u32, change: VerificationChange) {
        let Some(of) = self.state.record.verifications.iter().find(|v| v.id == id) else { return };
        let (who, user) = (of.asked.who, of.asked.user.clone());
        self.tell(VerificationEvent { id, who, user, change });
    }
}

fn change(end: VerificationOutcome, denied: Option<Denials>) -> VerificationChange {
    match end {
        VerificationOutcome::Approved => VerificationChange::VerificationApproved { denied },
        VerificationOutcome::Denied => VerificationChange::VerificationDenied,
        VerificationOutcome::TimedOut => VerificationChange::VerificationTimedOut,
        VerificationOutcome::Cancelled => VerificationChange::VerificationCancelled,
        VerificationOutcome::NoDevice => VerificationChange::VerificationNoDevice,
        VerificationOutcome::Failed { cause } => VerificationChange::VerificationFailed { cause },
        VerificationOutcome::Unknown => VerificationChange::VerificationUnknown,
    }
}
