//! Viewer windows: someone else's page in a window of ours.
//!
//! What is absent: a capability (no window but `main` has one), a way out of the boundary, a store that outlives the
//! window, a second window, a download, a permission.

use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{
    AppHandle, Manager, Runtime, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    WindowEvent,
};

use super::boundary::Boundary;
use crate::window;

/// How every viewer window's label begins.
pub const LABEL: &str = "viewer-";

/// The part of a viewer's page where people write, as an address names it.
pub const CHAT: &str = "chat";

/// A viewer window: at most one of a session and a role is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The session's id.
    pub session: String,
    /// Whether it only watches.
    pub read_only: bool,
}

/// The number of a session's windows has changed.
#[derive(Clone, Copy, Debug)]
pub struct OpenWindows {
    /// How many are open now.
    pub open: u32,
    /// Because this one was closed.
    pub closed: bool,
}

impl Viewer {
    fn label(&self) -> String {
        format!("{LABEL}{}-{}", self.session, if self.read_only { "watch" } else { "drive" })
    }

    /// The window's title: never a page's own, which could claim anything.
    fn title(&self, name: &str) -> String {
        let name = super::plain(name);
        if self.read_only {
            format!("{name} (watching) - Deskhand")
        } else {
            format!("{name} - Deskhand")
        }
    }
}

/// Opens the window of `viewer` at `target`, or brings it to the front if it is open; `name` is what the session is
/// called. `counted` is told whenever the number of the session's open windows changes.
///
/// # Errors
/// The window system refused.
pub fn open<R: Runtime>(
    app: &AppHandle<R>,
    viewer: &Viewer,
    name: &str,
    target: Url,
    boundary: Boundary,
    theme: Option<Theme>,
    counted: impl Fn(OpenWindows) + Send + 'static,
) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(&viewer.label()) {
        window::raise(&window);
        return Ok(());
    }
    let window = WebviewWindowBuilder::new(app, viewer.label(), WebviewUrl::External(target))
        .title(viewer.title(name))
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
    // Its page asks the web view whether it is dark, which the builder's theme doesn't tell it. Without a choice of the
    // technician's it is as the system has it, which no call can bring back, so none is made.
    if theme.is_some() {
        window.set_theme(theme)?;
    }
    counted(OpenWindows { open: count(app, viewer, None), closed: false });
    let (app, viewer) = (app.clone(), viewer.clone());
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            let open = count(&app, &viewer, Some(&viewer.label()));
            counted(OpenWindows { open, closed: true });
        }
    });
    Ok(())
}

/// Gives every open viewer window a theme that was just chosen.
pub fn paint_all<R: Runtime>(app: &AppHandle<R>, theme: Theme) {
    each(app, |window| window.set_theme(Some(theme)));
}

/// Hides every viewer window while the console is locked: closing one would end what the customer sees of the session.
pub fn hide_all<R: Runtime>(app: &AppHandle<R>) {
    each(app, WebviewWindow::hide);
}

/// Shows them again, without the keyboard going to one of them.
pub fn show_all<R: Runtime>(app: &AppHandle<R>) {
    each(app, WebviewWindow::show);
}

fn each<R: Runtime>(app: &AppHandle<R>, change: impl Fn(&WebviewWindow<R>) -> tauri::Result<()>) {
    for (label, window) in app.webview_windows() {
        if label.starts_with(LABEL)
            && let Err(error) = change(&window)
        {
            tracing::warn!(%error, "change a viewer window");
        }
    }
}

/// Brings the chat of an open window of `session` to the front, the driving one first; `false` if none is open.
pub fn show_chat<R: Runtime>(app: &AppHandle<R>, session: &str) -> bool {
    let open = |read_only| {
        app.get_webview_window(&Viewer { session: session.to_owned(), read_only }.label())
    };
    let Some(window) = [false, true].into_iter().find_map(open) else { return false };
    // Only the fragment is another, so the page stays as it is and nobody in the session sees a new viewer.
    let sent = window.url().and_then(|mut here| {
        here.set_fragment(Some(CHAT));
        window.navigate(here)
    });
    // The error may quote the address, which carries the PIN.
    if sent.is_err() {
        tracing::warn!("show a viewer's chat: its page could not be told");
    }
    window::raise(&window)
}

/// How many windows of the same session are open, the one that is just `going` not counted.
fn count<R: Runtime>(app: &AppHandle<R>, viewer: &Viewer, going: Option<&str>) -> u32 {
    let roles = [true, false].map(|read_only| Viewer { read_only, ..viewer.clone() }.label());
    let open =
        |label: &&String| Some(label.as_str()) != going && app.get_webview_window(label).is_some();
    roles.iter().filter(open).map(|_| 1).sum()
}

/// WebKit drives only windows of the shared profile; the switch is the one that turns driving on at all, so that a
/// window which a person uses is always ephemeral.
fn automated() -> bool {
    std::env::var("TAURI_WEBVIEW_AUTOMATION").as_deref() == Ok("true")
}
