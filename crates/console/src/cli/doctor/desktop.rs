//! The desktop around the console: a display, the session bus, notifications, the keyring.
//!
//! The main job needs none of these, so no check here fails.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use engine::vault::{Keyring as _, KeyringFault, OsKeyring};
use tokio::time::timeout;
use zbus::{Connection, fdo::DBusProxy, names::BusName};

use super::Check;

/// How long a bus or a keyring may take; a longer wait means that it is asking a person something.
const PATIENCE: Duration = Duration::from_secs(5);
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";

/// Whether a window could open.
pub(super) fn display() -> Check {
    const NAME: &str = "display";
    const REMEDY: &str = "The window needs a desktop; headless, regions and demo work without.";
    let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    if let Some(wayland) = set("WAYLAND_DISPLAY") {
        let folder = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).unwrap_or_default();
        return if folder.join(&wayland).exists() {
            Check::ok(NAME, format!("Wayland ({wayland})"))
        } else {
            let text = format!("WAYLAND_DISPLAY is {wayland}, but there is no such socket");
            Check::warning(NAME, text, REMEDY)
        };
    }
    match set("DISPLAY") {
        Some(x11) => x11_display(&x11, REMEDY),
        None => Check::warning(NAME, "neither WAYLAND_DISPLAY nor DISPLAY is set", REMEDY),
    }
}

fn x11_display(name: &str, remedy: &str) -> Check {
    // Only a display of this computer (`:0`, `:0.0`) has a socket that can be looked for.
    let number = name.strip_prefix(':').and_then(|rest| rest.split('.').next());
    match number.map(|number| PathBuf::from(format!("/tmp/.X11-unix/X{number}"))) {
        Some(socket) if !socket.exists() => Check::warning(
            "display",
            format!("DISPLAY is {name}, but no X server has that number"),
            remedy,
        ),
        Some(_) | None => Check::ok("display", format!("X11 ({name})")),
    }
}

/// Whether there is a session bus, and who shows notifications on it.
pub(super) async fn bus() -> Vec<Check> {
    const REMEDY: &str = "Notifications, tray and keyring need one; start from a desktop session, or with dbus-run-session.";
    let connection = match timeout(PATIENCE, Connection::session()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return vec![Check::warning("session bus", short(&error), REMEDY)],
        Err(_) => return vec![Check::warning("session bus", "it doesn't answer", REMEDY)],
    };
    let notifications = timeout(PATIENCE, notifications(&connection)).await;
    vec![
        Check::ok("session bus", "D-Bus answers"),
        notifications.unwrap_or_else(|_| nobody_notifies("the bus doesn't answer")),
    ]
}

async fn notifications(connection: &Connection) -> Check {
    let Ok(bus) = DBusProxy::new(connection).await else {
        return nobody_notifies("the bus doesn't answer");
    };
    let Ok(name) = BusName::try_from(NOTIFICATIONS) else {
        return nobody_notifies("its name is wrong");
    };
    if bus.name_has_owner(name).await.unwrap_or(false) {
        return Check::ok("notifications", "a service shows them");
    }
    let activatable = bus.list_activatable_names().await.unwrap_or_default();
    if activatable.iter().any(|name| name.as_str() == NOTIFICATIONS) {
        Check::ok("notifications", "a service is started for them")
    } else {
        nobody_notifies("no service shows them")
    }
}

fn nobody_notifies(why: &str) -> Check {
    let remedy = "Install a notification daemon; until then they show in the window only.";
    Check::warning("notifications", why, remedy)
}

/// Whether the system's keyring answers.
pub(super) async fn keyring(unused: bool) -> Check {
    const NAME: &str = "keyring";
    if unused {
        return Check::ok(NAME, "not asked, as --no-keyring says");
    }
    let ring = Arc::new(OsKeyring);
    // On a thread of its own: a locked keyring blocks until somebody unlocks it.
    let asked = tokio::task::spawn_blocking(move || ring.get("doctor"));
    let remedy = "Unlock or start it. Without one a new key lies in a file in the data folder; --passphrase-file wraps it.";
    match timeout(PATIENCE, asked).await {
        Ok(Ok(Ok(_))) => Check::ok(NAME, "the system's keyring answers"),
        Ok(Ok(Err(KeyringFault::Absent))) => Check::warning(NAME, "there is none", remedy),
        Ok(Ok(Err(
            fault @ (KeyringFault::Locked | KeyringFault::Waiting | KeyringFault::Failed(_)),
        ))) => Check::warning(NAME, fault.to_string(), remedy),
        Ok(Err(_)) => Check::warning(NAME, "asking it failed", remedy),
        Err(_) => Check::warning(NAME, "it is locked, or is asking somebody to unlock it", remedy),
    }
}

/// An error's first line only: some texts carry the whole environment.
fn short(error: &zbus::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Found;

    #[test]
    fn an_x_display_without_a_server_is_a_warning_and_one_elsewhere_is_believed() {
        assert_eq!(x11_display(":98761", "r").found, Found::Warning);
        assert_eq!(x11_display("otherhost:0", "r").found, Found::Ok);
    }
}
