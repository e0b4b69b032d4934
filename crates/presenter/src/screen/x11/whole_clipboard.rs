//! Reads the clipboard in all of the forms that its owner gives (ICCCM, section 2), before a viewer's
//! text or picture takes its place; but never what is marked as secret.

use std::cell::Cell;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, SelectionEventMask};
use x11rb::protocol::xproto::{self, Atom, AtomEnum, EventMask, Property, Window};
use x11rb::wrapper::ConnectionExt as _;

use super::offered_forms::{self, Answer, Before, ClipboardOwner};
use super::selection::SECRET;
use super::x_connection::XConnection;
use crate::screen::{ClipboardLoss, ScreenError};

/// The most bytes of the list of forms.
const LONGEST_LIST: usize = 16 * 1024;
/// All forms together may take so many times as long as one.
const TIMES_ONE: u32 = 3;
/// How often an answer is looked for while one is waited for.
const POLL: Duration = Duration::from_millis(1);

/// Reads the clipboard of this display. Its owner may take `within` for each answer. Once it may not go on,
/// it gives up, and what it returns is worth nothing.
pub fn read(display: &str, within: Duration, may_go_on: &dyn Fn() -> bool) -> Before {
    // A display that is gone is noticed by those who need it.
    let Ok(reader) = Reader::open(display, within, may_go_on) else { return Before::default() };
    loop {
        reader.changed.set(false);
        let before = reader.read_all().unwrap_or_default();
        // What was read of two owners belongs to neither.
        if reader.settled().is_err() || !reader.changed.get() {
            return before;
        }
        if reader.is_over() {
            return Before { saved: None, loss: Some(ClipboardLoss::Unread) };
        }
    }
}

struct Reader<'a> {
    server: XConnection,
    clipboard: Atom,
    property: Atom,
    incr: Atom,
    within: Duration,
    until: Instant,
    may_go_on: &'a dyn Fn() -> bool,
    /// Whether another program has taken the clipboard, or its owner has put something else there.
    changed: Cell<bool>,
}

impl<'a> Reader<'a> {
    fn open(
        display: &str,
        within: Duration,
        may_go_on: &'a dyn Fn() -> bool,
    ) -> Result<Self, ScreenError> {
        let server = XConnection::connect(display)?;
        xfixes::query_version(&server.conn, 5, 0)?.reply()?;
        let window = server.hidden_window(EventMask::NO_EVENT)?;
        let clipboard = server.atom("CLIPBOARD")?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER;
        xfixes::select_selection_input(&server.conn, window, clipboard, mask)?.check()?;
        let (property, incr) = (server.atom("DESKHAND_BEFORE")?, server.atom("INCR")?);
        let (until, changed) = (Instant::now() + within * TIMES_ONE, Cell::new(false));
        Ok(Self { server, clipboard, property, incr, within, until, may_go_on, changed })
    }

    fn read_all(&self) -> Result<Before, ScreenError> {
        let owner = xproto::get_selection_owner(&self.server.conn, self.clipboard)?.reply()?.owner;
        if owner == x11rb::NONE {
            return Ok(Before::default());
        }
        let Some(names) = self.offered()? else {
            return Ok(Before { saved: None, loss: Some(ClipboardLoss::Unread) });
        };
        if names.iter().any(|(_, name)| SECRET.contains(&name.as_str())) {
            return Ok(Before { saved: None, loss: Some(ClipboardLoss::Secret) });
        }
        offered_forms::read(self, names)
    }

    /// The owner's forms with their names; `None` if they can't be read as a whole, since a mark that isn't
    /// seen may be among them.
    fn offered(&self) -> Result<Option<Vec<(Atom, String)>>, ScreenError> {
        let forms = match self.ask(self.server.atom("TARGETS")?, LONGEST_LIST)? {
            Answer::Given { unit: 32, bytes, .. } => {
                bytes.as_chunks::<4>().0.iter().map(|form| Atom::from_ne_bytes(*form)).collect()
            }
            // An old program may not tell its forms.
            Answer::Refused => vec![self.server.atom("UTF8_STRING")?, AtomEnum::STRING.into()],
            Answer::Given { .. } | Answer::TooLarge | Answer::Silent => return Ok(None),
        };
        let mut offered: Vec<(Atom, String)> = Vec::new();
        for form in forms {
            let known = offered.iter().any(|(atom, _)| *atom == form);
            if let Some(name) = self.name(form).filter(|_| !known) {
                offered.push((form, name));
            }
        }
        Ok(Some(offered))
    }

    fn answered(
        &self,
        window: Window,
        longest: usize,
        until: Instant,
    ) -> Result<Answer, ScreenError> {
        loop {
            match self.event(until)? {
                Some(Event::SelectionNotify(answer)) if answer.requestor == window => {
                    if answer.property != self.property {
                        return Ok(Answer::Refused);
                    }
                    break;
                }
                Some(_) => {}
                None => return Ok(Answer::Silent),
            }
        }
        match self.take(window, longest)? {
            Answer::Given { kind, .. } if kind == self.incr => self.pieces(window, longest, until),
            answer => Ok(answer),
        }
    }

    /// What comes in pieces. By the protocol an empty one ends it.
    fn pieces(
        &self,
        window: Window,
        longest: usize,
        until: Instant,
    ) -> Result<Answer, ScreenError> {
        let mut all = Vec::new();
        loop {
            match self.event(until)? {
                Some(Event::PropertyNotify(change)) => {
                    let ours = (change.window, change.atom) == (window, self.property);
                    if !ours || change.state != Property::NEW_VALUE {
                        continue;
                    }
                }
                Some(_) => continue,
                None => return Ok(Answer::Silent),
            }
            match self.take(window, longest - all.len())? {
                // The property that said INCR was new as well, and is gone already.
                Answer::Given { kind: x11rb::NONE, .. } => {}
                Answer::Given { kind, unit, bytes } if bytes.is_empty() => {
                    return Ok(Answer::Given { kind, unit, bytes: all });
                }
                Answer::Given { bytes, .. } => all.extend(bytes),
                other => return Ok(other),
            }
        }
    }

    /// Takes what the owner has put on our window.
    fn take(&self, window: Window, longest: usize) -> Result<Answer, ScreenError> {
        // GetProperty counts lengths in units of four bytes.
        let words = u32::try_from(longest / 4).unwrap_or(u32::MAX);
        let (conn, any) = (&self.server.conn, AtomEnum::ANY);
        let reply = xproto::get_property(conn, true, window, self.property, any, 0, words)?;
        let reply = reply.reply()?;
        if reply.bytes_after > 0 {
            return Ok(Answer::TooLarge);
        }
        // By the protocol a property that isn't there has no unit.
        let unit = if reply.format == 0 { 8 } else { reply.format };
        Ok(Answer::Given { kind: reply.type_, unit, bytes: reply.value })
    }

    /// The next event; `None` if none has come by then, or it may not go on.
    fn event(&self, until: Instant) -> Result<Option<Event>, ScreenError> {
        // Not only when there are no events: any program can send them without an end.
        while Instant::now() <= until && (self.may_go_on)() {
            match self.server.conn.poll_for_event()? {
                Some(Event::XfixesSelectionNotify(_)) => self.changed.set(true),
                Some(event) => return Ok(Some(event)),
                None => std::thread::sleep(POLL),
            }
        }
        Ok(None)
    }

    /// Sees every change up to now.
    fn settled(&self) -> Result<(), ScreenError> {
        self.server.conn.sync()?;
        while let Some(event) = self.server.conn.poll_for_event()? {
            if matches!(event, Event::XfixesSelectionNotify(_)) {
                self.changed.set(true);
            }
        }
        Ok(())
    }
}

impl ClipboardOwner for Reader<'_> {
    // Each answer comes to a window of its own, so that a late one can't be taken for another's.
    fn ask(&self, form: Atom, longest: usize) -> Result<Answer, ScreenError> {
        let (conn, property) = (&self.server.conn, self.property);
        let window = self.server.hidden_window(EventMask::PROPERTY_CHANGE)?;
        xproto::convert_selection(
            conn,
            window,
            self.clipboard,
            form,
            property,
            x11rb::CURRENT_TIME,
        )?;
        conn.flush()?;
        let until = self.until.min(Instant::now() + self.within);
        let answer = self.answered(window, longest, until)?;
        xproto::destroy_window(conn, window)?;
        Ok(answer)
    }

    fn name(&self, atom: Atom) -> Option<String> {
        let reply = xproto::get_atom_name(&self.server.conn, atom).ok()?.reply().ok()?;
        String::from_utf8(reply.name).ok()
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.until || !(self.may_go_on)()
    }
}
