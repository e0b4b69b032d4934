//! Fills the customer's clipboard with a viewer's text or picture: this program owns the selection,
//! and a thread sends it to every program that asks for it (ICCCM, section 2).

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    self, Atom, AtomEnum, ChangeWindowAttributesAux, EventMask, PropMode, Property,
    PropertyNotifyEvent, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::own_text::Own;
use super::served_forms::{self, ServedForm};
use super::x_connection::XConnection;
use crate::screen::{Contents, SavedClipboard, ScreenError};

/// The bytes of one piece. What is longer is sent in pieces (INCR).
const PIECE: usize = 64 * 1024;
/// The most programs that read something long at once. Beyond that, the oldest one is dropped.
const MOST_READERS: usize = 16;
/// The most conversions that a program may ask for at once.
const MOST_CONVERSIONS: usize = 32;

/// Fills the clipboard.
pub struct Clipboard {
    server: Arc<XConnection>,
    clipboard: Atom,
    /// A property of our window whose changes tell the server's time.
    clock: Atom,
    own: Own,
    thread: Option<JoinHandle<()>>,
}

impl Clipboard {
    /// Connects to the display. The selection isn't owned yet.
    pub fn open(display: &str) -> Result<Self, ScreenError> {
        let server = Arc::new(XConnection::connect(display)?);
        let events = EventMask::STRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE;
        let window = server.hidden_window(events)?;
        let (clipboard, clock) = (server.atom("CLIPBOARD")?, server.atom("DESKHAND_CLOCK")?);
        let own = Own::new(window);
        let mut owner = Owner::new(Arc::clone(&server), own.clone())?;
        let thread = std::thread::Builder::new().name("clipboard".to_owned());
        let thread = thread.spawn(move || owner.serve()).map_err(|_| {
            ScreenError::Lacks(
                "nothing, but this computer can start no more threads: close some programs",
            )
        })?;
        Ok(Self { server, clipboard, clock, own, thread: Some(thread) })
    }

    /// What the capture must not send to the viewers.
    pub fn own(&self) -> Own {
        self.own.clone()
    }

    /// Puts a viewer's text or picture into the clipboard.
    pub fn fill(&self, contents: Contents) -> Result<(), ScreenError> {
        let forms = served_forms::of_contents(&self.server, &contents)?;
        self.own.set(Some(contents), forms);
        self.take()
    }

    /// Puts back what was there before.
    pub fn bring_back(&self, saved: &SavedClipboard) -> Result<(), ScreenError> {
        self.own.set(None, served_forms::of_saved(&self.server, saved)?);
        self.take()
    }

    fn take(&self) -> Result<(), ScreenError> {
        let conn = &self.server.conn;
        // An owner needs the server's time (ICCCM, section 2.1), which comes with the event of this
        // change. The thread then takes the selection.
        let (append, kind) = (PropMode::APPEND, AtomEnum::STRING);
        conn.change_property8(append, self.own.window(), self.clock, kind, &[])?;
        conn.flush()?;
        self.own.wait_until_taken();
        Ok(())
    }

    /// Whether it is still what the clipboard holds.
    pub fn is_owner(&self) -> bool {
        let asked = xproto::get_selection_owner(&self.server.conn, self.clipboard);
        let owner = asked.ok().and_then(|asked| asked.reply().ok());
        owner.is_some_and(|answer| answer.owner == self.own.window())
    }

    /// Whether the X server still serves it.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Waits until another program has the clipboard or the display is gone, for at most `within`.
    pub fn wait_until_lost(&self, within: Duration) {
        self.own.wait_until_lost(within);
    }

    fn close(&self) -> Result<(), ConnectionError> {
        xproto::destroy_window(&self.server.conn, self.own.window())?;
        self.server.conn.flush()
    }
}

impl Drop for Clipboard {
    /// Closes the window, which ends the thread. The thread also ends when the server is gone.
    fn drop(&mut self) {
        let _gone = self.close();
        // The thread ends when the server reports that the window is gone. That makes a round trip,
        // so the thread's last answer has reached the server before the connection is closed.
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// The thread's state.
struct Owner {
    server: Arc<XConnection>,
    own: Own,
    targets: Targets,
    readers: Vec<Reader>,
}

/// The names of what an owner has to know.
struct Targets {
    clipboard: Atom,
    targets: Atom,
    timestamp: Atom,
    multiple: Atom,
    pair: Atom,
    incr: Atom,
}

/// A program that gets something long in pieces.
struct Reader {
    window: Window,
    property: Atom,
    form: ServedForm,
    sent: usize,
    /// The empty piece was sent, which ends it by the protocol.
    ended: bool,
}

impl Owner {
    fn new(server: Arc<XConnection>, own: Own) -> Result<Self, ScreenError> {
        let targets = Targets {
            clipboard: server.atom("CLIPBOARD")?,
            targets: server.atom("TARGETS")?,
            timestamp: server.atom("TIMESTAMP")?,
            multiple: server.atom("MULTIPLE")?,
            pair: server.atom("ATOM_PAIR")?,
            incr: server.atom("INCR")?,
        };
        Ok(Self { server, own, targets, readers: Vec::new() })
    }

    fn serve(&mut self) {
        self.answer_all();
        // Nobody has to wait for a selection that can't be owned any more.
        self.own.over();
    }

    fn answer_all(&mut self) {
        while let Ok(event) = self.server.conn.wait_for_event() {
            let served = match event {
                Event::SelectionRequest(request) => self.answer(&request),
                Event::PropertyNotify(change) if change.window == self.own.window() => {
                    self.acquire(change.time)
                }
                Event::PropertyNotify(change) => self.go_on(&change),
                Event::SelectionClear(_) => {
                    self.own.lost();
                    Ok(())
                }
                Event::DestroyNotify(gone) if gone.window == self.own.window() => return,
                Event::DestroyNotify(gone) => {
                    self.readers.retain(|reader| reader.window != gone.window);
                    Ok(())
                }
                // A program may be gone before it gets its answer; the server then sends an error,
                // which concerns nobody.
                _ => Ok(()),
            };
            if served.is_err() {
                return;
            }
        }
    }

    /// Takes the selection at this time of the server's.
    fn acquire(&self, now: Timestamp) -> Result<(), ConnectionError> {
        let conn = &self.server.conn;
        xproto::set_selection_owner(conn, self.own.window(), self.targets.clipboard, now)?;
        conn.sync().map_err(|error| match error {
            ReplyError::ConnectionError(error) => error,
            ReplyError::X11Error(_) => ConnectionError::UnknownError,
        })?;
        self.own.taken(now);
        Ok(())
    }

    fn answer(&mut self, request: &SelectionRequestEvent) -> Result<(), ConnectionError> {
        // A program that follows the first ICCCM names no property: the target serves as one.
        let property =
            if request.property == x11rb::NONE { request.target } else { request.property };
        let given = if request.target == self.targets.multiple {
            self.give_several(request.requestor, property)?
        } else {
            self.give(request.requestor, property, request.target)?
        };
        let answer = SelectionNotifyEvent {
            response_type: xproto::SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if given { property } else { x11rb::NONE },
        };
        let conn = &self.server.conn;
        xproto::send_event(conn, false, request.requestor, EventMask::NO_EVENT, answer)?;
        conn.flush()
    }

    /// Answers MULTIPLE: the property holds pairs of a target and a property, and each target that
    /// isn't given loses its property in that list.
    fn give_several(&mut self, window: Window, property: Atom) -> Result<bool, ConnectionError> {
        let conn = &self.server.conn;
        let most = 2 * MOST_CONVERSIONS as u32;
        let pairs = xproto::get_property(conn, false, window, property, AtomEnum::ANY, 0, most)?;
        let Ok(reply) = pairs.reply() else { return Ok(false) };
        let Some(pairs) = reply.value32().filter(|_| reply.bytes_after == 0) else {
            return Ok(false);
        };
        let mut pairs: Vec<Atom> = pairs.collect();
        for pair in pairs.as_chunks_mut::<2>().0 {
            let [target, into] = *pair;
            let given = into != x11rb::NONE
                && target != self.targets.multiple
                && self.give(window, into, target)?;
            if !given {
                pair[1] = x11rb::NONE;
            }
        }
        let kind = self.targets.pair;
        self.server.conn.change_property32(PropMode::REPLACE, window, property, kind, &pairs)?;
        Ok(true)
    }

    /// Puts it into the property; returns `false` if it isn't offered in the form `target`.
    fn give(
        &mut self,
        window: Window,
        property: Atom,
        target: Atom,
    ) -> Result<bool, ConnectionError> {
        let Targets { targets, timestamp, multiple, .. } = self.targets;
        let (conn, own) = (&self.server.conn, self.own.forms());
        if target == targets {
            let mut forms = vec![targets, timestamp, multiple];
            forms.extend(own.iter().map(|form| form.target));
            conn.change_property32(PropMode::REPLACE, window, property, AtomEnum::ATOM, &forms)?;
            return Ok(true);
        }
        if target == timestamp {
            let since = [self.own.since().unwrap_or(x11rb::CURRENT_TIME)];
            let kind = AtomEnum::INTEGER;
            conn.change_property32(PropMode::REPLACE, window, property, kind, &since)?;
            return Ok(true);
        }
        match own.iter().find(|form| form.target == target) {
            Some(form) => self.put(window, property, form)?,
            None => return Ok(false),
        }
        Ok(true)
    }

    fn put(
        &mut self,
        window: Window,
        property: Atom,
        form: &ServedForm,
    ) -> Result<(), ConnectionError> {
        let conn = &self.server.conn;
        if form.bytes.len() <= PIECE {
            return put_piece(&self.server, window, property, form, &form.bytes);
        }
        // To notice when the reader deletes the property, or its window is gone.
        let events = EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY;
        listen(&self.server, window, events)?;
        let length = u32::try_from(form.bytes.len()).unwrap_or(u32::MAX);
        let incr = self.targets.incr;
        conn.change_property32(PropMode::REPLACE, window, property, incr, &[length])?;
        self.readers.retain(|reader| (reader.window, reader.property) != (window, property));
        if self.readers.len() == MOST_READERS {
            self.readers.remove(0);
        }
        let form = form.clone();
        self.readers.push(Reader { window, property, form, sent: 0, ended: false });
        Ok(())
    }

    /// Sends the next piece to a program that has taken one, which it shows by deleting
    /// the property.
    fn go_on(&mut self, change: &PropertyNotifyEvent) -> Result<(), ConnectionError> {
        if change.state != Property::DELETE {
            return Ok(());
        }
        let conn = &self.server.conn;
        let reads =
            |reader: &Reader| (reader.window, reader.property) == (change.window, change.atom);
        let Some(at) = self.readers.iter().position(reads) else { return Ok(()) };
        let reader = &mut self.readers[at];
        if reader.ended {
            self.readers.remove(at);
            if !self.readers.iter().any(|reader| reader.window == change.window) {
                listen(&self.server, change.window, EventMask::NO_EVENT)?;
            }
        } else {
            let bytes = &reader.form.bytes;
            let piece = &bytes[reader.sent..bytes.len().min(reader.sent + PIECE)];
            put_piece(&self.server, reader.window, reader.property, &reader.form, piece)?;
            (reader.sent, reader.ended) = (reader.sent + piece.len(), piece.is_empty());
        }
        conn.flush()
    }
}

/// Puts some of the form into the property.
fn put_piece(
    server: &XConnection,
    window: Window,
    property: Atom,
    form: &ServedForm,
    piece: &[u8],
) -> Result<(), ConnectionError> {
    let numbers = piece.len() / usize::from(form.unit / 8);
    let numbers = u32::try_from(numbers).unwrap_or(u32::MAX);
    let (kind, unit) = (form.kind, form.unit);
    let replace = PropMode::REPLACE;
    xproto::change_property(&server.conn, replace, window, property, kind, unit, numbers, piece)?;
    Ok(())
}

fn listen(server: &XConnection, window: Window, events: EventMask) -> Result<(), ConnectionError> {
    let listen = ChangeWindowAttributesAux::new().event_mask(events);
    xproto::change_window_attributes(&server.conn, window, &listen)?;
    Ok(())
}
