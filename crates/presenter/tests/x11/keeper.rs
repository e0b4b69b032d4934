//! A program of the customer's that owns the clipboard and offers a text in forms of its choice.

use std::thread::JoinHandle;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::desk::ConsentUi;

/// It owns the clipboard until somebody else does.
pub struct Keeper {
    _serving: JoinHandle<()>,
}

impl Keeper {
    /// Takes the clipboard; returns when it is its owner.
    pub fn own(desk: &ConsentUi, forms: &[&str], text: &'static str) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&desk.display)).unwrap();
        let atom =
            |name: &str| conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (clipboard, targets) = (atom("CLIPBOARD"), atom("TARGETS"));
        let forms: Vec<u32> = forms.iter().map(|name| atom(name)).collect();
        let root = conn.setup().roots[screen].root;
        let window = conn.generate_id().unwrap();
        let class = WindowClass::INPUT_ONLY;
        let aux = CreateWindowAux::new();
        conn.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
        conn.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME).unwrap();
        conn.sync().unwrap();
        let serving = std::thread::spawn(move || {
            while let Ok(event) = conn.wait_for_event() {
                match event {
                    Event::SelectionRequest(request) => {
                        answer(&conn, &request, targets, &forms, text)
                    }
                    Event::SelectionClear(_) => return,
                    _ => {}
                }
            }
        });
        Self { _serving: serving }
    }
}

fn answer(
    conn: &RustConnection,
    request: &SelectionRequestEvent,
    targets: u32,
    forms: &[u32],
    text: &str,
) {
    let (window, property): (Window, u32) = (request.requestor, request.property);
    let replace = PropMode::REPLACE;
    let given = if request.target == targets {
        conn.change_property32(replace, window, property, 4_u32, forms).is_ok()
    } else {
        let kind = request.target;
        forms.contains(&kind)
            && conn.change_property8(replace, window, property, kind, text.as_bytes()).is_ok()
    };
    let answer = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: window,
        selection: request.selection,
        target: request.target,
        property: if given { property } else { 0 },
    };
    conn.send_event(false, window, EventMask::NO_EVENT, answer).unwrap();
    conn.flush().unwrap();
}
