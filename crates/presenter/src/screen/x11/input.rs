//! Types and points by the XTEST extension, whose events programs take for those of real devices.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{self, Keycode, ModMask, Window};
use x11rb::protocol::{xkb, xtest};
use x11rb::rust_connection::RustConnection;

use super::held_keys::{HeldKey, HeldKeys};
use super::kept_clipboard::KeptClipboard;
use super::keymap::{CORE_KEYBOARD, Keymap, Stroke, is_known, is_modifier, modifiers, types_text};
use super::leftovers::{BUTTONS, Note};
use super::scancode;
use super::x_connection::XConnection;
use crate::screen::{ClipboardLoss, Contents, Input, ScreenError, ViewerId};

/// How long a spare key keeps its keysym, so that programs can look it up after the key press.
const LOOKED_UP: Duration = Duration::from_millis(200);
/// The pause between giving a key a new keysym and pressing it. Programs fetch the new keymap when
/// the server announces it, and some, such as Chromium, use the old one until they have the answer.
const LEARNT: Duration = Duration::from_millis(60);

/// The keyboard and pointer of an X server.
pub struct X11Input {
    server: XConnection,
    root: Window,
    clipboard: KeptClipboard,
    /// Whether keycodes follow Linux's numbers, so that a scancode identifies a key.
    scancodes: bool,
    held: HeldKeys,
    buttons: u16,
    /// Spare keys that have a keysym for now, the least recently used one first.
    bound: Vec<BoundKey>,
    /// For the next run, if this one is killed.
    note: Option<Note>,
}

/// A spare key that has a keysym for now.
struct BoundKey {
    keycode: Keycode,
    keysym: u32,
    used: Instant,
}

/// How a keysym can be entered on this keyboard.
enum Means {
    /// By a key that is down for as long as the viewer's key is.
    Key(Keycode),
    /// By a short press with other modifiers than those that are down.
    Typed(Box<Keymap>, Stroke),
    /// Not at all.
    Nothing,
}

impl X11Input {
    /// Connects to the display of this name.
    pub fn open(display: &str, clipboard: KeptClipboard) -> Result<Self, ScreenError> {
        let server = XConnection::connect(display)?;
        server.need_input_extensions()?;
        let root = server.screen().root;
        let scancodes = has_linux_keycodes(&server.conn)?;
        let note = Note::open(&server)?;
        let (held, bound) = (HeldKeys::default(), Vec::new());
        Ok(Self { server, root, clipboard, scancodes, held, buttons: 0, bound, note })
    }

    fn press(
        &mut self,
        viewer: ViewerId,
        keysym: u32,
        scancode: Option<u32>,
    ) -> Result<(), ScreenError> {
        let place = scancode.filter(|_| self.scancodes).and_then(scancode::keycode);
        let lifted = if is_modifier(keysym) { Vec::new() } else { self.lift_others(viewer)? };
        let keycode = match self.means(keysym, place)? {
            Means::Key(keycode) => {
                self.press_key(viewer, keycode)?;
                Some(keycode)
            }
            Means::Typed(keymap, stroke) => {
                self.strike(&keymap, stroke)?;
                None
            }
            Means::Nothing => return self.put_back(&lifted),
        };
        self.put_back(&lifted)?;
        let surplus = self.held.add(HeldKey { viewer, keysym, scancode, keycode });
        surplus.map_or(Ok(()), |held| self.let_go(held))
    }

    fn press_key(&self, viewer: ViewerId, keycode: Keycode) -> Result<(), ScreenError> {
        // The X server repeats keys that are held down, so the viewer's repetitions are dropped.
        if self.held.holds(viewer, keycode) {
            return Ok(());
        }
        if self.held.is_down(keycode) {
            if Keymap::ask(&self.server.conn)?.modifier(keycode) != 0 {
                return Ok(());
            }
            // Another viewer holds it, and this one has pressed it all the same.
            self.fake(xproto::KEY_RELEASE_EVENT, keycode)?;
        }
        self.fake(xproto::KEY_PRESS_EVENT, keycode)
    }

    /// Releases the modifiers that other viewers hold, for the moment in which this viewer presses a
    /// key or a button: one holds Ctrl, another types a W. Returns them.
    fn lift_others(&self, viewer: ViewerId) -> Result<Vec<Keycode>, ScreenError> {
        if !self.held.others_hold(viewer) {
            return Ok(Vec::new());
        }
        let keymap = Keymap::ask(&self.server.conn)?;
        let theirs = |key: &Keycode| keymap.modifier(*key) != 0 && !self.held.holds(viewer, *key);
        let lifted: Vec<Keycode> = self.held.keycodes().filter(theirs).collect();
        for keycode in &lifted {
            self.fake(xproto::KEY_RELEASE_EVENT, *keycode)?;
        }
        Ok(lifted)
    }

    fn put_back(&self, lifted: &[Keycode]) -> Result<(), ScreenError> {
        lifted.iter().try_for_each(|keycode| self.fake(xproto::KEY_PRESS_EVENT, *keycode))
    }

    /// How to enter a keysym whose key has the keycode `place` on the customer's keyboard.
    ///
    /// A key that types no text, such as Enter or F5, is pressed at its place if it has the same
    /// keysym there. For text the keysym decides: people type what is printed on their own keys,
    /// and the customer's layout may differ.
    fn means(&mut self, keysym: u32, place: Option<Keycode>) -> Result<Means, ScreenError> {
        let by_place = place.map_or(Means::Nothing, Means::Key);
        if keysym == 0 {
            return Ok(by_place);
        }
        if let Some(keycode) = place
            && !types_text(keysym)
            && Keymap::ask(&self.server.conn)?.has(keycode, keysym)
        {
            return Ok(by_place);
        }
        Ok(match self.stroke(keysym)? {
            Some((_, stroke)) if stroke.is_plain() => Means::Key(stroke.keycode),
            Some((keymap, stroke)) => Means::Typed(Box::new(keymap), stroke),
            None => by_place,
        })
    }

    fn release(
        &mut self,
        viewer: ViewerId,
        keysym: u32,
        scancode: Option<u32>,
    ) -> Result<(), ScreenError> {
        let keymap = || Keymap::ask(&self.server.conn);
        let held = self.held.take(viewer, keysym, scancode, keymap)?;
        held.map_or(Ok(()), |held| self.let_go(held))
    }

    /// Releases a key that is no longer held, unless another viewer still holds it.
    fn let_go(&self, held: HeldKey) -> Result<(), ScreenError> {
        match held.keycode {
            Some(keycode) if !self.held.is_down(keycode) => {
                self.fake(xproto::KEY_RELEASE_EVENT, keycode)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How to type this keysym now. If no key has it, a spare key gets it.
    fn stroke(&mut self, keysym: u32) -> Result<Option<(Keymap, Stroke)>, ScreenError> {
        let mut keymap = Keymap::ask(&self.server.conn)?;
        let ours = self.held.keycodes().fold(0, |all, keycode| all | keymap.modifier(keycode));
        // Modifiers that the customer holds on the real keyboard can't be released from here.
        let stuck = modifiers(keymap.state.base_mods) & !ours;
        if let Some(stroke) = keymap.find(keysym, stuck) {
            self.used(stroke.keycode);
            return Ok(Some((keymap, stroke)));
        }
        if !is_known(keysym) {
            return Ok(None);
        }
        let Some(keycode) = self.spare(&keymap) else {
            tracing::warn!("the keyboard has no spare key for a character that it lacks");
            return Ok(None);
        };
        self.bound.push(BoundKey { keycode, keysym, used: Instant::now() });
        // Before the key gets it: what isn't noted isn't put right.
        self.note_borrowed()?;
        keymap.give(keycode, Some(keysym));
        keymap.put(&self.server.conn)?;
        self.server.conn.flush()?;
        std::thread::sleep(LEARNT);
        // The keymap is sent twice for programs that have just received their first key press: Xlib
        // then fetches all keys (`_XkbLoadDpy`) and only afterwards subscribes to changes, so it
        // may have missed the first one.
        keymap.put(&self.server.conn)?;
        let stroke = keymap.bound(keycode, keysym);
        Ok(Some((keymap, stroke)))
    }

    /// Marks a spare key as used, so that it keeps its keysym for longer.
    fn used(&mut self, keycode: Keycode) {
        if let Some(at) = self.bound.iter().position(|bound| bound.keycode == keycode) {
            let bound = self.bound.remove(at);
            self.bound.push(BoundKey { used: Instant::now(), ..bound });
        }
    }

    /// A spare key that may get a new keysym: an unused one, else the least recently used one.
    /// Programs look a keysym up when they handle the key press, which may be a while later, so a
    /// key keeps its keysym for as long as possible.
    fn spare(&mut self, keymap: &Keymap) -> Option<Keycode> {
        let unused = |keycode: &Keycode| self.bound.iter().all(|bound| bound.keycode != *keycode);
        if let Some(keycode) = keymap.spare().rev().find(unused) {
            return Some(keycode);
        }
        if self.bound.is_empty() {
            return None;
        }
        let oldest = self.bound.remove(0);
        std::thread::sleep(LOOKED_UP.saturating_sub(oldest.used.elapsed()));
        Some(oldest.keycode)
    }

    fn note_borrowed(&self) -> Result<(), ScreenError> {
        let Some(note) = &self.note else { return Ok(()) };
        let borrowed: Vec<_> = self.bound.iter().map(|key| (key.keycode, key.keysym)).collect();
        Ok(note.write(&self.server.conn, &borrowed)?)
    }

    /// Types a key with the modifiers that it needs, and restores the present ones.
    fn strike(&self, keymap: &Keymap, stroke: Stroke) -> Result<(), ScreenError> {
        let in_the_way: Vec<Keycode> = self
            .held
            .keycodes()
            .filter(|keycode| keymap.modifier(*keycode) & stroke.clear != 0)
            .collect();
        for keycode in &in_the_way {
            self.fake(xproto::KEY_RELEASE_EVENT, *keycode)?;
        }
        let (affected, locked) = (stroke.set | stroke.clear, modifiers(keymap.state.locked_mods));
        // Locking a modifier needs no key for it, and a layout may have no key for a group at all.
        self.lock(affected, stroke.set, stroke.group)?;
        self.fake(xproto::KEY_PRESS_EVENT, stroke.keycode)?;
        self.fake(xproto::KEY_RELEASE_EVENT, stroke.keycode)?;
        let group = stroke.group.map(|_| u8::from(keymap.state.locked_group));
        self.lock(affected, locked & affected, group)?;
        self.put_back(&in_the_way)
    }

    fn lock(&self, affected: u8, locked: u8, group: Option<u8>) -> Result<(), ScreenError> {
        let none = ModMask::from(0u8);
        xkb::latch_lock_state(
            &self.server.conn,
            CORE_KEYBOARD,
            ModMask::from(affected),
            ModMask::from(locked),
            group.is_some(),
            xkb::Group::from(group.unwrap_or_default()),
            none,
            false,
            0,
        )?;
        Ok(())
    }

    fn fake(&self, event: u8, detail: u8) -> Result<(), ScreenError> {
        xtest::fake_input(&self.server.conn, event, detail, 0, x11rb::NONE, 0, 0, 0)?;
        Ok(())
    }

    fn click(&mut self, buttons: u16) -> Result<(), ScreenError> {
        let changed = self.buttons ^ buttons;
        self.buttons = buttons;
        for button in (0..BUTTONS).filter(|button| changed >> button & 1 == 1) {
            let down = buttons >> button & 1 == 1;
            let event =
                if down { xproto::BUTTON_PRESS_EVENT } else { xproto::BUTTON_RELEASE_EVENT };
            // RFB counts buttons from bit 0, X from 1.
            self.fake(event, button + 1)?;
        }
        Ok(())
    }

    /// Sends the buffered requests, and discards the events that the server sends to every client.
    fn flush(&self) -> Result<(), ScreenError> {
        self.server.conn.flush()?;
        while self.server.conn.poll_for_event()?.is_some() {}
        Ok(())
    }

    /// Takes the keysyms away from the spare keys.
    fn unbind(&mut self) -> Result<(), ReplyError> {
        if self.bound.is_empty() {
            return Ok(());
        }
        let mut keymap = Keymap::ask(&self.server.conn)?;
        for bound in self.bound.drain(..) {
            keymap.give(bound.keycode, None);
        }
        keymap.put(&self.server.conn)?;
        x11rb::wrapper::ConnectionExt::sync(&self.server.conn)
    }
}

impl Input for X11Input {
    fn key(
        &mut self,
        viewer: ViewerId,
        down: bool,
        keysym: u32,
        scancode: Option<u32>,
    ) -> Result<(), ScreenError> {
        if down {
            self.press(viewer, keysym, scancode)
        } else {
            self.release(viewer, keysym, scancode)
        }?;
        self.flush()
    }

    fn pointer(
        &mut self,
        viewer: ViewerId,
        x: u16,
        y: u16,
        buttons: u16,
    ) -> Result<(), ScreenError> {
        // XTEST reads the detail of a motion as a flag: 0 is absolute, 1 is relative.
        let (motion, absolute) = (xproto::MOTION_NOTIFY_EVENT, 0);
        let place = |value: u16| i16::try_from(value).unwrap_or(i16::MAX);
        let (x, y, root) = (place(x), place(y), self.root);
        xtest::fake_input(&self.server.conn, motion, absolute, 0, root, x, y, 0)?;
        if buttons != self.buttons {
            let lifted = self.lift_others(viewer)?;
            self.click(buttons)?;
            self.put_back(&lifted)?;
        }
        self.flush()
    }

    fn clipboard(
        &mut self,
        contents: Contents,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<Option<ClipboardLoss>, ScreenError> {
        self.clipboard.fill(contents, may_go_on)
    }

    fn release_keys(&mut self, viewer: ViewerId) -> Result<(), ScreenError> {
        while let Some(held) = self.held.take_last(Some(viewer)) {
            self.let_go(held)?;
        }
        self.flush()
    }

    fn release_buttons(&mut self) -> Result<(), ScreenError> {
        self.click(0)?;
        self.flush()
    }

    fn release_all(&mut self) -> Result<(), ScreenError> {
        while let Some(held) = self.held.take_last(None) {
            self.let_go(held)?;
        }
        self.click(0)?;
        // A round trip, because the connection may be closed next. If it is closed with unread
        // events, the X server sees a reset and discards the requests that it hasn't read yet: the
        // customer's Shift or mouse button would stay down.
        x11rb::wrapper::ConnectionExt::sync(&self.server.conn)?;
        // Discards the events that arrived meanwhile.
        self.flush()
    }
}

impl Drop for X11Input {
    /// Leaves the keyboard as it was before. If that fails, the X server is gone.
    fn drop(&mut self) {
        let _gone = self.release_all();
        let _gone = self.unbind();
        if let Some(note) = &self.note {
            let _gone = note.remove(&self.server.conn);
        }
    }
}

/// Whether the keyboard's keys have Linux's numbers.
fn has_linux_keycodes(conn: &RustConnection) -> Result<bool, ScreenError> {
    let names = xkb::get_names(conn, CORE_KEYBOARD, xkb::NameDetail::KEYCODES)?.reply()?;
    let Some(name) = names.value_list.keycodes_name else { return Ok(false) };
    match xproto::get_atom_name(conn, name)?.reply() {
        Ok(name) => Ok(name.name.starts_with(b"evdev")),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(ReplyError::ConnectionError(error)) => Err(ConnectionError::into(error)),
    }
}
