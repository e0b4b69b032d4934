//! The tray: a menu as data, and its native counterpart.
//!
//! What is absent: any decision. `overview.rs` decides what the menu shows, and whoever creates the
//! tray gets the clicks.

use tauri::image::Image;
use tauri::menu::{CheckMenuItemBuilder, Menu, MenuBuilder, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Runtime, include_image};

/// The id of the only tray icon.
const ID: &str = "deskhand";

/// Which picture the tray shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// No session is live.
    Idle,
    /// A session is live.
    Active,
    /// Something needs attention.
    Attention,
}

/// What a click in the menu means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Click {
    /// Creates a session.
    NewSession,
    /// Brings a session to the front.
    Session(String),
    /// Turns desktop notifications off, or on again.
    Pause,
    /// Locks the console.
    Lock,
    /// Brings the window to the front.
    Open,
    /// Ends the app, after a question if a session is live.
    Quit,
}

impl Click {
    /// The id in the native menu, which knows strings only.
    fn id(&self) -> String {
        match self {
            Self::NewSession => "new".into(),
            Self::Session(session) => format!("session:{session}"),
            Self::Pause => "pause".into(),
            Self::Lock => "lock".into(),
            Self::Open => "open".into(),
            Self::Quit => "quit".into(),
        }
    }

    fn parse(id: &str) -> Option<Self> {
        match id {
            "new" => Some(Self::NewSession),
            "pause" => Some(Self::Pause),
            "lock" => Some(Self::Lock),
            "open" => Some(Self::Open),
            "quit" => Some(Self::Quit),
            other => {
                other.strip_prefix("session:").map(|session| Self::Session(session.to_owned()))
            }
        }
    }
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something that can be clicked.
    Action(Click, String),
    /// Something that can be turned on or off.
    Switch(Click, String, bool),
    /// Text that can't be clicked.
    Text(String),
    /// A separator between groups.
    Separator,
}

/// The content of the tray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayModel {
    /// Selects the picture.
    pub badge: Badge,
    /// The text on hovering. Few Linux desktops show one, so the menu has the same text.
    pub tooltip: String,
    /// The menu from top to bottom.
    pub entries: Vec<Entry>,
}

/// Adds the icon to the tray. `clicked` is called for every click in the menu.
///
/// # Errors
/// The menu couldn't be built. A desktop without a tray is no error; it shows no icon.
pub fn create<R: Runtime>(
    app: &AppHandle<R>,
    model: &TrayModel,
    clicked: impl Fn(&AppHandle<R>, Click) + Send + Sync + 'static,
) -> tauri::Result<TrayIcon<R>> {
    TrayIconBuilder::with_id(ID)
        .icon(picture(model.badge))
        .tooltip(&model.tooltip)
        .menu(&native_menu(app, &model.entries)?)
        .on_menu_event(move |app, event| {
            if let Some(click) = Click::parse(event.id().as_ref()) {
                clicked(app, click);
            }
        })
        .build(app)
}

/// Replaces what the tray shows by `model`.
///
/// # Errors
/// The menu couldn't be built.
pub fn update<R: Runtime>(app: &AppHandle<R>, model: &TrayModel) -> tauri::Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    tray.set_icon(Some(picture(model.badge)))?;
    tray.set_tooltip(Some(&model.tooltip))?;
    tray.set_menu(Some(native_menu(app, &model.entries)?))
}

fn native_menu<R: Runtime>(app: &AppHandle<R>, entries: &[Entry]) -> tauri::Result<Menu<R>> {
    let mut menu = MenuBuilder::new(app);
    for entry in entries {
        menu = match entry {
            Entry::Action(click, label) => menu.text(click.id(), escape(label)),
            Entry::Switch(click, label, on) => menu.item(
                &CheckMenuItemBuilder::with_id(click.id(), escape(label))
                    .checked(*on)
                    .build(app)?,
            ),
            Entry::Text(label) => {
                menu.item(&MenuItemBuilder::new(escape(label)).enabled(false).build(app)?)
            }
            Entry::Separator => menu.separator(),
        };
    }
    menu.build()
}

/// Escapes a label for the native menu.
fn escape(label: &str) -> String {
    // A single `&` marks the next letter as a mnemonic and disappears, and names may have one.
    label.replace('&', "&&")
}

fn picture(badge: Badge) -> Image<'static> {
    match badge {
        Badge::Idle => include_image!("icons/tray-idle.png"),
        Badge::Active => include_image!("icons/tray-active.png"),
        Badge::Attention => include_image!("icons/tray-attention.png"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_click_comes_back_as_what_was_drawn() {
        let clicks = [
            Click::NewSession,
            Click::Session("a:b".into()),
            Click::Pause,
            Click::Lock,
            Click::Open,
            Click::Quit,
        ];
        for click in clicks {
            assert_eq!(Click::parse(&click.id()), Some(click));
        }
        assert_eq!(Click::parse("something else"), None);
    }
}
