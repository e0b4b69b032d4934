//! Events of viewing the customer's screen that a person here answers for.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::text::{plain, plain_name};

/// The longest reason that is shown, in characters.
const LONGEST_REASON: usize = 500;

/// Something was done about viewing the customer's screen. Both are audited with the command that
/// does them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum ViewingEvent {
    /// Somebody overrode the verification gate.
    GateOverridden {
        /// Who overrode it.
        by: String,
        /// The reason that they gave.
        reason: String,
    },
    /// A picture of the customer's screen was saved; the customer is informed.
    PictureSaved {
        /// Who saved it.
        by: String,
    },
}

impl EventFacts for ViewingEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        Notice::quiet(match self {
            Self::GateOverridden { by, .. } => {
                format!("{session}: {} overrode the verification gate", plain_name(by))
            }
            Self::PictureSaved { by } => {
                format!("{session}: {} saved a picture of the screen", plain_name(by))
            }
        })
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        match self {
            Self::GateOverridden { by, reason } => {
                let (by, reason) = (plain_name(by), plain(reason, LONGEST_REASON));
                LogLine::failure(format!("{by} overrode the verification gate: {reason}"))
            }
            Self::PictureSaved { by } => {
                LogLine::success(format!("{} saved a picture of the screen", plain_name(by)))
            }
        }
    }
}
