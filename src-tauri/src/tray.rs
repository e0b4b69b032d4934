//! The tray: a menu that is data, drawn as a native one.
//!
//! What is absent: any decision. What the menu says comes from the console; a click goes back there by its name.

use tauri::image::Image;
use tauri::menu::{CheckMenuItemBuilder, Menu, MenuBuilder, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Runtime, include_image};

/// The tray's id; there is one.
const ID: &str = "deskhand";

/// Which picture the tray shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// No session is live.
    Idle,
    /// A session is live.
    Active,
    /// Somebody should look.
    Attention,
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something that can be clicked; `name` is handed back.
    Action {
        /// What a click hands back.
        name: String,
        /// What it says.
        label: String,
    },
    /// Something that is on or off.
    Switch {
        /// What a click hands back.
        name: String,
        /// What it says.
        label: String,
        /// Whether it is on.
        on: bool,
    },
    /// Something that is only read.
    Text(String),
    /// A line between groups.
    Separator,
}

/// Everything that the tray shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayModel {
    /// The picture.
    pub badge: Badge,
    /// What hovering shows, where the desktop has that (Linux desktops mostly don't: the menu says it too).
    pub tooltip: String,
    /// The menu, top to bottom.
    pub entries: Vec<Entry>,
}

/// Puts the icon into the tray; `clicked` gets the name of every entry that is clicked.
///
/// # Errors
/// The menu could not be built. A desktop without a tray is no error: the icon is then nowhere.
pub fn create<R: Runtime>(
    app: &AppHandle<R>,
    model: &TrayModel,
    clicked: impl Fn(&AppHandle<R>, &str) + Send + Sync + 'static,
) -> tauri::Result<TrayIcon<R>> {
    TrayIconBuilder::with_id(ID)
        .icon(picture(model.badge))
        .tooltip(&model.tooltip)
        .menu(&draw(app, &model.entries)?)
        .on_menu_event(move |app, event| clicked(app, event.id().as_ref()))
        .build(app)
}

/// Shows `model` in place of what the tray shows now.
///
/// # Errors
/// The menu could not be built.
pub fn update<R: Runtime>(app: &AppHandle<R>, model: &TrayModel) -> tauri::Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    tray.set_icon(Some(picture(model.badge)))?;
    tray.set_tooltip(Some(&model.tooltip))?;
    tray.set_menu(Some(draw(app, &model.entries)?))
}

fn draw<R: Runtime>(app: &AppHandle<R>, entries: &[Entry]) -> tauri::Result<Menu<R>> {
    let mut menu = MenuBuilder::new(app);
    for entry in entries {
        menu = match entry {
            Entry::Action { name, label } => {
                menu.item(&MenuItemBuilder::with_id(name, escape(label)).build(app)?)
            }
            Entry::Switch { name, label, on } => menu
                .item(&CheckMenuItemBuilder::with_id(name, escape(label)).checked(*on).build(app)?),
            Entry::Text(label) => {
                menu.item(&MenuItemBuilder::new(escape(label)).enabled(false).build(app)?)
            }
            Entry::Separator => menu.separator(),
        };
    }
    menu.build()
}

/// A lone `&` marks a mnemonic in a menu; names come from strangers.
fn escape(label: &str) -> String {
    label.replace('&', "&&")
}

fn picture(badge: Badge) -> Image<'static> {
    match badge {
        Badge::Idle => include_image!("icons/tray-idle.png"),
        Badge::Active => include_image!("icons/tray-active.png"),
        Badge::Attention => include_image!("icons/tray-attention.png"),
    }
}
