//! Verifications: requested once, polled each second, ended in time; and mails held by the gate.

use std::time::Duration;

use super::Turn;
use crate::{
    Effect, Failure, Timer, Timestamp, VerificationChange, VerificationEvent, ViewingEvent,
    verification::{
        Cause, Gate, Method, Override, POLL, Status, Verification, VerificationAnswer,
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
        if let Some(&Status::Waiting { until, .. }) = self.status(id) {
            self.set_status(id, Status::Waiting { until, blind: Some(failure) });
            let asked = match failure {
                Failure::RateLimited { retry_after_ms: Some(ms) } => Duration::from_millis(ms),
                Failure::Unauthorized
                | Failure::RateLimited { retry_after_ms: None }
                | Failure::Unreachable
                | Failure::NoAnswer
                | Failure::TimedOut
                | Failure::Rejected { .. }
                | Failure::Faulty { .. }
                | Failure::Malformed
                | Failure::Blocked { .. }
                | Failure::NoRegion
                | Failure::Storage
                | Failure::Internal => POLL,
            };
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
        match self.status(id) {
            // While polls fail, it is unknown whether somebody answered.
            Some(&Status::Waiting { blind: Some(failure), .. }) => {
                self.call_off(id, VerificationOutcome::Failed { cause: Cause::Call { failure } });
            }
            Some(Status::Asking { .. } | Status::Waiting { blind: None, .. }) => {
                self.call_off(id, VerificationOutcome::TimedOut);
            }
            Some(Status::Ended { .. }) | None => {}
        }
    }

    pub(super) fn cancel_verification(&mut self, id: u32) {
        if self.status(id).is_some_and(Status::is_under_way) {
            self.call_off(id, VerificationOutcome::Cancelled);
        }
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

    /// The outcome of a denial: for a push the person denied, for a code the code is wrong.
    fn no(&self, id: u32) -> VerificationOutcome {
        let of = self.state.record.verifications.iter().find(|v| v.id == id);
        match of.map(|v| v.asked.how) {
            Some(Method::Push) | None => VerificationOutcome::Denied,
            Some(Method::Otp | Method::BypassCode) => {
                VerificationOutcome::Failed { cause: Cause::WrongCode }
            }
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
        self.set_status(id, Status::Ended { at, end });
        // Left running, they would go on polling and end the verification a second time.
        for timer in [Timer::PollVerification(id), Timer::VerificationOver(id)] {
            self.do_(Effect::Stop { timer });
        }
        let Some(of) = self.state.record.verifications.iter().find(|v| v.id == id) else { return };
        let (who, user) = (of.asked.who, of.asked.user.clone());
        self.tell(VerificationEvent { id, who, user, change: change(end) });
        self.gate_moved();
    }
}

fn change(end: VerificationOutcome) -> VerificationChange {
    match end {
        VerificationOutcome::Approved => VerificationChange::VerificationApproved,
        VerificationOutcome::Denied => VerificationChange::VerificationDenied,
        VerificationOutcome::TimedOut => VerificationChange::VerificationTimedOut,
        VerificationOutcome::Cancelled => VerificationChange::VerificationCancelled,
        VerificationOutcome::NoDevice => VerificationChange::VerificationNoDevice,
        VerificationOutcome::Failed { cause } => VerificationChange::VerificationFailed { cause },
        VerificationOutcome::Unknown => VerificationChange::VerificationUnknown,
    }
}
