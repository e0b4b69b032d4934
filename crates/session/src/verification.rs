//! Verifications, by push or code, that a person is who they say, and the gate that they open.
//!
//! The question (a POST that makes a phone ring) may be asked once: it is stored as `Asking` before
//! it is sent, and one found without a result after a crash is `Unknown` and never asked again. A
//! code that was typed, and the verification service's own name of the question, are not in here:
//! they stay in the actor's memory, like the PIN, and so an answer can't be waited for over
//! a restart.

mod gate;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::gate::{Gate, MailHold, OpenReason, Policy, ShutReason, Verdict};
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
