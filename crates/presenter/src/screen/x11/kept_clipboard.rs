//! The clipboard for as long as the screen is shared: what a viewer has sent outlives the viewer, and
//! what was there before comes back at the end.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::clipboard::Clipboard;
use super::selection::Selection;
use super::whole_clipboard;
use crate::screen::{ClipboardLoss, Contents, SavedClipboard, ScreenError};

/// How long the owner of what is there before may take for each of its forms.
pub const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// The clipboard of one display.
#[derive(Clone)]
pub struct KeptClipboard {
    display: String,
    told_within: Duration,
    kept: Arc<Mutex<ClipboardContents>>,
}

#[derive(Default)]
struct ClipboardContents {
    clipboard: Option<Arc<Clipboard>>,
    /// What was there before a viewer sent the first thing.
    before: Option<SavedClipboard>,
}

impl KeptClipboard {
    pub fn new(display: &str, told_within: Duration) -> Self {
        Self { display: display.to_owned(), told_within, kept: Arc::default() }
    }

    /// The clipboard, opened anew if the display was gone meanwhile.
    pub fn open(&self) -> Result<Arc<Clipboard>, ScreenError> {
        let mut kept = self.kept.lock();
        if let Some(clipboard) = kept.clipboard.as_ref().filter(|clipboard| clipboard.is_alive()) {
            return Ok(Arc::clone(clipboard));
        }
        let clipboard = Arc::new(Clipboard::open(&self.display)?);
        *kept = ClipboardContents { clipboard: Some(Arc::clone(&clipboard)), before: None };
        Ok(clipboard)
    }

    /// Puts there what a viewer has sent, unless it may not go on by then: to read what is there before can
    /// take seconds. Returns why what was there before can't come back as it was.
    pub fn fill(
        &self,
        contents: Contents,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<Option<ClipboardLoss>, ScreenError> {
        let clipboard = self.open()?;
        // Whoever has it loses it now, and nobody else remembers what it was.
        let now = (!clipboard.is_owner())
            .then(|| whole_clipboard::read(&self.display, self.told_within, may_go_on));
        if !may_go_on() {
            // It stays where it is, so nothing is lost, however little of it was read.
            return Ok(None);
        }
        let mut loss = None;
        if let Some(now) = now {
            // A history of clipboards may have taken over what a viewer has sent: that isn't what was
            // there before.
            let there = now.saved.as_ref().and_then(SavedClipboard::contents);
            if !there.is_some_and(|there| clipboard.own().is_ours(&there)) {
                loss = now.loss;
                self.kept.lock().before = now.saved;
            }
        }
        clipboard.fill(contents)?;
        Ok(loss)
    }

    /// Gives the clipboard up. Returns what was there before, if what a viewer has sent is there now.
    pub fn end(&self) -> Option<SavedClipboard> {
        let ClipboardContents { clipboard, before } = std::mem::take(&mut *self.kept.lock());
        let clipboard = clipboard?;
        before.filter(|_| {
            clipboard.is_owner()
                || Selection::read_now(&self.display, self.told_within)
                    .is_some_and(|now| clipboard.own().is_ours(&now))
        })
    }
}
