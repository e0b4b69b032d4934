//! What a run that was killed leaves in the X server: keys and buttons that are down, and keys that
//! have a keysym for a while. The next run finds it and puts it right.
//!
//! The X server itself keeps the note by which that is known, since it lives as long as what is
//! noted: a property of the root window, which names a window of the run that wrote it. If that
//! window is gone and the property isn't, the run was killed.

use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{self, Atom, AtomEnum, EventMask, Keycode, PropMode, Window};
use x11rb::protocol::xtest;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::keymap::Keymap;
use super::x_connection::XConnection;
use crate::screen::ScreenError;

const NAME: &str = "_DESKHAND_INPUT";
/// Buttons that viewers can press.
pub const BUTTONS: u8 = 9;
/// The most words of a note: its window, and a keycode and a keysym for each of 248 keys.
const LONGEST: u32 = 1 + 2 * 248;
/// The least keycode that X has, and how many there are.
const FIRST_KEY: u8 = 8;
const KEYS: usize = 248;

/// What a note says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The window of the run that wrote it.
    pub window: Window,
    /// The keys that had a keysym for a while.
    pub borrowed: Vec<(Keycode, u32)>,
}

impl Left {
    /// Reads a note, which any client of the display could have written: what can't be a key is left out.
    pub fn from_words(words: &[u32]) -> Option<Self> {
        let (&window, pairs) = words.split_first()?;
        let key = |pair: &[u32]| {
            let keycode = u8::try_from(pair[0]).ok().filter(|keycode| *keycode >= FIRST_KEY)?;
            Some((keycode, pair[1]))
        };
        let borrowed = pairs.chunks_exact(2).take(KEYS).filter_map(key).collect();
        Some(Self { window, borrowed })
    }
}

/// This run's note. `None` in [`Note::open`] if another run that lives uses the same display.
pub struct Note {
    root: Window,
    atom: Atom,
    window: Window,
}

impl Note {
    /// Puts right what a killed run has left, and writes a note for this one.
    pub fn open(server: &XConnection) -> Result<Option<Self>, ScreenError> {
        let (root, atom) = (server.screen().root, server.atom(NAME)?);
        let left = Left::from_words(&read(&server.conn, root, atom)?);
        if let Some(Left { window, borrowed }) = left {
            if is_alive(&server.conn, window, atom)? {
                return Ok(None);
            }
            tracing::warn!("the last run was killed: what it held down is released");
            put_right(&server.conn, &borrowed)?;
        }
        let window = server.hidden_window(EventMask::NO_EVENT)?;
        let note = Self { root, atom, window };
        server.conn.change_property32(
            PropMode::REPLACE,
            window,
            atom,
            AtomEnum::WINDOW,
            &[window],
        )?;
        note.write(&server.conn, &[])?;
        server.conn.sync()?;
        Ok(Some(note))
    }

    /// Notes the keys that have a keysym for now.
    pub fn write(
        &self,
        conn: &RustConnection,
        borrowed: &[(Keycode, u32)],
    ) -> Result<(), ConnectionError> {
        let pairs = borrowed.iter().flat_map(|(keycode, keysym)| [u32::from(*keycode), *keysym]);
        let words: Vec<u32> = std::iter::once(self.window).chain(pairs).collect();
        let (root, kind) = (self.root, AtomEnum::WINDOW);
        conn.change_property32(PropMode::REPLACE, root, self.atom, kind, &words)?;
        Ok(())
    }

    /// Removes the note: nothing is left.
    pub fn remove(&self, conn: &RustConnection) -> Result<(), ReplyError> {
        xproto::delete_property(conn, self.root, self.atom)?.check()
    }
}

fn read(conn: &RustConnection, window: Window, atom: Atom) -> Result<Vec<u32>, ReplyError> {
    let kind = AtomEnum::WINDOW;
    let property = xproto::get_property(conn, false, window, atom, kind, 0, LONGEST)?.reply()?;
    Ok(property.value32().map(Iterator::collect).unwrap_or_default())
}

/// Whether the run that wrote a note is alive. Its window may have another owner by now, but no other
/// names itself in this property.
fn is_alive(conn: &RustConnection, window: Window, atom: Atom) -> Result<bool, ReplyError> {
    match read(conn, window, atom) {
        Ok(named) => Ok(named == [window]),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn put_right(conn: &RustConnection, borrowed: &[(Keycode, u32)]) -> Result<(), ReplyError> {
    // Keys and buttons that the customer holds on the real devices stay down: XTEST has devices of
    // its own, and the X server takes a key for released once no device holds it any more.
    let fake = |event, detail| xtest::fake_input(conn, event, detail, 0, x11rb::NONE, 0, 0, 0);
    let down = xproto::query_keymap(conn)?.reply()?.keys;
    for keycode in FIRST_KEY..=u8::MAX {
        if down[usize::from(keycode / 8)] >> (keycode % 8) & 1 == 1 {
            fake(xproto::KEY_RELEASE_EVENT, keycode)?;
        }
    }
    for button in 1..=BUTTONS {
        fake(xproto::BUTTON_RELEASE_EVENT, button)?;
    }
    let mut keymap = Keymap::ask(conn)?;
    for &(keycode, keysym) in borrowed {
        // The customer may have chosen another layout meanwhile, in which the key has a use.
        if keymap.has_only(keycode, keysym) {
            keymap.give(keycode, None);
        }
    }
    keymap.put(conn)?;
    conn.sync()
}
