//! A session's status in text (product.md, State words).

use session::{Record, SessionStatus, Timestamp};
use wire::shared_screen::Sharing;

use super::Setting;
use crate::{
    view::{FactKind, FactView, StateKind, StateView},
    words,
};

/// The session's status with its details; `windows` are our own viewer windows, `sharing` is the screen's state where
/// somebody tells it.
pub fn view(
    word: &SessionStatus,
    windows: u32,
    sharing: Option<Sharing>,
    setting: &Setting<'_>,
) -> StateView {
    let (kind, label, since) = parts(word);
    StateView {
        kind,
        label: label.to_owned(),
        detail: detail(word, windows, sharing, setting),
        since: since.map(|at| at.0),
    }
}

/// The moment from which the row's timer counts; none if nothing runs.
pub fn timer(word: &SessionStatus) -> Option<i64> {
    match word {
        SessionStatus::Active { since }
        | SessionStatus::ViewerWaiting { since }
        | SessionStatus::Ready { since }
        | SessionStatus::PresenterOffline { since }
        | SessionStatus::Declined { since }
        | SessionStatus::BeingAsked { since }
        | SessionStatus::Downloaded { since }
        | SessionStatus::PageOpen { since }
        | SessionStatus::Waiting { since } => Some(since.0),
        SessionStatus::Closed { .. }
        | SessionStatus::Failed { .. }
        | SessionStatus::Expired
        | SessionStatus::Ended { .. }
        | SessionStatus::Unknown { .. }
        | SessionStatus::Allocating => None,
    }
}

/// Whether the session is live or needs somebody; otherwise it is history.
pub fn is_live(word: &SessionStatus) -> bool {
    match word {
        SessionStatus::Active { .. }
        | SessionStatus::ViewerWaiting { .. }
        | SessionStatus::Ready { .. }
        | SessionStatus::PresenterOffline { .. }
        | SessionStatus::Declined { .. }
        | SessionStatus::BeingAsked { .. }
        | SessionStatus::Downloaded { .. }
        | SessionStatus::PageOpen { .. }
        | SessionStatus::Waiting { .. }
        | SessionStatus::Unknown { .. }
        | SessionStatus::Failed { .. }
        // Its PIN still works: whoever is there can be seen, answered and sent away.
        | SessionStatus::Ended { pin_over: false, .. }
        | SessionStatus::Allocating => true,
        SessionStatus::Closed { .. }
        | SessionStatus::Expired
        | SessionStatus::Ended { pin_over: true, .. } => false,
    }
}

/// The view of the presenter's presence.
pub fn presenter(record: &Record) -> FactView {
    use session::Presenter as P;
    if let (P::Online { .. }, Some(left)) = (record.presenter, record.observed.presenter_left) {
        return FactView { is: FactKind::Offline, since: Some(left.0) };
    }
    let (is, since) = match record.presenter {
        P::Never => (FactKind::Never, None),
        P::Online { since } => (FactKind::Online, Some(since)),
        P::Offline { since } => (FactKind::Offline, Some(since)),
        P::Unknown { since } => (FactKind::Unknown, Some(since)),
    };
    FactView { is, since: since.map(|at| at.0) }
}

/// The view of the viewers' presence.
pub fn viewers(record: &Record) -> FactView {
    use session::Viewers as V;
    if let (V::Some { .. }, Some(left)) = (record.viewers, record.observed.viewers_left) {
        return FactView { is: FactKind::Offline, since: Some(left.0) };
    }
    let (is, since) = match record.viewers {
        V::Never => (FactKind::Never, None),
        V::Some { since } => (FactKind::Online, Some(since)),
        V::None { since, .. } => (FactKind::Offline, Some(since)),
        V::Unknown { since } => (FactKind::Unknown, Some(since)),
    };
    FactView { is, since: since.map(|at| at.0) }
}

fn parts(word: &SessionStatus) -> (StateKind, &'static str, Option<Timestamp>) {
    match word {
        SessionStatus::Closed { at, .. } => (StateKind::Closed, "Closed", Some(*at)),
        SessionStatus::Failed { .. } => (StateKind::Failed, "Failed", None),
        SessionStatus::Expired => (StateKind::Expired, "Expired", None),
        SessionStatus::Ended { since, .. } => (StateKind::Ended, "Ended", Some(*since)),
        SessionStatus::PresenterOffline { since } => {
            (StateKind::PresenterOffline, "Customer offline", Some(*since))
        }
        SessionStatus::Active { since } => (StateKind::Active, "Active", Some(*since)),
        SessionStatus::ViewerWaiting { since } => {
            (StateKind::ViewerWaiting, "Viewer waiting", Some(*since))
        }
        SessionStatus::Ready { since } => (StateKind::Ready, "Ready", Some(*since)),
        SessionStatus::Declined { since } => (StateKind::Declined, "Declined", Some(*since)),
        SessionStatus::BeingAsked { since } => (StateKind::BeingAsked, "Being asked", Some(*since)),
        SessionStatus::Downloaded { since } => {
            (StateKind::Downloaded, "Program downloaded", Some(*since))
        }
        SessionStatus::PageOpen { since } => (StateKind::PageOpen, "Page open", Some(*since)),
        SessionStatus::Waiting { since } => (StateKind::Waiting, "Waiting", Some(*since)),
        SessionStatus::Unknown { since } => (StateKind::Unknown, "Unknown", Some(*since)),
        SessionStatus::Allocating => (StateKind::Allocating, "Allocating", None),
    }
}

fn detail(
    word: &SessionStatus,
    windows: u32,
    sharing: Option<Sharing>,
    setting: &Setting<'_>,
) -> String {
    match word {
        SessionStatus::Closed { outcome: came, pin_valid_until: None, .. } => {
            came.as_words().into()
        }
        SessionStatus::Closed { outcome: came, pin_valid_until: Some(until), ending, .. } => {
            format!(
                "{}; the PIN {} valid until about {}; ask the customer to quit the program",
                came.as_words(),
                if *ending { "may stay" } else { "stays" },
                setting.clock(*until)
            )
        }
        SessionStatus::Failed { failure } => failure.reason(),
        // This precedes the next arm: without a valid PIN the program can do nothing, running
        // or not.
        SessionStatus::Ended { pin_over: true, .. } => "PIN no longer valid".into(),
        SessionStatus::Ended { still_online: true, .. } => match sharing {
            Some(Sharing::Shared) => "still sharing".into(),
            Some(Sharing::None | Sharing::Paused) | None => "still connected".into(),
        },
        SessionStatus::Ended { may_still_run: true, .. } => "program may still run".into(),
        SessionStatus::Ended { .. } => String::new(),
        SessionStatus::Unknown { since } => format!("unknown since {}", setting.clock(*since)),
        SessionStatus::Active { .. } | SessionStatus::ViewerWaiting { .. } if windows > 0 => {
            let here = format!("{} here", words::count(windows, "window", "windows"));
            let shown = matches!(word, SessionStatus::Active { .. }).then(|| amiss(sharing));
            shown.flatten().map_or(here.clone(), |amiss| format!("{here}, {amiss}"))
        }
        SessionStatus::Active { .. } => amiss(sharing).unwrap_or_default().into(),
        SessionStatus::Ready { .. } => match sharing {
            Some(Sharing::Shared) => "screen shared".into(),
            Some(Sharing::None | Sharing::Paused) | None => {
                amiss(sharing).unwrap_or_default().into()
            }
        },
        SessionStatus::Expired => "the PIN is no longer valid, and nobody joined".into(),
        SessionStatus::ViewerWaiting { .. }
        | SessionStatus::Declined { .. }
        | SessionStatus::BeingAsked { .. }
        | SessionStatus::Downloaded { .. }
        | SessionStatus::PageOpen { .. }
        | SessionStatus::Waiting { .. }
        | SessionStatus::PresenterOffline { .. }
        | SessionStatus::Allocating => String::new(),
    }
}

/// What keeps a viewer from seeing the screen or from using it, though the presenter is online.
const fn amiss(sharing: Option<Sharing>) -> Option<&'static str> {
    match sharing {
        Some(Sharing::None) => Some("screen not shared"),
        Some(Sharing::Paused) => Some("control paused by the customer"),
        Some(Sharing::Shared) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn says_what_is_true_as_the_product_has_it() {
        let setting = Setting { now: Timestamp(0), zone: &TimeZone::UTC, dated: false };
        let at = Timestamp(14 * 3_600_000 + 60_000);
        let text = |word: SessionStatus, windows| {
            let view = view(&word, windows, None, &setting);
            (view.label, view.detail)
        };
        for (ending, may) in [(false, "stays"), (true, "may stay")] {
            let closed = SessionStatus::Closed {
                at,
                outcome: session::Outcome::Resolved,
                pin_valid_until: Some(at),
                ending,
            };
            let until = "valid until about 14:01; ask the customer to quit the program";
            assert_eq!(text(closed, 0).1, format!("resolved; the PIN {may} {until}"));
        }
        let ended_in = |pin_over, still_online| SessionStatus::Ended {
            since: at,
            pin_over,
            may_still_run: true,
            still_online,
        };
        let ended = ended_in(false, false);
        assert_eq!(text(ended, 0), ("Ended".into(), "program may still run".into()));
        assert_eq!(text(ended_in(false, true), 0), ("Ended".into(), "still connected".into()));
        let sharing = |sharing| view(&ended_in(false, true), 0, Some(sharing), &setting).detail;
        assert_eq!(sharing(Sharing::Shared), "still sharing");
        assert_eq!(sharing(Sharing::Paused), "still connected");
        assert!(is_live(&ended_in(false, true)) && is_live(&ended_in(false, false)));
        assert!(!is_live(&ended_in(true, false)));
        let over = ended_in(true, false);
        assert_eq!(text(over, 0).1, "PIN no longer valid");
        assert_eq!(text(SessionStatus::Unknown { since: at }, 0).1, "unknown since 14:01");
        assert_eq!(
            text(SessionStatus::Active { since: at }, 2),
            ("Active".into(), "2 windows here".into())
        );
        assert_eq!(text(SessionStatus::Active { since: at }, 1).1, "1 window here");
    }

    /// A session in each state, in the order in which the first that fits wins, as the page has it.
    fn every_word() -> Vec<SessionStatus> {
        let since = Timestamp(0);
        vec![
            SessionStatus::Closed {
                at: since,
                outcome: session::Outcome::Unknown,
                pin_valid_until: None,
                ending: false,
            },
            SessionStatus::Failed { failure: session::Failure::NoRegion },
            SessionStatus::Expired,
            SessionStatus::Allocating,
            SessionStatus::BeingAsked { since },
            SessionStatus::Declined { since },
            SessionStatus::Downloaded { since },
            SessionStatus::PageOpen { since },
            SessionStatus::Ended {
                since,
                pin_over: false,
                may_still_run: true,
                still_online: false,
            },
            SessionStatus::PresenterOffline { since },
            SessionStatus::Unknown { since },
            SessionStatus::Active { since },
            SessionStatus::ViewerWaiting { since },
            SessionStatus::Ready { since },
            SessionStatus::Waiting { since },
        ]
    }

    #[test]
    fn the_page_has_every_word_and_no_other() {
        let page = include_str!("../../../../docs/headless.md");
        let (_, table) = page.split_once("| `kind` | Word | Meaning |\n|---|---|---|\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let written: Vec<(String, String)> = rows
            .map(|row| {
                let cells: Vec<_> = row.split('|').map(str::trim).collect();
                assert!(!cells[3].is_empty(), "{row} says what it means");
                (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
            })
            .collect();
        let shown: Vec<(String, String)> = every_word()
            .iter()
            .map(|word| {
                let (kind, label, _) = parts(word);
                (serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned(), label.to_owned())
            })
            .collect();
        assert_eq!(written, shown);
        for kind in StateKind::VARIANTS {
            assert!(every_word().iter().any(|word| parts(word).0 == *kind), "{kind:?} is tried");
        }
    }

    #[test]
    fn whether_the_screen_is_shared_is_said_where_it_is_known() {
        let setting = Setting { now: Timestamp(0), zone: &TimeZone::UTC, dated: false };
        let (ready, active) = (
            SessionStatus::Ready { since: Timestamp(0) },
            SessionStatus::Active { since: Timestamp(0) },
        );
        for (word, windows, sharing, expected) in [
            (&ready, 0, None, ""),
            (&ready, 0, Some(Sharing::Shared), "screen shared"),
            (&ready, 0, Some(Sharing::None), "screen not shared"),
            (&active, 0, Some(Sharing::Shared), ""),
            (&active, 0, Some(Sharing::Paused), "control paused by the customer"),
            (&active, 1, Some(Sharing::None), "1 window here, screen not shared"),
            (&active, 1, Some(Sharing::Shared), "1 window here"),
        ] {
            assert_eq!(view(word, windows, sharing, &setting).detail, expected);
        }
    }
}
