//! What is on the screen, kept up to date from what the X server says is damaged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rfb::{Cursor, Monitor, Picture, Rect};
use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::damage::{self, Damage, ReportLevel};
use x11rb::protocol::xfixes::{self, CursorNotifyMask, Region};
use x11rb::protocol::xproto::{self, ClientMessageEvent, ConnectionExt as _, EventMask, Window};
use x11rb::protocol::{Event, randr};
use x11rb::rust_connection::RustConnection;

use super::clipboard::Own;
use super::image_fetch::ImageFetcher;
use super::selection::Selection;
use super::x_connection::XConnection;
use super::{cursor, merge_areas};
use crate::screen::{Capture, Change, ScreenError, Waker};

/// The larger of these two: what lies between two looks at a screen that changes all the time.
const PACE: Duration = Duration::from_millis(16);
/// A look that costs little may be followed by the next sooner, but not sooner than this.
const SHORTEST_PACE: Duration = Duration::from_millis(8);
/// Looking may take one part in this many of the time.
const SHARE: u32 = 4;
/// Pixels across and down that can be shared.
const LARGEST: u16 = 16_384;

/// The screen of an X server.
pub struct X11Capture {
    server: Arc<XConnection>,
    root: Window,
    fetcher: ImageFetcher,
    damage: Damage,
    region: Region,
    width: u16,
    height: u16,
    monitors: Vec<Monitor>,
    cursor: Cursor,
    selection: Selection,
    wake: X11Waker,
    /// When the next look may be taken.
    due: Instant,
}

/// What the events since the last look were about.
#[derive(Default)]
struct Seen {
    damaged: bool,
    resized: bool,
    cursor: bool,
    woken: bool,
    clipboard: Option<String>,
}

impl X11Capture {
    /// Starts to watch the display of this name; `own` is the clipboard that this program fills itself.
    pub fn open(display: &str, own: Own) -> Result<Self, ScreenError> {
        let server = Arc::new(XConnection::connect(display)?);
        server.need_capture_extensions()?;
        let root = server.screen().root;
        let conn = &server.conn;

        let resizes = randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE;
        randr::select_input(conn, root, resizes)?.check()?;
        // Monitors that the customer has drawn up are told to the root window alone.
        let configured =
            xproto::ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        xproto::change_window_attributes(conn, root, &configured)?.check()?;
        xfixes::select_cursor_input(conn, root, CursorNotifyMask::DISPLAY_CURSOR)?.check()?;
        let region = conn.generate_id()?;
        xfixes::create_region(conn, region, &[])?.check()?;
        let damage = conn.generate_id()?;
        // One event when there is damage, not one for every line drawn; the region tells where.
        damage::create(conn, damage, root, ReportLevel::NON_EMPTY)?.check()?;

        let mut capture = Self {
            root,
            fetcher: ImageFetcher::new(&server)?,
            damage,
            region,
            width: 0,
            height: 0,
            monitors: Vec::new(),
            cursor: Cursor::default(),
            selection: Selection::watch(&server, own)?,
            wake: X11Waker::new(&server)?,
            due: Instant::now(),
            server,
        };
        capture.look_at_size()?;
        capture.cursor = capture.look_at_cursor()?;
        Ok(capture)
    }

    /// What wakes [`Capture::next`].
    pub fn waker(&self) -> X11Waker {
        self.wake.clone()
    }

    /// Waits for an event and takes all that have come with it.
    fn wait(&mut self) -> Result<Seen, ScreenError> {
        let mut seen = Seen::default();
        // What was asked without waiting for an answer goes out now; waiting alone would not send it.
        self.server.conn.flush()?;
        let event = self.server.conn.wait_for_event()?;
        self.see(&event, &mut seen)?;
        self.see_queued(&mut seen)?;
        Ok(seen)
    }

    fn see_queued(&mut self, seen: &mut Seen) -> Result<(), ScreenError> {
        while let Some(event) = self.server.conn.poll_for_event()? {
            self.see(&event, seen)?;
        }
        Ok(())
    }

    fn see(&mut self, event: &Event, seen: &mut Seen) -> Result<(), ScreenError> {
        match event {
            Event::DamageNotify(_) => seen.damaged = true,
            Event::RandrScreenChangeNotify(_)
            | Event::RandrNotify(_)
            | Event::ConfigureNotify(_) => seen.resized = true,
            Event::XfixesCursorNotify(_) => seen.cursor = true,
            Event::ClientMessage(message) if message.window == self.wake.window => {
                self.wake.called.store(false, Ordering::Release);
                seen.woken = true;
            }
            other => {
                if let Some(text) = self.selection.see(&self.server, other)? {
                    seen.clipboard = Some(text);
                }
            }
        }
        Ok(())
    }

    /// Does what `seen` asks for.
    fn look(
        &mut self,
        picture: &mut Picture,
        lacks: &[Rect],
        seen: Seen,
    ) -> Result<Vec<Change>, ScreenError> {
        let mut changes = Vec::new();
        let fits = |capture: &Self, picture: &Picture| {
            (picture.width(), picture.height()) == (capture.width, capture.height)
        };
        if (seen.resized && self.look_at_size()?) || !fits(self, picture) {
            *picture = self.look_at_all()?;
            changes.push(Change::Resized(self.monitors.clone()));
        } else if seen.damaged {
            changes.extend(self.look_at_damage(picture, lacks)?);
        }
        if seen.cursor {
            let cursor = self.look_at_cursor()?;
            if cursor != self.cursor {
                self.cursor = cursor.clone();
                changes.push(Change::Cursor(cursor));
            }
        }
        changes.extend(seen.clipboard.map(Change::Clipboard));
        Ok(changes)
    }

    fn look_at_damage(
        &mut self,
        picture: &mut Picture,
        lacks: &[Rect],
    ) -> Result<Option<Change>, ScreenError> {
        let started = Instant::now();
        let areas = self.take_damage()?;
        if areas.is_empty() {
            return Ok(None);
        }
        let all = merge_areas::merge(areas.iter().chain(lacks).copied());
        match self.fetcher.fetch(&self.server.conn, picture, &all) {
            Ok(()) => {
                let cost = started.elapsed();
                self.due = started + (cost * SHARE).clamp(SHORTEST_PACE, PACE);
                Ok(Some(Change::Damage(areas)))
            }
            // The screen has become smaller, and the event that says so is on its way.
            Err(ReplyError::X11Error(_)) if self.look_at_size()? => {
                *picture = self.look_at_all()?;
                Ok(Some(Change::Resized(self.monitors.clone())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A picture of everything; the size may change while it is taken.
    fn look_at_all(&mut self) -> Result<Picture, ScreenError> {
        loop {
            self.take_damage()?;
            let mut picture = Picture::new(self.width, self.height);
            let all = [picture.bounds()];
            match self.fetcher.fetch(&self.server.conn, &mut picture, &all) {
                Ok(()) => return Ok(picture),
                Err(ReplyError::X11Error(_)) if self.look_at_size()? => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What has been damaged, which counts as repaired from here on: what is drawn later is damage anew.
    fn take_damage(&self) -> Result<Vec<Rect>, ScreenError> {
        damage::subtract(&self.server.conn, self.damage, x11rb::NONE, self.region)?;
        let damaged = xfixes::fetch_region(&self.server.conn, self.region)?.reply()?;
        Ok(merge_areas::merge(damaged.rectangles.iter().map(|area| self.clip(*area))))
    }

    fn clip(&self, area: xproto::Rectangle) -> Rect {
        let (x, y) = (i32::from(area.x), i32::from(area.y));
        let (w, h) = (u32::from(area.width), u32::from(area.height));
        merge_areas::clip(x, y, w, h, self.width, self.height)
    }

    /// Learns size and monitors, and says whether they are others now.
    fn look_at_size(&mut self) -> Result<bool, ScreenError> {
        let size = xproto::get_geometry(&self.server.conn, self.root)?;
        let monitors = randr::get_monitors(&self.server.conn, self.root, true)?;
        let (size, monitors) = (size.reply()?, monitors.reply()?);
        if !(1..=LARGEST).contains(&size.width) || !(1..=LARGEST).contains(&size.height) {
            let (width, height) = (size.width.into(), size.height.into());
            return Err(ScreenError::Size { width, height });
        }
        let monitors = monitors_of(&monitors, size.width, size.height);
        let before = (self.width, self.height, std::mem::replace(&mut self.monitors, monitors));
        (self.width, self.height) = (size.width, size.height);
        Ok((before.0, before.1, &before.2) != (self.width, self.height, &self.monitors))
    }

    fn look_at_cursor(&self) -> Result<Cursor, ScreenError> {
        match xfixes::get_cursor_image(&self.server.conn)?.reply() {
            Ok(image) => Ok(cursor::shape(&image)),
            // No pointer is shown, or it is another program's secret.
            Err(ReplyError::X11Error(_)) => Ok(Cursor::default()),
            Err(error @ ReplyError::ConnectionError(_)) => Err(error.into()),
        }
    }
}

impl Capture for X11Capture {
    fn monitors(&self) -> Vec<Monitor> {
        self.monitors.clone()
    }

    fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }

    fn whole(&mut self) -> Result<Picture, ScreenError> {
        self.look_at_size()?;
        self.look_at_all()
    }

    fn next(&mut self, picture: &mut Picture, lacks: &[Rect]) -> Result<Vec<Change>, ScreenError> {
        loop {
            let mut seen = self.wait()?;
            if seen.damaged {
                let early = self.due.saturating_duration_since(Instant::now());
                if !early.is_zero() && !seen.woken {
                    std::thread::sleep(early);
                    self.see_queued(&mut seen)?;
                }
            }
            let woken = seen.woken;
            let changes = self.look(picture, lacks, seen)?;
            if woken || !changes.is_empty() {
                return Ok(changes);
            }
        }
    }
}

/// The monitors, each with the number of its name, which stays. A screen without any is one.
fn monitors_of(reply: &randr::GetMonitorsReply, width: u16, height: u16) -> Vec<Monitor> {
    let monitor = |info: &randr::MonitorInfo| {
        let (x, y) = (info.x.into(), info.y.into());
        let area = merge_areas::clip(x, y, info.width.into(), info.height.into(), width, height);
        Monitor { id: info.name, area }
    };
    let mut monitors: Vec<Monitor> =
        reply.monitors.iter().map(monitor).filter(|monitor| !monitor.area.is_empty()).collect();
    if monitors.is_empty() {
        monitors.push(Monitor { id: 0, area: Rect::new(0, 0, width, height) });
    }
    monitors
}

/// Wakes the capture with a message to a window of its own.
#[derive(Clone)]
pub struct X11Waker {
    server: Arc<XConnection>,
    window: Window,
    /// A message is on its way: one is enough.
    called: Arc<AtomicBool>,
}

impl X11Waker {
    fn new(server: &Arc<XConnection>) -> Result<Self, ScreenError> {
        let window = server.hidden_window(EventMask::NO_EVENT)?;
        Ok(Self { server: Arc::clone(server), window, called: Arc::default() })
    }

    fn call(&self, conn: &RustConnection) -> Result<(), ConnectionError> {
        let message = ClientMessageEvent::new(32, self.window, xproto::AtomEnum::ANY, [0; 5]);
        conn.send_event(false, self.window, EventMask::NO_EVENT, message)?;
        conn.flush()
    }
}

impl Waker for X11Waker {
    fn wake(&self) {
        if !self.called.swap(true, Ordering::AcqRel) {
            // Where it fails the server is gone, and the capture sees that by itself.
            let _gone = self.call(&self.server.conn);
        }
    }
}
