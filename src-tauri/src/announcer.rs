//! Shows the console's news as desktop notifications, and carries out what a person does with them.
//!
//! Each notification is on its own: one that the desktop doesn't accept delays no other, and none waits for ever. What
//! isn't shown stands in the session's log all the same; that none gets out is a trouble.

use std::sync::Arc;
use std::time::Duration;

use console::App;
use console::app::{News, Notices, Tell};
use console::commands::{SessionCommand, ViewingCommand};
use futures_util::future::join_all;
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use parking_lot::Mutex;
use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Manager};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};

use crate::desktop::notice::{Button, NotShown, Notice, NoticeAction};
use crate::desktop::viewer;
use crate::page::PageRequest;
use crate::shell::{self, Shell};
use crate::window;

/// How long the desktop may take to accept a notification.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(5);

/// How long a notification is given before the next one starts, so that a desktop in good order shows them in order,
/// and each is marked before the next one: a crash then shows nothing twice.
const HEAD_START: Duration = Duration::from_secs(6);

/// How many notifications the desktop may be asked for at once.
const IN_FLIGHT: usize = 16;

/// Starts a task that shows notifications, and tells the console up to where they were dealt with.
pub fn start(app: &AppHandle, console: &App, notices: &Notices) -> UnboundedSender<News> {
    let announcer = Announcer {
        app: app.clone(),
        console: console.clone(),
        places: Arc::new(Semaphore::new(IN_FLIGHT)),
        last_shown: Arc::default(),
    };
    let marks = notices.marks();
    let (send, mut queue) = unbounded_channel::<News>();
    // A task of its own, because the tray must not wait for the desktop.
    tauri::async_runtime::spawn(async move {
        let mut under_way = FuturesOrdered::new();
        loop {
            tokio::select! {
                // What was shown is marked before anything else is shown, so that a crash shows nothing twice.
                biased;
                // In order: the mark says that everything before it was dealt with, too.
                Some(news) = under_way.next() => marks.dealt_with(&news).await,
                news = queue.recv() => {
                    let Some(news) = news else { return };
                    let mut shown = Vec::new();
                    for tell in &news.tell {
                        shown.extend(announcer.begin(tell.clone()).await);
                    }
                    under_way.push_back(async move {
                        join_all(shown).await;
                        news
                    });
                }
            }
        }
    });
    send
}

#[derive(Clone)]
struct Announcer {
    app: AppHandle,
    console: App,
    places: Arc<Semaphore>,
    /// When the desktop last accepted a notification.
    last_shown: Arc<Mutex<Option<Instant>>>,
}

impl Announcer {
    /// Begins to show a notification; none if nothing is left to wait for.
    async fn begin(&self, tell: Tell) -> Option<JoinHandle<()>> {
        if is_read(&self.app, &tell) {
            return None;
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.note_failure(Instant::now(), &NotShown::TooMany);
            return None;
        };
        let announcer = self.clone();
        let mut showing = tauri::async_runtime::spawn(async move {
            announcer.show(&tell).await;
            drop(place);
        });
        let early = timeout(HEAD_START, &mut showing).await;
        early.is_err().then_some(showing)
    }

    /// Shows a notification. Another task waits for what the person does with it.
    async fn show(&self, tell: &Tell) {
        let session = match tell {
            Tell::Happened(happening) => Some(happening.session.clone()),
            Tell::Summary(_) => None,
        };
        let shell = self.app.state::<Shell>();
        let notifier = shell.notifier().clone();
        let notice = || Notice::new(tell, shell.overview().locked());
        let begun = Instant::now();
        match timeout(ACCEPTED_WITHIN, notifier.show(notice)).await {
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

/// Whether it is a chat message that somebody is looking at already.
fn is_read(app: &AppHandle, tell: &Tell) -> bool {
    let Tell::Happened(happening) = tell else { return false };
    let (session, shell) = (&happening.session, app.state::<Shell>());
    // Over a locked window nobody reads anything.
    let seen =
        || viewer::has_focus(app, session) || window::has_focus(app) && shell.page().reads(session);
    happening.event == "chat_arrived" && !shell.overview().locked() && seen()
}
