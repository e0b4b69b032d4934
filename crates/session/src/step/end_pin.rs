//! The end of a closed session's PIN, which was promised to whoever closed it, and its transcript after that.
//!
//! The PIN ends first, so that nobody writes any more when the chat is read: a broker that ends a PIN gives its
//! chat for a day all the same. A service that ends none is asked for the chat alone.

use std::time::Duration;

use super::Turn;
use crate::{
    Effect, Failure, Life, LifeEvent, Revocation, Timer, Transcript, retry, state::CHAT_IS_GIVEN,
};

/// Between two tries after the service has refused it often: that seldom changes.
const REFUSED: Duration = Duration::from_secs(60);
/// After so many tries a refusal counts as one that stays.
const OFTEN: u32 = 6;

impl Turn {
    /// Ends a closed session's PIN if that is still to be done, and has its transcript saved after that.
    pub(super) fn end_pin(&mut self) {
        if self.pin_is_to_end() {
            self.do_(Effect::RevokePin);
        } else if !self.ended_by_itself() {
            self.resume_transcript();
        }
    }

    pub(super) fn retry_revoke(&mut self) {
        self.state.record.mend_end_of_pin(self.now);
        if self.pin_is_to_end() {
            self.do_(Effect::RevokePin);
        } else {
            self.ended_by_itself();
        }
    }

    /// Whether a closed session's PIN ran out before the service ended it. What was written since the first try is in
    /// no transcript yet, so it is fetched while the service still gives it.
    fn ended_by_itself(&mut self) -> bool {
        let Life::Closed { allocation: Some(allocation), revoked: revoked @ None, .. } =
            &mut self.state.record.life
        else {
            return false;
        };
        let expires = allocation.expires;
        if expires > self.now || self.now.since(expires) >= CHAT_IS_GIVEN {
            return false;
        }
        *revoked = Some(true);
        self.want_transcript();
        true
    }

    pub(super) fn revoked(&mut self, revocation: Revocation) {
        self.state.record.mend_end_of_pin(self.now);
        let Life::Closed { revoked: revoked @ None, .. } = &mut self.state.record.life else {
            return;
        };
        let is_first = self.state.revoke_failed == 0;
        match revocation {
            // A broker that told its state ends PINs: it is being started again, and what stands before it answered.
            Revocation::Impossible if self.state.record.observed.revision > 0 => {
                self.revoke_failed(Failure::Rejected { status: 404 });
            }
            Revocation::Done => {
                *revoked = Some(true);
                self.do_(Effect::Stop { timer: Timer::RetryRevoke });
                if self.state.record.pin_not_ended_told {
                    self.tell(LifeEvent::PinEnded);
                }
                // What was read before may lack what was written until now.
                match self.state.record.transcript {
                    Transcript::NotYet => {}
                    // It may be waited with after a failure, which was told.
                    Transcript::Wanted { .. } => self.fetch_transcript(),
                    Transcript::Saved { .. } => self.want_transcript(),
                }
            }
            Revocation::Impossible => {
                *revoked = Some(false);
                if is_first {
                    self.resume_transcript();
                }
            }
            Revocation::Failed(failure) => self.revoke_failed(failure),
        }
    }

    fn revoke_failed(&mut self, failure: Failure) {
        self.state.revoke_failed = self.state.revoke_failed.saturating_add(1);
        let attempt = self.state.revoke_failed;
        if attempt == 1 {
            // Also the first try after a restart; it is news once.
            if !std::mem::replace(&mut self.state.record.pin_not_ended_told, true) {
                self.tell(LifeEvent::PinNotEnded { failure });
            }
            // The one may fail and the other not.
            self.resume_transcript();
        }
        let wait = retry::wait(attempt, failure, self.state.on_screen);
        let after = if attempt > OFTEN && is_refusal(failure) { wait.max(REFUSED) } else { wait };
        self.do_(Effect::Start { timer: Timer::RetryRevoke, after, spread: true });
    }

    /// Whether the PIN of a closed session may still be good, and the service hasn't said that it ends none.
    fn pin_is_to_end(&self) -> bool {
        match &self.state.record.life {
            Life::Closed { allocation: Some(allocation), revoked: None, .. } => {
                allocation.expires > self.now
            }
            Life::Closed { .. }
            | Life::Allocating
            | Life::Failed { .. }
            | Life::Live(_)
            | Life::Over { .. } => false,
        }
    }

    /// Resumes saving a transcript that was interrupted by the end of the program, or waits for the end of the PIN.
    pub(super) fn resume_transcript(&mut self) {
        match self.state.record.transcript {
            Transcript::Wanted { .. } => self.want_transcript(),
            Transcript::NotYet | Transcript::Saved { .. } => {}
        }
    }
}

/// Whether it is the service's word, or that of something on the way to it, rather than a passing fault.
const fn is_refusal(failure: Failure) -> bool {
    match failure {
        Failure::Unauthorized
        | Failure::Rejected { .. }
        | Failure::Malformed
        | Failure::Blocked { .. }
        | Failure::TooLarge { .. } => true,
        Failure::RateLimited { .. }
        | Failure::Unreachable
        | Failure::NoAnswer
        | Failure::TimedOut
        | Failure::Faulty { .. }
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => false,
    }
}
