//! The customer's program, saved here to be carried to them by hand.
//!
//! The service gives the program's conf only once for each PIN, and giving it here ends the
//! customer's own download. So the request is stored as `Asking` before it is sent, and one found
//! in that state after a crash is `MaybeTaken` and never sent again. The conf itself is not in
//! here: it is in the actor's memory until the file is complete, and sealed beside the record only
//! while [`Program::Kept`] (or while a download that began there is under way).

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
        /// Whether it was cancelled meanwhile: the conf is then kept, and nothing is downloaded.
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

/// Why a download didn't complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum DownloadFailure {
    /// The service or the disk failed.
    Failed {
        /// The failure.
        failure: Failure,
    },
    /// The technician cancelled it.
    Cancelled,
    /// The program was ended meanwhile.
    Stopped,
}

/// Why a program is not available for this PIN any more.
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
    /// The program is not available for this PIN any more.
    Gone,
}

impl Program {
    /// Whether its download may still need the conf, which then must not be erased.
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
    /// Why the customer's program can't be saved now; none if a person may confirm it.
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
