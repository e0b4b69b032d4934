//! Events of the session as such, from the request for a PIN to the end.

use serde::{Deserialize, Serialize};
use wire::Region;

use super::{EventFacts, LogContext, LogLine, Notice, PresenceChange};
use crate::{Failure, Outcome, text::plain_name};

/// The session began, got its PIN or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum LifeEvent {
    /// The technician asked for a session.
    Created,
    /// The PIN was given out and the hooks are being armed.
    PinReady {
        /// The region that gave it out.
        region: Region,
    },
    /// The service gave no PIN.
    AllocationFailed {
        /// Why not.
        failure: Failure,
    },
    /// The fastest region gave no PIN by a fault of the service; the next best is asked.
    RegionFailed {
        /// The one that gave none.
        region: Region,
        /// The one that is asked now.
        next: Region,
        /// Why it gave none.
        failure: Failure,
    },
    /// The technician closed the session here.
    Closed {
        /// The outcome.
        outcome: Outcome,
        /// Who closed it.
        by: String,
    },
    /// A closed session's PIN couldn't be ended yet; it is tried again.
    PinNotEnded {
        /// Why not.
        failure: Failure,
    },
    /// A closed session's PIN was ended after all.
    PinEnded,
    /// The PIN's life is over.
    PinOver {
        /// Whether anybody had ever joined.
        joined: bool,
        /// Whether our own clock alone says so, because the broker was asked and said nothing. Older events have none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_own_clock: bool,
    },
}

impl EventFacts for LifeEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        Notice::quiet(match self {
            Self::PinNotEnded { .. } => {
                return Notice::loud(format!(
                    "{session}: closed, but its PIN could not be ended yet; it is tried again"
                ));
            }
            Self::PinEnded => format!("{session}: the PIN is ended now"),
            Self::Created => format!("{session}: session started"),
            Self::PinReady { region } => format!("{session}: PIN given out in {region}"),
            Self::AllocationFailed { failure } => {
                format!("{session}: could not get a PIN: {}", failure.reason())
            }
            Self::RegionFailed { region, next, failure } => {
                format!("{session}: {}", region_failed(region, next, *failure))
            }
            Self::Closed { outcome, .. } => {
                format!("{session}: session closed, {}", outcome.as_words())
            }
            Self::PinOver { by_own_clock, .. } => {
                format!("{session}: the PIN is no longer valid{}", by_whose_clock(*by_own_clock))
            }
        })
    }

    fn log_line(&self, log: &LogContext<'_>) -> LogLine {
        match self {
            Self::Created => {
                LogLine::success(format!("{} started the session", plain_name(log.created_by)))
            }
            Self::PinReady { region } => LogLine::success(format!("PIN given out in {region}")),
            Self::AllocationFailed { failure } => {
                LogLine::failure(format!("Could not get a PIN: {}", failure.reason()))
            }
            Self::RegionFailed { region, next, failure } => {
                LogLine::failure(region_failed(region, next, *failure))
            }
            Self::Closed { outcome, by } => LogLine::success(format!(
                "{} closed the session: {}",
                plain_name(by),
                outcome.as_words()
            )),
            Self::PinNotEnded { failure } => LogLine::failure(format!(
                "The PIN isn't ended yet ({}); it is tried again",
                failure.reason()
            )),
            Self::PinEnded => LogLine::success("The PIN is ended now"),
            Self::PinOver { joined, by_own_clock } => LogLine::success(format!(
                "The PIN is no longer valid{}{}",
                by_whose_clock(*by_own_clock),
                if *joined { "" } else { "; nobody joined" }
            )),
        }
    }

    fn presence_change(&self) -> Option<PresenceChange> {
        match self {
            Self::Closed { .. } | Self::PinOver { .. } => Some(PresenceChange::SessionOver),
            Self::Created
            | Self::PinReady { .. }
            | Self::AllocationFailed { .. }
            | Self::RegionFailed { .. }
            | Self::PinNotEnded { .. }
            | Self::PinEnded => None,
        }
    }
}

/// Whose word it is that a PIN's life is over, where that is our own clock's alone.
const fn by_whose_clock(own: bool) -> &'static str {
    if own { " by this computer's clock; the broker has not said so" } else { "" }
}

fn region_failed(region: &Region, next: &Region, failure: Failure) -> String {
    format!("Could not get a PIN in {region}: {}. Trying {next}", failure.reason())
}
