//! Types and points through XTEST, as if somebody sat there.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{self, Keycode, ModMask, Window};
use x11rb::protocol::{xkb, xtest};
use x11rb::rust_connection::RustConnection;

use super::clipboard::Clipboard;
use super::keymap::{CORE_KEYBOARD, Keymap, Stroke, is_known, modifiers, types_text};
use super::scancode;
use super::x_connection::XConnection;
use crate::screen::{Input, ScreenError};

/// At most this many keys are down at once; people have ten fingers.
const MOST_HELD: usize = 64;
/// Programs have this long to look up what a key means before it means something else.
const LOOKED_UP: Duration = Duration::from_millis(200);
/// Between a key's new meaning and its press: programs ask for it when they hear of it, and some, such as
/// Chromium, press on with what they knew until they have the answer.
const LEARNT: Duration = Duration::from_millis(60);
/// Buttons: left, middle, right, four of the wheels, back and forward.
const BUTTONS: u8 = 9;

/// The keyboard and pointer of an X server.
pub struct X11Input {
    server: XConnection,
    root: Window,
    clipboard: Clipboard,
    /// Keycodes are Linux's, so that scancodes say which key is meant.
    scancodes: bool,
    held: Vec<HeldKey>,
    buttons: u16,
    /// Keys that had no meaning and have one for now, the one used longest ago first.
    bound: Vec<(Keycode, Instant)>,
}

/// A key that a viewer holds down.
#[derive(Clone, Copy, PartialEq, Eq)]
struct HeldKey {
    keysym: u32,
    scancode: Option<u32>,
    /// None: it was typed with changed modifiers, so it is up again already, lest it repeats without them.
    keycode: Option<Keycode>,
}

/// What a keysym comes to on this keyboard.
enum Means {
    /// A key that is down for as long as the viewer's is.
    Key(Keycode),
    /// A tap with other modifiers than those that are down.
    Typed(Box<Keymap>, Stroke),
    /// Nothing that can be typed.
    Nothing,
}

impl X11Input {
    /// Connects to the display of this name.
    pub fn open(display: &str, clipboard: Clipboard) -> Result<Self, ScreenError> {
        let server = XConnection::connect(display)?;
        server.need_input_extensions()?;
        let root = server.screen().root;
        let scancodes = has_linux_keycodes(&server.conn)?;
        let (held, bound) = (Vec::new(), Vec::new());
        Ok(Self { server, root, clipboard, scancodes, held, buttons: 0, bound })
    }

    fn press(&mut self, keysym: u32, scancode: Option<u32>) -> Result<(), ScreenError> {
        let place = scancode.filter(|_| self.scancodes).and_then(scancode::keycode);
        let pressed = match self.means(keysym, place)? {
            Means::Key(keycode) => Some(keycode),
            Means::Typed(keymap, stroke) => {
                self.strike(&keymap, stroke)?;
                None
            }
            Means::Nothing => return Ok(()),
        };
        if let Some(keycode) = pressed {
            // The X server repeats what is held down, so that the viewer's repetitions aren't needed.
            if self.is_down(keycode) {
                return Ok(());
            }
            self.fake(xproto::KEY_PRESS_EVENT, keycode)?;
        }
        let held = HeldKey { keysym, scancode, keycode: pressed };
        self.held.retain(|other| *other != held);
        if self.held.len() == MOST_HELD {
            self.let_go(0)?;
        }
        self.held.push(held);
        Ok(())
    }

    /// What is pressed for a keysym that came from the key at this place.
    ///
    /// The key itself, where it means the same here as there. Elsewhere the meaning counts: people type what
    /// stands on their own keys, and the customer's layout may be another one.
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

    fn release(&mut self, keysym: u32, scancode: Option<u32>) -> Result<(), ScreenError> {
        let same = |held: &HeldKey| match scancode {
            Some(_) => held.scancode == scancode,
            None => held.scancode.is_none() && held.keysym == keysym,
        };
        let at = match self.held.iter().rposition(same) {
            Some(at) => Some(at),
            // Shift came up before the key that it was held with, and so the keysym is another now.
            None if self.held.is_empty() => None,
            None => {
                let keymap = Keymap::ask(&self.server.conn)?;
                let has = |held: &HeldKey| held.keycode.is_some_and(|key| keymap.has(key, keysym));
                self.held.iter().rposition(has)
            }
        };
        at.map_or(Ok(()), |at| self.let_go(at))
    }

    fn let_go(&mut self, at: usize) -> Result<(), ScreenError> {
        match self.held.remove(at).keycode {
            Some(keycode) => self.fake(xproto::KEY_RELEASE_EVENT, keycode),
            None => Ok(()),
        }
    }

    fn is_down(&self, keycode: Keycode) -> bool {
        self.held.iter().any(|held| held.keycode == Some(keycode))
    }

    /// How to type this keysym now, with a spare key if there is no other way.
    fn stroke(&mut self, keysym: u32) -> Result<Option<(Keymap, Stroke)>, ScreenError> {
        let mut keymap = Keymap::ask(&self.server.conn)?;
        let ours = self.held.iter().filter_map(|held| held.keycode);
        let ours = ours.fold(0, |all, keycode| all | keymap.modifier(keycode));
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
        keymap.give(keycode, Some(keysym));
        keymap.put(&self.server.conn)?;
        self.server.conn.flush()?;
        std::thread::sleep(LEARNT);
        // Said once more, for a program that has just got the first key press of its life: Xlib asks for all
        // keys then (`_XkbLoadDpy`), and only afterwards to be told of changes.
        keymap.put(&self.server.conn)?;
        self.bound.push((keycode, Instant::now()));
        let stroke = keymap.bound(keycode, keysym);
        Ok(Some((keymap, stroke)))
    }

    /// A key that was given its meaning keeps it for longer when it is used again.
    fn used(&mut self, keycode: Keycode) {
        if let Some(at) = self.bound.iter().position(|(bound, _)| *bound == keycode) {
            self.bound.remove(at);
            self.bound.push((keycode, Instant::now()));
        }
    }

    /// A key that may be given a meaning. It keeps that for as long as possible: programs look the meaning
    /// up when they get to the key press, which may be a while later.
    fn spare(&mut self, keymap: &Keymap) -> Option<Keycode> {
        let unused = |keycode: &Keycode| self.bound.iter().all(|(bound, _)| bound != keycode);
        if let Some(keycode) = keymap.spare().rev().find(unused) {
            return Some(keycode);
        }
        if self.bound.is_empty() {
            return None;
        }
        let (keycode, used) = self.bound.remove(0);
        std::thread::sleep(LOOKED_UP.saturating_sub(used.elapsed()));
        Some(keycode)
    }

    /// Types a key under other modifiers than those that hold, and puts these back.
    fn strike(&self, keymap: &Keymap, stroke: Stroke) -> Result<(), ScreenError> {
        let in_the_way: Vec<Keycode> = self
            .held
            .iter()
            .filter_map(|held| held.keycode)
            .filter(|keycode| keymap.modifier(*keycode) & stroke.clear != 0)
            .collect();
        for keycode in &in_the_way {
            self.fake(xproto::KEY_RELEASE_EVENT, *keycode)?;
        }
        let (affected, locked) = (stroke.set | stroke.clear, modifiers(keymap.state.locked_mods));
        self.lock(affected, stroke.set, stroke.group)?;
        self.fake(xproto::KEY_PRESS_EVENT, stroke.keycode)?;
        self.fake(xproto::KEY_RELEASE_EVENT, stroke.keycode)?;
        let group = stroke.group.map(|_| u8::from(keymap.state.locked_group));
        self.lock(affected, locked & affected, group)?;
        for keycode in &in_the_way {
            self.fake(xproto::KEY_PRESS_EVENT, *keycode)?;
        }
        Ok(())
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
            self.fake(event, button + 1)?;
        }
        Ok(())
    }

    /// Sends what is waiting, and forgets what the server says to everybody.
    fn flush(&self) -> Result<(), ScreenError> {
        self.server.conn.flush()?;
        while self.server.conn.poll_for_event()?.is_some() {}
        Ok(())
    }

    /// Takes the meaning away from the keys that had none.
    fn unbind(&mut self) -> Result<(), ReplyError> {
        if self.bound.is_empty() {
            return Ok(());
        }
        let mut keymap = Keymap::ask(&self.server.conn)?;
        for (keycode, _) in self.bound.drain(..) {
            keymap.give(keycode, None);
        }
        keymap.put(&self.server.conn)?;
        x11rb::wrapper::ConnectionExt::sync(&self.server.conn)
    }
}

impl Input for X11Input {
    fn key(&mut self, down: bool, keysym: u32, scancode: Option<u32>) -> Result<(), ScreenError> {
        if down { self.press(keysym, scancode) } else { self.release(keysym, scancode) }?;
        self.flush()
    }

    fn pointer(&mut self, x: u16, y: u16, buttons: u16) -> Result<(), ScreenError> {
        let (motion, absolute) = (xproto::MOTION_NOTIFY_EVENT, 0);
        let place = |value: u16| i16::try_from(value).unwrap_or(i16::MAX);
        let (x, y, root) = (place(x), place(y), self.root);
        xtest::fake_input(&self.server.conn, motion, absolute, 0, root, x, y, 0)?;
        self.click(buttons)?;
        self.flush()
    }

    fn clipboard(&mut self, text: &str) -> Result<(), ScreenError> {
        self.clipboard.fill(text)
    }

    fn release_all(&mut self) -> Result<(), ScreenError> {
        while !self.held.is_empty() {
            self.let_go(self.held.len() - 1)?;
        }
        self.click(0)?;
        // A round trip, since the connection may be closed next: with events unread in it the X server sees a
        // reset and throws away what it hasn't read yet, and the customer's Shift or button would stay down.
        x11rb::wrapper::ConnectionExt::sync(&self.server.conn)?;
        // Beside that it forgets the events that came meanwhile.
        self.flush()
    }
}

impl Drop for X11Input {
    /// The keyboard stays as the customer had it. Where that fails the server is gone.
    fn drop(&mut self) {
        let _gone = self.release_all();
        let _gone = self.unbind();
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
