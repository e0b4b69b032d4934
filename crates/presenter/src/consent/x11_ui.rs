//! The customer's windows on an X11 desktop, with any window manager or none.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use x11rb::protocol::Event;

use super::button_input::{ButtonInput, Input};
use super::draw;
use super::scene::{Scene, SceneBuilder};
use super::screen_rect::{BANNER_SHARE, ScreenRect, fitted, monitor_at};
use super::stay_on_top::{Cover, Covered, StayOnTop};
use super::theme::Theme;
use super::typesetting::Typesetter;
use super::x11_window::{Window, WindowEvent, WindowKind};
use super::{Banner, Choice, ConsentUi, Question, sentences};
use crate::screen::ScreenError;

#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long input is ignored after a window has appeared.
    pub guard: Duration,
    /// How long a notice stays.
    pub notice: Duration,
    /// How long the banner may be covered.
    pub cover: Cover,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            guard: Duration::from_millis(700),
            notice: Duration::from_secs(7),
            cover: Cover::default(),
        }
    }
}

/// The customer's windows on an X11 display.
pub struct X11ConsentUi {
    display: Option<String>,
    fonts: Typesetter,
    theme: Theme,
    timing: Timing,
}

impl X11ConsentUi {
    /// Prepares windows on this display, or on the one that the environment names.
    ///
    /// # Errors
    /// There is no display, it refuses, or there is no font.
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        super::x11_window::connect(display)?;
        let (fonts, theme) = (Typesetter::new()?, Theme::dark());
        let timing = Timing::default();
        Ok(Self { display: display.map(str::to_owned), fonts, theme, timing })
    }

    /// With other times, for tests.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// Shows a scene in the middle of the first monitor until something is chosen.
    fn choose(
        &mut self,
        title: &str,
        make: &dyn Fn(&mut SceneBuilder<'_>, bool) -> Scene,
    ) -> Result<Choice, ScreenError> {
        let mut window = Window::open(self.display.as_deref(), WindowKind::Dialog)?;
        let monitor = first(&window)?;
        let scale = fitted(window.scale(), monitor);
        // Whether the window's switch is on.
        let mut switch = false;
        let mut scene =
            make(&mut SceneBuilder { fonts: &mut self.fonts, theme: self.theme, scale }, switch);
        let (w, h) = (scene.width as i32, scene.height as i32);
        let (x, y) = (monitor.x + (monitor.w - w) / 2, monitor.y + (monitor.h - h) / 2);
        let mut buttons = ButtonInput::new(&scene.buttons, self.timing.guard, Instant::now());
        let (tell, events) = mpsc::channel();
        window.set_title(title)?;
        window.put(ScreenRect { x, y, w, h }.inside(&monitor))?;
        self.paint(&window, &mut scene, &buttons, scale)?;
        window.listen::<()>(tell);
        window.map()?;
        loop {
            let Ok(WindowEvent::X(event)) = events.recv() else { return Err(ScreenError::Gone) };
            if matches!(event, Event::MapNotify(_)) {
                // The X server refuses the focus to a window that isn't mapped yet.
                window.take_keyboard()?;
            }
            let Some(input) = input(&window, &event) else { continue };
            let before = buttons.states();
            match buttons.step(input, Instant::now()) {
                Some(Choice::ToggleClipboard) => {
                    switch = !switch;
                    let fonts = &mut self.fonts;
                    let mut builder = SceneBuilder { fonts, theme: self.theme, scale };
                    scene = make(&mut builder, switch);
                    buttons.set_buttons(&scene.buttons, Instant::now());
                    self.paint(&window, &mut scene, &buttons, scale)?;
                    continue;
                }
                Some(choice) => return Ok(choice),
                None => {}
            }
            if buttons.states() != before {
                self.paint(&window, &mut scene, &buttons, scale)?;
            }
        }
    }

    fn paint(
        &mut self,
        window: &Window,
        scene: &mut Scene,
        input: &ButtonInput,
        scale: f32,
    ) -> Result<(), ScreenError> {
        let picture = draw::picture(scene, input.states(), &self.theme, &mut self.fonts, scale);
        window.show(&picture.ok_or(ScreenError::Lacks("room for a window"))?)
    }
}

impl ConsentUi for X11ConsentUi {
    fn ask(&mut self, question: &Question) -> Result<Choice, ScreenError> {
        self.choose("Support session", &|builder, clipboard| builder.question(question, clipboard))
    }

    fn tell(&mut self, title: &str, text: &str) -> Result<(), ScreenError> {
        self.choose(&sentences::notice(title), &|builder, _| builder.message(title, text)).map(drop)
    }

    fn share(
        &mut self,
        banners: Receiver<Banner>,
        choose: &mut dyn FnMut(Choice),
    ) -> Result<(), ScreenError> {
        let (tell, events) = mpsc::channel();
        let mut banner_window = BannerWindow::open(self, &events)?;
        banner_window.window.listen(tell.clone());
        std::thread::spawn(move || {
            // The loop also ends when the receiver of the events is gone.
            banners.iter().all(|banner| tell.send(WindowEvent::Other(Some(banner))).is_ok());
            tell.send(WindowEvent::Other(None)).ok();
        });
        banner_window.run(choose)
    }
}

/// The banner's window while the screen is shared.
struct BannerWindow<'a> {
    ui: &'a mut X11ConsentUi,
    events: &'a Receiver<WindowEvent<Option<Banner>>>,
    window: Window,
    scene: Scene,
    input: ButtonInput,
    banner: Banner,
    notice: Option<(String, Instant)>,
    top: StayOnTop,
    scale: f32,
    /// The point to which the customer has dragged the banner's top centre.
    moved: Option<(i32, i32)>,
    /// The point of the banner at which it is being dragged.
    grip: Option<(i32, i32)>,
}

impl<'a> BannerWindow<'a> {
    fn open(
        ui: &'a mut X11ConsentUi,
        events: &'a Receiver<WindowEvent<Option<Banner>>>,
    ) -> Result<Self, ScreenError> {
        let window = Window::open(ui.display.as_deref(), WindowKind::Banner)?;
        let scale = window.scale();
        let banner = Banner::default();
        let mut builder = SceneBuilder { fonts: &mut ui.fonts, theme: ui.theme, scale };
        let scene = builder.banner(&banner, None, f32::MAX);
        let input = ButtonInput::new(&scene.buttons, ui.timing.guard, Instant::now());
        let (notice, top, moved, grip) = (None, StayOnTop::default(), None, None);
        let mut banner_window =
            Self { ui, events, window, scene, input, banner, notice, top, scale, moved, grip };
        banner_window.arrange()?;
        banner_window.window.map()?;
        Ok(banner_window)
    }

    /// Handles events until the channel of the banners ends.
    fn run(&mut self, choose: &mut dyn FnMut(Choice)) -> Result<(), ScreenError> {
        loop {
            let events = match self.wait() {
                Some(events) => events?,
                None => {
                    if let Some(choice) = self.on_timeout()? {
                        choose(choice);
                    }
                    continue;
                }
            };
            match events {
                WindowEvent::X(event) => {
                    if let Some(choice) = self.on_event(&event)? {
                        choose(choice);
                    }
                }
                WindowEvent::Other(Some(banner)) => self.on_banner(banner)?,
                WindowEvent::Other(None) => return Ok(()),
                // Without a banner nothing may be shared.
                WindowEvent::Gone => return Err(ScreenError::Gone),
            }
        }
    }

    /// The next event; `None` if a deadline comes first.
    fn wait(&self) -> Option<Result<WindowEvent<Option<Banner>>, ScreenError>> {
        let notice = self.notice.as_ref().map(|(_, until)| *until);
        let Some(until) = self.top.due().into_iter().chain(notice).min() else {
            return Some(self.events.recv().map_err(|_| ScreenError::Gone));
        };
        match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(events) => Some(Ok(events)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(ScreenError::Gone)),
        }
    }

    fn on_timeout(&mut self) -> Result<Option<Choice>, ScreenError> {
        let now = Instant::now();
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
            self.arrange()?;
        }
        if self.top.due().is_some_and(|due| due <= now) {
            let disturbed = self.window.disturbed()?;
            if disturbed {
                self.window.put(self.window.place)?;
                self.window.map()?;
            }
            self.top.checked(disturbed, now);
            return self.on_cover(now);
        }
        Ok(None)
    }

    /// What follows from the banner's having been covered until now.
    fn on_cover(&mut self, now: Instant) -> Result<Option<Choice>, ScreenError> {
        match self.top.covered(self.ui.timing.cover, now) {
            Covered::TooLong => Ok(Some(Choice::Covered)),
            Covered::Long if !self.banner.paused => {
                let notice = "Another window covers this bar, so control is paused.".to_owned();
                self.notice = Some((notice, now + self.ui.timing.notice));
                self.arrange()?;
                Ok(Some(Choice::Pause))
            }
            Covered::Long | Covered::Briefly => Ok(None),
        }
    }

    fn on_banner(&mut self, mut banner: Banner) -> Result<(), ScreenError> {
        if let Some(notice) = banner.notice.take() {
            self.notice = Some((notice, Instant::now() + self.ui.timing.notice));
        }
        self.banner = banner;
        self.arrange()
    }

    fn on_event(&mut self, event: &Event) -> Result<Option<Choice>, ScreenError> {
        let now = Instant::now();
        match event {
            Event::ConfigureNotify(changed) if changed.window == self.window.root() => {
                self.arrange()?;
            }
            Event::VisibilityNotify(_)
            | Event::ConfigureNotify(_)
            | Event::UnmapNotify(_)
            | Event::MapNotify(_)
            | Event::CirculateNotify(_) => self.top.disturbed(now),
            Event::ButtonPress(press) if press.detail == 1 => {
                let on_button = self.input.at(press.event_x.into(), press.event_y.into()).is_some();
                self.grip = (!on_button).then(|| (press.event_x.into(), press.event_y.into()));
            }
            Event::ButtonRelease(release) if release.detail == 1 => self.grip = None,
            Event::MotionNotify(motion) => {
                if let Some(grip) = self.grip {
                    self.drag((motion.root_x.into(), motion.root_y.into()), grip)?;
                }
            }
            // No other event concerns the banner's place.
            _ => {}
        }
        let Some(input) = input(&self.window, event) else { return Ok(None) };
        let before = self.input.states();
        let choice = self.input.step(input, now);
        if self.input.states() != before {
            self.ui.paint(&self.window, &mut self.scene, &self.input, self.scale)?;
        }
        Ok(choice)
    }

    fn drag(&mut self, pointer: (i32, i32), grip: (i32, i32)) -> Result<(), ScreenError> {
        let place = self.window.place;
        let there = ScreenRect { x: pointer.0 - grip.0, y: pointer.1 - grip.1, ..place };
        let monitor = monitor_at(&self.window.monitors()?, pointer);
        let there = there.inside(&monitor);
        self.moved = Some((there.x + there.w / 2, there.y));
        if there != place { self.window.put(there) } else { Ok(()) }
    }

    /// Lays out, places and paints the banner for the present state.
    fn arrange(&mut self) -> Result<(), ScreenError> {
        let monitors = self.window.monitors()?;
        let monitor = self.moved.map_or(monitors[0], |at| monitor_at(&monitors, at));
        self.scale = fitted(self.window.scale(), monitor);
        let notice = self.notice.as_ref().map(|(notice, _)| notice.as_str());
        let most = monitor.w as f32 * BANNER_SHARE;
        let mut builder =
            SceneBuilder { fonts: &mut self.ui.fonts, theme: self.ui.theme, scale: self.scale };
        self.scene = builder.banner(&self.banner, notice, most);
        let (w, h) = (self.scene.width as i32, self.scene.height as i32);
        let (centre, y) = self.moved.unwrap_or((monitor.x + monitor.w / 2, monitor.y));
        let place = ScreenRect { x: centre - w / 2, y, w, h }.inside(&monitor);
        self.input.set_buttons(&self.scene.buttons, Instant::now());
        self.ui.paint(&self.window, &mut self.scene, &self.input, self.scale)?;
        if place != self.window.place {
            self.window.put(place)?;
        }
        // The title changes last, so that a screen reader or script that waits for it finds the
        // rest of the banner up to date.
        self.window.set_title(&sentences::watched(&self.banner, 6).to_string())
    }
}

/// The meaning of an X11 event for the buttons.
fn input(window: &Window, event: &Event) -> Option<Input> {
    match event {
        Event::MapNotify(shown) if shown.window == window.id() => Some(Input::Shown),
        Event::FocusIn(_) => Some(Input::Focused),
        Event::MotionNotify(at) => Some(Input::Motion(at.event_x.into(), at.event_y.into())),
        Event::LeaveNotify(_) => Some(Input::Left),
        Event::ButtonPress(at) if at.detail == 1 => {
            Some(Input::Press(at.event_x.into(), at.event_y.into()))
        }
        Event::ButtonRelease(at) if at.detail == 1 => {
            Some(Input::Release(at.event_x.into(), at.event_y.into()))
        }
        Event::KeyPress(pressed) => Some(Input::Key(window.key(pressed))),
        Event::ClientMessage(message) if window.closes(message) => Some(Input::Closed),
        _ => None,
    }
}

fn first(window: &Window) -> Result<ScreenRect, ScreenError> {
    Ok(window.monitors()?[0])
}
