//! Recognises a Wayland desktop. The X server that comes along with one (Xwayland) takes every
//! connection, but its root window shows nothing of the desktop: sharing it would share one colour.

use x11rb::connection::RequestConnection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xinput;

use super::x_connection::XConnection;
use crate::screen::ScreenError;

/// The extension that identifies Xwayland since version 23.1.
const EXTENSION: &str = "XWAYLAND";
/// How Xwayland named its outputs (`XWAYLAND0`) before it had the compositor's names for them.
const OUTPUT: &str = "XWAYLAND";
/// How Xwayland names its devices, such as `xwayland-keyboard:11`, in every version.
const DEVICE: &str = "xwayland-";

/// What an X server says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct ServerFacts {
    has_extension: bool,
    outputs: Vec<String>,
    devices: Vec<String>,
}

impl ServerFacts {
    fn is_xwayland(&self) -> bool {
        self.has_extension
            || self.outputs.iter().any(|name| name.starts_with(OUTPUT))
            || self.devices.iter().any(|name| name.starts_with(DEVICE))
    }
}

/// Whether the desktop of this environment is Wayland's. A window of a Wayland compositor on an X11
/// desktop sets `WAYLAND_DISPLAY`, too, but not the session's type; a compositor that was started
/// in a text console leaves its type.
pub fn is_session(environment: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    match set("XDG_SESSION_TYPE").as_deref() {
        Some("wayland") => true,
        Some("x11") => false,
        Some(_) | None => set("WAYLAND_DISPLAY").is_some(),
    }
}

/// Refuses a server that is Xwayland.
///
/// # Errors
/// [`ScreenError::WaylandOnly`].
pub fn refuse(server: &XConnection) -> Result<(), ScreenError> {
    if facts(server)?.is_xwayland() { Err(ScreenError::WaylandOnly) } else { Ok(()) }
}

fn facts(server: &XConnection) -> Result<ServerFacts, ScreenError> {
    let conn = &server.conn;
    let has_extension = conn.extension_information(EXTENSION)?.is_some();
    Ok(ServerFacts { has_extension, outputs: outputs(server)?, devices: devices(server)? })
}

/// The outputs' names; none where the server doesn't tell them.
fn outputs(server: &XConnection) -> Result<Vec<String>, ScreenError> {
    let conn = &server.conn;
    let root = server.screen().root;
    let Some(found) = told(conn.randr_get_screen_resources_current(root)?.reply())? else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for output in found.outputs {
        let info = conn.randr_get_output_info(output, found.config_timestamp)?.reply();
        names.extend(told(info)?.map(|info| String::from_utf8_lossy(&info.name).into_owned()));
    }
    Ok(names)
}

/// The input devices' names; none where the server doesn't tell them.
fn devices(server: &XConnection) -> Result<Vec<String>, ScreenError> {
    let conn = &server.conn;
    if conn.extension_information(xinput::X11_EXTENSION_NAME)?.is_none() {
        return Ok(Vec::new());
    }
    told(xinput::xi_query_version(conn, 2, 0)?.reply())?;
    // Device 0 stands for all of them.
    let found = told(xinput::xi_query_device(conn, 0_u8)?.reply())?;
    let infos = found.map(|found| found.infos).unwrap_or_default();
    Ok(infos.iter().map(|info| String::from_utf8_lossy(&info.name).into_owned()).collect())
}

/// An answer, unless the server refuses to give it.
fn told<T>(answer: Result<T, ReplyError>) -> Result<Option<T>, ScreenError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error @ ReplyError::ConnectionError(_)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(has_extension: bool, outputs: &[&str], devices: &[&str]) -> ServerFacts {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ServerFacts { has_extension, outputs: owned(outputs), devices: owned(devices) }
    }

    const CORE: [&str; 2] = ["Virtual core pointer", "Virtual core keyboard"];

    #[test]
    fn tells_xwayland_of_every_version_from_the_others() {
        // Recorded: Debian 12's Xwayland 22.1.9 in sway 1.7.
        let sway = ["xwayland-pointer:11", "xwayland-relative-pointer:11", "xwayland-keyboard:11"];
        assert!(server(false, &["XWAYLAND0"], &[]).is_xwayland());
        assert!(server(false, &["HDMI-1", "XWAYLAND1"], &[]).is_xwayland());
        assert!(server(false, &[], &sway).is_xwayland());
        // Since 23.1 outputs have the compositor's names.
        assert!(server(true, &["eDP-1"], &[]).is_xwayland());
        assert!(server(false, &["eDP-1"], &sway).is_xwayland());
        for outputs in [&["eDP-1", "HDMI-1"][..], &["screen"], &["VNC-0"], &["default"], &[]] {
            assert!(!server(false, outputs, &CORE).is_xwayland(), "{outputs:?}");
        }
    }

    #[test]
    fn knows_a_wayland_session_by_any_of_its_variables() {
        let is = |variables: &[(&str, &str)]| {
            is_session(|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let (socket, kind) = (("WAYLAND_DISPLAY", "wayland-1"), "XDG_SESSION_TYPE");
        assert!(is(&[("DISPLAY", ":0"), socket, (kind, "wayland")]));
        assert!(is(&[socket]) && is(&[(kind, "wayland")]));
        // sway, started in a text console.
        assert!(is(&[socket, (kind, "tty")]));
        // A compositor in a window of an X11 desktop.
        assert!(!is(&[socket, (kind, "x11")]));
        assert!(!is(&[("DISPLAY", ":0")]) && !is(&[("WAYLAND_DISPLAY", ""), (kind, "tty")]));
    }
}
