//! Events of saving the customer's program here, to be carried by hand.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{
    program::{DownloadFailure, Gone},
    text::{capital, plain_name, size},
};

/// The customer's program was asked for, saved or given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum ProgramEvent {
    /// Somebody confirmed that the customer's program is saved here.
    ProgramAsked {
        /// Who confirmed it.
        by: String,
        /// Whether the download is retried with the conf that the service gave before.
        again: bool,
    },
    /// The customer's program is in a file.
    ProgramSaved {
        /// Who asked for it.
        by: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The customer's program is not saved; it may be tried again by hand.
    ProgramNotSaved {
        /// Why there is no file.
        why: DownloadFailure,
    },
    /// The customer's program is not available for this PIN any more.
    ProgramGone {
        /// Why it is gone.
        why: Gone,
    },
}

impl ProgramEvent {
    /// The event's text, to follow a colon, and whether it reports a failure.
    fn told(&self) -> (String, bool) {
        match self {
            Self::ProgramAsked { by, again: true } => {
                let by = plain_name(by);
                (format!("{by} tried the download of the customer's program again"), false)
            }
            Self::ProgramAsked { by, again: false } => {
                let what = "the customer's program; the customer's own download stops working";
                (format!("{} asked for {what}", plain_name(by)), false)
            }
            Self::ProgramSaved { by, bytes } => {
                let (by, size) = (plain_name(by), size(*bytes));
                (format!("{by} saved the customer's program ({size})"), false)
            }
            Self::ProgramNotSaved { why } => {
                let (why, is_failure) = match why {
                    DownloadFailure::Failed { failure } => (failure.reason(), true),
                    DownloadFailure::Cancelled => ("cancelled".into(), false),
                    DownloadFailure::Stopped => ("Deskhand was ended".into(), false),
                };
                (format!("the customer's program was not saved: {why}"), is_failure)
            }
            Self::ProgramGone { why } => match why {
                Gone::Refused { failure } => {
                    let why = failure.reason();
                    (format!("the service did not give the customer's program: {why}"), true)
                }
                Gone::MaybeTaken => (
                    "the customer's program may have been taken; it is not asked for again".into(),
                    true,
                ),
                Gone::Lost => {
                    ("the customer's program was cut short when Deskhand ended".into(), true)
                }
                Gone::Ended => ("what was kept of the customer's program was erased".into(), false),
            },
        }
    }
}

impl EventFacts for ProgramEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        let (text, is_failure) = self.told();
        Notice::new(format!("{session}: {text}"), is_failure)
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        let (text, is_failure) = self.told();
        match self {
            // These begin with a person's name, which stays as they write it.
            Self::ProgramAsked { .. } | Self::ProgramSaved { .. } => LogLine::new(text, is_failure),
            Self::ProgramNotSaved { .. } | Self::ProgramGone { .. } => {
                LogLine::new(capital(&text), is_failure)
            }
        }
    }
}
