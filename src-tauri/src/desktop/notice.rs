//! Desktop notifications with buttons, by the freedesktop protocol.
//!
//! What is absent: a thread for each notification, and an unbounded number of waits: see
//! `MAX_WAITING`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use console::app::Tell;
use console::words::plain;
use notify_rust::{Notification, NotificationHandle, NotificationResponse, Timeout, Urgency};
use parking_lot::Mutex;
use tokio::sync::watch;

/// How many shown notifications may wait for a click. Each holds a connection to the bus.
const MAX_WAITING: usize = 64;

/// The text for any session while the console is locked.
const LOCKED: &str = "Something happened in a session - sign in to see it";

/// A notification to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line that begins with the session's name.
    pub text: String,
    /// The buttons in reading order.
    pub buttons: Vec<Button>,
    /// Whether it stays until somebody has seen it.
    pub urgent: bool,
}

impl Notice {
    /// The notification for an entry of the console. That of a `locked` console names nobody and
    /// has no buttons.
    #[must_use]
    pub fn new(tell: &Tell, locked: bool) -> Self {
        let happening = match tell {
            Tell::Happened(happening) => happening,
            Tell::Summary { text, .. } => {
                return Self { text: text.clone(), buttons: Vec::new(), urgent: false };
            }
        };
        if locked {
            return Self { text: LOCKED.into(), buttons: Vec::new(), urgent: false };
        }
        let (buttons, urgent): (&[Button], bool) = match happening.event.as_str() {
            "presenter_online" => (&[Button::OpenViewer, Button::Chat], false),
            "viewer_joined" | "chat_arrived" => (&[Button::Chat], false),
            "hook_lost" => (&[Button::Retry], true),
            // The person denied having asked for support, so the caller may be somebody else.
            "verification_denied" => (&[Button::Close], true),
            _ => (&[], false),
        };
        Self { text: happening.text.clone(), buttons: buttons.to_vec(), urgent }
    }
}

/// What a person did with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeAction {
    /// Clicked on it.
    Open,
    /// Pressed one of its buttons.
    Press(Button),
}

/// A button of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Opens the session's viewer window.
    OpenViewer,
    /// Brings the session's chat to the front.
    Chat,
    /// Arms the session's hooks again.
    Retry,
    /// Asks whether to close the session.
    Close,
}

impl Button {
    const ALL: [Self; 4] = [Self::OpenViewer, Self::Chat, Self::Retry, Self::Close];

    fn name(self) -> &'static str {
        match self {
            Self::OpenViewer => "open_viewer",
            Self::Chat => "chat",
            Self::Retry => "retry",
            Self::Close => "close",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::OpenViewer => "Open viewer",
            Self::Chat => "Chat",
            Self::Retry => "Retry",
            Self::Close => "Close session",
        }
    }
}

/// Why a notification wasn't shown.
#[derive(Debug, thiserror::Error)]
pub enum NotShown {
    /// The desktop refused it, or has nothing that shows notifications.
    #[error("the desktop refused it ({0})")]
    Refused(#[from] notify_rust::error::Error),
    /// The desktop took too long.
    #[error("the desktop's notification service doesn't answer")]
    NoAnswer,
    /// Too many wait for the desktop's answer.
    #[error("the desktop's notification service is too slow: many notifications wait for it")]
    TooMany,
}

/// Shows notifications on the session bus.
#[derive(Clone, Default)]
pub struct Notifier {
    waiting: Arc<AtomicUsize>,
    withdrawn: watch::Sender<()>,
    /// What is told and may pass, by what it is about. Dropped once it has.
    lasting: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

/// A notification that the desktop has accepted.
pub struct Shown {
    handle: NotificationHandle,
    withdrawn: watch::Receiver<()>,
    over: Option<watch::Receiver<()>>,
}

impl Notifier {
    /// Shows the notification that `notice` makes. It waits for as long as the desktop does. One that is true only for
    /// as long as something lasts names that in `lasts_in`.
    ///
    /// # Errors
    /// The desktop didn't accept it.
    pub async fn show(
        &self,
        notice: impl FnOnce() -> Notice,
        lasts_in: Option<&str>,
    ) -> Result<Shown, NotShown> {
        // Before the text is made: a lock that comes in between must still take the
        // notification back.
        let withdrawn = self.withdrawn.subscribe();
        let over = lasts_in.map(|session| self.lasts(session));
        let handle = to_desktop(&notice()).show_async().await?;
        Ok(Shown { handle, withdrawn, over })
    }

    pub(crate) fn lasts(&self, session: &str) -> watch::Receiver<()> {
        self.lasting.lock().entry(session.to_owned()).or_default().subscribe()
    }

    /// Takes back what was told for as long as this lasts.
    pub fn is_over(&self, session: &str) {
        self.lasting.lock().remove(session);
    }

    /// Takes back all notifications that are still shown.
    pub fn withdraw(&self) {
        self.withdrawn.send_replace(());
    }

    /// Waits until the notification is gone, and calls `on_action` if it is clicked or a button
    /// is pressed.
    pub async fn listen(&self, shown: Shown, on_action: impl FnOnce(NoticeAction) + Send) {
        let Shown { handle, mut withdrawn, over } = shown;
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            let clicked = handle.wait_for_action_async(|response| {
                if let Some(answer) = action_of(response) {
                    on_action(answer);
                }
            });
            tokio::select! {
                () = clicked => {}
                // An error is impossible, because we hold a sender.
                _ = withdrawn.changed() => handle.close_async().await,
                () = passed(over) => handle.close_async().await,
            }
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns once what lasted is over; never for what doesn't pass.
async fn passed(over: Option<watch::Receiver<()>>) {
    match over {
        // It never changes: its sender is dropped.
        Some(mut over) => while over.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}

fn to_desktop(notice: &Notice) -> Notification {
    let mut drawn = Notification::new();
    // Everything goes into the summary, because names come from strangers: by the protocol the
    // summary is plain text, while a desktop may read the body as markup.
    drawn.appname("Deskhand").icon("deskhand").summary(&plain(&notice.text, usize::MAX));
    drawn.action("default", "Open");
    for button in &notice.buttons {
        drawn.action(button.name(), button.label());
    }
    if notice.urgent {
        drawn.urgency(Urgency::Critical).timeout(Timeout::Never);
    }
    drawn
}

fn action_of(response: &NotificationResponse) -> Option<NoticeAction> {
    match response {
        NotificationResponse::Default => Some(NoticeAction::Open),
        NotificationResponse::Action(name) => {
            Button::ALL.into_iter().find(|button| button.name() == name).map(NoticeAction::Press)
        }
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use console::view::EventView;
    use notify_rust::CloseReason;

    use super::*;

    fn happened(event: &str) -> Tell {
        Tell::Happened(EventView {
            seq: 1,
            at: 0,
            session: "a".into(),
            name: "Maria Lopez".into(),
            event: event.into(),
            text: "Maria Lopez is online".into(),
            notify: true,
            overtaken: false,
        })
    }

    #[test]
    fn the_customer_online_can_be_opened_from_the_notification() {
        let notice = Notice::new(&happened("presenter_online"), false);
        assert_eq!(notice.buttons, [Button::OpenViewer, Button::Chat]);
        let drawn = to_desktop(&notice);
        assert_eq!(drawn.summary, "Maria Lopez is online");
        assert_eq!(
            drawn.actions,
            ["default", "Open", "open_viewer", "Open viewer", "chat", "Chat"]
        );
    }

    #[test]
    fn a_lost_hook_stays_until_it_was_seen() {
        let notice = Notice::new(&happened("hook_lost"), false);
        assert_eq!((notice.buttons, notice.urgent), (vec![Button::Retry], true));
    }

    #[tokio::test]
    async fn what_lasted_in_a_session_is_taken_back_once_it_is_over_and_no_other() {
        let notifier = Notifier::default();
        let (one, again, other) = (notifier.lasts("a"), notifier.lasts("a"), notifier.lasts("b"));
        notifier.is_over("a");
        passed(Some(one)).await;
        passed(Some(again)).await;
        assert!(other.has_changed().is_ok(), "its sender is there");
        let next = notifier.lasts("a");
        assert!(next.has_changed().is_ok(), "a later one lasts again");
    }

    #[test]
    fn a_denied_push_stays_and_offers_to_close_the_session() {
        let notice = Notice::new(&happened("verification_denied"), false);
        assert_eq!(to_desktop(&notice).actions, ["default", "Open", "close", "Close session"]);
        assert!(notice.urgent);
    }

    #[test]
    fn what_sums_up_is_of_no_session_and_has_no_button() {
        let text = "12 things happened that you were not told of yet";
        let notice = Notice::new(&Tell::Summary { text: text.into(), events: vec![1] }, false);
        assert_eq!((notice.text.as_str(), &notice.buttons[..]), (text, &[][..]));
    }

    #[test]
    fn a_locked_console_tells_that_something_happened_and_not_to_whom() {
        for event in [
            "presenter_online",
            "viewer_joined",
            "chat_arrived",
            "hook_lost",
            "verification_denied",
        ] {
            let drawn = to_desktop(&Notice::new(&happened(event), true));
            assert_eq!(drawn.summary, "Something happened in a session - sign in to see it");
            assert_eq!(drawn.actions, ["default", "Open"], "{event}");
        }
    }

    #[test]
    fn a_strangers_name_is_text_and_never_markup() {
        let text = "<b>Eve\u{202E}nimda\u{0007}</b> is online".into();
        let drawn = to_desktop(&Notice { text, buttons: vec![], urgent: false });
        assert_eq!(
            (drawn.summary.as_str(), drawn.body.as_str()),
            ("<b>Evenimda</b> is online", "")
        );
    }

    #[test]
    fn a_click_opens_a_button_is_named_and_closing_says_nothing() {
        assert_eq!(action_of(&NotificationResponse::Default), Some(NoticeAction::Open));
        for button in Button::ALL {
            let pressed = NotificationResponse::Action(button.name().into());
            assert_eq!(action_of(&pressed), Some(NoticeAction::Press(button)));
        }
        assert_eq!(action_of(&NotificationResponse::Action("unheard of".into())), None);
        assert_eq!(action_of(&NotificationResponse::Closed(CloseReason::Expired)), None);
    }
}
