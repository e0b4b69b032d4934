//! What Deskhand does on the desktop: viewer windows, notifications, links and files. Each module
//! does one thing and decides nothing.

pub mod boundary;
pub mod link;
pub mod notice;
pub mod page_process;
pub mod question;
pub mod save;
pub mod screen_lock;
pub mod tray_host;
pub mod viewer;

use boundary::Boundary;
use console::{Settings, settings};
use engine::SessionId;
use engine::desktop::{Desktop, DesktopError, DesktopReply, View};
use engine::remote::ViewerUrl;
use tauri::{AppHandle, Manager, Url};
use viewer::Viewer;

use crate::shell::{self, Shell};

/// The desktop that the console uses, by means of tauri.
pub struct TauriDesktop(pub AppHandle);

impl Desktop for TauriDesktop {
    fn open_viewer<'a>(
        &'a self,
        session: SessionId,
        name: &'a str,
        url: ViewerUrl,
        view: View,
    ) -> DesktopReply<'a> {
        let viewer = Viewer { session: session.to_string(), read_only: view.read_only };
        let app = self.0.clone();
        let counted = move |viewer::OpenWindows { open, closed }| {
            shell::viewer_windows_changed(&app, session, view.read_only, open, closed);
        };
        Box::pin(async move {
            // The address carries the PIN. The parser's error names what is wrong with it and
            // doesn't quote it.
            let mut target: Url = url.expose().parse().map_err(|error| desktop_error(&error))?;
            if view.chat {
                target.set_fragment(Some(viewer::CHAT));
            }
            let shell = self.0.state::<Shell>();
            let console = shell.console().await.map_err(|trouble| DesktopError(trouble.text))?;
            let settings = console.settings();
            let boundary = if url.is_our_page() {
                Boundary::only(&target)
            } else {
                let also = &settings.viewer_origins;
                shell.overview().boundary(&target, also).map_err(|error| desktop_error(&error))?
            };
            let theme = theme(settings.theme);
            viewer::open(&self.0, &viewer, name, target, boundary, theme, counted)
                .map_err(|error| DesktopError(format!("open a viewer window: {error}")))?;
            // The console may have been locked while the window was made, too late to hide it with
            // the others.
            if shell.overview().locked() {
                viewer::hide_all(&self.0);
            }
            Ok(())
        })
    }

    fn show_chat(&self, session: SessionId) -> bool {
        viewer::show_chat(&self.0, &session.to_string())
    }

    fn open_browser(&self, url: &str) -> Result<(), DesktopError> {
        // Not the parser's error, which may quote a part of the address.
        let url: Url = url
            .parse()
            .map_err(|_| DesktopError("open the browser: the address is not valid".into()))?;
        link::open(&url).map_err(|error| desktop_error(&error))
    }
}

/// Gives open viewer windows the theme of the settings. The system's theme comes back with the next
/// start only, because nothing reports it once a window has a theme of its own.
pub fn apply_settings(app: &AppHandle, settings: &Settings) {
    if let Some(theme) = theme(settings.theme) {
        viewer::set_theme_all(app, theme);
    }
}

/// The theme that the technician has chosen; `None` for that of the system.
fn theme(chosen: settings::Theme) -> Option<tauri::Theme> {
    match chosen {
        settings::Theme::System => None,
        settings::Theme::Dark => Some(tauri::Theme::Dark),
        settings::Theme::Light => Some(tauri::Theme::Light),
    }
}

fn desktop_error(error: &impl std::fmt::Display) -> DesktopError {
    DesktopError(error.to_string())
}
