//! The keys that viewers hold down, and who of them holds which.

use x11rb::protocol::xproto::Keycode;

use super::keymap::Keymap;
use crate::screen::ViewerId;

/// The most keys that one viewer holds down at once. People have ten fingers; a hostile viewer has
/// no limit.
const MOST_HELD: usize = 64;

/// A key that a viewer holds down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey {
    pub viewer: ViewerId,
    pub keysym: u32,
    pub scancode: Option<u32>,
    /// `None` if it was typed with changed modifiers: it is up already, or it would repeat
    /// without them.
    pub keycode: Option<Keycode>,
}

/// All of them, in the order in which they were pressed.
#[derive(Debug, Default)]
pub struct HeldKeys(Vec<HeldKey>);

impl HeldKeys {
    /// Adds a key. Returns the oldest of the same viewer's keys if those are too many.
    pub fn add(&mut self, held: HeldKey) -> Option<HeldKey> {
        self.0.retain(|other| *other != held);
        self.0.push(held);
        let own = |other: &HeldKey| other.viewer == held.viewer;
        if self.0.iter().filter(|other| own(other)).count() <= MOST_HELD {
            return None;
        }
        let oldest = self.0.iter().position(own)?;
        Some(self.0.remove(oldest))
    }

    /// Takes the key that a viewer releases by its scancode or keysym. If Shift is released before a
    /// letter, the viewer reports another keysym for the release than for the press; `has` says
    /// whether a keycode has that one.
    pub fn take<E>(
        &mut self,
        viewer: ViewerId,
        keysym: u32,
        scancode: Option<u32>,
        keymap: impl FnOnce() -> Result<Keymap, E>,
    ) -> Result<Option<HeldKey>, E> {
        let own = |held: &HeldKey| held.viewer == viewer;
        let same = |held: &HeldKey| match scancode {
            Some(_) => held.scancode == scancode,
            None => held.scancode.is_none() && held.keysym == keysym,
        };
        let mut at = self.0.iter().rposition(|held| own(held) && same(held));
        if at.is_none() && self.0.iter().any(own) {
            let keymap = keymap()?;
            let has = |held: &HeldKey| held.keycode.is_some_and(|key| keymap.has(key, keysym));
            at = self.0.iter().rposition(|held| own(held) && has(held));
        }
        Ok(at.map(|at| self.0.remove(at)))
    }

    /// Takes the last key of a viewer, or of anybody.
    pub fn take_last(&mut self, viewer: Option<ViewerId>) -> Option<HeldKey> {
        let theirs = |held: &HeldKey| viewer.is_none_or(|viewer| held.viewer == viewer);
        let at = self.0.iter().rposition(theirs)?;
        Some(self.0.remove(at))
    }

    /// Whether a key is down.
    pub fn is_down(&self, keycode: Keycode) -> bool {
        self.keycodes().any(|held| held == keycode)
    }

    /// Whether this viewer holds a key.
    pub fn holds(&self, viewer: ViewerId, keycode: Keycode) -> bool {
        self.0.iter().any(|held| held.viewer == viewer && held.keycode == Some(keycode))
    }

    /// Whether anybody but this viewer holds a key.
    pub fn others_hold(&self, viewer: ViewerId) -> bool {
        self.0.iter().any(|held| held.viewer != viewer)
    }

    /// The keys that are down, each once.
    pub fn keycodes(&self) -> impl Iterator<Item = Keycode> {
        let all = self.0.iter().enumerate().filter_map(|(at, held)| Some((at, held.keycode?)));
        let first =
            |at: usize, keycode| self.0[..at].iter().all(|held| held.keycode != Some(keycode));
        all.filter(move |(at, keycode)| first(*at, *keycode)).map(|(_, keycode)| keycode)
    }
}
