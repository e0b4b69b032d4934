//! Shows the console's news as desktop notifications, and carries out what a person does with them.
//!
//! Each notification is on its own: one that the desktop doesn't accept delays no other, and none waits for ever. What
//! isn't shown stands in the session's log all the same; that none gets out is a trouble.

use std::sync::Arc;
use std::time::Duration;

use console::App;
use console::app::{Marks, Notices, Tell};
use console::commands::{SessionCommand, ViewingCommand};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::desktop::notice::{Button, NotShown, Notice, NoticeAction, Notifier};
use crate::desktop::viewer;
use crate::page::PageRequest;
use crate::shell::{self, Shell};
use crate::window;

/// How long the desktop may take to accept a notification.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(15);

/// How long a notification that is alone is given before the next one begins: a desktop in good order gets them in
/// their order. Once one takes longer, no other waits.
const HEAD_START: Duration = Duration::from_millis(500);

/// How many notifications the desktop may be asked for at once. Each holds a connection to the bus.
const IN_FLIGHT: usize = 64;

/// Starts a task that shows notifications, and stores of each that it was dealt with.
pub fn start(app: &AppHandle, console: &App, notices: &Notices) -> UnboundedSender<Tell> {
    let announcer = Announcer {
        app: app.clone(),
        console: console.clone(),
        marks: notices.marks(),
        places: Arc::new(Semaphore::new(IN_FLIGHT)),
        last_shown: Arc::default(),
    };
    let (send, mut queue) = unbounded_channel();
    // A task of its own, because the tray must not wait for the desktop.
    tauri::async_runtime::spawn(async move {
        while let Some(tell) = queue.recv().await {
            announcer.begin(tell).await;
        }
    });
    send
}

#[derive(Clone)]
struct Announcer {
    app: AppHandle,
    console: App,
    marks: Marks,
    places: Arc<Semaphore>,
    /// When the desktop last accepted a notification.
    last_shown: Arc<Mutex<Option<Instant>>>,
}

impl Announcer {
    /// Begins to show a notification.
    async fn begin(&self, tell: Tell) {
        let alone = self.places.available_permits() == IN_FLIGHT;
        let place = self.places.clone().try_acquire_owned();
        let announcer = self.clone();
        let showing = tauri::async_runtime::spawn(async move {
            announcer.deal_with(&tell, place.ok()).await;
        });
        if alone {
            // It goes on when the time is over.
            let _ = timeout(HEAD_START, showing).await;
        }
    }

    /// Shows a notification, if there is a place for it and nobody has read it yet, and stores that it was dealt with.
    async fn deal_with(&self, tell: &Tell, place: Option<OwnedSemaphorePermit>) {
        if !is_read(&self.app, tell) {
            match &place {
                Some(_) => self.show(tell).await,
                None => self.note_failure(Instant::now(), &NotShown::TooMany),
            }
        }
        self.marks.dealt_with(tell).await;
        tracing::debug!("a notification was dealt with");
    }

    /// Shows a notification. Another task waits for what the person does with it.
    async fn show(&self, tell: &Tell) {
        let session = match tell {
            Tell::Happened(happening) => Some(happening.session.clone()),
            Tell::Summary { .. } => None,
        };
        let shell = self.app.state::<Shell>();
        let notifier = shell.notifier().clone();
        let notice = || Notice::new(tell, shell.overview().locked());
        let lasts_in = lasts_in(tell, &notifier);
        let begun = Instant::now();
        match timeout(ACCEPTED_WITHIN, notifier.show(notice, lasts_in.as_deref())).await {
            Ok(Ok(shown)) => {
                *self.last_shown.lock() = Some(Instant::now());
                self.console.notifications_fail(None);
                let app = self.app.clone();
                tauri::async_runtime::spawn(async move {
                    notifier.listen(shown, |action| act_on_notice(&app, session, action)).await;
                });
            }
            Ok(Err(refused)) => self.note_failure(begun, &refused),
            Err(_) => self.note_failure(begun, &NotShown::NoAnswer),
        }
    }

    /// Notes that a notification wasn't shown, as a trouble unless another one was shown since it was `begun`.
    fn note_failure(&self, begun: Instant, why: &NotShown) {
        tracing::warn!("show a notification: {why}");
        if self.last_shown.lock().is_none_or(|shown| shown < begun) {
            self.console.notifications_fail(Some(&why.to_string()));
        }
    }
}

/// Carries out what a person did with a notification; a summary belongs to no session.
fn act_on_notice(app: &AppHandle, session: Option<String>, action: NoticeAction) {
    let Some(session) = session else { return window::show_main(app) };
    match action {
        NoticeAction::Open => window::request(app, PageRequest::Show { session, chat: false }),
        NoticeAction::Press(Button::Chat) => show_chat(app, session),
        NoticeAction::Press(Button::OpenViewer) => {
            window::send(
                app,
                ViewingCommand::OpenViewer { session, read_only: false, chat: false },
            );
        }
        NoticeAction::Press(Button::Retry) => {
            window::send(app, SessionCommand::Recheck { session })
        }
        // The page asks, because closing a session needs its outcome.
        NoticeAction::Press(Button::Close) => window::request(app, PageRequest::Close { session }),
    }
}

/// Brings a session's chat to the front: that of an open viewer window, else the main window's where one can write in
/// it, else that of a viewer window that is opened for it.
fn show_chat(app: &AppHandle, session: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if viewer::show_chat(&app, &session) {
            return;
        }
        let can_say = app.state::<Shell>().console().await.is_ok_and(|console| console.can_say());
        let open =
            ViewingCommand::OpenViewer { session: session.clone(), read_only: false, chat: true };
        // If no window can be opened, the main window's chat can at least be read.
        if can_say || shell::run(&app, open).await.is_none() {
            window::request(&app, PageRequest::Show { session, chat: true });
        }
    });
}

/// What it tells for as long as nothing else is told of the same. What that ends is taken back.
fn lasts_in(tell: &Tell, notifier: &Notifier) -> Option<String> {
    let Tell::Happened(happening) = tell else { return None };
    let of = |what: &str| format!("{what} {}", happening.session);
    match happening.event.as_str() {
        "hook_lost" => Some(of("hooks")),
        "hook_back" => {
            notifier.is_over(&of("hooks"));
            None
        }
        "presenter_online" | "presenter_offline" => {
            notifier.is_over(&of("customer"));
            Some(of("customer"))
        }
        _ => None,
    }
}

/// Whether it is a chat message that somebody is looking at already.
fn is_read(app: &AppHandle, tell: &Tell) -> bool {
    let Tell::Happened(happening) = tell else { return false };
    let (session, shell) = (&happening.session, app.state::<Shell>());
    // Over a locked window nobody reads anything.
    let seen =
        || viewer::has_focus(app, session) || window::has_focus(app) && shell.page().reads(session);
    happening.event == "chat_arrived" && !shell.overview().locked() && seen()
}

#[cfg(test)]
mod tests {
    use console::view::EventView;

    use super::*;

    #[test]
    fn that_a_customer_is_online_is_taken_back_once_they_went_offline_and_so_the_other_way_round() {
        let happened = |session: &str, event: &str| {
            Tell::Happened(EventView {
                seq: 1,
                at: 0,
                session: session.into(),
                name: "Maria Lopez".into(),
                event: event.into(),
                text: String::new(),
                notify: true,
                overtaken: false,
            })
        };
        let notifier = Notifier::default();
        let tell = |session: &str, event: &str| {
            let lasting = lasts_in(&happened(session, event), &notifier).unwrap();
            notifier.lasts(&lasting)
        };
        let (online, other, hook) =
            (tell("a", "presenter_online"), tell("b", "presenter_online"), tell("a", "hook_lost"));
        let offline = tell("a", "presenter_offline");
        assert!(online.has_changed().is_err(), "it is taken back");
        for stands in [&other, &hook, &offline] {
            assert!(stands.has_changed().is_ok());
        }
        tell("a", "presenter_online");
        assert!(offline.has_changed().is_err());
    }
}
