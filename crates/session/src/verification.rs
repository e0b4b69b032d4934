//! Verifications, by push or code, that a person is who they say, and the gate that they open.
//!
//! The question (a POST that makes a phone ring) may be asked once: it is stored as `Asking` before
//! it is sent, and one found without a result after a crash is `Unknown` and never asked again. A
//! code that was typed, and the verification service's own name of the question, are not in here:
//! they stay in the actor's memory, like the PIN, and so an answer can't be waited for over
//! a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Failure, Record, Timestamp, denials::Denials};

/// A session keeps this many verifications: far more than a person orders, and a bound for a script.
pub const MOST: usize = 64;
/// Between two looks at whether somebody has answered (services.md, section 2).
pub const POLL: Duration = Duration::from_secs(1);
/// How long the service has to say whether somebody answered before the end; longer than its calls take.
pub const LAST_LOOK: Duration = Duration::from_secs(30);
/// How long an answer is waited for, unless the order says otherwise (services.md, section 2).
pub const WAIT: Duration = Duration::from_secs(60);

/// The person whom a verification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The customer.
    Customer,
    /// The technician.
    Technician,
}

/// How somebody is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A push to the phone.
    Push,
    /// A one-time password of 6 or 8 digits.
    Otp,
    /// A bypass code of 9 digits.
    BypassCode,
}

/// A verification as it was asked for. The code, where there is one, isn't in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationRequest {
    /// The person to be verified.
    pub who: Subject,
    /// The verification service's name or id of the person.
    pub user: String,
    /// Whether `user` is an id.
    pub by_id: bool,
    /// How they are verified.
    pub how: Method,
    /// Who asks.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
    /// The names and values that the phone shows.
    pub shown: Vec<(String, String)>,
    /// What had been denied before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_before: Option<Denials>,
}

/// One verification and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Its number within the session.
    pub id: u32,
    /// The request.
    pub asked: VerificationRequest,
    /// When it was asked for.
    pub at: Timestamp,
    /// How far it has come.
    pub status: Status,
}

/// How far a verification has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Status {
    /// The service is being asked, for the only time.
    Asking {
        /// When it is given up.
        until: Timestamp,
    },
    /// The service has sent it; nobody has answered, or it was ignored.
    Waiting {
        /// When it is given up.
        until: Timestamp,
        /// Why the last poll failed; none if it didn't.
        blind: Option<Failure>,
    },
    /// It is over.
    Ended {
        /// When it ended.
        at: Timestamp,
        /// The result.
        end: VerificationOutcome,
    },
}

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "end")]
pub enum VerificationOutcome {
    /// The person approved, or the code was good.
    Approved,
    /// The person denied. No reason to report abuse: that would strike the
    /// address that the PIN was minted from, which is the help desk's own (services.md, section 1).
    Denied,
    /// Nobody answered in time.
    TimedOut,
    /// It was cancelled here, or the session ended first.
    Cancelled,
    /// The person has no device.
    NoDevice,
    /// It failed.
    Failed {
        /// Why it failed.
        #[serde(flatten)]
        cause: Cause,
    },
    /// The program ended meanwhile: the question may have been sent, and its result is not known.
    Unknown,
}

impl VerificationOutcome {
    /// Whether it is no word of the person or the service but an end of our own.
    pub const fn is_ours(self) -> bool {
        match self {
            Self::TimedOut | Self::Cancelled | Self::Unknown => true,
            Self::Failed { cause: Cause::Call { .. } } => true,
            Self::Approved | Self::Denied | Self::NoDevice | Self::Failed { .. } => false,
        }
    }
}

/// Why a verification failed; one variant for each remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Cause {
    /// The service knows nobody of that name or id.
    UnknownUser,
    /// The code was not good. That is no denial: a slip of the finger takes no approval away.
    WrongCode,
    /// The service has no such domain for our key.
    WrongDomain,
    /// The call failed.
    Call {
        /// How the call failed.
        failure: Failure,
    },
}

/// The service's answer to a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationAnswer {
    /// No answer yet.
    Pending,
    /// The person approved, or the code was good.
    Approved,
    /// The person denied, or the code was wrong.
    Denied,
}

/// An override of the gate, signed by somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who signed it.
    pub by: String,
    /// When they did.
    pub at: Timestamp,
    /// The reason that they gave.
    pub reason: String,
}

/// Why somebody can't be verified now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationObstacle {
    /// The session has no PIN that is good: a verification belongs to a session, and ends with it.
    NotLive,
    /// The same side is being verified already: its phone rings once.
    UnderWay,
    /// The session has as many as it keeps.
    TooMany,
}

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

impl Default for Gate {
    fn default() -> Self {
        Self { policy: Policy::Off, minutes: 30 }
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

impl Status {
    /// Whether an answer may still come.
    pub const fn is_under_way(&self) -> bool {
        match self {
            Self::Asking { .. } | Self::Waiting { .. } => true,
            Self::Ended { .. } => false,
        }
    }

    /// When it ended with the outcome `wanted`; none if it didn't.
    pub fn ended(&self, wanted: VerificationOutcome) -> Option<Timestamp> {
        match self {
            Self::Ended { at, end } if *end == wanted => Some(*at),
            Self::Asking { .. } | Self::Waiting { .. } | Self::Ended { .. } => None,
        }
    }
}
