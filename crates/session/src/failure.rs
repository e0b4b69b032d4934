//! Why a call failed, by its remedy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Obstacle, text::size};

/// A failed call, named by its remedy. It holds no text of the other side's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Failure {
    /// The service doesn't accept our credentials: sign in again.
    Unauthorized,
    /// Too many calls: wait.
    RateLimited {
        /// For how long, in milliseconds, if the service named a time.
        retry_after_ms: Option<u64>,
    },
    /// Nothing answers at the address, so nothing was sent: check address and network.
    Unreachable,
    /// The connection ended before an answer came; the service may have carried out the request:
    /// try again.
    NoAnswer,
    /// No answer came in time: try again.
    TimedOut,
    /// The service refused the request as such (4xx or `success: false`): trying again won't
    /// help soon.
    Rejected {
        /// The HTTP status; 200 where only the body refuses.
        status: u16,
    },
    /// The service has a fault (5xx): try again later.
    Faulty {
        /// The HTTP status.
        status: u16,
    },
    /// The answer isn't what the service documents: check the address.
    Malformed,
    /// Something on the way to the service, or its certificate: see [`Obstacle`].
    Blocked {
        /// What it is.
        by: Obstacle,
    },
    /// The answer is larger than what is read of one.
    TooLarge {
        /// How many bytes are read at most.
        most: u32,
    },
    /// No region answered: choose one by hand or check the network.
    NoRegion,
    /// It could not be written to this computer's disk: free space, check permissions.
    Storage,
    /// The session's actor failed for good: a bug, see the log.
    Internal,
}

impl Failure {
    /// Whether the service may have carried the request out all the same: its answer didn't come, or can't be read.
    pub const fn leaves_doubt(self) -> bool {
        match self {
            Self::NoAnswer | Self::TimedOut | Self::Malformed | Self::TooLarge { .. } => true,
            Self::Blocked { by } => by.let_it_through(),
            Self::Unauthorized
            | Self::RateLimited { .. }
            | Self::Unreachable
            | Self::Rejected { .. }
            | Self::Faulty { .. }
            | Self::NoRegion
            | Self::Storage
            | Self::Internal => false,
        }
    }

    /// How long the service asks to wait, if it names a time.
    pub fn asked_wait(self) -> Option<Duration> {
        let Self::RateLimited { retry_after_ms } = self else { return None };
        retry_after_ms.map(Duration::from_millis)
    }

    /// Why it failed, in words that follow "because" or a colon.
    pub fn reason(self) -> String {
        match self {
            Self::Unauthorized => {
                "what answers asks for a sign-in, or does not accept the credentials (401)".into()
            }
            Self::RateLimited { retry_after_ms: Some(ms) } => {
                format!("the service asks to wait {} s", ms.div_ceil(1000))
            }
            Self::RateLimited { retry_after_ms: None } => {
                "the service received too many calls".into()
            }
            Self::Unreachable => "nothing answers at the service's address".into(),
            Self::NoAnswer => "the service closed the connection without an answer".into(),
            Self::TimedOut => "no answer came in time".into(),
            Self::Rejected { status: 200 } => "the service refused it".into(),
            Self::Rejected { status: 507 } => {
                "the service keeps as many sessions as it may, in all or from here (507)".into()
            }
            Self::Rejected { status } => format!("the service refused it ({status})"),
            Self::Faulty { status } => format!("the service has a fault ({status})"),
            Self::Malformed => "what answers is not what the service documents".into(),
            Self::Blocked { by } => by.reason(),
            Self::TooLarge { most } => {
                format!("the answer has more than {}, the most that is read", size(most.into()))
            }
            Self::NoRegion => "no region answers".into(),
            Self::Storage => "it could not be saved to this computer's disk".into(),
            Self::Internal => "a part of Deskhand failed".into(),
        }
    }
}
