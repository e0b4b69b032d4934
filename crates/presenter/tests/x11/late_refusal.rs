//! A program that has lost the clipboard refuses what it was asked while it had it.

use std::time::Duration;

use presenter::screen::{self, Change};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::desk::ConsentUi;

/// Several programs of the customer's that own the clipboard one after the other, and answer when they are told to.
struct Programs {
    conn: RustConnection,
    root: Window,
}

impl Programs {
    fn atom(&self, name: &str) -> Atom {
        self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// Another program takes the clipboard.
    fn copy(&self) -> Window {
        let window = self.conn.generate_id().unwrap();
        let (aux, class) = (CreateWindowAux::new(), WindowClass::INPUT_ONLY);
        self.conn.create_window(0, window, self.root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
        let clipboard = self.atom("CLIPBOARD");
        self.conn.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME).unwrap();
        self.conn.flush().unwrap();
        window
    }

    /// What is asked for next, and of which program.
    fn asked(&self) -> SelectionRequestEvent {
        loop {
            if let Event::SelectionRequest(request) = self.conn.wait_for_event().unwrap() {
                return request;
            }
        }
    }

    /// Answers that there are these forms.
    fn give_forms(&self, request: &SelectionRequestEvent, forms: &[Atom]) {
        let (window, property) = (request.requestor, request.property);
        let kind = AtomEnum::ATOM;
        self.conn.change_property32(PropMode::REPLACE, window, property, kind, forms).unwrap();
        self.answer(request, property);
    }

    fn give_text(&self, request: &SelectionRequestEvent, text: &str) {
        let (window, property, kind) = (request.requestor, request.property, request.target);
        let (mode, text) = (PropMode::REPLACE, text.as_bytes());
        self.conn.change_property8(mode, window, property, kind, text).unwrap();
        self.answer(request, property);
    }

    fn answer(&self, request: &SelectionRequestEvent, property: Atom) {
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.conn.send_event(false, request.requestor, EventMask::NO_EVENT, answer).unwrap();
        self.conn.flush().unwrap();
    }
}

/// Otherwise the next owner, maybe a password manager, would be asked for its text at once.
#[test]
fn a_late_refusal_makes_nobody_else_give_a_text_whose_forms_were_not_seen() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    let told = std::thread::spawn(move || {
        loop {
            for change in capture.next(&mut picture, &[]).unwrap() {
                if let Change::Clipboard(contents) = change {
                    return contents;
                }
            }
        }
    });
    let (conn, screen) = RustConnection::connect(Some(&desk.display)).unwrap();
    let root = conn.setup().roots[screen].root;
    let programs = Programs { conn, root };
    let [targets, utf8, secret] =
        ["TARGETS", "UTF8_STRING", "x-kde-passwordManagerHint"].map(|name| programs.atom(name));
    let slow = programs.copy();
    let asked_slow = programs.asked();
    assert_eq!((asked_slow.owner, asked_slow.target), (slow, targets));
    // The server's clock counts milliseconds: the next one has the clipboard from another time on.
    std::thread::sleep(Duration::from_millis(20));
    let manager = programs.copy();
    let asked = programs.asked();
    assert_eq!((asked.owner, asked.target), (manager, targets));
    programs.answer(&asked_slow, x11rb::NONE);
    programs.give_forms(&asked, &[utf8, secret]);
    let last = programs.copy();
    let asked = programs.asked();
    assert_eq!((asked.owner, asked.target), (last, targets), "nothing else of the manager");
    // Its own refusal is believed: an old program may not tell its forms.
    programs.answer(&asked, x11rb::NONE);
    let asked = programs.asked();
    assert_eq!((asked.owner, asked.target), (last, utf8));
    programs.give_text(&asked, "no secret");
    assert_eq!(told.join().unwrap(), "no secret".into());
}
