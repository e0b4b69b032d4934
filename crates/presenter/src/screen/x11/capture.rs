//! Captures an X11 screen: fetches the areas that the DAMAGE extension reports.

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

use super::image_fetch::ImageFetcher;
use super::own_text::Own;
use super::selection::Selection;
use super::x_connection::XConnection;
use super::{cursor, merge_areas};
use crate::screen::{Capture, Change, ScreenError, Waker};

/// The longest pause between two fetches from a screen that changes all the time.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);
/// The shortest pause between two fetches, even if they take hardly any time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(8);
/// The reciprocal of the share of time that fetching may take, as far as [`LONGEST_PAUSE`]
/// allows it.
const TIME_SHARE: u32 = 4;
/// The largest width and height in pixels that can be shared.
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
    /// When the next fetch may begin.
    next_fetch: Instant,
}

/// The kinds of events that have arrived since the last fetch.
#[derive(Default)]
struct PendingEvents {
    damaged: bool,
    resized: bool,
    cursor: bool,
    woken: bool,
    /// A text or a picture, or why there is none.
    clipboard: Option<Change>,
}

impl X11Capture {
    /// Starts to watch the display of this name. `own` is what this program has put into the clipboard.
    pub fn open(display: &str, own: Own) -> Result<Self, ScreenError> {
        let server = Arc::new(XConnection::connect(display)?);
        server.need_capture_extensions()?;
        let root = server.screen().root;
        let conn = &server.conn;

        let resizes = randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE;
        randr::select_input(conn, root, resizes)?.check()?;
        // Monitors that the customer has defined (xrandr --setmonitor) are reported by the root
        // window's events alone.
        let configured =
            xproto::ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        xproto::change_window_attributes(conn, root, &configured)?.check()?;
        xfixes::select_cursor_input(conn, root, CursorNotifyMask::DISPLAY_CURSOR)?.check()?;
        let region = conn.generate_id()?;
        xfixes::create_region(conn, region, &[])?.check()?;
        let damage = conn.generate_id()?;
        // With NON_EMPTY the server sends one event when there is damage, instead of one for every
        // drawing request. The areas are read from the region.
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
            next_fetch: Instant::now(),
            server,
        };
        capture.read_size()?;
        capture.cursor = capture.read_cursor()?;
        Ok(capture)
    }

    /// The handle that wakes [`Capture::next`].
    pub fn waker(&self) -> X11Waker {
        self.wake.clone()
    }

    /// Waits for an event, and takes all that are queued behind it.
    fn wait(&mut self) -> Result<PendingEvents, ScreenError> {
        let mut events = PendingEvents::default();
        // x11rb buffers requests, and waiting for an event doesn't send them.
        self.server.conn.flush()?;
        let event = self.server.conn.wait_for_event()?;
        self.collect(&event, &mut events)?;
        self.collect_queued(&mut events)?;
        Ok(events)
    }

    fn collect_queued(&mut self, events: &mut PendingEvents) -> Result<(), ScreenError> {
        while let Some(event) = self.server.conn.poll_for_event()? {
            self.collect(&event, events)?;
        }
        Ok(())
    }

    fn collect(&mut self, event: &Event, events: &mut PendingEvents) -> Result<(), ScreenError> {
        match event {
            Event::DamageNotify(_) => events.damaged = true,
            Event::RandrScreenChangeNotify(_)
            | Event::RandrNotify(_)
            | Event::ConfigureNotify(_) => events.resized = true,
            Event::XfixesCursorNotify(_) => events.cursor = true,
            Event::ClientMessage(message) if message.window == self.wake.window => {
                self.wake.called.store(false, Ordering::Release);
                events.woken = true;
            }
            other => {
                if let Some(change) = self.selection.see(&self.server, other)? {
                    events.clipboard = Some(change);
                }
            }
        }
        Ok(())
    }

    /// Brings the picture up to date after these events.
    fn update(
        &mut self,
        picture: &mut Picture,
        stale: &[Rect],
        events: PendingEvents,
    ) -> Result<Vec<Change>, ScreenError> {
        let mut changes = Vec::new();
        let fits = |capture: &Self, picture: &Picture| {
            (picture.width(), picture.height()) == (capture.width, capture.height)
        };
        if (events.resized && self.read_size()?) || !fits(self, picture) {
            *picture = self.fetch_all()?;
            changes.push(Change::Resized(self.monitors.clone()));
        } else if events.damaged {
            changes.extend(self.fetch_damage(picture, stale)?);
        }
        if events.cursor {
            let cursor = self.read_cursor()?;
            if cursor != self.cursor {
                self.cursor = cursor.clone();
                changes.push(Change::Cursor(cursor));
            }
        }
        changes.extend(events.clipboard);
        Ok(changes)
    }

    fn fetch_damage(
        &mut self,
        picture: &mut Picture,
        stale: &[Rect],
    ) -> Result<Option<Change>, ScreenError> {
        let started = Instant::now();
        let areas = self.take_damage()?;
        if areas.is_empty() {
            return Ok(None);
        }
        let all = merge_areas::merge(areas.iter().chain(stale).copied());
        match self.fetcher.fetch(&self.server.conn, picture, &all) {
            Ok(()) => {
                let cost = started.elapsed();
                self.next_fetch =
                    started + (cost * TIME_SHARE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                Ok(Some(Change::Damage(areas)))
            }
            // BadMatch: the screen has become smaller, and the event that says so is on its way.
            Err(ReplyError::X11Error(_)) if self.read_size()? => {
                *picture = self.fetch_all()?;
                Ok(Some(Change::Resized(self.monitors.clone())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a picture of the whole screen; again if the size changes meanwhile.
    fn fetch_all(&mut self) -> Result<Picture, ScreenError> {
        loop {
            // Damage from before this fetch is part of the picture and must not be fetched again.
            self.take_damage()?;
            let mut picture = Picture::new(self.width, self.height);
            let all = [picture.bounds()];
            match self.fetcher.fetch(&self.server.conn, &mut picture, &all) {
                Ok(()) => return Ok(picture),
                Err(ReplyError::X11Error(_)) if self.read_size()? => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads and clears the damaged areas, before their pixels are fetched: what a program draws
    /// during the fetch then counts as new damage and isn't lost.
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

    /// Reads size and monitors; returns whether they have changed.
    fn read_size(&mut self) -> Result<bool, ScreenError> {
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

    fn read_cursor(&self) -> Result<Cursor, ScreenError> {
        match xfixes::get_cursor_image(&self.server.conn)?.reply() {
            Ok(image) => Ok(cursor::shape(&image)),
            // There is no pointer, or the server's security policy hides it.
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
        self.read_size()?;
        self.fetch_all()
    }

    fn next(&mut self, picture: &mut Picture, stale: &[Rect]) -> Result<Vec<Change>, ScreenError> {
        loop {
            let mut events = self.wait()?;
            if events.damaged {
                let early = self.next_fetch.saturating_duration_since(Instant::now());
                if !early.is_zero() && !events.woken {
                    // Damage that arrives during the pause joins the same fetch. There is no pause
                    // after a wake-up, which asks the capture to return at once.
                    std::thread::sleep(early);
                    self.collect_queued(&mut events)?;
                }
            }
            let woken = events.woken;
            let changes = self.update(picture, stale, events)?;
            if woken || !changes.is_empty() {
                return Ok(changes);
            }
        }
    }
}

/// The monitors. The atom of a monitor's name is its id, because it stays the same. A screen
/// without monitors counts as one monitor.
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
    /// Whether a message is on its way already, so that no other is needed.
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
            // If this fails, the server is gone, which the capture notices by itself.
            let _gone = self.call(&self.server.conn);
        }
    }
}
