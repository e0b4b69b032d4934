//! The customer's screen as it is shown; texts from others are made harmless.

use std::time::Duration;

use engine::{archive::Picture, remote::Roster, token::TokenHash};
use session::{LiveFacts, Participant, Timestamp};
use wire::{
    Side,
    shared_screen::{Role, RosterEntry, Sharing, WaitingViewer},
};

use super::Setting;
use crate::{
    view::{PictureView, PresenterView, ScreenView, SharingKind, WaitingView, WatcherView},
    words,
};

/// The longest name of a platform.
// The customer's program reports its platform, so the text may be anything.
const LONGEST_PLATFORM: usize = 40;
/// The largest delay and the most pictures a second that are believed: a page reports them.
const MOST_MS: u32 = 60_000;
const MOST_FPS: u16 = 240;

/// For so long a measure is shown.
const MEASURED: Duration = Duration::from_secs(7);

/// The service's last report; nothing is known before the first.
pub fn view(known: Option<(&Roster, Timestamp)>) -> ScreenView {
    let Some((Roster { sharing, presenter, watchers }, at)) = known else {
        let sharing = SharingKind::Unknown;
        let (presenter, watchers) = (None, Vec::new());
        return ScreenView {
            sharing,
            platform: None,
            presenter,
            watchers,
            waiting: Vec::new(),
            can_answer: false,
            as_of: None,
            current: false,
        };
    };
    let here = presenter.as_ref().map(|one| PresenterView {
        name: words::plain(&one.name, words::LONGEST_NAME),
        since: None,
    });
    ScreenView {
        sharing: kind(*sharing),
        platform: presenter.as_ref().and_then(|one| platform(one.platform.as_deref()?)),
        presenter: here,
        watchers: watchers.iter().map(watcher).collect(),
        waiting: Vec::new(),
        can_answer: false,
        as_of: Some(at.0),
        current: false,
    }
}

/// What the event channel tells, which is so now; `measured` has how well the viewers see, where that was asked for.
pub fn told(
    facts: &LiveFacts,
    measured: Option<(&Roster, Timestamp)>,
    can_answer: bool,
    setting: &Setting<'_>,
) -> ScreenView {
    let measured = measured.filter(|(_, at)| setting.now.since(*at) < MEASURED);
    let measured = measured.map(|(roster, _)| roster);
    let of = |side| facts.participants.iter().filter(move |one| one.side == side);
    let presenter = of(Side::Presenter).next();
    let watcher = |one: &Participant| {
        let measured =
            measured.and_then(|roster| roster.watchers.iter().find(|of| of.page == one.page));
        let (latency_ms, fps) = measured.map_or((None, None), |of| (of.latency_ms, of.fps));
        watcher(&RosterEntry {
            page: one.page.clone(),
            name: one.name.clone(),
            role: one.role.unwrap_or(Role::Watch),
            watching: one.watching,
            sealed: one.sealed,
            latency_ms,
            fps,
        })
    };
    let since = |one: &Participant| Some(one.since.0);
    ScreenView {
        sharing: kind(facts.sharing),
        platform: presenter.and_then(|one| platform(one.platform.as_deref()?)),
        presenter: presenter.map(|one| PresenterView {
            name: words::plain(&one.name, words::LONGEST_NAME),
            since: since(one),
        }),
        watchers: of(Side::Viewers)
            .map(|one| WatcherView { since: since(one), ..watcher(one) })
            .collect(),
        waiting: facts.waiting.iter().map(waiting).collect(),
        can_answer,
        as_of: Some(setting.now.0),
        current: true,
    }
}

const fn kind(sharing: Sharing) -> SharingKind {
    match sharing {
        Sharing::None => SharingKind::None,
        Sharing::Shared => SharingKind::Shared,
        Sharing::Paused => SharingKind::Paused,
    }
}

/// A picture in a session's list.
pub fn picture(picture: &Picture) -> PictureView {
    let Picture { id, at, by, bytes } = picture;
    let by = words::plain(by, words::LONGEST_NAME);
    PictureView { id: *id, at: at.0, by, bytes: *bytes }
}

fn platform(told: &str) -> Option<String> {
    let platform = words::plain(told, LONGEST_PLATFORM);
    (!platform.is_empty()).then_some(platform)
}

/// Names a viewer that waits, with everything that is told of it: an answer that a person gave to
/// what they saw counts for nothing that was told afterwards.
pub fn waiting_id(viewer: &WaitingViewer) -> String {
    TokenHash::from_token(&String::from_utf8_lossy(&viewer.answer_bytes(true))).to_string()
}

fn waiting(viewer: &WaitingViewer) -> WaitingView {
    WaitingView {
        id: waiting_id(viewer),
        name: words::plain(&viewer.name, words::LONGEST_NAME),
        controls: viewer.role == Role::Control,
        sealed: viewer.sealed,
        invited: viewer.invited,
    }
}

fn watcher(watcher: &RosterEntry) -> WatcherView {
    let RosterEntry { page, name, role, watching, sealed, latency_ms, fps } = watcher;
    WatcherView {
        id: words::plain(page, words::LONGEST_NAME),
        name: words::plain(name, words::LONGEST_NAME),
        since: None,
        controls: *role == Role::Control,
        watching: *watching,
        // A page measures itself, so its numbers count only while it watches, and only
        // within reason.
        sealed: *watching && *sealed,
        latency_ms: latency_ms.filter(|ms| *watching && *ms <= MOST_MS),
        fps: fps.filter(|fps| *watching && *fps <= MOST_FPS).map(u32::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(text: &str) -> Roster {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        assert_eq!(view(None).sharing, SharingKind::Unknown);
        let bare = view(Some((&roster("{}"), Timestamp(5))));
        assert_eq!((bare.sharing, bare.as_of), (SharingKind::None, Some(5)));
        let watches = r#"{"sharing":"paused","presenter":{"name":"Maria"},"watchers":[
            {"page":"p","name":"An\u202ena","role":"watch","watching":false,"sealed":true,
             "latency_ms":7,"fps":9}]}"#;
        let shown = view(Some((&roster(watches), Timestamp(5))));
        assert_eq!((shown.sharing, &shown.platform), (SharingKind::Paused, &None));
        let one = &shown.watchers[0];
        assert_eq!((one.name.as_str(), one.controls, one.sealed), ("Anna", false, false));
        assert_eq!((one.latency_ms, one.fps), (None, None), "who sees nothing measures nothing");
    }

    #[test]
    fn a_pages_boast_is_no_measure() {
        let boast = r#"{"watchers":[{"page":"p","name":"","role":"control","watching":true,
            "sealed":true,"latency_ms":4294967295,"fps":65535}]}"#;
        let one = &view(Some((&roster(boast), Timestamp(5)))).watchers[0];
        assert_eq!((one.latency_ms, one.fps, one.sealed), (None, None, true));
    }
}
