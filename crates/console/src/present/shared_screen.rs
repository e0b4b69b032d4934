//! The customer's screen as it is shown; texts from others are made harmless.

use engine::{
    archive::Picture,
    remote::{Roster, loginwithme::Presenter},
};
use session::Timestamp;
use wire::shared_screen::{Role, RosterEntry, Sharing};

use crate::{
    view::{PictureView, ScreenView, SharingKind, WatcherView},
    words,
};

/// The longest name of a platform.
// The customer's program reports its platform, so the text may be anything.
const LONGEST_PLATFORM: usize = 40;
/// The largest delay and the most pictures a second that are believed: a page reports them.
const MOST_MS: u32 = 60_000;
const MOST_FPS: u16 = 240;

/// The service's last report; nothing is known before the first.
pub fn view(known: Option<(&Roster, Timestamp)>) -> ScreenView {
    let Some((Roster { sharing, presenter, watchers }, at)) = known else {
        let sharing = SharingKind::Unknown;
        return ScreenView { sharing, platform: None, watchers: Vec::new(), as_of: None };
    };
    ScreenView {
        sharing: match sharing {
            Sharing::None => SharingKind::None,
            Sharing::Shared => SharingKind::Shared,
            Sharing::Paused => SharingKind::Paused,
        },
        platform: presenter.as_ref().and_then(platform),
        watchers: watchers.iter().map(watcher).collect(),
        as_of: Some(at.0),
    }
}

/// A picture in a session's list.
pub fn picture(picture: &Picture) -> PictureView {
    let Picture { id, at, by, bytes } = picture;
    let by = words::plain(by, words::LONGEST_NAME);
    PictureView { id: *id, at: at.0, by, bytes: *bytes }
}

fn platform(presenter: &Presenter) -> Option<String> {
    let platform = words::plain(presenter.platform.as_deref()?, LONGEST_PLATFORM);
    (!platform.is_empty()).then_some(platform)
}

fn watcher(watcher: &RosterEntry) -> WatcherView {
    let RosterEntry { page, name, role, watching, sealed, latency_ms, fps } = watcher;
    WatcherView {
        id: words::plain(page, words::LONGEST_NAME),
        name: words::plain(name, words::LONGEST_NAME),
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
