//! The customer's program, saved here to be carried to them by hand.
//!
//! What the program needs (the conf) is given once per PIN, ever, and whoever has it takes the
//! customer's own download away. So the question is stored as `Asking` before it is sent, and one found
//! so after a crash is `MaybeTaken` and never sent again. The conf itself is not in here: it is in the
//! actor's memory until the file is complete, and sealed beside the record only while [`Program::Kept`]
//! (or while a download that began there is under way).

use serde::{Deserialize, Serialize};

use crate::{Failure, Record, Timestamp};

/// How far saving the customer's program has come, for the session's present PIN.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Program {
    /// Nobody asked for it here: the customer's own download works.
    #[default]
    NotAsked,
    /// The service is being asked for the conf, for the only time.
    Asking {
        /// Who confirmed it.
        by: String,
        /// When it was confirmed.
        at: Timestamp,
        /// It was cancelled meanwhile: what the service gives is kept, and not downloaded.
        cancelled: bool,
    },
    /// The file is being written.
    Downloading {
        /// Who confirmed it.
        by: String,
        /// When it began.
        at: Timestamp,
        /// The conf is on the disk, sealed, from an earlier try.
        kept: bool,
    },
    /// There is no file, and the conf is kept: a person may try the download again.
    Kept {
        /// Since when.
        at: Timestamp,
        /// Why there is no file.
        why: DownloadFailure,
    },
    /// The file is complete, and the conf is kept nowhere.
    Saved {
        /// When the file was complete.
        at: Timestamp,
        /// Who confirmed it.
        by: String,
        /// Its size.
        bytes: u64,
        /// Where it is.
        path: String,
    },
    /// There is no file, and for this PIN there will be none.
    Gone {
        /// When it was given up.
        at: Timestamp,
        /// Why there will be no file.
        why: Gone,
    },
}

/// Why a download didn't come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum DownloadFailure {
    /// The service or the disk failed.
    Failed {
        /// What failed.
        failure: Failure,
    },
    /// The technician cancelled it.
    Cancelled,
    /// The program was ended meanwhile.
    Stopped,
}

/// Why a program can't be had for this PIN any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Gone {
    /// The service didn't give the conf; it has been given before, or the PIN is no good.
    Refused {
        /// How it refused.
        failure: Failure,
    },
    /// No clear answer came, or the program ended before one did: the conf may have been given.
    MaybeTaken,
    /// The conf was given, and lost when the program ended without warning.
    Lost,
    /// The session ended first, so the conf was erased.
    Ended,
}

/// Why the program can't be saved now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramObstacle {
    /// The session has no PIN that is good.
    NoPin,
    /// It is being saved already.
    UnderWay,
    /// It has been saved.
    Saved,
    /// It can't be had for this PIN any more.
    Gone,
}

impl Program {
    /// Whether its download may need the conf: then it is erased nowhere.
    pub const fn needs_conf(&self) -> bool {
        match self {
            Self::Asking { .. } | Self::Downloading { .. } | Self::Kept { .. } => true,
            Self::NotAsked | Self::Saved { .. } | Self::Gone { .. } => false,
        }
    }

    /// Whether something is under way that can be cancelled.
    pub const fn is_under_way(&self) -> bool {
        match self {
            Self::Asking { .. } | Self::Downloading { .. } => true,
            Self::NotAsked | Self::Kept { .. } | Self::Saved { .. } | Self::Gone { .. } => false,
        }
    }
}

impl Record {
    /// What is in the way of saving the customer's program now; none if a person may confirm it.
    pub fn program_obstacle(&self) -> Option<ProgramObstacle> {
        match &self.program {
            _ if !self.is_live() => Some(ProgramObstacle::NoPin),
            Program::NotAsked | Program::Kept { .. } => None,
            Program::Asking { .. } | Program::Downloading { .. } => Some(ProgramObstacle::UnderWay),
            Program::Saved { .. } => Some(ProgramObstacle::Saved),
            Program::Gone { .. } => Some(ProgramObstacle::Gone),
        }
    }
}
