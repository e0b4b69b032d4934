//! A session's state in words: by the broker's facts, as the product's table of words has it, and as the console has
//! it. The two share no code.

use engine::Snapshot;
use session::{Presenter, SessionStatus, Viewers};
use wire::session_events::{Arrival, PinLife, SessionFacts, SideFacts};

/// So long after it left a side counts as offline, in milliseconds.
const GRACE_MS: u64 = 60_000;

/// A state: its word, the presenter and the viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The kind of its word, as `StateKind` has it.
    pub state: &'static str,
    /// The customer's side: `never`, `online`, `offline` or `unknown`; `over` once the PIN is, when nobody claims
    /// anything of it.
    pub presenter: &'static str,
    /// All viewers together, likewise.
    pub viewers: &'static str,
}

impl Words {
    const fn over(state: &'static str) -> Self {
        Self { state, presenter: "over", viewers: "over" }
    }
}

/// What is so, by the broker's own facts.
pub fn by_facts(facts: &SessionFacts) -> Words {
    match facts.life {
        PinLife::Live => {}
        PinLife::Expired | PinLife::Revoked if facts.happened.iter().any(|&times| times > 0) => {
            return Words::over("ended");
        }
        PinLife::Expired | PinLife::Revoked => return Words::over("expired"),
    }
    Words { state: state(facts), presenter: side(facts.presenter), viewers: side(facts.viewers) }
}

/// What the console says.
pub fn by_console(snapshot: &Snapshot) -> Words {
    let record = &snapshot.record;
    let presenter = match record.presenter {
        Presenter::Never => "never",
        Presenter::Online { .. } if record.observed.presenter_left.is_none() => "online",
        Presenter::Online { .. } | Presenter::Offline { .. } => "offline",
        Presenter::Unknown { .. } => "unknown",
    };
    let viewers = match record.viewers {
        Viewers::Never => "never",
        Viewers::Some { .. } if record.observed.viewers_left.is_none() => "online",
        Viewers::Some { .. } | Viewers::None { .. } => "offline",
        Viewers::Unknown { .. } => "unknown",
    };
    let state = match SessionStatus::new(record, engine::clock::now()) {
        SessionStatus::BeingAsked { .. } => "being_asked",
        SessionStatus::Declined { .. } => "declined",
        SessionStatus::Downloaded { .. } => "downloaded",
        SessionStatus::PageOpen { .. } => "page_open",
        SessionStatus::Ended { pin_over: true, .. } => return Words::over("ended"),
        SessionStatus::Expired => return Words::over("expired"),
        SessionStatus::Ended { .. } => "ended",
        SessionStatus::PresenterOffline { .. } => "presenter_offline",
        SessionStatus::Active { .. } => "active",
        SessionStatus::Ready { .. } => "ready",
        SessionStatus::ViewerWaiting { .. } => "viewer_waiting",
        SessionStatus::Waiting { .. } => "waiting",
        SessionStatus::Unknown { .. } => "unknown",
        other => panic!("{other:?} is no word of a session with a PIN"),
    };
    Words { state, presenter, viewers }
}

fn side(side: SideFacts) -> &'static str {
    match side {
        SideFacts::Never => "never",
        SideFacts::Online { .. } => "online",
        SideFacts::Leaving { .. } | SideFacts::Offline { .. } => "offline",
    }
}

fn state(facts: &SessionFacts) -> &'static str {
    let is_online = |side| matches!(side, SideFacts::Online { .. });
    let (shares, watched) = (is_online(facts.presenter), is_online(facts.viewers));
    // Beside a program that is connected, it is another one that asks.
    match facts.arrival {
        _ if shares => {}
        Arrival::Asked { .. } => return "being_asked",
        Arrival::Declined { for_ms } if is_newest(for_ms, facts) => return "declined",
        Arrival::Downloaded { for_ms, .. } if is_newest(for_ms, facts) => return "downloaded",
        Arrival::PageOpen { for_ms } if is_newest(for_ms, facts) => return "page_open",
        _ => {}
    }
    let is_over = matches!(facts.viewers, SideFacts::Offline { .. });
    match facts.presenter {
        _ if is_over && facts.reopened == Some(false) => "ended",
        SideFacts::Leaving { .. } | SideFacts::Offline { .. } => "presenter_offline",
        SideFacts::Online { .. } if watched => "active",
        SideFacts::Online { .. } => "ready",
        SideFacts::Never if watched => "viewer_waiting",
        SideFacts::Never => "waiting",
    }
}

/// Whether how far the customer came, so long ago, is newer than the last leave. Who declined has declined, whether or
/// not the viewers leave.
fn is_newest(for_ms: u64, facts: &SessionFacts) -> bool {
    let presenter = match facts.presenter {
        SideFacts::Leaving { for_ms } => Some(for_ms),
        SideFacts::Offline { for_ms } => Some(for_ms + GRACE_MS),
        SideFacts::Never | SideFacts::Online { .. } => None,
    };
    let viewers = match facts.viewers {
        SideFacts::Offline { for_ms } if !matches!(facts.arrival, Arrival::Declined { .. }) => {
            Some(for_ms)
        }
        _ => None,
    };
    [presenter, viewers].into_iter().flatten().all(|left| for_ms < left)
}
