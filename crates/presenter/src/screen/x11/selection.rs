//! Reads the customer's clipboard when another program puts a text or a picture there (ICCCM, section 2), but
//! never what a password manager marks as secret: its forms are asked for first.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, SelectionEventMask};
use x11rb::protocol::xproto::{self, Atom, AtomEnum, EventMask, Property, Window};

use rfb::{Png, PngError};

use super::own_text::Own;
use super::x_connection::XConnection;
use crate::screen::{Change, Contents, NotCarried, ScreenError};

/// The most bytes of a text; a longer one isn't sent to the viewers. A picture has a limit of its own.
const LONGEST: usize = 1024 * 1024;
/// The most forms in which an owner may offer what it has.
const MOST_FORMS: u32 = 4096;
/// How often an answer is looked for while one is waited for.
const POLL: Duration = Duration::from_millis(5);

/// By these forms password managers on Linux, Windows and macOS mark what no history of clipboards,
/// and no connection, may take. Programs that were written for several systems offer any of them.
const SECRET: [&str; 6] = [
    "x-kde-passwordManagerHint",
    "ExcludeClipboardContentFromMonitorProcessing",
    "Clipboard Viewer Ignore",
    "org.nspasteboard.ConcealedType",
    "org.nspasteboard.TransientType",
    "application/x-nspasteboard-concealed-type",
];

/// Pictures that aren't carried, where there is neither a text nor a PNG beside them.
const OTHER_PICTURES: [&str; 7] = [
    "image/bmp",
    "image/jpeg",
    "image/gif",
    "image/tiff",
    "image/webp",
    "image/svg+xml",
    "image/x-icon",
];

/// Forms that tell about the others, or ask the owner for something.
const EMPTY: [&str; 5] = ["TARGETS", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS", "DELETE"];

/// Watches and reads the clipboard.
pub struct Selection {
    window: Window,
    own: Own,
    clipboard: Atom,
    targets: Atom,
    utf8: Atom,
    mime: Atom,
    png: Atom,
    incr: Atom,
    secret: Vec<Atom>,
    /// Pictures that aren't carried.
    pictures: Vec<Atom>,
    /// Forms that hold nothing.
    empty: Vec<Atom>,
    /// Two properties in turn, so that the text of an owner that is still sending can't mix with
    /// the next owner's.
    properties: [Atom; 2],
    state: State,
}

enum State {
    Idle,
    /// The owner was asked and hasn't answered yet.
    Asked,
    /// The owner sends it in this form, in pieces (INCR). `None` if it is too long: the rest is discarded.
    Pieces(Atom, Option<Vec<u8>>),
}

impl Selection {
    /// Subscribes to changes of the clipboard's owner.
    pub fn watch(server: &XConnection, own: Own) -> Result<Self, ScreenError> {
        let window = server.hidden_window(EventMask::PROPERTY_CHANGE)?;
        let clipboard = server.atom("CLIPBOARD")?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER;
        xfixes::select_selection_input(&server.conn, window, clipboard, mask)?.check()?;
        let atoms = |names: &[&str]| -> Result<Vec<Atom>, ScreenError> {
            names.iter().map(|name| server.atom(name)).collect()
        };
        Ok(Self {
            window,
            own,
            clipboard,
            targets: server.atom("TARGETS")?,
            utf8: server.atom("UTF8_STRING")?,
            mime: server.atom("text/plain;charset=utf-8")?,
            png: server.atom("image/png")?,
            incr: server.atom("INCR")?,
            secret: atoms(&SECRET)?,
            pictures: atoms(&OTHER_PICTURES)?,
            empty: atoms(&EMPTY)?,
            properties: [server.atom("DESKHAND_TEXT_A")?, server.atom("DESKHAND_TEXT_B")?],
            state: State::Idle,
        })
    }

    /// What the clipboard of this display holds now, unless it is secret; `None` if its owner gives
    /// nothing that is carried within `within`.
    pub fn read_now(display: &str, within: Duration) -> Option<Contents> {
        let server = XConnection::connect(display).ok()?;
        xfixes::query_version(&server.conn, 5, 0).ok()?.reply().ok()?;
        let mut selection = Self::watch(&server, Own::default()).ok()?;
        selection.ask(&server, selection.targets).ok()?;
        let (events, until) = (&server.conn, Instant::now() + within);
        events.flush().ok()?;
        while !matches!(selection.state, State::Idle) {
            match events.poll_for_event().ok()? {
                Some(event) => match selection.see(&server, &event).ok()? {
                    Some(Change::Clipboard(contents)) => return Some(contents),
                    Some(_) => return None,
                    None => events.flush().ok()?,
                },
                None if Instant::now() > until => return None,
                None => std::thread::sleep(POLL),
            }
        }
        None
    }

    /// Handles an event; returns a text or a picture when it is complete, or why there is none.
    pub fn see(
        &mut self,
        server: &XConnection,
        event: &Event,
    ) -> Result<Option<Change>, ScreenError> {
        match event {
            Event::XfixesSelectionNotify(change) => {
                self.state = State::Idle;
                if change.owner != x11rb::NONE && !self.own.is_window(change.owner) {
                    self.properties.reverse();
                    self.ask(server, self.targets)?;
                }
                Ok(None)
            }
            Event::SelectionNotify(answer) => self.answered(server, answer),
            Event::PropertyNotify(change) => self.piece(server, change),
            _ => Ok(None),
        }
    }

    fn ask(&mut self, server: &XConnection, target: Atom) -> Result<(), ScreenError> {
        let (conn, property) = (&server.conn, self.properties[0]);
        xproto::delete_property(conn, self.window, property)?;
        xproto::convert_selection(
            conn,
            self.window,
            self.clipboard,
            target,
            property,
            x11rb::CURRENT_TIME,
        )?;
        self.state = State::Asked;
        Ok(())
    }

    fn answered(
        &mut self,
        server: &XConnection,
        answer: &xproto::SelectionNotifyEvent,
    ) -> Result<Option<Change>, ScreenError> {
        if !matches!(self.state, State::Asked) {
            return Ok(None);
        }
        if answer.property == x11rb::NONE {
            self.state = State::Idle;
            // An old program may not tell its forms, and may offer Latin-1 only. If the clipboard
            // holds no text, the owner refuses this as well.
            if answer.target == self.targets {
                self.ask(server, self.utf8)?;
            } else if answer.target == self.utf8 {
                self.ask(server, AtomEnum::STRING.into())?;
            }
            return Ok(None);
        }
        if answer.property != self.properties[0] {
            return Ok(None);
        }
        if answer.target == self.targets {
            return self.forms(server);
        }
        let (kind, bytes) = self.read(server, answer.target)?;
        if kind == self.incr {
            self.state = State::Pieces(answer.target, Some(Vec::new()));
            return Ok(None);
        }
        self.state = State::Idle;
        Ok(self.complete(answer.target, kind, bytes))
    }

    /// Asks for the text, else for the picture, unless its owner's forms say that it is secret.
    fn forms(&mut self, server: &XConnection) -> Result<Option<Change>, ScreenError> {
        self.state = State::Idle;
        let conn = &server.conn;
        let (property, any) = (self.properties[0], AtomEnum::ANY);
        let reply =
            xproto::get_property(conn, true, self.window, property, any, 0, MOST_FORMS)?.reply()?;
        // What can't be read as a whole may hold a mark that isn't seen.
        let Some(forms) = reply.value32().filter(|_| reply.bytes_after == 0) else {
            return Ok(None);
        };
        let forms: Vec<Atom> = forms.collect();
        if forms.iter().any(|form| self.secret.contains(form)) {
            return Ok(None);
        }
        let string = Atom::from(AtomEnum::STRING);
        let carried = [self.utf8, self.mime, string, self.png];
        if let Some(form) = carried.into_iter().find(|form| forms.contains(form)) {
            self.ask(server, form)?;
            return Ok(None);
        }
        let why = if forms.iter().any(|form| self.pictures.contains(form)) {
            Some(NotCarried::OtherPicture)
        } else {
            forms.iter().any(|form| !self.empty.contains(form)).then_some(NotCarried::Other)
        };
        Ok(why.map(Change::NotCarried))
    }

    /// The news that this makes; its bytes are `None` if there were too many.
    fn complete(&self, target: Atom, kind: Atom, bytes: Option<Vec<u8>>) -> Option<Change> {
        let contents = match bytes {
            None if target == self.png => Err(NotCarried::LargePicture),
            None => Err(NotCarried::LongText),
            Some(bytes) if target == self.png => {
                Png::new(&bytes).map(Contents::Picture).map_err(|error| match error {
                    PngError::TooLarge => NotCarried::LargePicture,
                    PngError::Damaged => NotCarried::OtherPicture,
                })
            }
            Some(bytes) => Ok(self.text(kind, bytes)?),
        };
        match contents {
            Ok(contents) => self.own.is_news(&contents).then_some(Change::Clipboard(contents)),
            Err(why) => Some(Change::NotCarried(why)),
        }
    }

    fn piece(
        &mut self,
        server: &XConnection,
        change: &xproto::PropertyNotifyEvent,
    ) -> Result<Option<Change>, ScreenError> {
        let ours = change.atom == self.properties[0] && change.state == Property::NEW_VALUE;
        if !ours || !matches!(self.state, State::Pieces(..)) {
            return Ok(None);
        }
        let State::Pieces(target, before) = std::mem::replace(&mut self.state, State::Idle) else {
            return Ok(None);
        };
        let (kind, piece) = self.read(server, target)?;
        // By the protocol an empty piece ends it.
        if piece.as_ref().is_some_and(Vec::is_empty) {
            return Ok(self.complete(target, kind, before));
        }
        let longer = before.zip(piece).map(|(mut before, piece)| {
            before.extend(piece);
            before
        });
        let longest = self.longest(target);
        self.state = State::Pieces(target, longer.filter(|bytes| bytes.len() <= longest));
        Ok(None)
    }

    /// Takes the property that the owner has set on our window: its type, and its bytes if there
    /// aren't too many.
    fn read(
        &self,
        server: &XConnection,
        target: Atom,
    ) -> Result<(Atom, Option<Vec<u8>>), ScreenError> {
        let (conn, property) = (&server.conn, self.properties[0]);
        // GetProperty counts lengths in units of four bytes.
        let words = u32::try_from(self.longest(target) / 4).unwrap_or(u32::MAX);
        let any = AtomEnum::ANY;
        let reply = xproto::get_property(conn, true, self.window, property, any, 0, words)?;
        let reply = reply.reply()?;
        if reply.bytes_after > 0 {
            // The server deletes a property only with its last bytes; until it is deleted, the
            // owner doesn't send the next piece.
            xproto::delete_property(conn, self.window, property)?;
            return Ok((reply.type_, None));
        }
        Ok((reply.type_, Some(reply.value)))
    }

    /// The most bytes in this form.
    fn longest(&self, target: Atom) -> usize {
        if target == self.png { Png::LONGEST } else { LONGEST }
    }

    /// Decodes a text; `None` if it isn't one.
    fn text(&self, kind: Atom, text: Vec<u8>) -> Option<Contents> {
        let text = if kind == self.utf8 || kind == self.mime {
            String::from_utf8(text).ok()?
        } else if kind == Atom::from(AtomEnum::STRING) {
            text.into_iter().map(char::from).collect()
        } else {
            return None;
        };
        Some(Contents::Text(text.into()))
    }
}
