//! Opens an address in the desktop's own browser or mail program.
//!
//! What is absent: any scheme but https, http and mailto, and a shell between us and the program.

use std::process::{Command, Stdio};

use tauri::Url;

/// Why an address wasn't opened.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The scheme could start a program that nobody asked for.
    #[error("open a link: only web and mail addresses are opened, not \"{0}:\"")]
    Scheme(String),
    /// `xdg-open` could not be started.
    #[error("open a link: xdg-open could not be started ({0}); install the package xdg-utils")]
    Start(#[source] std::io::Error),
}

/// Opens `url` outside of Deskhand.
///
/// # Errors
/// [`LinkError`]
pub fn open(url: &Url) -> Result<(), LinkError> {
    check(url)?;
    let mut child = Command::new("xdg-open")
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(LinkError::Start)?;
    // Without the wait, every opened link would leave a zombie process until Deskhand ends. A
    // thread waits, because xdg-open may run as long as the browser does.
    std::thread::spawn(move || match child.wait() {
        Ok(ended) if ended.success() => {}
        Ok(ended) => tracing::warn!(%ended, "open a link: xdg-open found no program for it"),
        Err(error) => tracing::warn!(%error, "open a link"),
    });
    Ok(())
}

fn check(url: &Url) -> Result<(), LinkError> {
    match url.scheme() {
        "https" | "http" | "mailto" => Ok(()),
        other => Err(LinkError::Scheme(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_and_mail_addresses_leave_deskhand() {
        for (address, opened) in [
            ("https://broker.example/join", true),
            ("http://127.0.0.1:7000/join", true),
            ("mailto:maria@example.com", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("ssh://host", false),
        ] {
            assert_eq!(check(&address.parse().unwrap()).is_ok(), opened, "{address}");
        }
    }
}
