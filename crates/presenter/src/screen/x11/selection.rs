//! Reads the customer's clipboard when another program puts a text there (ICCCM, section 2), but
//! never what a password manager marks as secret: its forms are asked for first.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, SelectionEventMask};
use x11rb::protocol::xproto::{self, Atom, AtomEnum, EventMask, Property, Window};

use super::own_text::Own;
use super::x_connection::XConnection;
use crate::screen::{Change, NotCarried, ScreenError};

/// The most bytes of a text; a longer one isn't sent to the viewers.
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

/// Watches and reads the clipboard.
pub struct Selection {
    window: Window,
    own: Own,
    clipboard: Atom,
    targets: Atom,
    utf8: Atom,
    incr: Atom,
    secret: Vec<Atom>,
    pictures: [Atom; 3],
    /// Two properties in turn, so that the text of an owner that is still sending can't mix with
    /// the next owner's.
    properties: [Atom; 2],
    state: State,
}

enum State {
    Idle,
    /// The owner was asked and hasn't answered yet.
    Asked,
    /// The owner sends the text in pieces (INCR). `None` if it is too long: the rest is discarded.
    Pieces(Option<Vec<u8>>),
}

impl Selection {
    /// Subscribes to changes of the clipboard's owner.
    pub fn watch(server: &XConnection, own: Own) -> Result<Self, ScreenError> {
        let window = server.hidden_window(EventMask::PROPERTY_CHANGE)?;
        let clipboard = server.atom("CLIPBOARD")?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER;
        xfixes::select_selection_input(&server.conn, window, clipboard, mask)?.check()?;
        Ok(Self {
            window,
            own,
            clipboard,
            targets: server.atom("TARGETS")?,
            utf8: server.atom("UTF8_STRING")?,
            incr: server.atom("INCR")?,
            secret: SECRET.iter().map(|name| server.atom(name)).collect::<Result<_, _>>()?,
            pictures: [
                server.atom("image/png")?,
                server.atom("image/bmp")?,
                server.atom("image/jpeg")?,
            ],
            properties: [server.atom("DESKHAND_TEXT_A")?, server.atom("DESKHAND_TEXT_B")?],
            state: State::Idle,
        })
    }

    /// The text that the clipboard of this display holds now, unless it is secret; `None` if its
    /// owner gives none within `within`.
    pub fn read_now(display: &str, within: Duration) -> Option<String> {
        let server = XConnection::connect(display).ok()?;
        xfixes::query_version(&server.conn, 5, 0).ok()?.reply().ok()?;
        let mut selection = Self::watch(&server, Own::default()).ok()?;
        selection.ask(&server, selection.targets).ok()?;
        let (events, until) = (&server.conn, Instant::now() + within);
        events.flush().ok()?;
        while !matches!(selection.state, State::Idle) {
            match events.poll_for_event().ok()? {
                Some(event) => match selection.see(&server, &event).ok()? {
                    Some(Change::Clipboard(text)) => return Some(text),
                    Some(_) => return None,
                    None => events.flush().ok()?,
                },
                None if Instant::now() > until => return None,
                None => std::thread::sleep(POLL),
            }
        }
        None
    }

    /// Handles an event; returns a text when it is complete, or why there is none.
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
        let (kind, text) = self.read(server)?;
        if kind == self.incr {
            self.state = State::Pieces(Some(Vec::new()));
            return Ok(None);
        }
        self.state = State::Idle;
        Ok(self.complete(kind, text))
    }

    /// Asks for the text, unless its owner's forms say that it is secret, or that there is none.
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
        if forms.contains(&self.utf8) {
            self.ask(server, self.utf8)?;
        } else if forms.contains(&string) {
            self.ask(server, string)?;
        } else if forms.iter().any(|form| self.pictures.contains(form)) {
            return Ok(Some(Change::NotCarried(NotCarried::Picture)));
        }
        Ok(None)
    }

    /// The news that a text makes; it is `None` if it was too long.
    fn complete(&self, kind: Atom, text: Option<Vec<u8>>) -> Option<Change> {
        match text {
            Some(text) => self.told(kind, text).map(Change::Clipboard),
            None => Some(Change::NotCarried(NotCarried::TooLong)),
        }
    }

    fn piece(
        &mut self,
        server: &XConnection,
        change: &xproto::PropertyNotifyEvent,
    ) -> Result<Option<Change>, ScreenError> {
        let ours = change.atom == self.properties[0] && change.state == Property::NEW_VALUE;
        if !ours || !matches!(self.state, State::Pieces(_)) {
            return Ok(None);
        }
        let (kind, piece) = self.read(server)?;
        let State::Pieces(before) = std::mem::replace(&mut self.state, State::Idle) else {
            return Ok(None);
        };
        // By the protocol an empty piece ends the text.
        if piece.as_ref().is_some_and(Vec::is_empty) {
            return Ok(self.complete(kind, before));
        }
        let longer = before.zip(piece).map(|(before, piece)| [before, piece].concat());
        self.state = State::Pieces(longer.filter(|text| text.len() <= LONGEST));
        Ok(None)
    }

    /// Takes the property that the owner has set on our window: its type, and its bytes if there
    /// aren't too many.
    fn read(&self, server: &XConnection) -> Result<(Atom, Option<Vec<u8>>), ScreenError> {
        let (conn, property) = (&server.conn, self.properties[0]);
        // GetProperty counts lengths in units of four bytes.
        let words = u32::try_from(LONGEST / 4).unwrap_or(u32::MAX);
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

    /// Decodes a text; `None` if it isn't one, or if this program has put it there itself.
    fn told(&self, kind: Atom, text: Vec<u8>) -> Option<String> {
        let text = if kind == self.utf8 {
            String::from_utf8(text).ok()?
        } else if kind == Atom::from(AtomEnum::STRING) {
            text.into_iter().map(char::from).collect()
        } else {
            return None;
        };
        self.own.is_news(&text).then_some(text)
    }
}
