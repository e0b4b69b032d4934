//! The main window, the only one with a capability. Its close button hides it where there is a tray.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use console::commands::Command;
use console::reply::Reply;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tauri_plugin_window_state::StateFlags;
use tokio::time::timeout;

use crate::desktop::page_process::{self, Care};
use crate::desktop::question::Question;
use crate::page::{Page, PageRequest, Waiting};
use crate::quit;
use crate::shell::{self, Shell};

/// The label of the main window in `capabilities/main.json`.
pub const MAIN: &str = "main";

/// How long a page may take to take a request. It may be busy with a large push, but not for this long.
const PAGE_TAKES: Duration = Duration::from_secs(10);

/// How long a page may take to be loaded, until which it takes nothing. On a busy computer that is long.
const PAGE_LOADS: Duration = Duration::from_secs(60);

/// What the app remembers of a window between runs.
pub fn remembered() -> StateFlags {
    // Not the visibility: a window that was hidden when the app ended would never show
    // itself again.
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN
}

/// Creates the main window, which shows itself when its page is loaded.
///
/// # Errors
/// The window system refused.
pub fn create(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let shown = AtomicBool::new(false);
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Deskhand")
        .inner_size(1100.0, 720.0)
        .min_inner_size(900.0, 600.0)
        // Until the page is loaded it would be a white rectangle.
        .visible(false)
        .disable_drag_drop_handler()
        // In place of tauri's `freezePrototype`, which also reaches viewer windows (docs/adr/0008).
        .initialization_script(include_str!("freeze.js"))
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_page_load(move |window, load| match load.event() {
            PageLoadEvent::Started => {}
            PageLoadEvent::Finished if shown.swap(true, Ordering::Relaxed) => {}
            PageLoadEvent::Finished => {
                raise(&window);
            }
        })
        .build()?;
    page_process::watch(
        &window,
        Care {
            kind: "main",
            lost: |window| window.state::<Shell>().page().lost(),
            question: keeps_failing,
            give_up: |window| quit::without_page(window.app_handle()),
        },
    )?;
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(&hidden);
        }
    });
    Ok(window)
}

/// Hides the window into the tray. On a desktop without one it would have no way back, so closing it quits, with the
/// question that quitting asks.
fn close(window: &WebviewWindow) {
    let app = window.app_handle();
    if !app.state::<Shell>().has_tray() {
        return quit::quit(app);
    }
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "hide the window");
    }
}

/// Whether the main window has the keyboard.
pub fn has_focus(app: &AppHandle) -> bool {
    let window = app.get_webview_window(MAIN);
    window.is_some_and(|window| window.is_focused().unwrap_or(false))
}

/// Shows the main window if it is hidden.
pub fn show_hidden(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN)
        && window.is_visible().is_ok_and(|visible| !visible)
    {
        tracing::info!("the desktop has no tray: the hidden window is shown again");
        raise(&window);
    }
}

/// Shows the main window in front of all others.
pub fn show_main<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        raise(&window);
    }
}

/// Loads the main window's page unless one is there.
pub fn load_lost_page(app: &AppHandle) {
    if !app.state::<Shell>().page().listens()
        && let Some(window) = app.get_webview_window(MAIN)
    {
        page_process::load(&window);
    }
}

/// Waits until the main window's page has taken a request. One that hangs is ended, and then loaded again.
async fn see_it_taken(app: &AppHandle, mut waiting: Waiting) {
    if hangs(app.state::<Shell>().page(), &mut waiting).await
        && let Some(window) = app.get_webview_window(MAIN)
    {
        tracing::warn!("the page of the main window doesn't take what it is asked");
        page_process::end(&window);
    }
}

/// Whether the page hangs: it took nothing for longer than it may.
async fn hangs(page: &Page, waiting: &mut Waiting) -> bool {
    if timeout(PAGE_TAKES, waiting.fate()).await.is_ok() {
        return false;
    }
    // One that doesn't listen is being loaded, or hangs before it is.
    page.listens() || timeout(PAGE_LOADS, waiting.fate()).await.is_err()
}

/// Shows, restores and focuses `window`; `false` if the window system refused.
pub fn raise<R: Runtime>(window: &WebviewWindow<R>) -> bool {
    let raised = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    raised.inspect_err(|error| tracing::warn!(%error, "bring a window to the front")).is_ok()
}

/// Brings the window to the front and asks something of its page. A page that doesn't take it hangs: it is ended, and
/// takes it once it is loaded again.
pub fn request(app: &AppHandle, request: PageRequest) {
    show_main(app);
    let shell = app.state::<Shell>();
    // A notification or menu from before the lock can still be clicked. The page then asks to
    // sign in.
    if shell.overview().locked() {
        return;
    }
    let waiting = shell.page().ask(request);
    let app = app.clone();
    tauri::async_runtime::spawn(async move { see_it_taken(&app, waiting).await });
}

/// Runs a command without waiting for its reply; what it changes is pushed. A new session is
/// brought to the front.
pub fn send(app: &AppHandle, command: impl Into<Command>) {
    let (app, command) = (app.clone(), command.into());
    tauri::async_runtime::spawn(async move {
        if let Some(Reply::Session { id }) = shell::run(&app, command).await {
            request(&app, PageRequest::Show { session: id, chat: false });
        }
    });
}

/// What is asked when the page keeps ending.
fn keeps_failing() -> Question {
    Question {
        text: "Deskhand's window keeps failing".into(),
        detail: format!(
            "Its page ended more than {} times, each within a minute. Deskhand itself still runs: sessions go on, and what \
             happens in them is recorded. If it fails again, close other programs to free memory, then quit Deskhand \
             and start it again. The log says why the page ended.",
            page_process::RELOADS
        ),
        yes: "Load the window again".into(),
        no: "Quit Deskhand".into(),
        otherwise: true,
    }
}

/// Whether the main window may show `url`: only our own page. A link in it is opened by a command,
/// in the browser.
fn is_own_page(url: &Url) -> bool {
    let dev_server =
        tauri::is_dev() && url.host_str() == Some("localhost") && url.port() == Some(1420);
    dev_server || (url.scheme() == "tauri" && url.host_str() == Some("localhost"))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_page_that_hangs_before_it_listens_is_given_a_minute_to_be_loaded() {
        let (page, start) = (Page::default(), Instant::now());
        assert!(hangs(&page, &mut page.ask(PageRequest::Quit)).await);
        assert_eq!(start.elapsed(), PAGE_TAKES + PAGE_LOADS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_listens_and_takes_nothing_hangs() {
        let (page, start) = (Page::default(), Instant::now());
        let _requests = page.listen();
        assert!(hangs(&page, &mut page.ask(PageRequest::Quit)).await);
        assert_eq!(start.elapsed(), PAGE_TAKES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_is_loaded_late_takes_what_waits_for_it() {
        let page = Page::default();
        let mut waiting = page.ask(PageRequest::Quit);
        let load = async {
            tokio::time::sleep(PAGE_TAKES + PAGE_LOADS / 2).await;
            let asked = page.listen().recv().await.unwrap();
            page.taken(asked.number);
        };
        let (hung, ()) = tokio::join!(hangs(&page, &mut waiting), load);
        assert!(!hung);
    }

    #[test]
    fn the_main_window_shows_our_own_page_and_no_other() {
        for (address, own) in [
            ("tauri://localhost/index.html", true),
            ("tauri://elsewhere/", false),
            ("https://localhost/", false),
            ("http://127.0.0.1:7000/", false),
            ("about:blank", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(is_own_page(&address.parse().unwrap()), own, "{address}");
        }
    }
}
