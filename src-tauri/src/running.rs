//! The shell while the console runs: starts it, keeps tray, viewer windows and notifications up to date, and carries out
//! clicks in the tray.

use std::sync::Arc;
use std::time::Duration;

use console::App;
use console::app::{Notices, Tell};
use console::cli::Global;
use console::commands::{ProfileCommand, SessionCommand};
use console::view::{Code, Push, SessionRow, Trouble};
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::desktop::TauriDesktop;
use crate::desktop::{screen_lock, tray_host, viewer};
use crate::page::PageRequest;
use crate::shell::{Shell, Started};
use crate::tray::Click;
use crate::window::{request, send};
use crate::{announcer, memory, quit, tray, window};

/// How long a tray may be away before the hidden window comes back.
const TRAY_RESTARTS: Duration = Duration::from_secs(5);

/// The name under which the console remembers which notifications were shown.
const NOTICE_READER: &str = "window";

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
            take_back(&shell, &push);
        }
        // A locked console pushes no happening, but it pushes its own view for each one.
        news_waiting |= shell.overview().locked();
        if std::mem::replace(&mut locked, shell.overview().locked()) != locked {
            hide_or_show(app, locked);
        }
        if std::mem::take(&mut news_waiting) {
            announce(&shell, &mut notices, &announcer).await;
        }
        let model = shell.overview().tray();
        if model != shown {
            redraw_tray(app, model.clone());
            shown = model;
        }
    }
}

/// Has shown what is new. While notifications are paused, what came counts as shown and isn't made up for later.
async fn announce(shell: &Shell, notices: &mut Notices, announcer: &UnboundedSender<Tell>) {
    for tell in notices.read().await {
        if shell.overview().paused() {
            notices.marks().dealt_with(&tell).await;
        } else {
            // The receiver ends with the process, so this can't fail before.
            let _ = announcer.send(tell);
        }
    }
}

/// Hides what names a customer while the console is locked, and shows it again afterwards. Sessions
/// go on meanwhile.
fn hide_or_show(app: &AppHandle, locked: bool) {
    if locked {
        viewer::hide_all(app);
        app.state::<Shell>().notifier().withdraw();
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

/// What was told of a session for as long as it lasts ends with the session.
fn take_back(shell: &Shell, push: &Push) {
    if let Push::Row(SessionRow { id, live: false, .. }) = push {
        shell.notifier().is_over(id);
    }
}
