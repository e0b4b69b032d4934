//! The four hooks of a session: their names, and which side each speaks of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A hook's type, named as the service names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookType {
    /// The presenter's program runs and a viewer can now connect. Fires at every start.
    PresenterStarted,
    /// A viewer opened the session's page. Fires at every load.
    ViewerStarted,
    /// The presenter has been gone for more than 60 s.
    PresenterOffline,
    /// All viewers have been gone for more than 60 s.
    ViewerOffline,
}

/// The two sides of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The customer's PC, whose screen is shared.
    Presenter,
    /// Those who watch or control it.
    Viewers,
}

/// A text that names no hook type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hook type is presenter_started, viewer_started, presenter_offline or viewer_offline")]
pub struct UnknownHookType;

impl HookType {
    /// All four, in the order in which they are shown.
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

    /// The side that this hook speaks of.
    pub const fn side(self) -> Side {
        match self {
            Self::PresenterStarted | Self::PresenterOffline => Side::Presenter,
            Self::ViewerStarted | Self::ViewerOffline => Side::Viewers,
        }
    }

    /// Whether it says that its side has come (and not that it has gone).
    pub const fn is_started(self) -> bool {
        match self {
            Self::PresenterStarted | Self::ViewerStarted => true,
            Self::PresenterOffline | Self::ViewerOffline => false,
        }
    }

    /// Its place in [`HookType::ALL`], for tables of four.
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
