//! Hands an address to the desktop's own browser or mail program.
//!
//! What is absent: every scheme but https, http and mailto; a shell between us and the program.

use std::process::{Command, Stdio};

use tauri::Url;

/// Why an address was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Its scheme could start some program that nobody asked for.
    #[error("open a link: only web and mail addresses are opened, not \"{0}:\"")]
    Scheme(String),
    /// `xdg-open` could not be started.
    #[error("open a link: xdg-open could not be started ({0}); install the package xdg-utils")]
    Start(#[source] std::io::Error),
}

/// Opens `url` outside of Deskhand.
///
/// # Errors
/// [`LinkError`] by remedy.
pub fn open(url: &Url) -> Result<(), LinkError> {
    judge(url)?;
    let mut child = Command::new("xdg-open")
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(LinkError::Start)?;
    // Reaped, or every opened link would leave a zombie until we end. It may last as long as the browser does.
    std::thread::spawn(move || match child.wait() {
        Ok(ended) if ended.success() => {}
        Ok(ended) => tracing::warn!(%ended, "open a link: xdg-open found no program for it"),
        Err(error) => tracing::warn!(%error, "open a link"),
    });
    Ok(())
}

fn judge(url: &Url) -> Result<(), LinkError> {
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
            assert_eq!(judge(&address.parse().unwrap()).is_ok(), opened, "{address}");
        }
    }
}
