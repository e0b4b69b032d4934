//! Who is present at a session and since when, as the service's hooks report it.
//!
//! The presence of a side changes only by an event of that side, or to `Unknown` when events may
//! have been missed.

use serde::{Deserialize, Serialize};
use wire::HookType;

use crate::Timestamp;

/// The known presence of the presenter (the customer's PC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Presenter {
    /// It has not been seen.
    Never,
    /// Its program runs.
    Online {
        /// Since its first `presenter_started` in this stretch.
        since: Timestamp,
    },
    /// It was online and has been gone for over 60 s.
    Offline {
        /// Since its `presenter_offline`.
        since: Timestamp,
    },
    /// Events may have been missed.
    Unknown {
        /// Since the last moment at which it was known.
        since: Timestamp,
    },
}

/// The known presence of all viewers together. Hooks carry no count: "some" means at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Viewers {
    /// None has been seen.
    Never,
    /// At least one.
    Some {
        /// Since the first `viewer_started` in this stretch.
        since: Timestamp,
    },
    /// All have been gone for over 60 s: the session has ended, unless somebody came back.
    None {
        /// Since the `viewer_offline`.
        since: Timestamp,
        /// A later `presenter_started` made it live again.
        reopened: bool,
    },
    /// Events may have been missed.
    Unknown {
        /// Since the last moment at which it was known.
        since: Timestamp,
    },
}

impl Presenter {
    /// The presence after `hook` was reported at `now`; a repeated event leaves it as it was.
    #[must_use]
    pub fn after_hook(self, hook: HookType, now: Timestamp) -> Self {
        match (self, hook) {
            (Self::Online { .. }, HookType::PresenterStarted)
            | (Self::Offline { .. }, HookType::PresenterOffline)
            | (_, HookType::ViewerStarted | HookType::ViewerOffline) => self,
            (
                Self::Never | Self::Offline { .. } | Self::Unknown { .. },
                HookType::PresenterStarted,
            ) => Self::Online { since: now },
            (
                Self::Never | Self::Online { .. } | Self::Unknown { .. },
                HookType::PresenterOffline,
            ) => Self::Offline { since: now },
        }
    }

    /// The presence where it is known since when the program is gone: it counts as offline a minute later, and what was
    /// said to have begun when it left doesn't begin anew then.
    #[must_use]
    pub fn gone_since(self, left: Option<Timestamp>) -> Self {
        match (self, left) {
            (Self::Offline { .. }, Some(since)) => Self::Offline { since },
            (
                Self::Never | Self::Online { .. } | Self::Offline { .. } | Self::Unknown { .. },
                _,
            ) => self,
        }
    }

    /// The presence when everything since `since` may have been missed.
    #[must_use]
    pub fn missed(self, since: Timestamp) -> Self {
        match self {
            Self::Unknown { .. } => self,
            Self::Never | Self::Online { .. } | Self::Offline { .. } => Self::Unknown { since },
        }
    }

    /// Whether missing `hook` could have made this presence untrue.
    pub fn depends_on(self, hook: HookType) -> bool {
        match (self, hook) {
            (Self::Online { .. }, HookType::PresenterOffline)
            | (Self::Never | Self::Offline { .. }, HookType::PresenterStarted) => true,
            (
                Self::Never | Self::Online { .. } | Self::Offline { .. } | Self::Unknown { .. },
                HookType::PresenterStarted
                | HookType::PresenterOffline
                | HookType::ViewerStarted
                | HookType::ViewerOffline,
            ) => false,
        }
    }
}

impl Viewers {
    /// The presence after `hook` was reported at `now`; a repeated event leaves it as it was.
    #[must_use]
    pub fn after_hook(self, hook: HookType, now: Timestamp) -> Self {
        match (self, hook) {
            (Self::None { since, .. }, HookType::PresenterStarted) => {
                Self::None { since, reopened: true }
            }
            (Self::Some { .. }, HookType::ViewerStarted)
            | (Self::None { reopened: false, .. }, HookType::ViewerOffline)
            | (
                Self::Never | Self::Some { .. } | Self::Unknown { .. },
                HookType::PresenterStarted,
            )
            | (_, HookType::PresenterOffline) => self,
            (Self::Never | Self::None { .. } | Self::Unknown { .. }, HookType::ViewerStarted) => {
                Self::Some { since: now }
            }
            (
                Self::Never
                | Self::Some { .. }
                | Self::Unknown { .. }
                | Self::None { reopened: true, .. },
                HookType::ViewerOffline,
            ) => Self::None { since: now, reopened: false },
        }
    }

    /// The presence when everything since `since` may have been missed.
    #[must_use]
    pub fn missed(self, since: Timestamp) -> Self {
        match self {
            Self::Unknown { .. } => self,
            Self::Never | Self::Some { .. } | Self::None { .. } => Self::Unknown { since },
        }
    }

    /// Whether missing `hook` could have made this presence untrue.
    pub fn depends_on(self, hook: HookType) -> bool {
        match (self, hook) {
            (Self::Some { .. }, HookType::ViewerOffline)
            | (Self::Never | Self::None { .. }, HookType::ViewerStarted) => true,
            (
                Self::Never | Self::Some { .. } | Self::None { .. } | Self::Unknown { .. },
                HookType::PresenterStarted
                | HookType::PresenterOffline
                | HookType::ViewerStarted
                | HookType::ViewerOffline,
            ) => false,
        }
    }
}
