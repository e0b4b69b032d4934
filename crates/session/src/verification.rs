//! Verifications, by push or code, that a person is who they say, and the gate that they open.
//!
//! The question (a POST that makes a phone ring) may be asked once: it is stored as `Asking` before
//! it is sent, and one found without a result after a crash is `Unknown` and never asked again. A
//! code that was typed, and the verification service's own name of the question, are not in here:
//! they stay in the actor's memory, like the PIN, and so an answer can't be waited for over
//! a restart.

mod request;

use std::time::Duration;

pub use self::request::{
    Cause, Method, Override, Status, Subject, Verification, VerificationAnswer,
    VerificationObstacle, VerificationOutcome, VerificationRequest,
};
use crate::{Record, Timestamp, denials::Denials};

/// A session keeps this many verifications: far more than a person orders, and a bound for a script.
pub const MOST: usize = 64;
/// Between two looks at whether somebody has answered (services.md, section 2).
pub const POLL: Duration = Duration::from_secs(1);
/// How long the service has to say whether somebody answered before the end; longer than its calls take.
pub const LAST_LOOK: Duration = Duration::from_secs(30);
/// How long an answer is waited for, unless the order says otherwise (services.md, section 2).
pub const WAIT: Duration = Duration::from_secs(60);

/// The condition that the gate sets for opening a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Viewers open without a verification.
    #[default]
    Off,
    /// A viewer opens with a warning.
    Warn,
    /// It blocks viewers, viewers' links and mails that contain one.
    Require,
}

/// The verification gate. It is this console's policy, not a lock on the service: whoever has the
/// PIN can have the service's viewer page all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The gate's condition.
    pub policy: Policy,
    /// For how many minutes a verification, or an override, opens it.
    pub minutes: u32,
    /// Whether control waits until the words match. A web page has no words, so no link to control is mailed then,
    /// whoever was verified.
    pub control_waits: bool,
}

/// Whether a gate is open, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A viewer may be opened.
    Open {
        /// Until when; none where nothing is asked for.
        until: Option<Timestamp>,
        /// Why it is open.
        why: OpenReason,
    },
    /// It may not, or only with a warning.
    Shut {
        /// Why it is shut.
        why: ShutReason,
    },
}

/// Why a gate is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenReason {
    /// Nothing is asked for.
    NoPolicy,
    /// The customer approved.
    Verified {
        /// When they approved.
        at: Timestamp,
        /// What had been denied before.
        denied: Option<Denials>,
    },
    /// Somebody overrode it.
    Overridden {
        /// When it was overridden.
        at: Timestamp,
    },
}

/// Why a gate is shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutReason {
    /// The customer has not been verified in this session.
    NotVerified,
    /// The customer's phone is being asked.
    UnderWay,
    /// The newest answer of the customer is a no.
    Denied {
        /// When that answer came.
        at: Timestamp,
    },
    /// It is too long ago.
    TooOld {
        /// When the verification or override was.
        at: Timestamp,
    },
    /// The session is over, and its verifications with it.
    Over,
}

/// Why no e-mail with a viewer's link in it goes out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailHold {
    /// The gate is shut.
    Shut(ShutReason),
    /// Its link would give control, which waits until the words match.
    ControlWaits,
}

impl Default for Gate {
    fn default() -> Self {
        Self { policy: Policy::Off, minutes: 30, control_waits: false }
    }
}

impl Gate {
    /// Whether a viewer of the session may be opened at `now`.
    ///
    /// The customer's newest answer in this session, or a later override, decides: an approval
    /// opens the gate for as long as it is young enough, a later denial shuts it at once. That the
    /// technician was verified opens nothing, for it says nothing about whose PC this is. A
    /// verification that nobody answered leaves the gate as it was.
    pub fn verdict(&self, record: &Record, now: Timestamp) -> Verdict {
        match self.policy {
            Policy::Off => Verdict::Open { until: None, why: OpenReason::NoPolicy },
            Policy::Warn | Policy::Require => self.look(record, now),
        }
    }

    /// Whether the policy keeps a viewer shut at `now`, and why: only [`Policy::Require`] does.
    pub fn keeps_shut(&self, record: &Record, now: Timestamp) -> Option<ShutReason> {
        match (self.policy, self.verdict(record, now)) {
            (Policy::Require, Verdict::Shut { why }) => Some(why),
            (Policy::Require, Verdict::Open { .. }) | (Policy::Off | Policy::Warn, _) => None,
        }
    }

    /// Why an e-mail with a viewer's link in it is held back at `now`; none if it isn't.
    pub fn holds_mails(&self, record: &Record, now: Timestamp) -> Option<MailHold> {
        let waits = self.control_waits.then_some(MailHold::ControlWaits);
        waits.or_else(|| self.keeps_shut(record, now).map(MailHold::Shut))
    }

    /// When something that counts at `now` will not count any more, whatever the policy; none if
    /// nothing does.
    pub fn next_end(&self, record: &Record, now: Timestamp) -> Option<Timestamp> {
        let approvals = [Subject::Customer, Subject::Technician]
            .map(|who| record.newest(who, VerificationOutcome::Approved));
        let overridden = record.overridden.as_ref().map(|over| over.at);
        let ends = approvals.into_iter().chain([overridden]).flatten().map(|at| self.until(at));
        ends.filter(|&until| record.is_live() && until > now).min()
    }

    /// Who was verified last in this session, with approval that still counts at `now`.
    pub fn verified(&self, record: &Record, now: Timestamp) -> Option<Subject> {
        let counts = |&(who, at): &(Subject, Timestamp)| {
            let denied = record.newest(who, VerificationOutcome::Denied);
            // A denial at the same moment wins: in doubt, the gate fails shut.
            record.is_live() && self.until(at) > now && denied.is_none_or(|denied| denied < at)
        };
        let approvals = [Subject::Technician, Subject::Customer]
            .into_iter()
            .filter_map(|who| Some((who, record.newest(who, VerificationOutcome::Approved)?)));
        approvals.filter(counts).max_by_key(|&(_, at)| at).map(|(who, _)| who)
    }

    /// When an approval or override of `at` ends.
    fn until(&self, at: Timestamp) -> Timestamp {
        at.plus(Duration::from_secs(60 * u64::from(self.minutes)))
    }

    fn look(&self, record: &Record, now: Timestamp) -> Verdict {
        if !record.is_live() {
            return Verdict::Shut { why: ShutReason::Over };
        }
        let verified = record.newest(Subject::Customer, VerificationOutcome::Approved);
        let denied = record.newest(Subject::Customer, VerificationOutcome::Denied);
        let overridden = record.overridden.as_ref().map(|over| over.at);
        let opened = verified.max(overridden);
        match (opened, denied) {
            // `<=`: of a yes and a no in the same millisecond, the no counts.
            (opened, Some(at)) if opened.is_none_or(|opened| opened <= at) => {
                Verdict::Shut { why: ShutReason::Denied { at } }
            }
            (None, _) if record.is_verifying(Subject::Customer) => {
                Verdict::Shut { why: ShutReason::UnderWay }
            }
            (None, _) => Verdict::Shut { why: ShutReason::NotVerified },
            (Some(at), _) => {
                let until = self.until(at);
                if until <= now {
                    Verdict::Shut { why: ShutReason::TooOld { at } }
                } else if overridden == Some(at) {
                    Verdict::Open { until: Some(until), why: OpenReason::Overridden { at } }
                } else {
                    Verdict::Open { until: Some(until), why: record.verified_at(at) }
                }
            }
        }
    }
}

impl Record {
    /// Why `who` can't be verified now; none if they can.
    pub fn verification_obstacle(&self, who: Subject) -> Option<VerificationObstacle> {
        if !self.is_live() {
            Some(VerificationObstacle::NotLive)
        } else if self.is_verifying(who) {
            Some(VerificationObstacle::UnderWay)
        } else if self.verifications.len() >= MOST {
            Some(VerificationObstacle::TooMany)
        } else {
            None
        }
    }

    /// Whether `who` is being verified.
    pub fn is_verifying(&self, who: Subject) -> bool {
        self.verifications.iter().any(|v| v.asked.who == who && v.status.is_under_way())
    }

    /// When a verification of `who` last ended with the outcome `wanted`.
    fn newest(&self, who: Subject, wanted: VerificationOutcome) -> Option<Timestamp> {
        let of_them = self.verifications.iter().filter(|v| v.asked.who == who);
        of_them.filter_map(|v| v.status.ended(wanted)).max()
    }
}
