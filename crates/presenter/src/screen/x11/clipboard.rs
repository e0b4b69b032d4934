//! Fills the customer's clipboard with a viewer's text: this program owns the selection, and a
//! thread sends the text to every program that asks for it (ICCCM, section 2).

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use x11rb::connection::Connection as _;
use x11rb::errors::ConnectionError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    self, Atom, AtomEnum, ChangeWindowAttributesAux, EventMask, PropMode, Property,
    PropertyNotifyEvent, SelectionNotifyEvent, SelectionRequestEvent, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::x_connection::XConnection;
use crate::screen::ScreenError;

/// The bytes of one piece. A longer text is sent in pieces (INCR).
const PIECE: usize = 64 * 1024;
/// The most programs that read a long text at once. Beyond that, the oldest one is dropped.
const MOST_READERS: usize = 16;

/// Fills the clipboard.
pub struct Clipboard {
    server: Arc<XConnection>,
    clipboard: Atom,
    own: Own,
    thread: Option<JoinHandle<()>>,
}

/// The text that this program has put into the clipboard, so that it isn't sent back to
/// the viewers.
#[derive(Clone)]
pub struct Own {
    window: Window,
    text: Arc<Mutex<Text>>,
}

#[derive(Default)]
struct Text {
    /// The text for programs that ask for it.
    text: Arc<str>,
    /// Whether the viewers know this text, because it came from one of them.
    known: bool,
}

impl Own {
    /// Whether this is the window that owns the clipboard for this program.
    pub fn is_window(&self, window: Window) -> bool {
        self.window == window
    }

    /// Whether another program's text differs from the one that a viewer has sent. A clipboard
    /// manager may own the selection now and still offer the viewer's text.
    pub fn is_news(&self, text: &str) -> bool {
        let mut own = self.text.lock();
        let news = !(own.known && *own.text == *text);
        if news {
            own.known = false;
        }
        news
    }

    fn set(&self, text: &str) {
        let text = Text { text: text.into(), known: true };
        *self.text.lock() = text;
    }

    fn get(&self) -> Arc<str> {
        Arc::clone(&self.text.lock().text)
    }
}

impl Clipboard {
    /// Connects to the display. The selection isn't owned yet.
    pub fn open(display: &str) -> Result<Self, ScreenError> {
        let server = Arc::new(XConnection::connect(display)?);
        let window = server.hidden_window(EventMask::STRUCTURE_NOTIFY)?;
        let clipboard = server.atom("CLIPBOARD")?;
        let own = Own { window, text: Arc::default() };
        let mut owner = Owner::new(Arc::clone(&server), own.clone())?;
        let thread = std::thread::Builder::new().name("clipboard".to_owned());
        let thread = thread.spawn(move || owner.serve()).map_err(|_| {
            ScreenError::Lacks(
                "nothing, but this computer can start no more threads: close some programs",
            )
        })?;
        Ok(Self { server, clipboard, own, thread: Some(thread) })
    }

    /// The text that the capture must not send to the viewers.
    pub fn own(&self) -> Own {
        self.own.clone()
    }

    /// Puts a text into the clipboard.
    pub fn fill(&self, text: &str) -> Result<(), ScreenError> {
        self.own.set(text);
        let conn = &self.server.conn;
        xproto::set_selection_owner(conn, self.own.window, self.clipboard, x11rb::CURRENT_TIME)?;
        Ok(conn.flush()?)
    }

    fn close(&self) -> Result<(), ConnectionError> {
        xproto::destroy_window(&self.server.conn, self.own.window)?;
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

/// The forms in which the text is offered.
struct Targets {
    targets: Atom,
    utf8: Atom,
    mime: Atom,
    text: Atom,
    incr: Atom,
}

/// A program that gets a long text in pieces.
struct Reader {
    window: Window,
    property: Atom,
    kind: Atom,
    rest: std::vec::IntoIter<Vec<u8>>,
}

impl Owner {
    fn new(server: Arc<XConnection>, own: Own) -> Result<Self, ScreenError> {
        let targets = Targets {
            targets: server.atom("TARGETS")?,
            utf8: server.atom("UTF8_STRING")?,
            mime: server.atom("text/plain;charset=utf-8")?,
            text: server.atom("TEXT")?,
            incr: server.atom("INCR")?,
        };
        Ok(Self { server, own, targets, readers: Vec::new() })
    }

    fn serve(&mut self) {
        while let Ok(event) = self.server.conn.wait_for_event() {
            let served = match event {
                Event::SelectionRequest(request) => self.answer(&request),
                Event::PropertyNotify(change) => self.go_on(&change),
                Event::DestroyNotify(gone) if gone.window == self.own.window => return,
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

    fn answer(&mut self, request: &SelectionRequestEvent) -> Result<(), ConnectionError> {
        // A program that follows the first ICCCM names no property: the target serves as one.
        let property =
            if request.property == x11rb::NONE { request.target } else { request.property };
        let given = self.give(request.requestor, property, request.target)?;
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

    /// Puts the text into the property; returns `false` if it isn't offered in the form `target`.
    fn give(
        &mut self,
        window: Window,
        property: Atom,
        target: Atom,
    ) -> Result<bool, ConnectionError> {
        let Targets { targets, utf8, mime, text, .. } = self.targets;
        let string = Atom::from(AtomEnum::STRING);
        let own = self.own.get();
        if target == targets {
            let forms = [targets, utf8, mime, text, string];
            let conn = &self.server.conn;
            conn.change_property32(PropMode::REPLACE, window, property, AtomEnum::ATOM, &forms)?;
            return Ok(true);
        }
        if [utf8, mime, text].contains(&target) {
            let kind = if target == text { utf8 } else { target };
            self.put(window, property, kind, own.as_bytes())?;
            return Ok(true);
        }
        if target == string {
            // The target STRING is Latin-1 (ICCCM, section 2.6.2).
            let latin: Vec<u8> = own.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
            self.put(window, property, string, &latin)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn put(
        &mut self,
        window: Window,
        property: Atom,
        kind: Atom,
        text: &[u8],
    ) -> Result<(), ConnectionError> {
        let conn = &self.server.conn;
        if text.len() <= PIECE {
            conn.change_property8(PropMode::REPLACE, window, property, kind, text)?;
            return Ok(());
        }
        // To notice when the reader deletes the property, or its window is gone.
        let events = EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY;
        listen(&self.server, window, events)?;
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let incr = self.targets.incr;
        conn.change_property32(PropMode::REPLACE, window, property, incr, &[length])?;
        let pieces: Vec<Vec<u8>> =
            // By the protocol an empty piece ends the text.
            text.chunks(PIECE).map(<[u8]>::to_vec).chain([Vec::new()]).collect();
        self.readers.retain(|reader| (reader.window, reader.property) != (window, property));
        if self.readers.len() == MOST_READERS {
            self.readers.remove(0);
        }
        self.readers.push(Reader { window, property, kind, rest: pieces.into_iter() });
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
        match reader.rest.next() {
            Some(piece) => {
                let Reader { window, property, kind, .. } = *reader;
                conn.change_property8(PropMode::REPLACE, window, property, kind, &piece)?;
            }
            None => {
                self.readers.remove(at);
                if !self.readers.iter().any(|reader| reader.window == change.window) {
                    listen(&self.server, change.window, EventMask::NO_EVENT)?;
                }
            }
        }
        conn.flush()
    }
}

fn listen(server: &XConnection, window: Window, events: EventMask) -> Result<(), ConnectionError> {
    let listen = ChangeWindowAttributesAux::new().event_mask(events);
    xproto::change_window_attributes(&server.conn, window, &listen)?;
    Ok(())
}
