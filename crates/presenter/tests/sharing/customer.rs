//! The customer and their screen, at the traits where the real ones stand.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use presenter::{
    Environment, OpenScreen,
    admission::Admission,
    consent::{Banner, Choice, ConsentUi, Question},
    dial::Dialler,
    end_reason::EndReason,
    invitation::Invitation,
    run,
    screen::{
        Capture, Change, ClipboardLoss, Contents, Input, Screen, ScreenError, ViewerId, Waker,
    },
};
use rfb::{Cursor, Monitor, Picture, Rect};
use tokio::sync::{mpsc, oneshot};

pub const SIZE: (u16, u16) = (320, 240);

/// A viewer's text that takes the place of what is too large to come back.
pub const TAKES_PLACE: &str = "it takes its place";

/// The program at work, with both hands on the customer's side of it.
pub struct Customer {
    pub questions: mpsc::UnboundedReceiver<Question>,
    pub banners: mpsc::UnboundedReceiver<Banner>,
    pub deeds: mpsc::UnboundedReceiver<Done>,
    pub told: mpsc::UnboundedReceiver<&'static str>,
    choose: Sender<Heard>,
    screen: Arc<Mutex<Option<Sender<Draw>>>>,
    ended: Option<oneshot::Receiver<EndReason>>,
}

/// What was done at the customer's PC.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    Key(bool, u32),
    Pointer(u16, u16, u16),
    Clipboard(Contents),
    Released,
    ReleasedOwn,
    ReleasedButtons,
}

enum Heard {
    Choice(Choice),
    Banner(Banner),
    End,
}

enum Draw {
    Fill(u8),
    Copied(Change),
    Fail,
    Wake,
}

impl Customer {
    pub fn start(invitation: Invitation) -> Self {
        Self::start_with(invitation, None, true)
    }

    /// As [`Customer::start`], by a user with a folder of their own.
    pub fn start_with_folder(invitation: Invitation, private_folder: PathBuf) -> Self {
        Self::start_with(invitation, Some(private_folder), true)
    }

    /// As [`Customer::start`], with `--no-clipboard`.
    pub fn start_without_clipboard(invitation: Invitation) -> Self {
        Self::start_with(invitation, None, false)
    }

    fn start_with(
        invitation: Invitation,
        private_folder: Option<PathBuf>,
        clipboard: bool,
    ) -> Self {
        let (question, questions) = mpsc::unbounded_channel();
        let (banner, banners) = mpsc::unbounded_channel();
        let (deed, deeds) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let (choose, heard) = channel();
        let (end, ended) = oneshot::channel();
        let screen = Arc::new(Mutex::new(None));
        let mut ui = TestUi { question, banner, heard, choose: choose.clone() };
        let open = opener(Arc::clone(&screen), deed, tell);
        std::thread::spawn(move || {
            let dialler = Dialler::new(&invitation.broker, None).unwrap();
            let name = "Maria".to_owned();
            let admission = Admission::Ask;
            let environment = Environment {
                ui: &mut ui,
                open,
                dialler,
                name,
                clipboard,
                admission,
                private_folder,
            };
            let _ = end.send(run(&invitation, environment));
        });
        Self { questions, banners, deeds, told, choose, screen, ended: Some(ended) }
    }

    /// Agrees as soon as asked.
    pub async fn agrees(&mut self) -> Question {
        let question = self.questions.recv().await.unwrap();
        self.choose(Choice::Share);
        question
    }

    pub fn choose(&self, choice: Choice) {
        self.choose.send(Heard::Choice(choice)).unwrap();
    }

    /// The next banner of which `holds` is true.
    pub async fn banner(&mut self, holds: impl Fn(&Banner) -> bool) -> Banner {
        loop {
            let banner = self.banners.recv().await.expect("the banner ended");
            if holds(&banner) {
                return banner;
            }
        }
    }

    pub fn fill(&self, value: u8) {
        self.draw(Draw::Fill(value));
    }

    pub fn copies(&self, text: &str) {
        self.copied(Change::Clipboard(text.into()));
    }

    /// Copies what isn't a text, or can't be carried.
    pub fn copied(&self, change: Change) {
        self.draw(Draw::Copied(change));
    }

    pub fn loses_the_screen(&self) {
        self.draw(Draw::Fail);
    }

    fn draw(&self, draw: Draw) {
        self.screen.lock().unwrap().as_ref().unwrap().send(draw).unwrap();
    }

    /// What happened to the screen next: `opened` or `closed`.
    pub async fn screen_was(&mut self) -> &'static str {
        self.told.recv().await.unwrap()
    }

    pub async fn ended(&mut self) -> EndReason {
        self.ended.take().unwrap().await.unwrap()
    }
}

struct TestUi {
    question: mpsc::UnboundedSender<Question>,
    banner: mpsc::UnboundedSender<Banner>,
    heard: Receiver<Heard>,
    choose: Sender<Heard>,
}

impl ConsentUi for TestUi {
    fn ask(&mut self, question: &Question) -> Result<Choice, ScreenError> {
        self.question.send(question.clone()).unwrap();
        match self.heard.recv() {
            Ok(Heard::Choice(choice)) => Ok(choice),
            Ok(Heard::Banner(_) | Heard::End) | Err(_) => Err(ScreenError::Gone),
        }
    }

    fn tell(&mut self, _: &str, _: &str) -> Result<(), ScreenError> {
        Ok(())
    }

    fn share(
        &mut self,
        banners: Receiver<Banner>,
        choose: &mut dyn FnMut(Choice),
    ) -> Result<(), ScreenError> {
        let merged = self.choose.clone();
        std::thread::spawn(move || {
            for banner in banners {
                let _ = merged.send(Heard::Banner(banner));
            }
            let _ = merged.send(Heard::End);
        });
        while let Ok(heard) = self.heard.recv() {
            match heard {
                Heard::Choice(choice) => choose(choice),
                Heard::Banner(banner) => drop(self.banner.send(banner)),
                Heard::End => return Ok(()),
            }
        }
        Err(ScreenError::Gone)
    }
}

/// The first opening only looks whether there is a screen.
fn opener(
    screen: Arc<Mutex<Option<Sender<Draw>>>>,
    deeds: mpsc::UnboundedSender<Done>,
    tell: mpsc::UnboundedSender<&'static str>,
) -> OpenScreen {
    Arc::new(move || -> Result<Screen, ScreenError> {
        let (draw, draws) = channel();
        *screen.lock().unwrap() = Some(draw.clone());
        let capture = TestCapture { draws, tell: tell.clone(), used: false };
        let input = TestInput(deeds.clone());
        Ok((Box::new(capture), Arc::new(TestWaker(Mutex::new(draw))), Box::new(input)))
    })
}

struct TestCapture {
    draws: Receiver<Draw>,
    tell: mpsc::UnboundedSender<&'static str>,
    used: bool,
}

impl Capture for TestCapture {
    fn monitors(&self) -> Vec<Monitor> {
        vec![Monitor { id: 1, area: Rect::new(0, 0, SIZE.0, SIZE.1) }]
    }

    fn cursor(&self) -> Cursor {
        Cursor::default()
    }

    fn whole(&mut self) -> Result<Picture, ScreenError> {
        self.used = true;
        let _ = self.tell.send("opened");
        Ok(Picture::new(SIZE.0, SIZE.1))
    }

    fn next(&mut self, picture: &mut Picture, _stale: &[Rect]) -> Result<Vec<Change>, ScreenError> {
        match self.draws.recv() {
            Ok(Draw::Fill(value)) => {
                picture.pixels_mut().fill(value);
                Ok(vec![Change::Damage(vec![picture.bounds()])])
            }
            Ok(Draw::Copied(change)) => Ok(vec![change]),
            Ok(Draw::Wake) => Ok(Vec::new()),
            Ok(Draw::Fail) | Err(_) => Err(ScreenError::Gone),
        }
    }
}

impl Drop for TestCapture {
    fn drop(&mut self) {
        if self.used {
            let _ = self.tell.send("closed");
        }
    }
}

struct TestWaker(Mutex<Sender<Draw>>);

impl Waker for TestWaker {
    fn wake(&self) {
        let _ = self.0.lock().unwrap().send(Draw::Wake);
    }
}

struct TestInput(mpsc::UnboundedSender<Done>);

impl TestInput {
    fn done(&self, done: Done) -> Result<(), ScreenError> {
        let _ = self.0.send(done);
        Ok(())
    }
}

impl Input for TestInput {
    fn key(
        &mut self,
        _: ViewerId,
        down: bool,
        keysym: u32,
        _: Option<u32>,
    ) -> Result<(), ScreenError> {
        self.done(Done::Key(down, keysym))
    }

    fn pointer(&mut self, _: ViewerId, x: u16, y: u16, buttons: u16) -> Result<(), ScreenError> {
        self.done(Done::Pointer(x, y, buttons))
    }

    fn clipboard(
        &mut self,
        contents: Contents,
        _: &dyn Fn() -> bool,
    ) -> Result<Option<ClipboardLoss>, ScreenError> {
        let loss = (contents == TAKES_PLACE.into()).then_some(ClipboardLoss::TooLarge);
        self.done(Done::Clipboard(contents)).map(|()| loss)
    }

    fn release_keys(&mut self, _: ViewerId) -> Result<(), ScreenError> {
        self.done(Done::ReleasedOwn)
    }

    fn release_buttons(&mut self) -> Result<(), ScreenError> {
        self.done(Done::ReleasedButtons)
    }

    fn release_all(&mut self) -> Result<(), ScreenError> {
        self.done(Done::Released)
    }
}
