//! What Deskhand does to the desktop: viewer windows, notifications, links, files. Each does one thing and decides nothing.

pub mod boundary;
pub mod link;
pub mod notice;
pub mod save;
pub mod screen;
pub mod viewer;

use boundary::Boundary;
use console::{Settings, settings};
use engine::SessionId;
use engine::desktop::{Desktop, DesktopError, DesktopReply, View};
use engine::remote::ViewerUrl;
use tauri::{AppHandle, Manager, Url};
use viewer::Viewer;

use crate::shell::{self, Shell};

/// The real desktop, as the console asks it.
pub struct Windows(pub AppHandle);

impl Desktop for Windows {
    fn open_viewer<'a>(
        &'a self,
        session: SessionId,
        name: &'a str,
        url: ViewerUrl,
        view: View,
    ) -> DesktopReply<'a> {
        let viewer = Viewer { session: session.to_string(), read_only: view.read_only };
        let app = self.0.clone();
        let counted = move |windows| shell::viewers(&app, session, view.read_only, windows);
        Box::pin(async move {
            // The address carries the PIN, so no error may quote it.
            let mut target: Url = url.expose().parse().map_err(|error| said(&error))?;
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
                shell.board().boundary(&target, also).map_err(|error| said(&error))?
            };
            let theme = theme(settings.theme);
            viewer::open(&self.0, &viewer, name, target, boundary, theme, counted)
                .map_err(|error| DesktopError(format!("open a viewer window: {error}")))?;
            // The console may have been locked meanwhile, too late to hide this one with the others.
            if shell.board().locked() {
                viewer::hide_all(&self.0);
            }
            Ok(())
        })
    }

    fn show_chat(&self, session: SessionId) -> bool {
        viewer::show_chat(&self.0, &session.to_string())
    }

    fn open_browser(&self, url: &str) -> Result<(), DesktopError> {
        // The parser's error may quote a part of the address.
        let url: Url = url
            .parse()
            .map_err(|_| DesktopError("open the browser: the address is none".into()))?;
        link::open(&url).map_err(|error| said(&error))
    }
}

/// Viewer windows are as the technician has just chosen. The system's own choice, which nothing tells us of once one was
/// made here, comes back with the next start.
pub fn follow(app: &AppHandle, settings: &Settings) {
    if let Some(theme) = theme(settings.theme) {
        viewer::paint_all(app, theme);
    }
}

/// What the technician has chosen, if it isn't the system's choice.
fn theme(chosen: settings::Theme) -> Option<tauri::Theme> {
    match chosen {
        settings::Theme::System => None,
        settings::Theme::Dark => Some(tauri::Theme::Dark),
        settings::Theme::Light => Some(tauri::Theme::Light),
    }
}

fn said(error: &impl std::fmt::Display) -> DesktopError {
    DesktopError(error.to_string())
}

/// Without control characters and without those that turn the reading direction, which could disguise a name.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect()
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
