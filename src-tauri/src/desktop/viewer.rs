//! Viewer windows: someone else's page in a window of ours.
//!
//! What is absent: a capability (no window but `main` has one), a way out of the boundary, a store that outlives the
//! window, a second window, a download, a permission.

use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{
    AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use super::boundary::Boundary;

/// How every viewer window's label begins; the rest is the number that the caller gave it.
pub const LABEL: &str = "viewer-";

/// A viewer window to open.
pub struct Viewer {
    /// Chosen by the caller, unique among the open windows.
    pub number: u64,
    /// The window's title: never a page's own, which could claim anything, and never with a PIN in it.
    pub title: String,
    /// What the broker answered for this session.
    pub target: Url,
    /// Where the window may go.
    pub boundary: Boundary,
}

/// Opens the window and calls `closed` once when it is gone.
///
/// # Errors
/// The window system refused.
pub fn open<R: Runtime>(
    app: &AppHandle<R>,
    viewer: Viewer,
    closed: impl Fn(u64) + Send + 'static,
) -> tauri::Result<WebviewWindow<R>> {
    let Viewer { number, title, target, boundary } = viewer;
    let window = WebviewWindowBuilder::new(app, label(number), WebviewUrl::External(target))
        .title(title)
        .inner_size(1024.0, 768.0)
        .incognito(!automated())
        .devtools(false)
        .zoom_hotkeys_enabled(false)
        .on_navigation(move |url| {
            let allowed = boundary.allows(url);
            if !allowed {
                tracing::warn!(
                    scheme = url.scheme(),
                    "a viewer's page was kept from leaving its origin"
                );
            }
            allowed
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .build()?;
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            closed(number);
        }
    });
    Ok(window)
}

/// Brings the window to the front; `false` when there is none of that number.
pub fn focus<R: Runtime>(app: &AppHandle<R>, number: u64) -> bool {
    app.get_webview_window(&label(number)).is_some_and(|window| crate::window::raise(&window))
}

/// Closes the window, if it is open.
pub fn close<R: Runtime>(app: &AppHandle<R>, number: u64) {
    let Some(window) = app.get_webview_window(&label(number)) else { return };
    if let Err(error) = window.destroy() {
        tracing::warn!(%error, "close a viewer window");
    }
}

fn label(number: u64) -> String {
    format!("{LABEL}{number}")
}

/// WebKit drives only windows of the shared profile; the switch is the one that turns driving on at all, so that a
/// window which a person uses is always ephemeral.
fn automated() -> bool {
    std::env::var("TAURI_WEBVIEW_AUTOMATION").as_deref() == Ok("true")
}
