//! Whether what the customer copies goes to a viewer: only to one who controls, and only if the
//! customer shares the clipboard, or sends what was asked for.

use crate::screen::{ClipboardLoss, Contents, NotCarried};

/// What the customer has copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copied {
    Contents(Contents),
    NotCarried(NotCarried),
}

impl Copied {
    /// What the customer has to hear when this was to go to a viewer.
    pub(crate) fn news(&self) -> Option<ClipboardNews> {
        match self {
            Self::Contents(_) => None,
            Self::NotCarried(why) => Some(ClipboardNews::NotCarried(*why)),
        }
    }
}

/// What the customer has to hear of the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClipboardNews {
    /// The viewer whose stream is this task asks for it.
    Asked(tokio::task::Id),
    /// What the customer has copied was to go to a viewer, and can't.
    NotCarried(NotCarried),
    /// A viewer's text or picture has taken the place of what can't come back at the end.
    Lost(ClipboardLoss),
}

/// One viewer's access to the customer's clipboard.
#[derive(Debug, Default)]
pub(crate) struct ClipboardAccess {
    /// Whether it may ask: it controls, and the program exchanges the clipboard at all.
    may_ask: bool,
    /// It has asked, and has got nothing since.
    asks: bool,
    /// The customer sends it the next thing.
    once: bool,
    pending: Option<Copied>,
}

impl ClipboardAccess {
    pub(crate) fn new(may_ask: bool) -> Self {
        Self { may_ask, ..Self::default() }
    }

    /// The customer has copied something; returns whether the viewer is to hear of it.
    pub(crate) fn offer(&mut self, copied: &Copied, shared: bool) -> bool {
        let goes = self.may_ask && (shared || self.once);
        if goes {
            (self.asks, self.once) = (false, false);
            self.pending = Some(copied.clone());
        }
        goes
    }

    /// The viewer asks; returns whether the customer has to be asked.
    pub(crate) fn ask(&mut self, copied: Option<&Copied>, shared: bool) -> bool {
        self.asks = self.may_ask;
        if let (true, Some(copied)) = (shared, copied) {
            self.offer(copied, shared);
        }
        self.may_ask && !shared
    }

    /// The customer sends what they copied last, or what they copy next, to those who asked. Returns
    /// whether this one is to hear of what was copied.
    pub(crate) fn send(&mut self, copied: Option<&Copied>) -> bool {
        self.once |= self.asks;
        copied.is_some_and(|copied| self.offer(copied, false))
    }

    /// What the viewer is to be told, once.
    pub(crate) fn take(&mut self) -> Option<Copied> {
        self.pending.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Copied {
        Copied::Contents(text.into())
    }

    #[test]
    fn nothing_goes_to_anybody_unasked() {
        let mut access = ClipboardAccess::new(true);
        access.offer(&text("secret"), false);
        // Nobody asked, so there is nobody to send it to.
        access.send(Some(&text("secret")));
        access.offer(&text("another"), false);
        assert_eq!(access.take(), None);
    }

    #[test]
    fn one_thing_goes_to_who_asked_for_it() {
        let mut access = ClipboardAccess::new(true);
        assert!(access.ask(Some(&text("last")), false));
        assert_eq!(access.take(), None);
        access.send(Some(&text("last")));
        assert_eq!(access.take(), Some(text("last")));
        access.offer(&text("next"), false);
        assert_eq!(access.take(), None);
        // Nothing was copied yet: the next thing goes.
        assert!(access.ask(None, false));
        access.send(None);
        access.offer(&text("next"), false);
        access.offer(&text("after"), false);
        assert_eq!(access.take(), Some(text("next")));
    }

    #[test]
    fn a_shared_clipboard_goes_at_once_but_not_to_who_watches() {
        let mut access = ClipboardAccess::new(true);
        access.offer(&text("a"), true);
        assert_eq!(access.take(), Some(text("a")));
        assert!(!access.ask(Some(&text("a")), true));
        assert_eq!(access.take(), Some(text("a")));
        let mut watches = ClipboardAccess::new(false);
        watches.offer(&text("a"), true);
        assert!(!watches.ask(Some(&text("a")), true) && !watches.ask(Some(&text("a")), false));
        watches.send(Some(&text("a")));
        assert_eq!(watches.take(), None);
    }
}
