//! What is asked of a person, how far that has come, and how it ended.

use serde::{Deserialize, Serialize};

use crate::{Failure, Timestamp, denials::Denials};

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
