//! Connects to the X server, and explains its refusals.

use std::io::ErrorKind;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::{damage, randr, xfixes, xkb, xproto, xtest};
use x11rb::rust_connection::RustConnection;

use super::wayland;
use crate::screen::ScreenError;

/// A connection to an X server, and the screen in the display's name.
pub struct XConnection {
    pub conn: RustConnection,
    screen: usize,
}

impl XConnection {
    /// Connects, with the cookie from the user's Xauthority.
    pub fn connect(name: &str) -> Result<Self, ScreenError> {
        let (conn, screen) = RustConnection::connect(Some(name)).map_err(refusal)?;
        Ok(Self { conn, screen })
    }

    /// The screen's root window and its visual.
    pub fn screen(&self) -> &xproto::Screen {
        &self.conn.setup().roots[self.screen]
    }

    /// Checks that the server has the extensions that a capture needs.
    pub fn need_capture_extensions(&self) -> Result<(), ScreenError> {
        let conn = &self.conn;
        self.need(xfixes::X11_EXTENSION_NAME, "the XFIXES extension")?;
        self.need(damage::X11_EXTENSION_NAME, "the DAMAGE extension")?;
        self.need(randr::X11_EXTENSION_NAME, "the RANDR extension")?;
        // These protocols require that a client states its version before any other request.
        let fixes = xfixes::query_version(conn, 5, 0)?;
        let damaged = damage::query_version(conn, 1, 1)?;
        let resized = randr::query_version(conn, 1, 5)?;
        let fixes = fixes.reply()?;
        damaged.reply()?;
        let resized = resized.reply()?;
        if fixes.major_version < 2 {
            return Err(ScreenError::Lacks("version 2 of the XFIXES extension"));
        }
        if (resized.major_version, resized.minor_version) < (1, 5) {
            return Err(ScreenError::Lacks("version 1.5 of the RANDR extension"));
        }
        wayland::refuse(self)
    }

    /// Checks that the server has the extensions that the input needs.
    pub fn need_input_extensions(&self) -> Result<(), ScreenError> {
        self.need(xtest::X11_EXTENSION_NAME, "the XTEST extension")?;
        self.need(xkb::X11_EXTENSION_NAME, "the XKEYBOARD extension")?;
        if !xkb::use_extension(&self.conn, 1, 0)?.reply()?.supported {
            return Err(ScreenError::Lacks("version 1 of the XKEYBOARD extension"));
        }
        Ok(())
    }

    fn need(&self, name: &'static str, called: &'static str) -> Result<(), ScreenError> {
        if self.has(name)? { Ok(()) } else { Err(ScreenError::Lacks(called)) }
    }

    fn has(&self, name: &'static str) -> Result<bool, ScreenError> {
        Ok(self.conn.extension_information(name)?.is_some())
    }

    pub fn atom(&self, name: &str) -> Result<xproto::Atom, ScreenError> {
        Ok(xproto::intern_atom(&self.conn, false, name.as_bytes())?.reply()?.atom)
    }

    /// A window that is never shown, as the target of events or the owner of a selection.
    pub fn hidden_window(&self, events: xproto::EventMask) -> Result<xproto::Window, ScreenError> {
        let window = self.conn.generate_id().map_err(|_| ScreenError::Gone)?;
        let settings = xproto::CreateWindowAux::new().event_mask(events).override_redirect(1);
        xproto::create_window(
            &self.conn,
            0,
            window,
            self.screen().root,
            -1,
            -1,
            1,
            1,
            0,
            xproto::WindowClass::INPUT_ONLY,
            0,
            &settings,
        )?
        .check()?;
        Ok(window)
    }
}

/// The name of the display to open: `display` if it is given, else the environment's.
pub fn display_name(
    asked: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<String, ScreenError> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    if let Some(name) = asked.map(str::to_owned).or_else(|| set("DISPLAY")) {
        return Ok(name);
    }
    Err(if wayland::is_session(&environment) {
        ScreenError::WaylandOnly
    } else {
        ScreenError::NoDisplay
    })
}

fn refusal(error: ConnectError) -> ScreenError {
    match error {
        ConnectError::SetupFailed(failed) => {
            // The protocol has no code for it; every server since X11R6 uses these words.
            if failed.reason.starts_with(b"Maximum number of clients") {
                ScreenError::Lacks("room for one more program: close some of them and try again")
            } else {
                ScreenError::NoPermission
            }
        }
        ConnectError::SetupAuthenticate(_) => ScreenError::NoPermission,
        ConnectError::IoError(error) if error.kind() == ErrorKind::PermissionDenied => {
            ScreenError::NoPermission
        }
        _ => ScreenError::NoDisplay,
    }
}

impl From<ConnectionError> for ScreenError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::UnsupportedExtension => Self::Lacks("an extension that it had before"),
            _ => Self::Gone,
        }
    }
}

impl From<ReplyError> for ScreenError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::ConnectionError(error) => error.into(),
            ReplyError::X11Error(error) => {
                tracing::warn!(?error, "the X server refused a request");
                match error.error_kind {
                    x11rb::protocol::ErrorKind::Access => Self::NoPermission,
                    x11rb::protocol::ErrorKind::Alloc => Self::Lacks("memory"),
                    _ => Self::Gone,
                }
            }
        }
    }
}

impl From<ReplyOrIdError> for ScreenError {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::X11Error(error) => ReplyError::X11Error(error).into(),
            ReplyOrIdError::IdsExhausted => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(asked: Option<&str>, environment: &[(&str, &str)]) -> Result<String, ScreenError> {
        display_name(asked, |name| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn takes_the_display_that_is_asked_for_before_the_environments() {
        assert_eq!(named(Some(":5"), &[("DISPLAY", ":1")]), Ok(":5".to_owned()));
        assert_eq!(named(None, &[("DISPLAY", ":1")]), Ok(":1".to_owned()));
    }

    #[test]
    fn tells_wayland_alone_from_no_screen_at_all() {
        assert_eq!(named(None, &[]), Err(ScreenError::NoDisplay));
        assert_eq!(named(None, &[("DISPLAY", "")]), Err(ScreenError::NoDisplay));
        assert_eq!(named(None, &[("XDG_SESSION_TYPE", "tty")]), Err(ScreenError::NoDisplay));
        let wayland = Err(ScreenError::WaylandOnly);
        assert_eq!(named(None, &[("WAYLAND_DISPLAY", "wayland-0")]), wayland);
        assert_eq!(named(None, &[("XDG_SESSION_TYPE", "wayland")]), wayland);
    }
}
