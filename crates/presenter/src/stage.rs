//! The picture that all viewers share, and who looks at it.
//!
//! One thread captures, from the first viewer to the last: nobody watching costs nothing. Each viewer has
//! a seat, where what has changed since it last looked is kept, and never more than fits into a few
//! rectangles: a viewer that looks rarely sees the newest picture, and nothing waits for it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rfb::{Cursor, Event, Monitor, Picture, Rect};
use tokio::sync::{Notify, mpsc};

use crate::{
    hands::Hands,
    pictures::{self, Canvas, Pictures},
    screen::{Capture, Change, Screen, ScreenError, Waker},
};

/// Opens the screen; each time that the first viewer comes.
pub type Open = Arc<dyn Fn() -> Result<Screen, ScreenError> + Send + Sync>;

/// How long a picture that no viewer has taken yet may be the newest while the screen changes. Looking
/// sooner would cost the viewers what it takes; the one who takes it at last sees nothing older.
const NEW: Duration = Duration::from_millis(33);

/// The shared picture.
#[derive(Clone)]
pub(crate) struct Stage {
    open: Open,
    house: Arc<House>,
    /// One opens the screen, others wait for it.
    opening: Arc<tokio::sync::Mutex<()>>,
    paused: Arc<AtomicBool>,
    works: mpsc::Sender<()>,
}

/// What the capturing thread and the seats share.
struct House {
    inner: Mutex<Inner>,
    /// Rings when the picture is taken, or a viewer leaves.
    taken: Condvar,
    failed: mpsc::UnboundedSender<ScreenError>,
    paused: Arc<AtomicBool>,
}

#[derive(Default)]
struct Inner {
    /// The thread runs.
    running: Option<Running>,
    picture: Arc<Picture>,
    /// No viewer has looked at what was drawn last.
    untaken: bool,
    monitors: Vec<Monitor>,
    cursor: Cursor,
    seats: HashMap<u64, Place>,
    next: u64,
}

struct Running {
    waker: Arc<dyn Waker>,
    hands: Hands,
}

struct Place {
    bell: Arc<Notify>,
    news: News,
    /// May have the clipboard.
    clipboard: bool,
}

/// What is new for one viewer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    pub damage: Vec<Rect>,
    /// The picture has another size or other monitors: these.
    pub resized: Option<Vec<Monitor>>,
    pub cursor: Option<Cursor>,
    pub clipboard: Option<String>,
}

/// One viewer's place. Dropping it is leaving: what the viewer holds down is let go of.
pub(crate) struct Seat {
    house: Arc<House>,
    id: u64,
    bell: Arc<Notify>,
    hands: Hands,
    controls: bool,
    clipboard: bool,
    allowed: Arc<AtomicBool>,
}

impl Stage {
    /// A stage with nobody there. `failed` gets why the screen can't be captured any more; `works` is held
    /// until the screen's threads have ended, so that the program doesn't end with keys still down.
    pub fn new(
        open: Open,
        failed: mpsc::UnboundedSender<ScreenError>,
        works: mpsc::Sender<()>,
    ) -> Self {
        let paused = Arc::new(AtomicBool::new(false));
        let house = House {
            inner: Mutex::default(),
            taken: Condvar::new(),
            failed,
            paused: Arc::clone(&paused),
        };
        Self { open, house: Arc::new(house), opening: Arc::default(), paused, works }
    }

    /// A place for a viewer; `clipboard` counts for one that controls only.
    ///
    /// # Errors
    /// [`ScreenError`].
    pub async fn enter(&self, controls: bool, clipboard: bool) -> Result<Seat, ScreenError> {
        let _one = self.opening.lock().await;
        if let Some(seat) = self.house.seat(controls, clipboard) {
            return Ok(seat);
        }
        let open = Arc::clone(&self.open);
        let opened = tokio::task::spawn_blocking(move || {
            let (mut capture, waker, input) = open()?;
            let picture = capture.whole()?;
            Ok::<_, ScreenError>((capture, waker, input, picture))
        });
        let (capture, waker, input, picture) = opened.await.map_err(|_| ScreenError::Gone)??;
        let hands = Hands::start(input, Arc::clone(&self.paused), self.works.clone())
            .map_err(|_| ScreenError::Gone)?;
        {
            let mut inner = self.house.lock();
            (inner.monitors, inner.cursor) = (capture.monitors(), capture.cursor());
            inner.picture = Arc::new(picture);
            inner.running = Some(Running { waker, hands });
        }
        let seat = self.house.seat(controls, clipboard).ok_or(ScreenError::Gone)?;
        let house = Arc::clone(&self.house);
        let thread = std::thread::Builder::new().name("capture".to_owned());
        thread.spawn(move || house.capture(capture)).map_err(|_| ScreenError::Gone)?;
        Ok(seat)
    }

    /// Pauses control, or lets them control again.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        let hands = self.house.lock().running.as_ref().map(|running| running.hands.clone());
        if let Some(hands) = hands.filter(|_| paused) {
            hands.let_go();
        }
    }
}

impl House {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here is left half done by a panic that could matter more than the panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if the screen is captured.
    fn seat(self: &Arc<Self>, controls: bool, clipboard: bool) -> Option<Seat> {
        let mut inner = self.lock();
        let hands = inner.running.as_ref()?.hands.clone();
        let (id, bell) = (inner.next, Arc::new(Notify::new()));
        inner.next += 1;
        let clipboard = controls && clipboard;
        let place = Place { bell: Arc::clone(&bell), news: News::default(), clipboard };
        inner.seats.insert(id, place);
        let allowed = Arc::new(AtomicBool::new(controls));
        Some(Seat { house: Arc::clone(self), id, bell, hands, controls, clipboard, allowed })
    }

    /// Captures until the last viewer has left, or the screen is gone.
    fn capture(self: Arc<Self>, mut capture: Box<dyn Capture>) {
        // Also where the thread ends by a bug: a picture that stands still must not look like a screen.
        let mut watch = Watch { house: &self, ended: Some(ScreenError::Gone) };
        let mut pictures = Pictures::default();
        loop {
            let shown = Arc::clone(&self.until_taken().picture);
            let mut canvas = pictures.take(&shown);
            drop(shown);
            match capture.next(&mut canvas.picture, &canvas.lacks) {
                Ok(changes) => self.publish(canvas, changes, &mut pictures),
                Err(error) => {
                    watch.ended = Some(error);
                    return;
                }
            }
            let mut inner = self.lock();
            if inner.seats.is_empty() {
                *inner = Inner { next: inner.next, ..Inner::default() };
                watch.ended = None;
                return;
            }
        }
    }

    /// Waits until some viewer has the newest picture, but not for long.
    fn until_taken(&self) -> MutexGuard<'_, Inner> {
        let is_new = |inner: &mut Inner| inner.untaken && !inner.seats.is_empty();
        let waited = self.taken.wait_timeout_while(self.lock(), NEW, is_new);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn publish(&self, canvas: Canvas, changes: Vec<Change>, pictures: &mut Pictures) {
        let drawn: Vec<_> = changes.iter().flat_map(Change::drawn).copied().collect();
        let resized = changes.iter().any(|change| matches!(change, Change::Resized(_)));
        let paused = self.paused.load(Ordering::SeqCst);
        let mut inner = self.lock();
        if resized || !drawn.is_empty() {
            inner.untaken = true;
            let before = std::mem::replace(&mut inner.picture, Arc::new(canvas.picture));
            if resized {
                pictures.clear();
            } else {
                pictures.worn(before, &drawn);
            }
        } else {
            pictures.put_back(canvas);
        }
        if changes.is_empty() {
            return;
        }
        let Inner { monitors, cursor, seats, .. } = &mut *inner;
        for change in changes {
            match change {
                Change::Damage(areas) => {
                    let news = seats.values_mut().map(|place| &mut place.news);
                    news.for_each(|news| pictures::add(&mut news.damage, &areas));
                }
                Change::Resized(now) => {
                    monitors.clone_from(&now);
                    for place in seats.values_mut() {
                        place.news.damage.clear();
                        place.news.resized = Some(now.clone());
                    }
                }
                Change::Cursor(now) => {
                    cursor.clone_from(&now);
                    seats.values_mut().for_each(|place| place.news.cursor = Some(now.clone()));
                }
                Change::Clipboard(text) => {
                    for place in seats.values_mut().filter(|place| place.clipboard && !paused) {
                        place.news.clipboard = Some(text.clone());
                    }
                }
            }
        }
        seats.values().for_each(|place| place.bell.notify_one());
    }
}

/// Tells everybody when the capturing thread ends with viewers there.
struct Watch<'a> {
    house: &'a House,
    ended: Option<ScreenError>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(error) = self.ended.take() {
            self.house.lock().running = None;
            let _ = self.house.failed.send(error);
        }
    }
}

impl Seat {
    /// The picture, the monitors and the pointer as they are now.
    pub fn look(&self) -> (Arc<Picture>, Vec<Monitor>, Cursor) {
        let inner = self.house.lock();
        (Arc::clone(&inner.picture), inner.monitors.clone(), inner.cursor.clone())
    }

    /// Waits until something is new.
    pub async fn news(&self) {
        self.bell.notified().await;
    }

    /// The clipboard's text, if it is new: a viewer has it without asking.
    pub fn clipboard(&self) -> Option<String> {
        self.house.lock().seats.get_mut(&self.id)?.news.clipboard.take()
    }

    /// What else is new, and the picture that it is true of.
    pub fn take(&self) -> (Arc<Picture>, News) {
        let mut inner = self.house.lock();
        inner.untaken = false;
        self.house.taken.notify_one();
        let news = inner.seats.get_mut(&self.id).map(|place| std::mem::take(&mut place.news));
        (Arc::clone(&inner.picture), news.unwrap_or_default())
    }

    /// Does what the viewer asks for, if it may.
    pub async fn act(&self, event: Event) {
        let may = match event {
            Event::Key { .. } | Event::Pointer { .. } => self.controls,
            Event::Clipboard(_) => self.clipboard,
            Event::Arrived(_) => false,
        };
        if may {
            self.hands.act(event, &self.allowed).await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.allowed.store(false, Ordering::SeqCst);
        if self.controls {
            self.hands.let_go();
        }
        let mut inner = self.house.lock();
        inner.seats.remove(&self.id);
        self.house.taken.notify_one();
        if let Some(running) = inner.running.as_ref().filter(|_| inner.seats.is_empty()) {
            running.waker.wake();
        }
    }
}
