//! How far the customer has come before a program of theirs is connected.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, time::same_time};

/// How far the customer has come before a program of theirs shares the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Arrival {
    /// Nothing of the customer was seen yet, or the service doesn't say.
    #[default]
    Nothing,
    /// Their page is open.
    PageOpen {
        /// Since when.
        since: Timestamp,
    },
    /// Their page was closed, and nothing was downloaded.
    PageClosed {
        /// Since when.
        since: Timestamp,
    },
    /// They downloaded the program, which hasn't connected yet.
    Downloaded {
        /// Since when.
        since: Timestamp,
    },
    /// The program asks them whether they agree.
    Asked {
        /// Since when.
        since: Timestamp,
    },
    /// They declined.
    Declined {
        /// When they said so.
        since: Timestamp,
    },
    /// They agreed, or there was nothing to ask.
    Agreed {
        /// When they said so.
        since: Timestamp,
    },
}

impl Arrival {
    /// Since when it is so.
    pub(crate) const fn since(self) -> Option<Timestamp> {
        match self {
            Self::Nothing => None,
            Self::PageOpen { since }
            | Self::PageClosed { since }
            | Self::Downloaded { since }
            | Self::Asked { since }
            | Self::Declined { since }
            | Self::Agreed { since } => Some(since),
        }
    }

    /// Whether both have come as far, whenever that was.
    pub(crate) fn is_as(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// This arrival, with the time of `before` where that is the same one.
    pub(crate) fn or_still(self, before: Self) -> Self {
        match (self.since(), before.since()) {
            (Some(since), Some(known))
                if self.is_as(before) && same_time(known, since) == known =>
            {
                before
            }
            _ => self,
        }
    }
}
