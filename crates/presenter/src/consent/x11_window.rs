//! One X11 window on a connection of its own. Dropping it closes the window and ends its thread.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tiny_skia::Pixmap;
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::image::{BitsPerPixel, ColorComponent, Image, ImageOrder, PixelLayout, ScanlinePad};
use x11rb::properties::{WmHints, WmSizeHints, WmSizeHintsSpecification};
use x11rb::protocol::Event;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::*;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::button_input::Key;
use super::screen_rect::ScreenRect;
use crate::screen::ScreenError;
use crate::screen::x11::wayland::is_session;
use crate::screen::x11::x_connection::{XConnection, display_name};

x11rb::atom_manager! {
    /// The atoms of ICCCM and EWMH.
    pub Atoms: AtomsCookie {
        UTF8_STRING,
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_ABOVE,
        _NET_WM_STATE_STAYS_ON_TOP,
        _NET_WM_STATE_STICKY,
        _NET_WM_STATE_SKIP_TASKBAR,
        _NET_WM_STATE_SKIP_PAGER,
        _NET_WM_STATE_DEMANDS_ATTENTION,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DIALOG,
        _NET_WM_WINDOW_TYPE_DOCK,
    }
}

/// An event for a window.
pub enum WindowEvent<T> {
    /// An event from the X server.
    X(Event),
    /// The window or the display is gone.
    Gone,
    /// Something from another sender of the same channel.
    Other(T),
}

/// The two kinds of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// A window that the window manager frames, places and focuses.
    Dialog,
    /// A window that no window manager touches (override-redirect), so that nothing hides or moves
    /// the banner.
    Banner,
}

/// Connects to a display, or to the one that the environment names.
///
/// # Errors
/// There is none, or it refuses.
pub fn connect(display: Option<&str>) -> Result<XConnection, ScreenError> {
    let environment = |name: &str| std::env::var(name).ok();
    XConnection::connect(&display_name(display, environment)?).map_err(|error| match error {
        // A Wayland desktop may name an X server that isn't running.
        ScreenError::NoDisplay if display.is_none() && is_session(environment) => {
            ScreenError::WaylandOnly
        }
        error => error,
    })
}

pub struct Window {
    conn: Arc<RustConnection>,
    root: Window_,
    id: Window_,
    gc: Gcontext,
    depth: u8,
    pixels: PixelLayout,
    atoms: Atoms,
    /// The position and size that this program gave it last.
    pub place: ScreenRect,
}

type Window_ = x11rb::protocol::xproto::Window;

impl Window {
    /// Opens a window that is not shown yet.
    ///
    /// # Errors
    /// [`ScreenError`].
    pub fn open(display: Option<&str>, kind: WindowKind) -> Result<Self, ScreenError> {
        let server = connect(display)?;
        let screen = server.screen();
        let (root, depth) = (screen.root, screen.root_depth);
        let visual = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visual.copied().find(|visual| visual.visual_id == screen.root_visual);
        let pixels = visual.and_then(|visual| PixelLayout::from_visual_type(visual).ok());
        let pixels = pixels.ok_or(ScreenError::Lacks("true colour"))?;
        let aux = CreateWindowAux::new()
            .event_mask(own_events())
            .background_pixel(screen.black_pixel)
            .override_redirect(u32::from(kind == WindowKind::Banner));
        let conn = server.conn;
        let atoms = Atoms::new(&conn)?.reply()?;
        let made =
            || -> Result<_, ReplyOrIdError> { Ok((conn.generate_id()?, conn.generate_id()?)) };
        let (id, gc) = made()?;
        let class = WindowClass::INPUT_OUTPUT;
        conn.create_window(depth, id, root, 0, 0, 1, 1, 0, class, 0, &aux)?.check()?;
        conn.create_gc(gc, id, &CreateGCAux::new())?;
        if kind == WindowKind::Banner {
            // To notice windows that cover the banner, and a screen of another size.
            let around = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
            let aux = ChangeWindowAttributesAux::new().event_mask(around);
            conn.change_window_attributes(root, &aux)?;
        }
        let place = ScreenRect { x: 0, y: 0, w: 1, h: 1 };
        let window = Self { conn: Arc::new(conn), root, id, gc, depth, pixels, atoms, place };
        window.set_properties(kind)?;
        Ok(window)
    }

    /// Sets the properties that window managers read (ICCCM, EWMH).
    fn set_properties(&self, kind: WindowKind) -> Result<(), ScreenError> {
        let (conn, id, a) = (&*self.conn, self.id, &self.atoms);
        let class = b"deskhand-presenter\0Deskhand-presenter\0";
        conn.change_property8(PropMode::REPLACE, id, AtomEnum::WM_CLASS, AtomEnum::STRING, class)?;
        let atoms = |property, atoms: &[Atom]| {
            conn.change_property32(PropMode::REPLACE, id, property, AtomEnum::ATOM, atoms)
        };
        match kind {
            WindowKind::Dialog => {
                atoms(a.WM_PROTOCOLS, &[a.WM_DELETE_WINDOW])?;
                atoms(a._NET_WM_WINDOW_TYPE, &[a._NET_WM_WINDOW_TYPE_DIALOG])?;
                atoms(
                    a._NET_WM_STATE,
                    &[a._NET_WM_STATE_ABOVE, a._NET_WM_STATE_DEMANDS_ATTENTION],
                )?;
                WmHints { input: Some(true), ..WmHints::new() }.set(conn, id)?;
            }
            WindowKind::Banner => {
                atoms(a._NET_WM_WINDOW_TYPE, &[a._NET_WM_WINDOW_TYPE_DOCK])?;
                atoms(
                    a._NET_WM_STATE,
                    &[
                        a._NET_WM_STATE_ABOVE,
                        a._NET_WM_STATE_STAYS_ON_TOP,
                        a._NET_WM_STATE_STICKY,
                        a._NET_WM_STATE_SKIP_TASKBAR,
                        a._NET_WM_STATE_SKIP_PAGER,
                    ],
                )?;
            }
        }
        Ok(())
    }

    /// Sends the window's events to `to` until the window is gone.
    pub fn listen<T: Send + 'static>(&self, to: Sender<WindowEvent<T>>) {
        let (conn, id) = (Arc::clone(&self.conn), self.id);
        std::thread::spawn(move || {
            loop {
                match conn.wait_for_event() {
                    Ok(Event::DestroyNotify(gone)) if gone.window == id => break,
                    Ok(event) => {
                        if to.send(WindowEvent::X(event)).is_err() {
                            return;
                        }
                    }
                    Err(_) => break,
                }
            }
            to.send(WindowEvent::Gone).ok();
        });
    }

    pub fn set_title(&self, title: &str) -> Result<(), ScreenError> {
        let (conn, a) = (&*self.conn, &self.atoms);
        let set = |property, kind| {
            conn.change_property8(PropMode::REPLACE, self.id, property, kind, title.as_bytes())
        };
        set(a._NET_WM_NAME, a.UTF8_STRING)?;
        // For window managers without EWMH.
        set(AtomEnum::WM_NAME.into(), a.UTF8_STRING)?;
        Ok(conn.flush()?)
    }

    /// Shows a picture. It becomes the window's background, so the X server repaints it without
    /// Expose events.
    pub fn show(&self, picture: &Pixmap) -> Result<(), ScreenError> {
        Ok(self.paint(picture)?)
    }

    fn paint(&self, picture: &Pixmap) -> Result<(), ReplyOrIdError> {
        let (width, height) = (picture.width() as u16, picture.height() as u16);
        let pixels = picture.data().iter().copied().collect();
        let (bits, order) = (BitsPerPixel::B32, ImageOrder::LsbFirst);
        let image = Image::new(width, height, ScanlinePad::Pad32, 24, bits, order, pixels)?;
        let byte = |shift| ColorComponent::new(8, shift);
        let rgb = PixelLayout::new(byte(0)?, byte(8)?, byte(16)?);
        let image = image.reencode(rgb, self.pixels, self.conn.setup())?;
        let held = self.conn.generate_id()?;
        self.conn.create_pixmap(self.depth, held, self.id, width, height)?;
        image.put(&*self.conn, held, self.gc, 0, 0)?;
        let aux = ChangeWindowAttributesAux::new().background_pixmap(held);
        self.conn.change_window_attributes(self.id, &aux)?;
        // The server keeps the pixmap for as long as it is a window's background.
        self.conn.free_pixmap(held)?;
        self.conn.clear_area(false, self.id, 0, 0, 0, 0)?;
        self.conn.flush()?;
        Ok(())
    }

    /// Moves and resizes it. Equal minimum and maximum sizes keep window managers from resizing it.
    pub fn put(&mut self, place: ScreenRect) -> Result<(), ScreenError> {
        self.place = place;
        let hints = WmSizeHints {
            position: Some((WmSizeHintsSpecification::ProgramSpecified, place.x, place.y)),
            min_size: Some((place.w, place.h)),
            max_size: Some((place.w, place.h)),
            win_gravity: Some(Gravity::STATIC),
            ..WmSizeHints::new()
        };
        hints.set_normal_hints(&*self.conn, self.id)?;
        let aux = ConfigureWindowAux::new()
            .x(place.x)
            .y(place.y)
            .width(place.w.max(1) as u32)
            .height(place.h.max(1) as u32);
        self.conn.configure_window(self.id, &aux)?;
        Ok(self.conn.flush()?)
    }

    /// Shows the window in front of all others.
    pub fn map(&self) -> Result<(), ScreenError> {
        self.conn.map_window(self.id)?;
        let front = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.conn.configure_window(self.id, &front)?;
        Ok(self.conn.flush()?)
    }

    /// Takes the keyboard's focus if there is no window manager that gives it (EWMH:
    /// _NET_SUPPORTING_WM_CHECK).
    pub fn take_keyboard(&self) -> Result<(), ScreenError> {
        let check = self.atoms._NET_SUPPORTING_WM_CHECK;
        let managed = self.conn.get_property(false, self.root, check, AtomEnum::WINDOW, 0, 1);
        let managed = managed?.reply()?;
        if managed.value_len == 0 {
            let (parent, now) = (InputFocus::PARENT, x11rb::CURRENT_TIME);
            self.conn.set_input_focus(parent, self.id, now)?;
            self.conn.flush()?;
        }
        Ok(())
    }

    /// Whether the window manager's message asks to close it.
    pub fn closes(&self, message: &ClientMessageEvent) -> bool {
        let [asked, ..] = message.data.as_data32();
        message.type_ == self.atoms.WM_PROTOCOLS && asked == self.atoms.WM_DELETE_WINDOW
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    pub fn root(&self) -> u32 {
        self.root
    }

    /// The meaning of a key in the present keyboard layout.
    pub fn key(&self, pressed: &KeyPressEvent) -> Key {
        let shift = pressed.state.contains(KeyButMask::SHIFT);
        let chord = KeyButMask::CONTROL | KeyButMask::MOD1 | KeyButMask::MOD4;
        let layout = self.conn.get_keyboard_mapping(pressed.detail, 1);
        let layout = layout.ok().and_then(|cookie| cookie.reply().ok());
        let symbol = layout.and_then(|layout| layout.keysyms.first().copied());
        match symbol {
            Some(_) if u16::from(pressed.state) & u16::from(chord) != 0 => Key::Other,
            Some(0xff09) if !shift => Key::Tab,
            Some(0xff09 | 0xfe20) => Key::BackTab,
            Some(0xff0d | 0xff8d | 0x20 | 0xff80) => Key::Enter,
            Some(0xff1b) => Key::Escape,
            Some(_) | None => Key::Other,
        }
    }

    /// The monitors, the primary one first. If none is known, the whole screen counts as one.
    pub fn monitors(&self) -> Result<Vec<ScreenRect>, ScreenError> {
        let asked = self.conn.randr_get_monitors(self.root, true);
        let mut monitors = match asked.map(|cookie| cookie.reply()) {
            Ok(Ok(answer)) => answer.monitors,
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        monitors.sort_by_key(|monitor| !monitor.primary);
        let place = |m: &x11rb::protocol::randr::MonitorInfo| ScreenRect {
            x: m.x.into(),
            y: m.y.into(),
            w: m.width.into(),
            h: m.height.into(),
        };
        let mut places: Vec<_> =
            monitors.iter().map(place).filter(|m| m.w > 0 && m.h > 0).collect();
        if places.is_empty() {
            let asked = self.conn.get_geometry(self.root)?;
            let root = asked.reply()?;
            places.push(ScreenRect { x: 0, y: 0, w: root.width.into(), h: root.height.into() });
        }
        Ok(places)
    }

    /// Pixels per unit: by the desktop's setting, else by the first monitor's size in millimetres.
    pub fn scale(&self) -> f32 {
        let sentence = x11rb::resource_manager::new_from_default(&*self.conn).ok();
        let dpi =
            sentence.and_then(|sentence| sentence.get_value::<f32>("Xft.dpi", "").ok().flatten());
        if let Some(dpi) = dpi.filter(|dpi| (48.0..=768.0).contains(dpi)) {
            return dpi / 96.0;
        }
        let monitors = self.conn.randr_get_monitors(self.root, true).ok();
        let monitors = monitors.and_then(|cookie| cookie.reply().ok());
        let first = monitors.and_then(|m| m.monitors.into_iter().max_by_key(|m| m.primary));
        // Projectors and virtual screens report false sizes, so only a plausible high
        // density counts.
        let dense = first.is_some_and(|m| {
            let dpi = f32::from(m.height) * 25.4 / m.height_in_millimeters.max(1) as f32;
            m.height >= 1600 && (170.0..=400.0).contains(&dpi)
        });
        if dense { 2.0 } else { 1.0 }
    }

    /// Whether it is hidden, moved away or covered by another window.
    pub fn disturbed(&self) -> Result<bool, ScreenError> {
        Ok(self.is_covered()?)
    }

    fn is_covered(&self) -> Result<bool, ReplyOrIdError> {
        let conn = &*self.conn;
        let own = (conn.get_window_attributes(self.id)?, conn.get_geometry(self.id)?);
        let (attributes, at) = (own.0.reply()?, own.1.reply()?);
        let own =
            ScreenRect { x: at.x.into(), y: at.y.into(), w: at.width.into(), h: at.height.into() };
        if attributes.map_state != MapState::VIEWABLE || own != self.place {
            return Ok(true);
        }
        let stack = conn.query_tree(self.root)?.reply()?.children;
        // QueryTree lists the windows from the bottom of the stack to its top.
        let above = stack.iter().rev().take_while(|&&other| other != self.id);
        let asked: Vec<_> = above
            .map(|&other| Ok((conn.get_window_attributes(other)?, conn.get_geometry(other)?)))
            .collect::<Result<_, ReplyOrIdError>>()?;
        let mut covered = false;
        for (attributes, at) in asked {
            // A window that was closed meanwhile covers nothing.
            let (Ok(attributes), Ok(at)) = (attributes.reply(), at.reply()) else { continue };
            let edge = i32::from(at.border_width) * 2;
            let (w, h) = (i32::from(at.width) + edge, i32::from(at.height) + edge);
            let other = ScreenRect { x: at.x.into(), y: at.y.into(), w, h };
            // InputOnly windows are invisible.
            covered |= attributes.class == WindowClass::INPUT_OUTPUT
                && attributes.map_state == MapState::VIEWABLE
                && other.meets(&self.place);
        }
        Ok(covered)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Its thread gets DestroyNotify, and ends.
        self.conn.destroy_window(self.id).ok();
        self.conn.flush().ok();
    }
}

/// The events of the window itself.
fn own_events() -> EventMask {
    EventMask::KEY_PRESS
        | EventMask::BUTTON_PRESS
        | EventMask::BUTTON_RELEASE
        | EventMask::POINTER_MOTION
        | EventMask::LEAVE_WINDOW
        | EventMask::STRUCTURE_NOTIFY
        | EventMask::VISIBILITY_CHANGE
        | EventMask::FOCUS_CHANGE
}
