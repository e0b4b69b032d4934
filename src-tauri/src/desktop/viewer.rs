//! Viewer windows, which show somebody else's page.
//!
//! What is absent: a capability (only `main` has one), navigation out of the boundary, storage that
//! outlives the window, new windows, downloads and permissions.

use console::words::plain;
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{
    AppHandle, Manager, Runtime, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    WindowEvent,
};

use super::boundary::Boundary;
use super::page_process::{self, Care};
use super::question::Question;
use crate::window;

/// The beginning of the label of every viewer window.
pub const LABEL: &str = "viewer-";

/// The fragment of an address that shows the chat of a viewer's page.
pub const CHAT: &str = "chat";

/// Identifies a viewer window. At most one is open for each session and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The session's id.
    pub session: String,
    /// Whether the window can only watch.
    pub read_only: bool,
}

/// The number of a session's windows has changed.
#[derive(Clone, Copy, Debug)]
pub struct OpenWindows {
    /// The number of open windows.
    pub open: u32,
    /// Whether it changed because a window was closed.
    pub closed: bool,
}

impl Viewer {
    fn label(&self) -> String {
        format!("{LABEL}{}-{}", self.session, if self.read_only { "watch" } else { "drive" })
    }

    /// The title of the window.
    // Never the page's own title, which could claim anything.
    fn title(&self, name: &str) -> String {
        let name = plain(name, usize::MAX);
        if self.read_only {
            format!("{name} (watching) - Deskhand")
        } else {
            format!("{name} - Deskhand")
        }
    }
}

/// Opens the window of `viewer` at `target`, or brings it to the front if it is open. `name` is the
/// name of the session. `counted` is called whenever the number of the session's open
/// windows changes.
///
/// # Errors
/// The window system refused.
pub fn open(
    app: &AppHandle,
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
                // The scheme only: the address may carry the PIN.
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
    page_process::watch(
        &window,
        Care { kind: "viewer", lost: |_| {}, question: keeps_failing, give_up: close },
    )?;
    // The page asks the web view for the theme, and the builder's theme doesn't reach it. For the
    // system's theme there must be no call at all, because none can restore it.
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

fn close(window: &WebviewWindow) {
    if let Err(error) = window.destroy() {
        tracing::warn!(%error, "close a viewer window");
    }
}

/// What is asked when the page keeps ending.
fn keeps_failing() -> Question {
    Question {
        text: "This viewer window keeps failing".into(),
        detail: format!(
            "Its page ended more than {} times, each within a minute. The session goes on without this window. If it fails \
             again, close other programs to free memory, then open the viewer from the session.",
            page_process::RELOADS
        ),
        yes: "Load the viewer again".into(),
        no: "Close this window".into(),
        otherwise: true,
    }
}

/// Whether a viewer window of `session` has the keyboard.
pub fn has_focus<R: Runtime>(app: &AppHandle<R>, session: &str) -> bool {
    [false, true].into_iter().any(|read_only| {
        let label = Viewer { session: session.to_owned(), read_only }.label();
        let window = app.get_webview_window(&label);
        window.is_some_and(|window| window.is_focused().unwrap_or(false))
    })
}

/// Sets the theme of every open viewer window.
pub fn set_theme_all<R: Runtime>(app: &AppHandle<R>, theme: Theme) {
    for_each(app, |window| window.set_theme(Some(theme)));
}

/// Hides every viewer window while the console is locked.
// Closing them would show the customer that the technician has left.
pub fn hide_all<R: Runtime>(app: &AppHandle<R>) {
    for_each(app, WebviewWindow::hide);
}

/// Shows every viewer window again, without giving one the keyboard.
pub fn show_all<R: Runtime>(app: &AppHandle<R>) {
    for_each(app, WebviewWindow::show);
}

fn for_each<R: Runtime>(
    app: &AppHandle<R>,
    change: impl Fn(&WebviewWindow<R>) -> tauri::Result<()>,
) {
    for (label, window) in app.webview_windows() {
        if label.starts_with(LABEL)
            && let Err(error) = change(&window)
        {
            tracing::warn!(%error, "change a viewer window");
        }
    }
}

/// Brings the chat of an open window of `session` to the front, preferably of one that can control;
/// `false` if none is open.
pub fn show_chat<R: Runtime>(app: &AppHandle<R>, session: &str) -> bool {
    let open = |read_only| {
        app.get_webview_window(&Viewer { session: session.to_owned(), read_only }.label())
    };
    let Some(window) = [false, true].into_iter().find_map(open) else { return false };
    // Only the fragment changes, so the page isn't loaded again, which would show as a new viewer
    // in the session.
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

/// The number of open windows of the same session, without the one that is just `closing`.
fn count<R: Runtime>(app: &AppHandle<R>, viewer: &Viewer, closing: Option<&str>) -> u32 {
    let roles = [true, false].map(|read_only| Viewer { read_only, ..viewer.clone() }.label());
    let open = |label: &&String| {
        Some(label.as_str()) != closing && app.get_webview_window(label).is_some()
    };
    roles.iter().filter(open).map(|_| 1).sum()
}

/// Whether a WebDriver test controls the app.
fn automated() -> bool {
    // WebDriver can control only windows of the shared profile, so tests get no ephemeral ones.
    // This variable is also what enables automation in tauri, so a window that a person uses is
    // always ephemeral.
    std::env::var("TAURI_WEBVIEW_AUTOMATION").as_deref() == Ok("true")
}
