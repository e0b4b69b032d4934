//! What the windows, the tray and the notifications share: the running console, and what the tray
//! knows about it.
//!
//! What is absent: a decision about a session. A click becomes a command, and what the console
//! pushes is shown.

use std::sync::Arc;
use std::time::Duration;

use console::App;
use console::cli::Global;
use console::commands::{Command, ProfileCommand, SessionCommand};
use console::reply::Reply;
use console::view::{Code, Push, Trouble};
use engine::SessionId;
use parking_lot::{Mutex, MutexGuard};
use tauri::{AppHandle, Manager};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::desktop::TauriDesktop;
use crate::desktop::notice::Notifier;
use crate::desktop::viewer::OpenWindows;
use crate::desktop::{screen_lock, tray_host, viewer};
use crate::overview::Overview;
use crate::page::{Page, PageRequest};
use crate::tray::Click;
use crate::{announcer, memory, quit, tray, window};

/// How long a page may take to take a request. It may be busy with a large push, but not for this long.
const PAGE_TAKES: Duration = Duration::from_secs(10);

/// How long a tray may be away before the hidden window comes back.
const TRAY_RESTARTS: Duration = Duration::from_secs(5);

/// The name under which the console remembers up to where notifications were shown.
const NOTICE_READER: &str = "window";

/// The running console, or why it could not be started.
type Started = Result<App, Trouble>;

/// The state of the shell; there is one in the process.
pub struct Shell {
    started: watch::Sender<Option<Started>>,
    page: Page,
    overview: Mutex<Overview>,
    notifier: Notifier,
    tray_host: watch::Sender<bool>,
}

impl Shell {
    /// A shell whose console hasn't started yet.
    pub fn new() -> Self {
        Self {
            started: watch::Sender::new(None),
            page: Page::default(),
            overview: Mutex::default(),
            notifier: Notifier::default(),
            // Until it is known: a window that was hidden meanwhile comes back if there is none.
            tray_host: watch::Sender::new(true),
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

    /// The main window's page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Ends the console's use: commands are refused from now on. The console, if one runs.
    pub fn take_console(&self) -> Option<App> {
        self.started.send_replace(Some(Err(ending())))?.ok()
    }

    /// Shows desktop notifications.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Whether the desktop shows the tray icon, by which a hidden window can be brought back.
    pub fn has_tray(&self) -> bool {
        *self.tray_host.borrow()
    }

    /// What the tray knows about the console.
    pub fn overview(&self) -> MutexGuard<'_, Overview> {
        self.overview.lock()
    }
}

/// Follows whether the desktop has a tray. A window that is hidden when the tray goes comes back, unless another tray
/// comes soon, as when a panel starts again.
pub fn follow_tray_host(app: AppHandle) {
    let known = app.clone();
    tauri::async_runtime::spawn(async move {
        tray_host::watch(|there| {
            known.state::<Shell>().tray_host.send_replace(there);
        })
        .await;
    });
    tauri::async_runtime::spawn(async move {
        let mut host = app.state::<Shell>().tray_host.subscribe();
        while becomes(&mut host, true).await && becomes(&mut host, false).await {
            if timeout(TRAY_RESTARTS, becomes(&mut host, true)).await.is_err() {
                window::show_hidden(&app);
            }
        }
    });
}

/// Waits until there is a tray, or none; false if that can't be told any more.
async fn becomes(host: &mut watch::Receiver<bool>, there: bool) -> bool {
    host.wait_for(|now| *now == there).await.is_ok()
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
    let announcer = announcer::start(app, console, &notices);
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
        Click::Quit => quit::quit(app),
    }
}

/// Brings the window to the front and asks something of its page. A page that doesn't take it hangs: it is ended, and
/// takes it once it is loaded again.
pub fn request(app: &AppHandle, request: PageRequest) {
    window::show_main(app);
    let shell = app.state::<Shell>();
    // A notification or menu from before the lock can still be clicked. The page then asks to
    // sign in.
    if shell.overview().locked() {
        return;
    }
    let mut waiting = shell.page.ask(request);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if timeout(PAGE_TAKES, waiting.fate()).await.is_err() {
            window::end_hanging_page(&app);
        }
    });
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
pub fn send(app: &AppHandle, command: impl Into<Command>) {
    let (app, command) = (app.clone(), command.into());
    tauri::async_runtime::spawn(async move {
        if let Some(Reply::Session { id }) = run(&app, command).await {
            request(&app, PageRequest::Show { session: id, chat: false });
        }
    });
}

/// Runs a command. `None` if it was refused; the log then says why.
pub async fn run(app: &AppHandle, command: impl Into<Command> + Send) -> Option<Reply> {
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
