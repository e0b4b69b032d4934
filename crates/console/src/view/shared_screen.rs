//! The customer's screen: who shares it, who watches, and the pictures that were saved of it.

use serde::Serialize;
use ts_rs::TS;

/// Who shares the screen and who watches it, by the service's last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ScreenView {
    /// What there is to see.
    pub sharing: SharingKind,
    /// What the customer's program runs on, such as `linux-x86_64`; none if not known.
    pub platform: Option<String>,
    /// The customer's side; none where nobody tells it, or nobody is there.
    pub presenter: Option<PresenterView>,
    /// Who is there to watch.
    pub watchers: Vec<WatcherView>,
    /// The viewers that wait to be let in.
    pub waiting: Vec<WaitingView>,
    /// Whether this console has what the answer about them is signed with; a viewer window that was
    /// open once has made it.
    pub can_answer: bool,
    /// When the service said so; none if it hasn't so far.
    pub as_of: Option<i64>,
    /// The service tells each change at once, so this is so now, however old it is.
    pub current: bool,
}

impl ScreenView {
    /// How many viewers there are; none before the service has said so.
    pub fn viewers(&self) -> Option<u32> {
        self.as_of.map(|_| u32::try_from(self.watchers.len()).unwrap_or(u32::MAX))
    }
}

/// What there is to see of the customer's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SharingKind {
    /// The service hasn't said so far.
    Unknown,
    /// No program that shares a screen is there.
    None,
    /// The screen is shared.
    Shared,
    /// It is shared, and the customer has paused control.
    Paused,
}

/// The customer's side, while it is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PresenterView {
    /// Its name, by its own word; empty if it gave none.
    pub name: String,
    /// Since when it is connected; none if not known.
    pub since: Option<i64>,
}

/// A viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct WatcherView {
    /// Tells viewers apart.
    pub id: String,
    /// Its name, by its own word; empty if it gave none.
    pub name: String,
    /// Since when it is connected; none if not known.
    pub since: Option<i64>,
    /// It may type and point; else it may only watch.
    pub controls: bool,
    /// It sees the screen now.
    pub watching: bool,
    /// Its picture is encrypted from end to end.
    pub sealed: bool,
    /// The round trip to the customer in milliseconds; none if not known.
    pub latency_ms: Option<u32>,
    /// Pictures a second; none if not known.
    pub fps: Option<u32>,
}

/// A viewer that waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct WaitingView {
    /// For the answer: names the viewer with all that is told of it here.
    pub id: String,
    /// Its name, by its own word; empty if it gave none.
    pub name: String,
    /// It would type and point; else it would only watch.
    pub controls: bool,
    /// Its picture would be encrypted from end to end.
    pub sealed: bool,
    /// It has more than the PIN: a link that was made here.
    pub invited: bool,
}

/// A picture of the customer's screen that was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PictureView {
    /// Its number.
    pub id: i64,
    /// When it was saved.
    pub at: i64,
    /// By whom.
    pub by: String,
    /// How large it is.
    pub bytes: u64,
}
