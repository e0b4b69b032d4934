//! The desktop behind a trait, so that everything above it can be tested without one.

use std::{future::Future, pin::Pin};

use crate::{SessionId, remote::ViewerUrl};

/// Why the desktop didn't do it, in words for people; never with a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DesktopError(pub String);

/// A desktop's answer, when it comes.
pub type DesktopReply<'a> = Pin<Box<dyn Future<Output = Result<(), DesktopError>> + Send + 'a>>;

/// How a viewer window is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// To watch only.
    pub read_only: bool,
    /// To write: its page begins at the chat.
    pub chat: bool,
}

/// A desktop: windows beside the console's own.
pub trait Desktop: Send + Sync + 'static {
    /// Opens a viewer window for `session`, or brings the one with the same role to the front.
    ///
    /// `name` is the session's name (it becomes the title, so it carries no secret); `url` carries
    /// the PIN and may be shown to nobody but the window's own page.
    fn open_viewer<'a>(
        &'a self,
        session: SessionId,
        name: &'a str,
        url: ViewerUrl,
        view: View,
    ) -> DesktopReply<'a>;

    /// Brings the chat of a viewer window that is open for `session` to the front, whatever its
    /// role; false if none is open.
    fn show_chat(&self, session: SessionId) -> bool;

    /// Opens `url` in the system's browser. It carries a one-time secret, so it is neither logged
    /// nor quoted in an error.
    ///
    /// # Errors
    /// There is a browser, but it can't be started.
    fn open_browser(&self, url: &str) -> Result<(), DesktopError>;
}

/// No desktop: headless programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headless;

impl Desktop for Headless {
    fn open_viewer<'a>(
        &'a self,
        _: SessionId,
        _: &'a str,
        _: ViewerUrl,
        _: View,
    ) -> DesktopReply<'a> {
        Box::pin(async {
            Err(DesktopError(
                "open a viewer window: this program runs without a desktop. Ask for the viewer link instead."
                    .into(),
            ))
        })
    }

    fn show_chat(&self, _: SessionId) -> bool {
        false
    }

    /// Whoever gave the command has the link, and opens it where there is a browser.
    fn open_browser(&self, _: &str) -> Result<(), DesktopError> {
        Ok(())
    }
}
