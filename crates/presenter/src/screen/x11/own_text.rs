//! That with which this program fills the clipboard, as all who have to know it see it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use x11rb::protocol::xproto::{Timestamp, Window};

use crate::screen::Contents;

/// How long the X server may take until the selection is owned.
const OWNED_WITHIN: Duration = Duration::from_secs(2);

/// What this program has put into the clipboard, so that it isn't sent back to the viewers.
#[derive(Clone, Default)]
pub struct Own {
    window: Window,
    now: Arc<Mutex<Now>>,
    /// Notified when the selection is owned, and when it is lost.
    changed: Arc<Condvar>,
}

#[derive(Default)]
struct Now {
    /// What programs get that ask for it.
    contents: Option<Contents>,
    /// Whether the viewers know it, because it came from one of them.
    known: bool,
    /// Since when the selection is owned, by the server's clock; `None` while it isn't.
    since: Option<Timestamp>,
}

impl Own {
    pub fn new(window: Window) -> Self {
        Self { window, ..Self::default() }
    }

    pub fn window(&self) -> Window {
        self.window
    }

    /// Whether this is the window that owns the clipboard for this program.
    pub fn is_window(&self, window: Window) -> bool {
        self.window == window
    }

    /// Whether what another program offers differs from what a viewer has sent. A clipboard manager
    /// may own the selection now and still offer the viewer's text.
    pub fn is_news(&self, contents: &Contents) -> bool {
        let mut own = self.now.lock();
        let news = !(own.known && own.contents.as_ref() == Some(contents));
        if news {
            own.known = false;
        }
        news
    }

    pub fn set(&self, contents: Contents) {
        *self.now.lock() = Now { contents: Some(contents), known: true, since: None };
    }

    /// Waits until the selection is owned, for at most [`OWNED_WITHIN`].
    pub fn wait_until_owned(&self) {
        let mut now = self.now.lock();
        self.changed.wait_while_for(&mut now, |now| now.since.is_none(), OWNED_WITHIN);
    }

    /// Waits until the selection is lost, for at most `within`.
    pub fn wait_until_lost(&self, within: Duration) {
        let mut now = self.now.lock();
        self.changed.wait_while_for(&mut now, |now| now.since.is_some(), within);
    }

    /// Notes since when the selection is owned, or that it is lost.
    pub fn note(&self, since: Option<Timestamp>) {
        self.now.lock().since = since;
        self.changed.notify_all();
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.now.lock().since
    }

    /// Whether this is what a viewer has sent last.
    pub fn is_ours(&self, contents: &Contents) -> bool {
        self.now.lock().contents.as_ref() == Some(contents)
    }

    pub fn get(&self) -> Option<Contents> {
        self.now.lock().contents.clone()
    }
}
