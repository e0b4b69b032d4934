//! What the windows, the tray and the notifications share: the running console, and what the tray
//! knows about it.
//!
//! What is absent: a decision about a session. A click becomes a command, and what the console
//! pushes is shown.

use std::sync::Arc;
use std::time::Duration;

use console::App;
use console::app::{News, Notices, Tell};
use console::cli::Global;
use console::commands::{Command, ProfileCommand, SessionCommand, ViewingCommand};
use console::reply::Reply;
use console::view::{Code, Push, Trouble};
use engine::SessionId;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{broadcast, watch};

use crate::desktop::TauriDesktop;
use crate::desktop::notice::{Button, Notice, NoticeAction, Notifier};
use crate::desktop::viewer::OpenWindows;
use crate::desktop::{screen_lock, viewer};
use crate::overview::Overview;
use crate::tray::Click;
use crate::{memory, tray, window};

/// How long the console may take to stop before the process ends without it.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The name under which the console remembers up to where notifications were shown.
const NOTICE_READER: &str = "window";

/// The running console, or why it could not be started.
type Started = Result<App, Trouble>;

/// The state of the shell; there is one in the process.
pub struct Shell {
    started: watch::Sender<Option<Started>>,
    page_requests: broadcast::Sender<PageRequest>,
    overview: Mutex<Overview>,
    notifier: Notifier,
}

/// Something that the shell asks of the page. It is sent in the same batches as the
/// console's pushes.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum PageRequest {
    /// Ask whether to quit while sessions are live.
    Quit {
        /// The number of live sessions.
        live: usize,
    },
    /// Bring a session to the front and ask whether to close it.
    Close {
        /// The session's id.
        session: String,
    },
    /// Bring a session to the front.
    Show {
        /// The session's id.
        session: String,
        /// Whether its chat is shown as well.
        chat: bool,
    },
}

impl Shell {
    /// A shell whose console hasn't started yet.
    pub fn new() -> Self {
        Self {
            started: watch::Sender::new(None),
            page_requests: broadcast::Sender::new(16),
            overview: Mutex::default(),
            notifier: Notifier::default(),
        }
    }

    /// Waits for the console to start.
    ///
    /// # Errors
    /// Why it could not be started.
    pub async fn console(&self) -> Started {
        let mut started = self.started.subscribe();
        let known = started.wait_for(Option::is_some).await.ok().and_then(|known| known.clone());
        known.unwrap_or_else(|| Err(ending()))
    }

    /// Subscribes to what the shell asks of the page.
    pub fn page_requests(&self) -> broadcast::Receiver<PageRequest> {
        self.page_requests.subscribe()
    }

    /// What the tray knows about the console.
    pub fn overview(&self) -> MutexGuard<'_, Overview> {
        self.overview.lock()
    }
}

/// Starts the console. The window is already open and shows whether that succeeds.
pub fn start(app: AppHandle, global: Global) {
    tauri::async_runtime::spawn(async move {
        let started = start_console(&app, &global).await;
        if let Err(trouble) = &started {
            tracing::error!(code = ?trouble.code, "{} {}", trouble.text, trouble.remedy);
        }
        app.state::<Shell>().started.send_replace(Some(started.clone()));
        if let Ok(console) = started {
            let lockable = console.clone();
            let lock = move || {
                let lockable = lockable.clone();
                tauri::async_runtime::spawn(async move { lockable.screen_locked().await });
            };
            tauri::async_runtime::spawn(screen_lock::watch(lock));
            follow_console(&app, &console).await;
        }
    });
}

async fn start_console(app: &AppHandle, global: &Global) -> Started {
    let bad_input = |text| Trouble { code: Code::BadInput, text, remedy: String::new() };
    let options = global.for_window(Arc::new(TauriDesktop(app.clone()))).map_err(bad_input)?;
    App::start(options).await.map_err(|error| error.trouble())
}

/// Keeps tray, viewer windows and notifications up to date until the console ends.
async fn follow_console(app: &AppHandle, console: &App) {
    let shell = app.state::<Shell>();
    let mut feed = console.overview();
    let mut notices = console.notices(NOTICE_READER);
    let announcer = announcer(app, &notices);
    let mut shown = shell.overview().tray();
    let mut locked = false;
    // Notifications that an earlier run didn't get to show are read before the first push.
    let mut news_waiting = true;
    while let Some(batch) = feed.next().await {
        for push in batch {
            news_waiting |= matches!(push, Push::Event(_));
            shell.overview().apply(&push);
        }
        // A locked console pushes no happening, but it pushes its own view for each one.
        news_waiting |= shell.overview().locked();
        if std::mem::replace(&mut locked, shell.overview().locked()) != locked {
            hide_or_show(app, locked);
        }
        if std::mem::take(&mut news_waiting)
            && let Some(mut news) = notices.read().await
        {
            // Emptied and not skipped: what came while paused counts as shown, and isn't made up
            // for later.
            if shell.overview().paused() {
                news.tell.clear();
            }
            // The receiver ends with the process, so this can't fail before.
            let _ = announcer.send(news);
        }
        let model = shell.overview().tray();
        if model != shown {
            redraw_tray(app, model.clone());
            shown = model;
        }
    }
}

/// Hides what names a customer while the console is locked, and shows it again afterwards. Sessions
/// go on meanwhile.
fn hide_or_show(app: &AppHandle, locked: bool) {
    if locked {
        viewer::hide_all(app);
        app.state::<Shell>().notifier.withdraw();
    } else {
        viewer::show_all(app);
    }
}

fn redraw_tray(app: &AppHandle, model: tray::TrayModel) {
    let handle = app.clone();
    // GTK, which draws the menu, may be used by the main thread only.
    let queued = app.run_on_main_thread(move || {
        if let Err(error) = tray::update(&handle, &model) {
            tracing::warn!(%error, "redraw the tray");
        }
    });
    if let Err(error) = queued {
        tracing::warn!(%error, "redraw the tray");
    }
}

/// Starts a task that shows notifications one after another, and tells the console up to where they
/// were shown.
fn announcer(app: &AppHandle, notices: &Notices) -> UnboundedSender<News> {
    let (app, marks) = (app.clone(), notices.marks());
    let (send, mut queue) = unbounded_channel::<News>();
    // A task of its own, because a desktop may take seconds to accept a notification, and the tray
    // must not wait.
    tauri::async_runtime::spawn(async move {
        while let Some(news) = queue.recv().await {
            for tell in &news.tell {
                announce(&app, tell).await;
            }
            marks.dealt_with(&news).await;
        }
    });
    send
}

/// Shows a notification. Another task waits for what the person does with it.
async fn announce(app: &AppHandle, tell: &Tell) {
    let session = match tell {
        Tell::Happened(happening) => Some(happening.session.clone()),
        Tell::Summary(_) => None,
    };
    let shell = app.state::<Shell>();
    let notifier = shell.notifier.clone();
    let notice = || Notice::new(tell, shell.overview().locked());
    if let Some(shown) = notifier.show(notice).await {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            notifier.listen(shown, |action| act_on_notice(&app, session, action)).await;
        });
    }
}

/// Carries out what a person did with a notification; a summary belongs to no session.
fn act_on_notice(app: &AppHandle, session: Option<String>, action: NoticeAction) {
    let Some(session) = session else { return window::show_main(app) };
    match action {
        NoticeAction::Open => request(app, PageRequest::Show { session, chat: false }),
        NoticeAction::Press(Button::Chat) => show_chat(app, session),
        NoticeAction::Press(Button::OpenViewer) => {
            send(app, ViewingCommand::OpenViewer { session, read_only: false, chat: false })
        }
        NoticeAction::Press(Button::Retry) => send(app, SessionCommand::Recheck { session }),
        // The page asks, because closing a session needs its outcome.
        NoticeAction::Press(Button::Close) => request(app, PageRequest::Close { session }),
    }
}

/// Brings a session's chat to the front.
fn show_chat(app: &AppHandle, session: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Only a viewer window's chat can be written in. If no window can be opened, the page's
        // chat can at least be read.
        let open =
            ViewingCommand::OpenViewer { session: session.clone(), read_only: false, chat: true };
        if run(&app, open).await.is_none() {
            request(&app, PageRequest::Show { session, chat: true });
        }
    });
}

/// Carries out a click in the tray.
pub fn clicked(app: &AppHandle, click: Click) {
    let shell = app.state::<Shell>();
    match click {
        Click::NewSession => {
            window::show_main(app);
            send(app, SessionCommand::NewSession { about: Default::default(), region: None });
        }
        Click::Session(session) => request(app, PageRequest::Show { session, chat: false }),
        Click::Pause => {
            let paused = shell.overview().toggle_pause();
            memory::store_paused(app, paused);
            let model = shell.overview().tray();
            redraw_tray(app, model);
        }
        Click::Lock => send(app, ProfileCommand::Lock),
        Click::Open => window::show_main(app),
        Click::Quit => quit(app),
    }
}

/// Quits at once if no session is live. Otherwise the page asks, and a yes comes back as a command.
fn quit(app: &AppHandle) {
    let shell = app.state::<Shell>();
    let live = shell.overview().live();
    if live > 0 && shell.page_requests.send(PageRequest::Quit { live }).is_ok() {
        window::show_main(app);
    } else {
        end(app);
    }
}

/// Stops the console and ends the app.
pub fn end(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let started = app.state::<Shell>().started.send_replace(Some(Err(ending())));
        if let Some(Ok(console)) = started
            && tokio::time::timeout(STOP_TIMEOUT, console.stop()).await.is_err()
        {
            tracing::warn!("stop the console: it took too long, and the process ends without it");
        }
        app.exit(0);
    });
}

/// Brings the window to the front and sends a request to its page.
fn request(app: &AppHandle, request: PageRequest) {
    window::show_main(app);
    // A notification or menu from before the lock can still be clicked. The page then asks to
    // sign in.
    if app.state::<Shell>().overview().locked() {
        return;
    }
    // Fails while no page is loaded; then only the window is shown.
    let _ = app.state::<Shell>().page_requests.send(request);
}

/// Tells the console that a viewer window of a session was opened or closed.
pub fn viewer_windows_changed(
    app: &AppHandle,
    session: SessionId,
    read_only: bool,
    windows: OpenWindows,
) {
    let OpenWindows { open, closed } = windows;
    // At once and not in the task below: if it ran later, it would also shut out the page of a
    // window of the same session and role that was opened in between.
    if closed && let Some(Ok(console)) = &*app.state::<Shell>().started.borrow() {
        console.viewer_closed(session, read_only);
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Ok(console) = app.state::<Shell>().console().await {
            console.viewer_windows(session, open).await;
        }
    });
}

/// The name of the operating system's user, who gives commands here until somebody signs in.
pub fn person() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "technician".to_owned())
}

/// Runs a command without waiting for its reply; what it changes is pushed. A new session is
/// brought to the front.
fn send(app: &AppHandle, command: impl Into<Command>) {
    let (app, command) = (app.clone(), command.into());
    tauri::async_runtime::spawn(async move {
        if let Some(Reply::Session { id }) = run(&app, command).await {
            request(&app, PageRequest::Show { session: id, chat: false });
        }
    });
}

/// Runs a command. `None` if it was refused; the log then says why.
async fn run(app: &AppHandle, command: impl Into<Command> + Send) -> Option<Reply> {
    let result = match app.state::<Shell>().console().await {
        Ok(console) => console.command(command, &person()).await,
        Err(trouble) => Err(trouble),
    };
    result.inspect_err(|trouble| tracing::warn!(code = ?trouble.code, "{}", trouble.text)).ok()
}

fn ending() -> Trouble {
    Trouble {
        code: Code::TryAgain,
        text: "Deskhand is ending.".into(),
        remedy: "Start it again.".into(),
    }
}
