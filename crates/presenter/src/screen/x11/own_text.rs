//! The text with which this program fills the clipboard, as all who have to know it see it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use x11rb::protocol::xproto::{Timestamp, Window};

/// How long the X server may take until the selection is owned.
const OWNED_WITHIN: Duration = Duration::from_secs(2);

/// The text that this program has put into the clipboard, so that it isn't sent back to
/// the viewers.
#[derive(Clone, Default)]
pub struct Own {
    window: Window,
    text: Arc<Mutex<Text>>,
    /// Notified when the selection is owned, and when it is lost.
    changed: Arc<Condvar>,
}

#[derive(Default)]
struct Text {
    /// The text for programs that ask for it.
    text: Arc<str>,
    /// Whether the viewers know this text, because it came from one of them.
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

    /// Whether another program's text differs from the one that a viewer has sent. A clipboard
    /// manager may own the selection now and still offer the viewer's text.
    pub fn is_news(&self, text: &str) -> bool {
        let mut own = self.text.lock();
        let news = !(own.known && *own.text == *text);
        if news {
            own.known = false;
        }
        news
    }

    pub fn set(&self, text: &str) {
        *self.text.lock() = Text { text: text.into(), known: true, since: None };
    }

    /// Waits until the selection is owned, for at most [`OWNED_WITHIN`].
    pub fn wait_until_owned(&self) {
        let mut text = self.text.lock();
        self.changed.wait_while_for(&mut text, |text| text.since.is_none(), OWNED_WITHIN);
    }

    /// Waits until the selection is lost, for at most `within`.
    pub fn wait_until_lost(&self, within: Duration) {
        let mut text = self.text.lock();
        self.changed.wait_while_for(&mut text, |text| text.since.is_some(), within);
    }

    /// Notes since when the selection is owned, or that it is lost.
    pub fn note(&self, since: Option<Timestamp>) {
        self.text.lock().since = since;
        self.changed.notify_all();
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.text.lock().since
    }

    /// Whether this is the text that a viewer has sent last.
    pub fn is_ours(&self, text: &str) -> bool {
        *self.text.lock().text == *text
    }

    pub fn get(&self) -> Arc<str> {
        Arc::clone(&self.text.lock().text)
    }
}
