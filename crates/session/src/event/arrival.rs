//! Events of the customer on their way to the program, while the broker tells them.

use serde::{Deserialize, Serialize};
use wire::Side;

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{Timestamp, text::capital};

/// The customer came a step further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum ArrivalEvent {
    /// They opened their page.
    PageOpened {
        /// When, by the broker's word.
        at: Timestamp,
    },
    /// They downloaded the program.
    ProgramDownloaded {
        /// When, by the broker's word.
        at: Timestamp,
    },
    /// The program asks them whether they agree.
    CustomerAsked {
        /// Since when, by the broker's word.
        at: Timestamp,
    },
    /// They declined.
    CustomerDeclined {
        /// When, by the broker's word.
        at: Timestamp,
    },
}

impl ArrivalEvent {
    const fn told(self) -> (&'static str, Timestamp) {
        match self {
            Self::PageOpened { at } => ("the customer opened the page", at),
            Self::ProgramDownloaded { at } => ("the customer downloaded the program", at),
            Self::CustomerAsked { at } => ("the customer was asked", at),
            Self::CustomerDeclined { at } => ("the customer declined", at),
        }
    }
}

impl EventFacts for ArrivalEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        Notice::quiet(format!("{session}: {}", self.told().0))
    }

    fn log_line(&self, log: &LogContext<'_>) -> LogLine {
        let (text, at) = self.told();
        LogLine::success(format!("{}{}", capital(text), log.at_another_time("at", at)))
    }

    fn side(&self) -> Option<Side> {
        Some(Side::Presenter)
    }
}
