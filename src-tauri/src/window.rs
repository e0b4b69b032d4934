//! The main window: the only one with a capability, and one that is hidden rather than closed.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tauri_plugin_window_state::StateFlags;

/// The main window's label, as `capabilities/main.json` names it.
pub const MAIN: &str = "main";

/// What is remembered of a window: not whether it was visible, or one that was hidden in the tray would never come back.
pub fn remembered() -> StateFlags {
    StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN
}

/// Creates the main window, which shows itself when its page is there: no white flash.
///
/// # Errors
/// The window system refused.
pub fn create<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<WebviewWindow<R>> {
    let shown = AtomicBool::new(false);
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Deskhand")
        .inner_size(1100.0, 720.0)
        .min_inner_size(900.0, 600.0)
        .visible(false)
        .disable_drag_drop_handler()
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

/// Brings the main window to the front, from the tray or from behind others.
pub fn show_main<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        raise(&window);
    }
}

/// Shows, restores and focuses `window`; `false` when the window system refused.
pub fn raise<R: Runtime>(window: &WebviewWindow<R>) -> bool {
    let raised = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    raised.inspect_err(|error| tracing::warn!(%error, "bring a window to the front")).is_ok()
}

/// The main window never shows anything but our own page: a link in it is opened by a command, elsewhere.
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
