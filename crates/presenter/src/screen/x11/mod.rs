//! The screen of an X11 desktop. Capture, input and clipboard have a connection each, so that none
//! waits for another. Nothing polls: each of the three waits for its socket.

mod capture;
mod clipboard;
mod cursor;
mod held_keys;
mod image_fetch;
mod input;
mod kept_clipboard;
mod keymap;
pub(crate) mod leftovers;
mod merge_areas;
pub(crate) mod offered_forms;
pub(crate) mod own_text;
mod pixels;
mod scancode;
mod selection;
pub(crate) mod selection_answers;
mod served_forms;
pub(crate) mod wayland;
mod whole_clipboard;
pub(crate) mod x_connection;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use self::kept_clipboard::{KeptClipboard, TOLD_WITHIN};
use super::{SavedClipboard, Screen, ScreenError};

/// Opens the X11 display of this name, or the one that the environment names.
pub(super) fn open(display: Option<&str>) -> Result<Screen, ScreenError> {
    let name = name_of(display)?;
    open_with(&name, &KeptClipboard::new(&name, TOLD_WITHIN))
}

fn open_with(name: &str, kept: &KeptClipboard) -> Result<Screen, ScreenError> {
    let capture = capture::X11Capture::open(name, kept.open()?.own())?;
    let waker = Arc::new(capture.waker());
    let input = input::X11Input::open(name, kept.clone())?;
    Ok((Box::new(capture), waker, Box::new(input)))
}

/// Puts this into the display's clipboard, and serves it until another program has copied
/// something, the display is gone, or `within` is over.
pub(super) fn serve_clipboard(
    display: Option<&str>,
    saved: &SavedClipboard,
    within: Duration,
) -> Result<(), ScreenError> {
    let name = x_connection::display_name(display, |name| std::env::var(name).ok())?;
    let clipboard = clipboard::Clipboard::open(&name)?;
    clipboard.bring_back(saved)?;
    clipboard.wait_until_lost(within);
    Ok(())
}

/// A screen that is opened again and again, with one clipboard.
pub(super) struct Reopened {
    display: Option<String>,
    /// How long the owner of the clipboard may take to tell what it has.
    told_within: Duration,
    kept: OnceLock<KeptClipboard>,
}

impl Reopened {
    pub(super) fn new(display: Option<String>) -> Self {
        Self { display, told_within: TOLD_WITHIN, kept: OnceLock::new() }
    }

    pub(super) fn told_within(self, told_within: Duration) -> Self {
        Self { told_within, ..self }
    }

    pub(super) fn open(&self) -> Result<Screen, ScreenError> {
        let name = name_of(self.display.as_deref())?;
        let kept = || KeptClipboard::new(&name, self.told_within);
        open_with(&name, self.kept.get_or_init(kept))
    }

    pub(super) fn end(&self) -> Option<SavedClipboard> {
        self.kept.get()?.end()
    }
}

/// The display to share: a display that was asked for by name may be another one than the desktop's.
fn name_of(display: Option<&str>) -> Result<String, ScreenError> {
    let environment = |name: &str| std::env::var(name).ok();
    if display.is_none() && wayland::is_session(environment) {
        return Err(ScreenError::WaylandOnly);
    }
    x_connection::display_name(display, environment)
}
