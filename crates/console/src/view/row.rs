//! A row of the session list, and the state that it names.

use serde::Serialize;
use ts_rs::TS;

use super::Verified;

/// A row of the session list.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SessionRow {
    /// The session.
    pub id: String,
    /// Newer is larger; lower ones are dropped.
    pub revision: u64,
    /// What it is called: the customer, the ticket, or "New session 14:03".
    pub name: String,
    /// Its state.
    pub state: StateView,
    /// Newest activity, for the order.
    pub active_at: i64,
    /// What the timer at the right counts from; none where nothing runs.
    pub timer_since: Option<i64>,
    /// Chat messages not seen yet.
    pub unread: u32,
    /// Viewers that wait to be let in.
    pub waiting: u32,
    /// Whether a hook is lost: the state may be out of date.
    pub hook_lost: bool,
    /// Who was verified last with approval that still counts; none if nobody.
    pub verified: Option<Verified>,
    /// Whether it still lives (else it is history).
    pub live: bool,
}

/// A session's state: the word, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct StateView {
    /// The word's kind, for icon and colour.
    pub kind: StateKind,
    /// The word: "Active", "Ended".
    pub label: String,
    /// What else is true: "program may still run"; may be empty.
    pub detail: String,
    /// Since when; none where it doesn't matter.
    pub since: Option<i64>,
}

/// The kinds of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS, strum::VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// The PIN has been asked for.
    Allocating,
    /// PIN given out, nobody there yet.
    Waiting,
    /// The customer's page is open.
    PageOpen,
    /// The customer downloaded the program, which hasn't connected yet.
    Downloaded,
    /// The customer's program asks them whether they agree.
    BeingAsked,
    /// The customer declined.
    Declined,
    /// Presenter online, no viewer.
    Ready,
    /// A viewer is there, the presenter not yet.
    ViewerWaiting,
    /// Both are there.
    Active,
    /// The presenter was online and is gone.
    PresenterOffline,
    /// All viewers have gone.
    Ended,
    /// Events may have been missed.
    Unknown,
    /// The PIN's life is over and nobody joined.
    Expired,
    /// No PIN, or the actor failed.
    Failed,
    /// Closed by the technician.
    Closed,
}
