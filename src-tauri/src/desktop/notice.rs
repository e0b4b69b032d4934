//! Desktop notifications with buttons, by the freedesktop protocol.
//!
//! What is absent: a thread per notification, and a wait without bound: at most `WAITING` are listened to at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use console::app::Tell;
use notify_rust::{Notification, NotificationHandle, NotificationResponse, Timeout, Urgency};
use tokio::sync::watch;

/// How many shown notifications may wait for a click; each holds a connection to the bus.
const WAITING: usize = 64;

/// What is told of any session while the console is locked.
const LOCKED: &str = "Something happened in a session - sign in to see it";

/// A notification to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line, the name first. Names come from strangers: this is shown as text, never read as markup.
    pub text: String,
    /// Its buttons, in reading order.
    pub buttons: Vec<Button>,
    /// Stays until it was seen, for what needs somebody.
    pub urgent: bool,
}

impl Notice {
    /// The notification that tells it; one of a `locked` console names nobody, and nothing can be done from it.
    #[must_use]
    pub fn of(tell: &Tell, locked: bool) -> Self {
        let happening = match tell {
            Tell::Happened(happening) => happening,
            Tell::Summary(text) => {
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
            // Somebody said that they did not ask for this.
            "verification_denied" => (&[Button::Close], true),
            _ => (&[], false),
        };
        Self { text: happening.text.clone(), buttons: buttons.to_vec(), urgent }
    }
}

/// What the person did with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Clicked it.
    Opened,
    /// Pressed this button.
    Pressed(Button),
}

/// A notification's button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Opens the session's viewer window.
    OpenViewer,
    /// Brings the session's chat to the front, to write there.
    Chat,
    /// Puts the session's hooks again.
    Retry,
    /// Asks whether to close the session here.
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

/// Shows notifications on the session bus; without a bus it says so in the log, once a notice.
#[derive(Clone, Default)]
pub struct Notices {
    waiting: Arc<AtomicUsize>,
    withdrawn: watch::Sender<()>,
}

/// A notification that the desktop has taken.
pub struct Shown {
    handle: NotificationHandle,
    withdrawn: watch::Receiver<()>,
}

impl Notices {
    /// Shows `notice`; none if the desktop did not take it. From when `notice` is made it can be withdrawn.
    pub async fn show(&self, notice: impl FnOnce() -> Notice) -> Option<Shown> {
        let withdrawn = self.withdrawn.subscribe();
        let shown = draw(&notice()).show_async().await;
        let shown = shown.inspect_err(|error| tracing::warn!(%error, "show a notification"));
        shown.ok().map(|handle| Shown { handle, withdrawn })
    }

    /// Takes back what is still shown.
    pub fn withdraw(&self) {
        self.withdrawn.send_replace(());
    }

    /// Calls `answered` if what was shown is clicked or a button of it is pressed.
    pub async fn listen(&self, shown: Shown, answered: impl FnOnce(Answer) + Send) {
        let Shown { handle, mut withdrawn } = shown;
        if self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
            let clicked = handle.wait_for_action_async(|response| {
                if let Some(answer) = answer(response) {
                    answered(answer);
                }
            });
            tokio::select! {
                () = clicked => {}
                // We hold a sender, so this is a withdrawal and no end.
                _ = withdrawn.changed() => handle.close_async().await,
            }
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn draw(notice: &Notice) -> Notification {
    let mut drawn = Notification::new();
    // The summary alone: by the protocol it is plain text, while a body may be read as markup.
    drawn.appname("Deskhand").icon("deskhand").summary(&super::plain(&notice.text));
    drawn.action("default", "Open");
    for button in &notice.buttons {
        drawn.action(button.name(), button.label());
    }
    if notice.urgent {
        drawn.urgency(Urgency::Critical).timeout(Timeout::Never);
    }
    drawn
}

fn answer(response: &NotificationResponse) -> Option<Answer> {
    match response {
        NotificationResponse::Default => Some(Answer::Opened),
        NotificationResponse::Action(name) => {
            Button::ALL.into_iter().find(|button| button.name() == name).map(Answer::Pressed)
        }
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use console::view::Happening;
    use notify_rust::CloseReason;

    use super::*;

    fn happened(event: &str) -> Tell {
        Tell::Happened(Happening {
            seq: 1,
            at: 0,
            session: "a".into(),
            name: "Maria Lopez".into(),
            event: event.into(),
            text: "Maria Lopez is online".into(),
            notify: true,
        })
    }

    #[test]
    fn the_customer_online_can_be_opened_from_the_notification() {
        let notice = Notice::of(&happened("presenter_online"), false);
        assert_eq!(notice.buttons, [Button::OpenViewer, Button::Chat]);
        let drawn = draw(&notice);
        assert_eq!(drawn.summary, "Maria Lopez is online");
        assert_eq!(
            drawn.actions,
            ["default", "Open", "open_viewer", "Open viewer", "chat", "Chat"]
        );
    }

    #[test]
    fn a_lost_hook_stays_until_it_was_seen() {
        let notice = Notice::of(&happened("hook_lost"), false);
        assert_eq!((notice.buttons, notice.urgent), (vec![Button::Retry], true));
    }

    #[test]
    fn a_denied_push_stays_and_offers_to_close_the_session() {
        let notice = Notice::of(&happened("verification_denied"), false);
        assert_eq!(draw(&notice).actions, ["default", "Open", "close", "Close session"]);
        assert!(notice.urgent);
    }

    #[test]
    fn what_sums_up_is_of_no_session_and_has_no_button() {
        let text = "12 things happened while Deskhand was not running";
        let notice = Notice::of(&Tell::Summary(text.into()), false);
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
            let drawn = draw(&Notice::of(&happened(event), true));
            assert_eq!(drawn.summary, "Something happened in a session - sign in to see it");
            assert_eq!(drawn.actions, ["default", "Open"], "{event}");
        }
    }

    #[test]
    fn a_strangers_name_is_text_and_never_markup() {
        let text = "<b>Eve\u{202E}nimda\u{0007}</b> is online".into();
        let drawn = draw(&Notice { text, buttons: vec![], urgent: false });
        assert_eq!(
            (drawn.summary.as_str(), drawn.body.as_str()),
            ("<b>Evenimda</b> is online", "")
        );
    }

    #[test]
    fn a_click_opens_a_button_is_named_and_closing_says_nothing() {
        assert_eq!(answer(&NotificationResponse::Default), Some(Answer::Opened));
        for button in Button::ALL {
            let pressed = NotificationResponse::Action(button.name().into());
            assert_eq!(answer(&pressed), Some(Answer::Pressed(button)));
        }
        assert_eq!(answer(&NotificationResponse::Action("unheard of".into())), None);
        assert_eq!(answer(&NotificationResponse::Closed(CloseReason::Expired)), None);
    }
}
