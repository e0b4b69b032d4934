//! A session's state in words: by the broker's facts, as the product's table of words has it, and as the console has
//! it. The two share no code.

use engine::Snapshot;
use session::{Presenter, SessionStatus, Viewers};
use wire::session_events::{Arrival, SessionFacts, SideFacts};

/// A state: its word, the presenter and the viewers.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    pub state: &'static str,
    pub presenter: &'static str,
    pub viewers: &'static str,
}

/// What is so, by the broker's own facts.
pub fn by_facts(facts: &SessionFacts) -> Words {
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
        SessionStatus::BeingAsked { .. } => "being asked",
        SessionStatus::Declined { .. } => "declined",
        SessionStatus::Downloaded { .. } => "program downloaded",
        SessionStatus::PageOpen { .. } => "page open",
        SessionStatus::Ended { .. } => "ended",
        SessionStatus::PresenterOffline { .. } => "presenter offline",
        SessionStatus::Active { .. } => "active",
        SessionStatus::Ready { .. } => "ready",
        SessionStatus::ViewerWaiting { .. } => "viewer waiting",
        SessionStatus::Waiting { .. } => "waiting",
        SessionStatus::Unknown { .. } => "unknown",
        other => panic!("{other:?} is no word of a session whose PIN works"),
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
    match facts.arrival {
        Arrival::Asked { .. } => return "being asked",
        Arrival::Declined { .. } => return "declined",
        Arrival::Downloaded { for_ms, .. } if !shares && is_newest(for_ms, facts) => {
            return "program downloaded";
        }
        Arrival::PageOpen { for_ms } if !shares && is_newest(for_ms, facts) => return "page open",
        _ => {}
    }
    let is_over = matches!(facts.viewers, SideFacts::Offline { .. });
    match facts.presenter {
        _ if is_over && facts.reopened == Some(false) => "ended",
        SideFacts::Leaving { .. } | SideFacts::Offline { .. } => "presenter offline",
        SideFacts::Online { .. } if watched => "active",
        SideFacts::Online { .. } => "ready",
        SideFacts::Never if watched => "viewer waiting",
        SideFacts::Never => "waiting",
    }
}

/// Whether something that happened so long ago is newer than the last leave.
fn is_newest(for_ms: u64, facts: &SessionFacts) -> bool {
    let left = |side, counts_at_once| match side {
        SideFacts::Offline { for_ms } => Some(for_ms),
        SideFacts::Leaving { for_ms } if counts_at_once => Some(for_ms),
        _ => None,
    };
    let leaves = [left(facts.presenter, true), left(facts.viewers, false)];
    leaves.into_iter().flatten().all(|left| for_ms < left)
}
