//! The four hooks of a session: their names, and the side that each reports on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The event that a hook fires for, named as the service names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookType {
    /// The presenter's program runs, so a viewer can connect. It fires at every start of
    /// the program.
    PresenterStarted,
    /// A viewer opened the session's page. It fires each time the page is loaded.
    ViewerStarted,
    // Both times are the service's own: nobody counts as offline before they are over.
    /// The presenter has been offline for more than 60 s.
    PresenterOffline,
    /// All viewers have been offline for more than 60 s.
    ViewerOffline,
}

/// The two sides of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The customer's PC, whose screen is shared.
    Presenter,
    /// Everybody who watches or controls it.
    Viewers,
}

/// The text isn't the name of a hook type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hook type is presenter_started, viewer_started, presenter_offline or viewer_offline")]
pub struct UnknownHookType;

impl HookType {
    /// All hook types in the order in which they are shown.
    pub const ALL: [Self; 4] =
        [Self::PresenterStarted, Self::ViewerStarted, Self::PresenterOffline, Self::ViewerOffline];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PresenterStarted => "presenter_started",
            Self::ViewerStarted => "viewer_started",
            Self::PresenterOffline => "presenter_offline",
            Self::ViewerOffline => "viewer_offline",
        }
    }

    /// The side that this hook reports on.
    pub const fn side(self) -> Side {
        match self {
            Self::PresenterStarted | Self::PresenterOffline => Side::Presenter,
            Self::ViewerStarted | Self::ViewerOffline => Side::Viewers,
        }
    }

    /// Whether it reports that its side has arrived, rather than that it has left.
    pub const fn is_started(self) -> bool {
        match self {
            Self::PresenterStarted | Self::ViewerStarted => true,
            Self::PresenterOffline | Self::ViewerOffline => false,
        }
    }

    /// The index in [`HookType::ALL`], for tables with one row for each hook.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for HookType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HookType {
    type Err = UnknownHookType;

    fn from_str(text: &str) -> Result<Self, UnknownHookType> {
        Self::ALL.into_iter().find(|hook| hook.as_str() == text).ok_or(UnknownHookType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_agree() {
        for (place, hook) in HookType::ALL.into_iter().enumerate() {
            assert_eq!(hook.index(), place);
            assert_eq!(hook.as_str().parse(), Ok(hook));
            assert_eq!(serde_json::to_value(hook).unwrap(), hook.as_str());
        }
    }
}
