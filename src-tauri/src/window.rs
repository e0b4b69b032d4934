//! The main window, the only one with a capability. Its close button hides it.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tauri_plugin_window_state::StateFlags;

/// The label of the main window in `capabilities/main.json`.
pub const MAIN: &str = "main";

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
pub fn create<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<WebviewWindow<R>> {
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
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            if let Err(error) = hidden.hide() {
                tracing::warn!(%error, "hide the window");
            }
        }
    });
    Ok(window)
}

/// Shows the main window in front of all others.
pub fn show_main<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        raise(&window);
    }
}

/// Shows, restores and focuses `window`; `false` if the window system refused.
pub fn raise<R: Runtime>(window: &WebviewWindow<R>) -> bool {
    let raised = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    raised.inspect_err(|error| tracing::warn!(%error, "bring a window to the front")).is_ok()
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
    use super::*;

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
