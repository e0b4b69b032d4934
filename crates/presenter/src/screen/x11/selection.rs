//! Reads the customer's clipboard when another program puts a text or a picture there (ICCCM, section 2), but
//! never what a password manager marks as secret: its forms are asked for first.

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, SelectionEventMask};
use x11rb::protocol::xproto::{self, Atom, AtomEnum, EventMask, Property, Timestamp, Window};

use super::own_text::Own;
use super::selection_answers::{Answers, Names, Next};
use super::x_connection::XConnection;
use crate::screen::{Change, Contents, ScreenError};

/// The most forms in which an owner may offer what it has.
const MOST_FORMS: u32 = 4096;
/// How often an answer is looked for while one is waited for.
const POLL: Duration = Duration::from_millis(5);

/// By these forms password managers on Linux, Windows and macOS mark what no history of clipboards,
/// and no connection, may take. Programs that were written for several systems offer any of them.
pub(super) const SECRET: [&str; 6] = [
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
    /// Two properties in turn, so that the text of an owner that is still sending can't mix with
    /// the next owner's.
    properties: [Atom; 2],
    /// Since when the present owner has the clipboard. It is asked with this time, so that a late
    /// answer to what an owner before was asked can be told from its own.
    time: Timestamp,
    answers: Answers,
}

impl Selection {
    /// Subscribes to changes of the clipboard's owner.
    pub fn watch(server: &XConnection, own: Own) -> Result<Self, ScreenError> {
        let window = server.hidden_window(EventMask::PROPERTY_CHANGE)?;
        let clipboard = server.atom("CLIPBOARD")?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER;
        xfixes::select_selection_input(&server.conn, window, clipboard, mask)?.check()?;
        let targets = server.atom("TARGETS")?;
        let named = |names: &[&str]| -> Result<Vec<Atom>, ScreenError> {
            names.iter().map(|name| server.atom(name)).collect()
        };
        let names = Names {
            targets,
            utf8: server.atom("UTF8_STRING")?,
            mime: server.atom("text/plain;charset=utf-8")?,
            png: server.atom("image/png")?,
            incr: server.atom("INCR")?,
            secret: named(&SECRET)?,
            pictures: named(&OTHER_PICTURES)?,
            empty: named(&EMPTY)?,
        };
        Ok(Self {
            window,
            own: own.clone(),
            clipboard,
            targets,
            properties: [server.atom("DESKHAND_TEXT_A")?, server.atom("DESKHAND_TEXT_B")?],
            time: x11rb::CURRENT_TIME,
            answers: Answers::new(names, own),
        })
    }

    /// What the clipboard of this display holds now, unless it is secret; `None` if its owner gives
    /// nothing that is carried within `within`.
    pub fn read_now(display: &str, within: Duration) -> Option<Contents> {
        let server = XConnection::connect(display).ok()?;
        xfixes::query_version(&server.conn, 5, 0).ok()?.reply().ok()?;
        let mut selection = Self::watch(&server, Own::default()).ok()?;
        let first = selection.answers.new_owner();
        selection.act(&server, first).ok()?;
        let (events, until) = (&server.conn, Instant::now() + within);
        events.flush().ok()?;
        while !selection.answers.is_idle() {
            // Not only when there are no events: any program can send them without an end.
            if Instant::now() > until {
                return None;
            }
            match events.poll_for_event().ok()? {
                Some(event) => match selection.see(&server, &event).ok()? {
                    Some(Change::Clipboard(contents)) => return Some(contents),
                    Some(_) => return None,
                    None => events.flush().ok()?,
                },
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
                if change.owner == x11rb::NONE || self.own.is_window(change.owner) {
                    self.answers.no_owner();
                    return Ok(None);
                }
                self.properties.reverse();
                self.time = change.selection_timestamp;
                let next = self.answers.new_owner();
                self.act(server, next)
            }
            Event::SelectionNotify(answer) => self.answered(server, answer),
            Event::PropertyNotify(change) => self.piece(server, change),
            _ => Ok(None),
        }
    }

    fn act(&self, server: &XConnection, next: Next) -> Result<Option<Change>, ScreenError> {
        match next {
            Next::Wait => Ok(None),
            Next::Ask(form) => self.ask(server, form).map(|()| None),
            Next::Tell(change) => Ok(Some(change)),
        }
    }

    fn ask(&self, server: &XConnection, form: Atom) -> Result<(), ScreenError> {
        let (conn, property) = (&server.conn, self.properties[0]);
        xproto::delete_property(conn, self.window, property)?;
        let (window, clipboard) = (self.window, self.clipboard);
        xproto::convert_selection(conn, window, clipboard, form, property, self.time)?;
        Ok(())
    }

    fn answered(
        &mut self,
        server: &XConnection,
        answer: &xproto::SelectionNotifyEvent,
    ) -> Result<Option<Change>, ScreenError> {
        // Any program can send this event; one that answers nothing that was asked is no answer.
        if !self.answers.is_asked(answer.target) {
            return Ok(None);
        }
        let next = if answer.property == x11rb::NONE {
            // A refusal names no property that tells the owners apart. One that comes late, from an owner
            // before, must not have this one asked for its text before its forms were seen.
            if answer.time != self.time {
                return Ok(None);
            }
            self.answers.refused(answer.target)
        } else if answer.property != self.properties[0] {
            Next::Wait
        } else if answer.target == self.targets {
            let forms = self.forms(server)?;
            self.answers.forms(forms.as_deref())
        } else {
            let (kind, bytes) = self.read(server)?;
            self.answers.contents(kind, bytes)
        };
        self.act(server, next)
    }

    /// The forms that the owner has set on our window, if they can be read as a whole.
    fn forms(&self, server: &XConnection) -> Result<Option<Vec<Atom>>, ScreenError> {
        let (property, any) = (self.properties[0], AtomEnum::ANY);
        let reply =
            xproto::get_property(&server.conn, true, self.window, property, any, 0, MOST_FORMS)?;
        let reply = reply.reply()?;
        let forms = reply.value32().filter(|_| reply.bytes_after == 0);
        Ok(forms.map(Iterator::collect))
    }

    fn piece(
        &mut self,
        server: &XConnection,
        change: &xproto::PropertyNotifyEvent,
    ) -> Result<Option<Change>, ScreenError> {
        let ours = change.atom == self.properties[0] && change.state == Property::NEW_VALUE;
        if !ours || !self.answers.takes_pieces() {
            return Ok(None);
        }
        let (kind, piece) = self.read(server)?;
        let next = self.answers.piece(kind, piece);
        self.act(server, next)
    }

    /// Takes the property that the owner has set on our window: its type, and its bytes if there
    /// aren't too many.
    fn read(&self, server: &XConnection) -> Result<(Atom, Option<Vec<u8>>), ScreenError> {
        let (conn, property) = (&server.conn, self.properties[0]);
        // GetProperty counts lengths in units of four bytes.
        let words = u32::try_from(self.answers.longest() / 4).unwrap_or(u32::MAX);
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
}
