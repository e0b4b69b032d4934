//! Quitting: a person is asked first while sessions are live, by the page or, if that doesn't answer, by a dialog that
//! needs no page.

use std::time::Duration;

use console::commands::ProgramCommand;
use console::reply::Reply;
use tauri::{AppHandle, Manager};
use tokio::time::timeout;

use crate::desktop::question::{self, Question};
use crate::page::PageRequest;
use crate::shell::{self, Shell};
use crate::window;

/// How long the page may take to ask.
const PAGE_ASKS: Duration = Duration::from_secs(5);

/// How long the console may take to stop before the process ends without it.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Quits at once if no session is live. Otherwise the page asks, and a yes comes back as a command.
pub fn quit(app: &AppHandle) {
    let shell = app.state::<Shell>();
    if shell.overview().live() == 0 {
        return end(app);
    }
    let mut waiting = shell.page().ask(PageRequest::Quit);
    window::show_main(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if timeout(PAGE_ASKS, waiting.fate()).await.is_err() {
            tracing::warn!("the page doesn't ask whether to quit: a dialog does");
            app.state::<Shell>().page().withdraw(&waiting);
            ask(&app).await;
        }
    });
}

/// Quits like [`quit`] where the page is known to be gone, so nobody waits for it.
pub fn without_page(app: &AppHandle) {
    if app.state::<Shell>().overview().live() == 0 {
        return end(app);
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move { ask(&app).await });
}

/// Asks without the page, in the words that the page would have used.
async fn ask(app: &AppHandle) {
    let quitting = shell::run(app, ProgramCommand::Quitting).await;
    let text = match quitting {
        Some(Reply::Quitting { quitting }) => quitting.text,
        // The log says why. Whoever wants to quit must be able to.
        _ => Vec::new(),
    };
    let question = Question {
        text: "Quit Deskhand?".into(),
        detail: text.join("\n\n"),
        yes: "Quit".into(),
        no: "Stay".into(),
        otherwise: false,
    };
    let asking = app.clone();
    // Without a parent: the window, whose page hangs, may be hidden or on another desktop.
    question::ask(app, None, question, move |yes| {
        if yes {
            end(&asking);
        } else {
            // Whoever stays wants to see the sessions.
            window::load_lost_page(&asking);
        }
    });
}

/// Stops the console and ends the app.
pub fn end(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        stop_console(&app).await;
        app.exit(0);
    });
}

/// Stops the console and starts the app again, on the data as it is then.
pub fn start_again(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        stop_console(&app).await;
        app.request_restart();
    });
}

async fn stop_console(app: &AppHandle) {
    if let Some(console) = app.state::<Shell>().take_console()
        && timeout(STOP_TIMEOUT, console.stop()).await.is_err()
    {
        tracing::warn!("stop the console: it took too long, and the process ends without it");
    }
}
