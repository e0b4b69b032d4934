//! That with which this program fills the clipboard, as all who have to know it see it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use x11rb::protocol::xproto::{Timestamp, Window};

use super::served_forms::ServedForm;
use crate::screen::Contents;

/// How long the X server may take until the selection is owned.
const OWNED_WITHIN: Duration = Duration::from_secs(10);

/// What this program has put into the clipboard, so that it isn't sent back to the viewers.
#[derive(Clone, Default)]
pub struct Own {
    window: Window,
    now: Arc<Mutex<Now>>,
    /// Notified when the selection is taken, and when it is lost.
    changed: Arc<Condvar>,
}

#[derive(Default)]
struct Now {
    /// What a viewer has sent last.
    contents: Option<Contents>,
    /// What programs get that ask for it.
    forms: Arc<[ServedForm]>,
    /// Whether the viewers know it, because it came from one of them.
    known: bool,
    /// Whether the selection is still to be taken for it. Not told from `since`: another program may
    /// have taken it again before anybody looks.
    to_be_taken: bool,
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

    /// What is served from now on, and the text or picture if it is a viewer's.
    pub fn set(&self, contents: Option<Contents>, forms: Arc<[ServedForm]>) {
        let known = contents.is_some();
        *self.now.lock() = Now { contents, forms, known, to_be_taken: true, since: None };
    }

    /// Waits until the selection was taken or can't be, for at most [`OWNED_WITHIN`].
    pub fn wait_until_taken(&self) {
        self.is_taken_within(OWNED_WITHIN);
    }

    fn is_taken_within(&self, within: Duration) -> bool {
        let mut now = self.now.lock();
        !self.changed.wait_while_for(&mut now, |now| now.to_be_taken, within).timed_out()
    }

    /// Waits until the selection is lost, for at most `within`.
    pub fn wait_until_lost(&self, within: Duration) {
        let mut now = self.now.lock();
        self.changed.wait_while_for(&mut now, |now| now.since.is_some(), within);
    }

    /// Notes since when the selection is owned.
    pub fn taken(&self, since: Timestamp) {
        let mut now = self.now.lock();
        (now.to_be_taken, now.since) = (false, Some(since));
        self.changed.notify_all();
    }

    /// Notes that another program has the selection.
    // This may be told of an earlier time while it is still to be taken again.
    pub fn lost(&self) {
        self.now.lock().since = None;
        self.changed.notify_all();
    }

    /// Notes that it is lost and can't be taken again.
    pub fn over(&self) {
        let mut now = self.now.lock();
        (now.to_be_taken, now.since) = (false, None);
        self.changed.notify_all();
    }

    pub fn since(&self) -> Option<Timestamp> {
        self.now.lock().since
    }

    /// Whether this is what a viewer has sent last.
    pub fn is_ours(&self, contents: &Contents) -> bool {
        self.now.lock().contents.as_ref() == Some(contents)
    }

    pub fn forms(&self) -> Arc<[ServedForm]> {
        Arc::clone(&self.now.lock().forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It would have to wait for a state that is over.
    #[test]
    fn whoever_waits_until_it_is_taken_need_not_see_it_before_it_is_lost_again() {
        let own = Own::new(1);
        own.set(Some("a text".into()), Arc::default());
        // Of an earlier time: it says nothing of this one.
        own.lost();
        assert!(!own.is_taken_within(Duration::ZERO));
        own.taken(7);
        own.lost();
        assert!(own.is_taken_within(Duration::ZERO));
        assert_eq!(own.since(), None);
        own.set(Some("another".into()), Arc::default());
        own.over();
        assert!(own.is_taken_within(Duration::ZERO));
    }
}
