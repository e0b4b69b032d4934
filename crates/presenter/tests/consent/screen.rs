//! A screen of its own, and somebody who looks at it and has hands.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::*;
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// The colours of the buttons that a test looks for.
pub const SHARE: [u8; 3] = [0, 189, 206];
pub const STOP: [u8; 3] = [250, 112, 106];

/// How long a screen lives at most: longer than any test needs, and less than the runner allows it.
const LONGEST: Duration = Duration::from_secs(200);

/// An X server, ended after a while whatever happens: then whoever waits for an event hears of it.
pub struct Screen {
    server: Child,
    window_manager: Option<Child>,
    pub name: String,
    _alive: mpsc::Sender<()>,
}

impl Screen {
    pub fn new(size: &str) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24")])
            // Without -noreset it starts anew whenever its last client leaves.
            .args(["-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let (alive, over) = mpsc::channel::<()>();
        let id = server.id().to_string();
        std::thread::spawn(move || {
            if over.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
                Command::new("kill").arg(id).status().unwrap();
            }
        });
        let name = format!(":{}", number.trim());
        Self { server, window_manager: None, name, _alive: alive }
    }

    /// Starts a window manager and waits until it manages.
    pub fn managed(mut self) -> Self {
        let started =
            Command::new("openbox").env("DISPLAY", &self.name).stderr(Stdio::null()).spawn();
        let person = Person::at(&self);
        self.window_manager = Some(started.unwrap());
        let check = person.atom("_NET_SUPPORTING_WM_CHECK");
        person.until("a window manager", || {
            let asked = person.conn.get_property(false, person.root, check, AtomEnum::WINDOW, 0, 1);
            asked.unwrap().reply().unwrap().value_len > 0
        });
        self
    }

    pub fn end(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in self.window_manager.iter_mut().chain([&mut self.server]) {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Looks at the screen, clicks and types.
pub struct Person {
    pub conn: RustConnection,
    pub root: Window,
}

impl Person {
    pub fn at(screen: &Screen) -> Self {
        let (conn, number) = RustConnection::connect(Some(&screen.name)).unwrap();
        let root = conn.setup().roots[number].root;
        let person = Self { conn, root };
        person.follow(root, EventMask::SUBSTRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE);
        person
    }

    fn follow(&self, window: Window, events: EventMask) {
        let aux = ChangeWindowAttributesAux::new().event_mask(events);
        self.conn.change_window_attributes(window, &aux).unwrap().check().unwrap();
    }

    /// Waits for an event after which it is so.
    pub fn until(&self, what: &str, mut so: impl FnMut() -> bool) {
        while !so() {
            self.conn.wait_for_event().unwrap_or_else(|error| panic!("no {what}: {error}"));
        }
    }

    pub fn atom(&self, name: &str) -> Atom {
        self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The presenter's window, once it can be seen.
    pub fn window(&self) -> Window {
        let mut found = None;
        self.until("window", || {
            found = self.visible(self.root).first().copied();
            found.is_some()
        });
        let events =
            EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY | EventMask::FOCUS_CHANGE;
        self.follow(found.unwrap(), events);
        found.unwrap()
    }

    /// Waits until so many of the presenter's windows can be seen.
    pub fn wait_for_windows(&self, count: usize) {
        self.until("windows", || self.visible(self.root).len() == count);
    }

    /// The presenter's windows that can be seen.
    fn visible(&self, under: Window) -> Vec<Window> {
        let Ok(tree) = self.conn.query_tree(under).unwrap().reply() else { return Vec::new() };
        let within = |child| {
            let (class, kind) = (AtomEnum::WM_CLASS, AtomEnum::STRING);
            let asked = self.conn.get_property(false, child, class, kind, 0, 64).unwrap();
            let ours = asked.reply().is_ok_and(|it| it.value.starts_with(b"deskhand-presenter\0"));
            let shown = || {
                let asked = self.conn.get_window_attributes(child).unwrap().reply();
                asked.is_ok_and(|it| it.map_state == MapState::VIEWABLE)
            };
            if !ours {
                return self.visible(child);
            }
            if shown() { vec![child] } else { Vec::new() }
        };
        tree.children.into_iter().flat_map(within).collect()
    }

    /// Waits for the next height of a window that is as wanted. None is missed, since each is an event, however soon the
    /// next one follows.
    pub fn wait_for_height(&self, what: &str, window: Window, wanted: impl Fn(i32) -> bool) {
        let is_it = |event: &Event| matches!(event, Event::ConfigureNotify(it) if it.window == window && wanted(it.height.into()));
        while !is_it(
            &self.conn.wait_for_event().unwrap_or_else(|error| panic!("no {what}: {error}")),
        ) {}
    }

    pub fn wait_for_keyboard(&self, window: Window) {
        self.until("keyboard", || {
            self.conn.get_input_focus().unwrap().reply().unwrap().focus == window
        });
    }

    pub fn title(&self, window: Window) -> String {
        let (name, kind) = (self.atom("_NET_WM_NAME"), self.atom("UTF8_STRING"));
        let asked = self.conn.get_property(false, window, name, kind, 0, 1000).unwrap();
        String::from_utf8(asked.reply().unwrap().value).unwrap()
    }

    pub fn wait_for_title(&self, window: Window, title: &str) {
        self.until(title, || self.title(window) == title);
    }

    /// Left, top, width, height on the screen.
    pub fn place(&self, window: Window) -> [i32; 4] {
        let at = self.conn.get_geometry(window).unwrap().reply().unwrap();
        let asked = self.conn.translate_coordinates(window, self.root, 0, 0).unwrap();
        let root = asked.reply().unwrap();
        [root.dst_x.into(), root.dst_y.into(), at.width.into(), at.height.into()]
    }

    /// Where the button with a colour can be seen within a window, if it can: left, top, right, bottom.
    pub fn find(&self, window: Window, colour: [u8; 3]) -> Option<[i32; 4]> {
        /// The stripe and the signs have these colours, too: a button is lower and wider.
        const STRIPE: i32 = 6;
        const NARROW: usize = 30;
        let [x, y, w, h] = self.place(window);
        let ([left, top], [width, height]) = ([x as i16, y as i16], [w as u16, h as u16]);
        let format = ImageFormat::Z_PIXMAP;
        let asked = self.conn.get_image(format, self.root, left, top, width, height, !0);
        let data = asked.unwrap().reply().unwrap().data;
        let [red, green, blue] = colour;
        let is = |pixel: &[u8]| pixel[..3] == [blue, green, red];
        let mut found = None;
        for (row, line) in (y..).zip(data.chunks_exact(w as usize * 4)).skip(STRIPE as usize) {
            for (column, run) in (x..).zip(line.windows(NARROW * 4).step_by(4)) {
                if run.chunks_exact(4).all(is) {
                    let end = column + NARROW as i32;
                    let [left, top, right, _] = found.unwrap_or([column, row, end, row]);
                    found = Some([left.min(column), top, right.max(end), row]);
                }
            }
        }
        found
    }

    /// The middle of the button with a colour, and a place in the one that is so far beside it.
    pub fn buttons(&self, window: Window, colour: [u8; 3], beside: i32) -> [[i32; 2]; 2] {
        let [left, top, right, bottom] = self.find(window, colour).unwrap();
        let y = (top + bottom) / 2;
        let other = if beside < 0 { left + beside } else { right + beside };
        [[(left + right) / 2, y], [other, y]]
    }

    pub fn click(&self, [x, y]: [i32; 2]) {
        self.drag([x, y], [x, y]);
    }

    pub fn drag(&self, from: [i32; 2], to: [i32; 2]) {
        self.pointer(from);
        self.fake(BUTTON_PRESS_EVENT, 1);
        self.pointer(to);
        self.fake(BUTTON_RELEASE_EVENT, 1);
    }

    fn pointer(&self, [x, y]: [i32; 2]) {
        let (kind, now) = (MOTION_NOTIFY_EVENT, x11rb::CURRENT_TIME);
        self.conn.xtest_fake_input(kind, 0, now, self.root, x as i16, y as i16, 0).unwrap();
        self.conn.flush().unwrap();
    }

    fn fake(&self, kind: u8, detail: u8) {
        self.conn.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, self.root, 0, 0, 0).unwrap();
        self.conn.flush().unwrap();
    }

    /// Presses and releases the key that has a symbol.
    pub fn key(&self, symbol: u32) {
        let setup = self.conn.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let asked = self.conn.get_keyboard_mapping(first, last - first + 1).unwrap();
        let layout = asked.reply().unwrap();
        let mut keys = layout.keysyms.chunks(layout.keysyms_per_keycode.into());
        let key = first + keys.position(|key| key[0] == symbol).unwrap() as u8;
        self.fake(KEY_PRESS_EVENT, key);
        self.fake(KEY_RELEASE_EVENT, key);
    }

    /// Opens a window of its own there, in front of everything.
    pub fn cover(&self, [x, y, w, h]: [i32; 4]) -> Window {
        let id = self.conn.generate_id().unwrap();
        let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0x00ff_ffff);
        let (class, at) = (WindowClass::INPUT_OUTPUT, [x as i16, y as i16]);
        let size = [w as u16, h as u16];
        let conn = &self.conn;
        conn.create_window(0, id, self.root, at[0], at[1], size[0], size[1], 0, class, 0, &aux)
            .unwrap();
        conn.map_window(id).unwrap().check().unwrap();
        id
    }

    pub fn raise(&self, window: Window) {
        let aux = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.conn.configure_window(window, &aux).unwrap().check().unwrap();
    }

    /// Waits until a window is in front of another one.
    pub fn wait_for_order(&self, front: Window, behind: Window) {
        self.until("order", || {
            let stack = self.conn.query_tree(self.root).unwrap().reply().unwrap().children;
            let at = |window| stack.iter().position(|&other| other == window);
            at(front) > at(behind)
        });
    }

    /// Asks a window to close, as a window manager's [x] does.
    pub fn close(&self, window: Window) {
        let (kind, delete) = (self.atom("WM_PROTOCOLS"), self.atom("WM_DELETE_WINDOW"));
        let message = ClientMessageEvent::new(32, window, kind, [delete, 0, 0, 0, 0]);
        self.conn.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        self.conn.sync().unwrap();
    }

    /// What the desktop says of itself, such as how dense the screen is.
    pub fn set_resources(&self, text: &str) {
        let (name, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
        self.conn
            .change_property8(PropMode::REPLACE, self.root, name, kind, text.as_bytes())
            .unwrap()
            .check()
            .unwrap();
    }

    pub fn configure(&self, window: Window, aux: &ConfigureWindowAux) {
        self.conn.configure_window(window, aux).unwrap().check().unwrap();
    }

    pub fn hide(&self, window: Window) {
        self.conn.unmap_window(window).unwrap().check().unwrap();
    }

    pub fn destroy(&self, window: Window) {
        self.conn.destroy_window(window).unwrap().check().unwrap();
    }
}
