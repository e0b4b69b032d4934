//! The customer's present keyboard layout: which key types which character.

use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xkb::{self, GetStateReply, KeySymMap, KeyType, SetMapAux, SetMapFlags};
use x11rb::protocol::xproto::ModMask;
use x11rb::rust_connection::RustConnection;
use xkeysym::Keysym;

/// XKB's id of the core keyboard, whose events all programs get (`XkbUseCoreKbd`).
pub const CORE_KEYBOARD: u16 = 0x100;
const LOCK: u8 = 2;
/// The value of the top two bits in a key's group information that means: a group that the key
/// doesn't have is replaced by its last one (`XkbClampIntoRange`).
const CLAMP: u8 = 0x40;
/// The index of the key type whose keys ignore all modifiers. It is the first in every keymap.
const ONE_LEVEL: u8 = 0;

/// The layout and the modifiers as they are now.
pub struct Keymap {
    first: u8,
    keys: Vec<KeySymMap>,
    types: Vec<KeyType>,
    modifiers: Vec<(u8, u8)>,
    /// The present modifiers and group.
    pub state: GetStateReply,
}

/// One way to type a character: a key, with the group and the modifiers that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    pub keycode: u8,
    /// The group, if it isn't the present one.
    pub group: Option<u8>,
    /// The modifiers to set.
    pub set: u8,
    /// The modifiers to clear.
    pub clear: u8,
}

impl Stroke {
    const fn plain(keycode: u8) -> Self {
        Self { keycode, group: None, set: 0, clear: 0 }
    }

    /// Whether pressing the key is enough.
    pub const fn is_plain(self) -> bool {
        self.group.is_none() && self.set == 0 && self.clear == 0
    }
}

impl Keymap {
    /// Reads the keymap from the server, each time anew: this costs less than a screen update, and
    /// the layout may change during a session.
    pub fn ask(conn: &RustConnection) -> Result<Self, ReplyError> {
        let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS | xkb::MapPart::MODIFIER_MAP;
        let none = xkb::MapPart::from(0u8);
        let map = xkb::get_map(
            conn,
            CORE_KEYBOARD,
            parts,
            none,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            xkb::VMod::default(),
            0,
            0,
            0,
            0,
            0,
            0,
        )?;
        let state = xkb::get_state(conn, CORE_KEYBOARD)?;
        let (map, state) = (map.reply()?, state.reply()?);
        let modifiers = map.map.modmap_rtrn.unwrap_or_default();
        Ok(Self {
            first: map.first_key_sym,
            keys: map.map.syms_rtrn.unwrap_or_default(),
            types: map.map.types_rtrn.unwrap_or_default(),
            modifiers: modifiers
                .iter()
                .map(|entry| (entry.keycode, u16::from(entry.mods).to_le_bytes()[0]))
                .collect(),
            state,
        })
    }

    /// How to type a character or press another key. `held` are modifiers that can't be released.
    pub fn find(&self, keysym: u32, held: u8) -> Option<Stroke> {
        if !types_text(keysym) {
            // A layout with AltGr has no right Alt; the left one means the same.
            let twin = || other_side(keysym).and_then(|twin| self.key_of(twin));
            return self.key_of(keysym).or_else(twin).map(Stroke::plain);
        }
        self.keys()
            .flat_map(|(keycode, key)| self.strokes(keycode, key, keysym, held))
            // Each change of the group or a modifier is visible to the customer's programs.
            .min_by_key(|stroke| (stroke.group.is_some(), (stroke.set | stroke.clear).count_ones()))
    }

    /// A key that has this keysym at any level, whatever the modifiers are: Tab stays Tab
    /// under Shift.
    fn key_of(&self, keysym: u32) -> Option<u8> {
        if keysym == xkeysym::key::NoSymbol {
            return None;
        }
        let at = |key: &KeySymMap| key.syms.iter().position(|sym| *sym == keysym);
        let having = self.keys().filter_map(|(keycode, key)| Some((at(key)?, keycode)));
        having.min().map(|(_, keycode)| keycode)
    }

    /// All ways to type a keysym with this key.
    fn strokes<'k>(
        &'k self,
        keycode: u8,
        key: &'k KeySymMap,
        keysym: u32,
        held: u8,
    ) -> impl Iterator<Item = Stroke> + 'k {
        let now = modifiers(self.state.mods);
        let present = present_group(u8::from(self.state.group), key.group_info);
        (0..groups(key)).flat_map(move |group| {
            let kind = self.types.get(usize::from(key.kt_index[usize::from(group & 3)]));
            let mask = kind.map_or(0, |kind| modifiers(kind.mods_mask));
            subsets(mask).filter_map(move |wanted| {
                let level = kind.map_or(0, |kind| level(kind, wanted));
                let sym = key.syms.get(usize::from(group) * usize::from(key.width) + level)?;
                let clear = now & mask & !wanted | capitals(now & !mask, keysym);
                (same(*sym, keysym) && clear & held == 0).then_some(Stroke {
                    keycode,
                    group: (present != Some(group)).then_some(group),
                    set: wanted & !now,
                    clear,
                })
            })
        })
    }

    /// How to type a keysym with a spare key, which ignores the modifiers.
    pub fn bound(&self, keycode: u8, keysym: u32) -> Stroke {
        Stroke { clear: capitals(modifiers(self.state.mods), keysym), ..Stroke::plain(keycode) }
    }

    /// Spare keys: those that have no keysym and set no modifier.
    pub fn spare(&self) -> impl DoubleEndedIterator<Item = u8> {
        let free = |keycode: u8, key: &KeySymMap| {
            key.syms.iter().all(|sym| *sym == 0) && self.modifier(keycode) == 0
        };
        let keys = self.keys().filter(move |(keycode, key)| free(*keycode, key));
        keys.map(|(keycode, _)| keycode).collect::<Vec<_>>().into_iter()
    }

    /// Gives a key one keysym for all modifiers, or none.
    pub fn give(&mut self, keycode: u8, keysym: Option<u32>) {
        let Some(key) = self.keys.get_mut(usize::from(keycode.wrapping_sub(self.first))) else {
            return;
        };
        let count = u8::from(keysym.is_some());
        *key = KeySymMap {
            kt_index: [ONE_LEVEL; 4],
            group_info: count,
            width: count,
            syms: keysym.into_iter().collect(),
        };
    }

    /// Replaces the server's keymap. All keys go in one request, though few of them differ.
    ///
    /// The server announces which keys have changed, and a program fetches those at its next key
    /// press. While Xlib (`_XkbCheckPendingRefresh`) waits for that reply, it loses further
    /// announcements. Because each announcement covers all keys, the next fetch includes the
    /// lost changes.
    pub fn put(&self, conn: &RustConnection) -> Result<(), ConnectionError> {
        let count = u8::try_from(self.keys.len()).unwrap_or(u8::MAX);
        let syms = self.keys.iter().map(|key| key.syms.len()).sum::<usize>();
        xkb::set_map(
            conn,
            CORE_KEYBOARD,
            SetMapFlags::from(0u8),
            self.first,
            self.first.saturating_add(count.saturating_sub(1)),
            0,
            0,
            self.first,
            count,
            u16::try_from(syms).unwrap_or(u16::MAX),
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            xkb::VMod::default(),
            &SetMapAux::new().syms(self.keys.clone()),
        )?;
        Ok(())
    }

    /// Whether this key has this keysym at any level.
    pub fn has(&self, keycode: u8, keysym: u32) -> bool {
        let key = self.keys().find(|(other, _)| *other == keycode);
        key.is_some_and(|(_, key)| key.syms.iter().any(|sym| same(*sym, keysym)))
    }

    /// Whether this key has this keysym and no other.
    pub fn has_only(&self, keycode: u8, keysym: u32) -> bool {
        let key = self.keys().find(|(other, _)| *other == keycode);
        key.is_some_and(|(_, key)| key.syms == [keysym])
    }

    /// The modifiers that this key sets while it is down.
    pub fn modifier(&self, keycode: u8) -> u8 {
        let entries = self.modifiers.iter().filter(|(key, _)| *key == keycode);
        entries.fold(0, |all, (_, mods)| all | mods)
    }

    fn keys(&self) -> impl Iterator<Item = (u8, &KeySymMap)> {
        (self.first..=u8::MAX).zip(&self.keys)
    }
}

/// The eight modifier bits of a mask.
pub fn modifiers(mask: ModMask) -> u8 {
    u16::from(mask).to_le_bytes()[0]
}

fn groups(key: &KeySymMap) -> u8 {
    (key.group_info & 0x0f).min(4)
}

/// The group that applies to a key while the keyboard's group is `group`.
fn present_group(group: u8, info: u8) -> Option<u8> {
    match info & 0x0f {
        0 => None,
        count if group < count => Some(group),
        count if info & 0xc0 == CLAMP => Some(count - 1),
        count => Some(group % count),
    }
}

fn level(kind: &KeyType, mods: u8) -> usize {
    let entry = kind.map.iter().find(|entry| entry.active && modifiers(entry.mods_mask) == mods);
    entry.map_or(0, |entry| entry.level.into())
}

/// All combinations of these modifiers.
fn subsets(mask: u8) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(move |mods| mods & !mask == 0)
}

/// The Caps Lock bit, if it would make a capital of this letter although the key's type ignores it.
fn capitals(mods: u8, keysym: u32) -> u8 {
    let small = character(keysym).is_some_and(char::is_lowercase);
    if small { mods & LOCK } else { 0 }
}

/// Whether the keysym is text, so that the modifiers must be made to fit. With any other key, the
/// viewer decides which modifiers are down.
pub fn types_text(keysym: u32) -> bool {
    character(keysym).is_some() || Keysym::new(keysym).is_keypad_key()
}

/// Whether the keysym is one of Shift, Ctrl and the like.
/// The same modifier on the other side of the keyboard.
fn other_side(keysym: u32) -> Option<u32> {
    use xkeysym::key::{Caps_Lock, Hyper_R, Shift_L, Shift_Lock};
    let locks = [Caps_Lock, Shift_Lock].contains(&keysym);
    let has_sides = (Shift_L..=Hyper_R).contains(&keysym) && !locks;
    // The left one of each pair is odd, and the right one follows it.
    has_sides.then(|| if keysym.is_multiple_of(2) { keysym - 1 } else { keysym + 1 })
}

pub fn is_modifier(keysym: u32) -> bool {
    Keysym::new(keysym).is_modifier_key()
}

/// Whether a spare key can get this keysym: it is a character, or a key that X knows.
pub fn is_known(keysym: u32) -> bool {
    keysym != xkeysym::key::NoSymbol
        && keysym != xkeysym::key::VoidSymbol
        && (character(keysym).is_some() || Keysym::new(keysym).name().is_some())
}

fn character(keysym: u32) -> Option<char> {
    let sym = Keysym::new(keysym);
    sym.key_char().filter(|c| !c.is_control() && !sym.is_keypad_key())
}

/// Whether both keysyms stand for the same key or character. Many characters have two: a keysym of
/// their own, and one made of the Unicode code point.
fn same(a: u32, b: u32) -> bool {
    a == b || character(a).is_some_and(|a| character(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_character_by_either_keysym() {
        assert!(same(0x06d6, 0x0100_0436), "Cyrillic zhe");
        assert!(same(0x20ac, 0x0100_20ac), "euro");
        assert!(same(0xdf, 0x0100_00df), "sharp s");
        assert!(!same(0xffb7, 0x37), "7 on the keypad is another key");
        assert!(!same(0xff0d, 0x0100_000d), "Return is no character");
    }

    #[test]
    fn gives_no_key_to_what_is_neither_character_nor_key() {
        assert!(is_known(0x0100_6f22) && is_known(0xffbe) && is_known(0x1008_ff13));
        for keysym in [0, 1, 0x0100_0000, 0x0100_0009, 0x0100_d800, 0x0111_0000, u32::MAX] {
            assert!(!is_known(keysym), "{keysym:#x}");
        }
    }

    #[test]
    fn takes_every_combination_of_a_mask() {
        assert_eq!(subsets(0x81).collect::<Vec<_>>(), [0, 1, 0x80, 0x81]);
    }

    #[test]
    fn keeps_a_group_that_the_key_has() {
        assert_eq!(present_group(1, 2), Some(1));
        assert_eq!(present_group(3, 2), Some(1));
        assert_eq!(present_group(2, 2), Some(0));
        assert_eq!(present_group(2, 2 | CLAMP), Some(1));
        assert_eq!(present_group(0, 0), None);
    }
}
