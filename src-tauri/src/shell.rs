//! What the windows, the tray and the notifications share: the running console, and what the tray
//! knows about it.
//!
//! What is absent: a decision about a session. A click becomes a command, and what the console
//! pushes is shown.

use console::App;
use console::commands::Command;
use console::reply::Reply;
use console::view::{Code, Trouble};
use engine::SessionId;
use parking_lot::{Mutex, MutexGuard};
use tauri::{AppHandle, Manager};
use tokio::sync::watch;

use crate::desktop::notice::Notifier;
use crate::overview::Overview;
use crate::page::Page;

/// The running console, or why it could not be started.
pub type Started = Result<App, Trouble>;

/// The state of the shell; there is one in the process.
pub struct Shell {
    /// How the console started; none until that is known.
    pub started: watch::Sender<Option<Started>>,
    page: Page,
    overview: Mutex<Overview>,
    notifier: Notifier,
    /// Whether the desktop shows the tray icon.
    pub tray_host: watch::Sender<bool>,
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

/// Tells the console that a viewer window of a session was opened or closed.
pub fn viewer_windows_changed(
    app: &AppHandle,
    session: SessionId,
    read_only: bool,
    open: u32,
    closed: bool,
) {
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
        .unwrap_or_else(|| "Technician".to_owned())
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
