//! The screen of an X11 desktop. Capture, input and clipboard have a connection each, so that none
//! waits for another. Nothing polls: each of the three waits for its socket.

mod capture;
mod clipboard;
mod cursor;
mod held_keys;
mod image_fetch;
mod input;
mod keymap;
mod leftovers;
mod merge_areas;
mod pixels;
mod scancode;
mod selection;
pub(crate) mod wayland;
pub(crate) mod x_connection;

use std::sync::Arc;

use super::{Screen, ScreenError};

/// Opens the X11 display of this name, or the one that the environment names.
pub(super) fn open(display: Option<&str>) -> Result<Screen, ScreenError> {
    let environment = |name: &str| std::env::var(name).ok();
    // A display that was asked for by name may be another one than the desktop's.
    if display.is_none() && wayland::is_session(environment) {
        return Err(ScreenError::WaylandOnly);
    }
    let name = x_connection::display_name(display, environment)?;
    let clipboard = clipboard::Clipboard::open(&name)?;
    let capture = capture::X11Capture::open(&name, clipboard.own())?;
    let waker = Arc::new(capture.waker());
    let input = input::X11Input::open(&name, clipboard)?;
    Ok((Box::new(capture), waker, Box::new(input)))
}
