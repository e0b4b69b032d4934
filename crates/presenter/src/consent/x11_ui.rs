//! The windows on an X11 desktop, with whatever window manager there is, or none.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use x11rb::protocol::Event;

use super::button_input::{ButtonInput, Input};
use super::draw;
use super::scene::{Scene, SceneBuilder};
use super::screen_rect::{ScreenRect, around};
use super::stay_on_top::StayOnTop;
use super::theme::Theme;
use super::typesetting::Typesetter;
use super::x11_window::{Window, WindowEvent, WindowKind};
use super::{Banner, Choice, ConsentUi, Question, sentences};
use crate::screen::ScreenError;

/// What a window needs in each direction, in units, to be seen as a whole.
const NEEDS: (f32, f32) = (580.0, 500.0);

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// After a window appeared, nothing is meant for this long.
    pub guard: Duration,
    /// A notice stays for this long.
    pub notice: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { guard: Duration::from_millis(700), notice: Duration::from_secs(7) }
    }
}

/// The customer's desk on an X11 display.
pub struct X11ConsentUi {
    display: Option<String>,
    fonts: Typesetter,
    theme: Theme,
    timing: Timing,
}

impl X11ConsentUi {
    /// At this display, or at the one that the environment names.
    ///
    /// # Errors
    /// There is no display, it refuses, or there is no font to write with.
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        super::x11_window::connect(display)?;
        let (fonts, theme) = (Typesetter::new()?, Theme::dark());
        let timing = Timing::default();
        Ok(Self { display: display.map(str::to_owned), fonts, theme, timing })
    }

    /// With other times: for tests, which don't wait.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// Shows a scene in the middle of the screen until something is chosen.
    fn choose(
        &mut self,
        title: &str,
        make: &dyn Fn(&mut SceneBuilder<'_>) -> Scene,
    ) -> Result<Choice, ScreenError> {
        let mut window = Window::open(self.display.as_deref(), WindowKind::Dialog)?;
        let monitor = first(&window)?;
        let scale = fitted(window.scale(), monitor);
        let mut scene =
            make(&mut SceneBuilder { fonts: &mut self.fonts, theme: self.theme, scale });
        let (w, h) = (scene.width as i32, scene.height as i32);
        let (x, y) = (monitor.x + (monitor.w - w) / 2, monitor.y + (monitor.h - h) / 2);
        let mut buttons = ButtonInput::new(&scene.buttons, self.timing.guard, Instant::now());
        let (tell, heard) = mpsc::channel();
        window.title(title)?;
        window.put(ScreenRect { x, y, w, h }.inside(&monitor))?;
        self.paint(&window, &mut scene, &buttons, scale)?;
        window.listen::<()>(tell);
        window.map()?;
        loop {
            let Ok(WindowEvent::X(event)) = heard.recv() else { return Err(ScreenError::Gone) };
            if matches!(event, Event::MapNotify(_)) {
                window.take_keyboard()?;
            }
            let Some(input) = input(&window, &event) else { continue };
            let before = buttons.states();
            if let Some(choice) = buttons.step(input, Instant::now()) {
                return Ok(choice);
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
        self.choose("Support session", &|builder| builder.question(question))
    }

    fn tell(&mut self, title: &str, text: &str) -> Result<(), ScreenError> {
        self.choose(&sentences::told(title), &|builder| builder.message(title, text)).map(drop)
    }

    fn share(
        &mut self,
        banners: Receiver<Banner>,
        choose: &mut dyn FnMut(Choice),
    ) -> Result<(), ScreenError> {
        let (tell, heard) = mpsc::channel();
        let mut strip = BannerWindow::open(self, &heard)?;
        strip.window.listen(tell.clone());
        std::thread::spawn(move || {
            // One that is told to nobody any more ends it, too.
            banners.iter().all(|banner| tell.send(WindowEvent::Other(Some(banner))).is_ok());
            tell.send(WindowEvent::Other(None)).ok();
        });
        strip.follow(choose)
    }
}

/// The banner, while it is there.
struct BannerWindow<'a> {
    desk: &'a mut X11ConsentUi,
    heard: &'a Receiver<WindowEvent<Option<Banner>>>,
    window: Window,
    scene: Scene,
    input: ButtonInput,
    banner: Banner,
    notice: Option<(String, Instant)>,
    top: StayOnTop,
    scale: f32,
    /// Where its top centre was dragged to.
    moved: Option<(i32, i32)>,
    /// It is being dragged, held here.
    grip: Option<(i32, i32)>,
}

impl<'a> BannerWindow<'a> {
    fn open(
        desk: &'a mut X11ConsentUi,
        heard: &'a Receiver<WindowEvent<Option<Banner>>>,
    ) -> Result<Self, ScreenError> {
        let window = Window::open(desk.display.as_deref(), WindowKind::Banner)?;
        let scale = window.scale();
        let banner = Banner::default();
        let mut builder = SceneBuilder { fonts: &mut desk.fonts, theme: desk.theme, scale };
        let scene = builder.banner(&banner, None, 0.0);
        let input = ButtonInput::new(&scene.buttons, desk.timing.guard, Instant::now());
        let (notice, top, moved, grip) = (None, StayOnTop::default(), None, None);
        let mut strip =
            Self { desk, heard, window, scene, input, banner, notice, top, scale, moved, grip };
        strip.arrange()?;
        strip.window.map()?;
        Ok(strip)
    }

    /// Does what happens until the banners end.
    fn follow(&mut self, choose: &mut dyn FnMut(Choice)) -> Result<(), ScreenError> {
        loop {
            let heard = match self.wait() {
                Some(heard) => heard?,
                None => {
                    self.on_time()?;
                    continue;
                }
            };
            match heard {
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

    /// What is heard next, or nothing when it is time to theme after something.
    fn wait(&self) -> Option<Result<WindowEvent<Option<Banner>>, ScreenError>> {
        let notice = self.notice.as_ref().map(|(_, until)| *until);
        let Some(until) = self.top.due().into_iter().chain(notice).min() else {
            return Some(self.heard.recv().map_err(|_| ScreenError::Gone));
        };
        match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(heard) => Some(Ok(heard)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(ScreenError::Gone)),
        }
    }

    fn on_time(&mut self) -> Result<(), ScreenError> {
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
            self.top.looked(disturbed, now);
        }
        Ok(())
    }

    fn on_banner(&mut self, mut banner: Banner) -> Result<(), ScreenError> {
        if let Some(notice) = banner.notice.take() {
            self.notice = Some((notice, Instant::now() + self.desk.timing.notice));
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
            // The others mean nothing to a strip.
            _ => {}
        }
        let Some(input) = input(&self.window, event) else { return Ok(None) };
        let before = self.input.states();
        let choice = self.input.step(input, now);
        if self.input.states() != before {
            self.desk.paint(&self.window, &mut self.scene, &self.input, self.scale)?;
        }
        Ok(choice)
    }

    fn drag(&mut self, pointer: (i32, i32), grip: (i32, i32)) -> Result<(), ScreenError> {
        let place = self.window.place;
        let there = ScreenRect { x: pointer.0 - grip.0, y: pointer.1 - grip.1, ..place };
        let monitor = around(&self.window.monitors()?, pointer);
        let there = there.inside(&monitor);
        self.moved = Some((there.x + there.w / 2, there.y));
        if there != place { self.window.put(there) } else { Ok(()) }
    }

    /// Sets, places and paints it for what is so now.
    fn arrange(&mut self) -> Result<(), ScreenError> {
        let monitors = self.window.monitors()?;
        let monitor = self.moved.map_or(monitors[0], |at| around(&monitors, at));
        self.scale = fitted(self.window.scale(), monitor);
        let notice = self.notice.as_ref().map(|(notice, _)| notice.as_str());
        let most = monitor.w as f32 * 0.96;
        let mut builder =
            SceneBuilder { fonts: &mut self.desk.fonts, theme: self.desk.theme, scale: self.scale };
        self.scene = builder.banner(&self.banner, notice, most);
        let (w, h) = (self.scene.width as i32, self.scene.height as i32);
        let (centre, y) = self.moved.unwrap_or((monitor.x + monitor.w / 2, monitor.y));
        let place = ScreenRect { x: centre - w / 2, y, w, h }.inside(&monitor);
        self.input.follow(&self.scene.buttons, Instant::now());
        self.desk.paint(&self.window, &mut self.scene, &self.input, self.scale)?;
        if place != self.window.place {
            self.window.put(place)?;
        }
        // Last: who reads it (a screen reader, a script) finds the rest as it says.
        self.window.title(&sentences::watched(&self.banner, 6).to_string())
    }
}

/// What an event means to the buttons.
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

/// The scale, or a smaller one at which the windows fit on a monitor.
fn fitted(scale: f32, monitor: ScreenRect) -> f32 {
    let fits = (monitor.w as f32 / NEEDS.0).min(monitor.h as f32 / NEEDS.1);
    scale.min(fits).clamp(0.5, 6.0)
}
