//! The clipboard: offers a text, and reports the text that another program offers.

use std::sync::{Arc, Mutex};

use x11rb::{
    connection::Connection as _,
    protocol::{
        Event,
        xfixes::{ConnectionExt as _, SelectionEventMask},
        xproto::{
            Atom, AtomEnum, ConnectionExt as _, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
            SelectionNotifyEvent, SelectionRequestEvent, Window,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

#[derive(Clone)]
pub struct Clipboard {
    display: Arc<RustConnection>,
    window: Window,
    clipboard: Atom,
    targets: Atom,
    text: Atom,
    offered: Arc<Mutex<String>>,
}

impl Clipboard {
    pub fn new(display: Arc<RustConnection>, window: Window) -> Self {
        let atom =
            |name: &str| display.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (clipboard, targets, text) = (atom("CLIPBOARD"), atom("TARGETS"), atom("UTF8_STRING"));
        display.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        let owners = SelectionEventMask::SET_SELECTION_OWNER;
        display.xfixes_select_selection_input(window, clipboard, owners).unwrap();
        Self { window, clipboard, targets, text, offered: Arc::default(), display }
    }

    pub fn own(&self, text: &str) {
        text.clone_into(&mut self.offered.lock().unwrap());
        let now = x11rb::CURRENT_TIME;
        self.display.set_selection_owner(self.window, self.clipboard, now).unwrap();
        self.round_trip();
    }

    pub fn round_trip(&self) {
        self.display.sync().unwrap();
    }

    pub fn hears(&self, event: &Event) {
        match event {
            Event::XfixesSelectionNotify(owned) if owned.owner != self.window => {
                let to = self.text;
                let ask = self.display.convert_selection(
                    self.window,
                    self.clipboard,
                    self.text,
                    to,
                    owned.selection_timestamp,
                );
                ask.unwrap();
                self.display.flush().unwrap();
            }
            Event::SelectionNotify(given) if given.property != x11rb::NONE => {
                let any = AtomEnum::ANY;
                let text = self
                    .display
                    .get_property(true, self.window, given.property, any, 0, 1 << 18)
                    .unwrap()
                    .reply()
                    .unwrap();
                println!("clipboard {}", String::from_utf8_lossy(&text.value));
            }
            Event::SelectionRequest(asked) => self.give(asked),
            _ => {}
        }
    }

    fn give(&self, asked: &SelectionRequestEvent) {
        let (to, property) = (asked.requestor, asked.property);
        let replace = PropMode::REPLACE;
        let given = if asked.target == self.targets {
            let known = [self.targets, self.text];
            self.display.change_property32(replace, to, property, AtomEnum::ATOM, &known).unwrap();
            property
        } else if asked.target == self.text {
            let text = self.offered.lock().unwrap();
            self.display
                .change_property8(replace, to, property, self.text, text.as_bytes())
                .unwrap();
            property
        } else {
            x11rb::NONE
        };
        let notice = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: to,
            selection: asked.selection,
            target: asked.target,
            property: given,
        };
        self.display.send_event(false, to, EventMask::NO_EVENT, notice).unwrap();
        self.display.flush().unwrap();
    }
}
