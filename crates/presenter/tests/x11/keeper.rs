//! A program of the customer's that owns the clipboard and offers what it has in forms of its choice.

use std::sync::{Arc, Mutex};
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
    asked: Arc<Mutex<Vec<String>>>,
    _serving: JoinHandle<()>,
}

/// What is offered in one form.
#[derive(Debug, Clone)]
pub struct Form {
    name: String,
    /// The bits of one of its numbers.
    unit: u8,
    /// `None` if it is never given.
    bytes: Option<Vec<u8>>,
}

impl Form {
    pub fn new(name: &str, unit: u8, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), unit, bytes: Some(bytes.to_vec()) }
    }

    /// One that is offered, but who asks for it gets no answer.
    pub fn withheld(name: &str) -> Self {
        Self { name: name.to_owned(), unit: 8, bytes: None }
    }
}

impl Keeper {
    /// Takes the clipboard, for a text in all of these forms; returns when it is its owner.
    pub fn own(desk: &ConsentUi, forms: &[&str], text: &str) -> Self {
        let forms = forms.iter().map(|name| Form::new(name, 8, text.as_bytes()));
        Self::offering(desk, forms.collect())
    }

    /// As [`Self::own`], with contents of its own for each form.
    pub fn offering(desk: &ConsentUi, forms: Vec<Form>) -> Self {
        Self::start(desk, Some(forms))
    }

    /// One that never answers.
    pub fn silent(desk: &ConsentUi) -> Self {
        Self::start(desk, None)
    }

    /// The names of what it was asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn start(desk: &ConsentUi, forms: Option<Vec<Form>>) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&desk.display)).unwrap();
        let root = conn.setup().roots[screen].root;
        let window = conn.generate_id().unwrap();
        let class = WindowClass::INPUT_ONLY;
        let aux = CreateWindowAux::new();
        conn.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
        let clipboard = atom(&conn, "CLIPBOARD");
        conn.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME).unwrap();
        conn.sync().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        let serving = std::thread::spawn(move || {
            while let Ok(event) = conn.wait_for_event() {
                match event {
                    Event::SelectionRequest(request) => {
                        let name = conn.get_atom_name(request.target).unwrap().reply().unwrap();
                        let name = String::from_utf8(name.name).unwrap();
                        noted.lock().unwrap().push(name.clone());
                        if let Some(forms) = &forms {
                            answer(&conn, &request, &name, forms);
                        }
                    }
                    Event::SelectionClear(_) => return,
                    _ => {}
                }
            }
        });
        Self { asked, _serving: serving }
    }
}

fn atom(conn: &RustConnection, name: &str) -> u32 {
    conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
}

fn answer(conn: &RustConnection, request: &SelectionRequestEvent, name: &str, forms: &[Form]) {
    let (window, property): (Window, u32) = (request.requestor, request.property);
    let replace = PropMode::REPLACE;
    let given = if name == "TARGETS" {
        let names: Vec<u32> = forms.iter().map(|form| atom(conn, &form.name)).collect();
        conn.change_property32(replace, window, property, 4_u32, &names).is_ok()
    } else if let Some(form) = forms.iter().find(|form| form.name == name) {
        let Some(bytes) = &form.bytes else { return };
        let (kind, unit) = (request.target, form.unit);
        let numbers = (bytes.len() / usize::from(unit / 8)) as u32;
        conn.change_property(replace, window, property, kind, unit, numbers, bytes).is_ok()
    } else {
        false
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
