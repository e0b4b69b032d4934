//! One hook's lamp: whether the service is known to have the hook armed.
//!
//! A lamp is never green on hope: `Armed` means that the service confirmed it, and says when.

use serde::{Deserialize, Serialize};

use crate::{Failure, Timestamp};

/// The state of one of the four hooks. Not stored: after a start all are re-armed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Lamp {
    /// There is no PIN yet to arm it for.
    Off,
    /// Being put for the first time, or again since it fired.
    Rearming {
        /// Since when it has not been armed.
        since: Timestamp,
        /// Which try this is, from 1.
        attempt: u32,
    },
    /// The service confirmed it.
    Armed {
        /// When it last did.
        checked: Timestamp,
    },
    /// The last try failed; another is scheduled.
    Failed {
        /// Since when events may have been missed.
        since: Timestamp,
        /// Tries so far.
        attempt: u32,
        /// Why the last one failed.
        failure: Failure,
    },
    /// It fired and is not armed again, because the session is closed or its PIN is over.
    Consumed {
        /// When it fired.
        at: Timestamp,
    },
}

impl Lamp {
    /// Tries so far in this stretch; zero while armed.
    pub fn attempt(&self) -> u32 {
        match self {
            Self::Off | Self::Armed { .. } | Self::Consumed { .. } => 0,
            Self::Rearming { attempt, .. } | Self::Failed { attempt, .. } => *attempt,
        }
    }
}
