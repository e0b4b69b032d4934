//! Why a call failed, by its remedy, and how long to wait before the next try.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Obstacle, text::size, time::bounded};

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

/// The first wait of the backoff.
const FIRST: Duration = Duration::from_millis(500);
/// No wait is longer, except where the service asks for it: with the 10 s that a call may take, a
/// hook is tried again within half a minute after a fault has ended.
const LONGEST: Duration = Duration::from_secs(20);
/// While a session is on screen, somebody is waiting.
const ON_SCREEN: Duration = Duration::from_secs(2);
/// How long after a failure the hooks of a session on screen are put more often.
pub const FRESH_FAULT: Duration = Duration::from_secs(60);

/// How long to wait after try number `attempt` (from 1) failed, before chance is added.
///
/// `on_screen`: the session is being looked at.
pub fn wait(attempt: u32, failure: Failure, on_screen: bool) -> Duration {
    // Ten doublings are far beyond `LONGEST`; without the bound, the shift would overflow at
    // attempt 33.
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST);
    match failure {
        // The service knows best when it will answer again, even if somebody is waiting here.
        Failure::RateLimited { retry_after_ms: Some(ms) } => Duration::from_millis(ms).max(doubled),
        // A refusal seldom changes: don't hammer.
        Failure::Rejected { .. }
        | Failure::Unauthorized
        | Failure::Malformed
        | Failure::Blocked {
            by:
                Obstacle::CertificateExpired
                | Obstacle::CertificateOfAnother
                | Obstacle::CertificateUntrusted
                | Obstacle::Proxy
                | Obstacle::Gateway { .. }
                | Obstacle::Redirect
                | Obstacle::NeedsHttps
                | Obstacle::Encoded,
        }
        | Failure::TooLarge { .. } => LONGEST,
        // A session on screen must not send even more calls to an overloaded service.
        Failure::RateLimited { retry_after_ms: None } => doubled.max(ON_SCREEN),
        Failure::Unreachable
        | Failure::NoAnswer
        | Failure::TimedOut
        | Failure::Faulty { .. }
        | Failure::Blocked { by: Obstacle::BrokeOff }
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => {
            if on_screen {
                doubled.min(ON_SCREEN)
            } else {
                doubled
            }
        }
    }
}

/// Shortens a wait by up to a quarter, so that simultaneous retries spread out and no wait is
/// longer than stated.
///
/// `chance` is a number from 0 to 1.
pub fn spread(wait: Duration, chance: f64) -> Duration {
    // Bounded, for the product of the longest duration can be none.
    bounded(wait).mul_f64(0.75 + chance.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_third_of_a_minute() {
        let waits: Vec<_> =
            (1..=9).map(|n| wait(n, Failure::Unreachable, false).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000]);
        assert_eq!(wait(u32::MAX, Failure::TimedOut, false), LONGEST);
    }

    #[test]
    fn hurries_while_somebody_looks() {
        assert_eq!(wait(8, Failure::Faulty { status: 503 }, true), ON_SCREEN);
    }

    #[test]
    fn honours_what_the_service_asks_for() {
        let asked = Failure::RateLimited { retry_after_ms: Some(90_000) };
        assert_eq!(wait(1, asked, true), Duration::from_secs(90));
    }

    #[test]
    fn spreads_by_a_quarter_and_never_waits_longer() {
        let second = Duration::from_secs(1);
        assert_eq!(spread(second, 0.0), Duration::from_millis(750));
        assert_eq!(spread(second, 1.0), second);
        assert_eq!(spread(Duration::MAX, 1.0), crate::time::LONGEST_WAIT);
    }
}
