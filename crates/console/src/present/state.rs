//! A session's word in text (product.md, State words).

use session::{Timestamp, Word};

use super::Setting;
use crate::{
    view::{FactKind, FactView, StateKind, StateView},
    words,
};

/// The word, with what belongs to it; `windows` are viewer windows of ours.
pub fn of(word: &Word, windows: u32, setting: &Setting<'_>) -> StateView {
    let (kind, label, since) = parts(word);
    StateView {
        kind,
        label: label.to_owned(),
        detail: detail(word, windows, setting),
        since: since.map(|at| at.0),
    }
}

/// Since when the row's timer counts; none where nothing runs.
pub fn timer(word: &Word) -> Option<i64> {
    match word {
        Word::Active { since }
        | Word::ViewerWaiting { since }
        | Word::Ready { since }
        | Word::PresenterOffline { since }
        | Word::Waiting { since } => Some(since.0),
        Word::Closed { .. }
        | Word::Failed { .. }
        | Word::Expired
        | Word::Ended { .. }
        | Word::Unknown { .. }
        | Word::Allocating => None,
    }
}

/// Whether it still goes on, or needs somebody; else it is history.
pub fn is_live(word: &Word) -> bool {
    match word {
        Word::Active { .. }
        | Word::ViewerWaiting { .. }
        | Word::Ready { .. }
        | Word::PresenterOffline { .. }
        | Word::Waiting { .. }
        | Word::Unknown { .. }
        | Word::Failed { .. }
        | Word::Allocating => true,
        Word::Closed { .. } | Word::Expired | Word::Ended { .. } => false,
    }
}

/// The presenter's fact.
pub fn presenter(fact: session::Presenter) -> FactView {
    use session::Presenter as P;
    let (is, since) = match fact {
        P::Never => (FactKind::Never, None),
        P::Online { since } => (FactKind::Online, Some(since)),
        P::Offline { since } => (FactKind::Offline, Some(since)),
        P::Unknown { since } => (FactKind::Unknown, Some(since)),
    };
    FactView { is, since: since.map(|at| at.0) }
}

/// The viewers' fact.
pub fn viewers(fact: session::Viewers) -> FactView {
    use session::Viewers as V;
    let (is, since) = match fact {
        V::Never => (FactKind::Never, None),
        V::Some { since } => (FactKind::Online, Some(since)),
        V::None { since, .. } => (FactKind::Offline, Some(since)),
        V::Unknown { since } => (FactKind::Unknown, Some(since)),
    };
    FactView { is, since: since.map(|at| at.0) }
}

fn parts(word: &Word) -> (StateKind, &'static str, Option<Timestamp>) {
    match word {
        Word::Closed { at, .. } => (StateKind::Closed, "Closed", Some(*at)),
        Word::Failed { .. } => (StateKind::Failed, "Failed", None),
        Word::Expired => (StateKind::Expired, "Expired", None),
        Word::Ended { since, .. } => (StateKind::Ended, "Ended", Some(*since)),
        Word::PresenterOffline { since } => {
            (StateKind::PresenterOffline, "Presenter offline", Some(*since))
        }
        Word::Active { since } => (StateKind::Active, "Active", Some(*since)),
        Word::ViewerWaiting { since } => (StateKind::ViewerWaiting, "Viewer waiting", Some(*since)),
        Word::Ready { since } => (StateKind::Ready, "Ready", Some(*since)),
        Word::Waiting { since } => (StateKind::Waiting, "Waiting", Some(*since)),
        Word::Unknown { since } => (StateKind::Unknown, "Unknown", Some(*since)),
        Word::Allocating => (StateKind::Allocating, "Allocating", None),
    }
}

fn detail(word: &Word, windows: u32, setting: &Setting<'_>) -> String {
    match word {
        Word::Closed { outcome: came, pin_valid_until: None, .. } => came.as_words().into(),
        Word::Closed { outcome: came, pin_valid_until: Some(until), .. } => format!(
            "{}; the PIN stays valid until about {}; ask the customer to quit the program",
            came.as_words(),
            setting.clock(*until)
        ),
        Word::Failed { failure } => failure.reason(),
        // Before the next arm: without a valid PIN the program can do nothing, running or not.
        Word::Ended { pin_over: true, .. } => "PIN over".into(),
        Word::Ended { may_still_run: true, .. } => "customer's program may still run".into(),
        Word::Ended { .. } => String::new(),
        Word::Unknown { since } => format!("unknown since {}", setting.clock(*since)),
        Word::Active { .. } | Word::ViewerWaiting { .. } if windows > 0 => {
            format!("{} here", words::count(windows, "window", "windows"))
        }
        Word::Expired => "the PIN's life is over and nobody joined".into(),
        Word::Active { .. }
        | Word::ViewerWaiting { .. }
        | Word::Ready { .. }
        | Word::Waiting { .. }
        | Word::PresenterOffline { .. }
        | Word::Allocating => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn says_what_is_true_as_the_product_has_it() {
        let setting = Setting { now: Timestamp(0), zone: &TimeZone::UTC };
        let at = Timestamp(14 * 3_600_000 + 60_000);
        let text = |word: Word, windows| {
            let view = of(&word, windows, &setting);
            (view.label, view.detail)
        };
        let closed =
            Word::Closed { at, outcome: session::Outcome::Resolved, pin_valid_until: Some(at) };
        assert_eq!(
            text(closed, 0).1,
            "resolved; the PIN stays valid until about 14:01; ask the customer to quit the program"
        );
        let ended = Word::Ended { since: at, pin_over: false, may_still_run: true };
        assert_eq!(text(ended, 0), ("Ended".into(), "customer's program may still run".into()));
        let over = Word::Ended { since: at, pin_over: true, may_still_run: true };
        assert_eq!(text(over, 0).1, "PIN over");
        assert_eq!(text(Word::Unknown { since: at }, 0).1, "unknown since 14:01");
        assert_eq!(text(Word::Active { since: at }, 2), ("Active".into(), "2 windows here".into()));
        assert_eq!(text(Word::Active { since: at }, 1).1, "1 window here");
    }
}
