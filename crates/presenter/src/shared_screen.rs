//! The screen's picture, which all viewers share, and their subscriptions to it.
//!
//! One thread captures while there are viewers, so a screen that nobody watches costs nothing. Each
//! viewer has a subscription, which collects the changes since the viewer's last picture in a
//! bounded number of rectangles. So a slow viewer gets the newest picture, and nobody waits for it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rfb::{Cursor, Event, Monitor, Picture, Rect};
use tokio::sync::{Notify, mpsc};

use crate::{
    input_thread::InputThread,
    picture_pool::{self, Canvas, PicturePool},
    screen::{Capture, Change, Screen, ScreenError, ViewerId, Waker},
    shared_clipboard::{ClipboardAccess, ClipboardNews, Copied},
};

/// Opens the screen. It is called whenever a viewer comes and nobody else watches.
pub type OpenScreen = Arc<dyn Fn() -> Result<Screen, ScreenError> + Send + Sync>;

/// How long the capture waits for a viewer to take the newest picture before it makes a newer one.
/// Capturing sooner would only take processor time from the encoding for the viewers.
const WAIT_UNTIL_TAKEN: Duration = Duration::from_millis(33);

/// The screen that is shared.
#[derive(Clone)]
pub(crate) struct SharedScreen {
    open: OpenScreen,
    shared: Arc<CaptureShared>,
    /// Locked while the screen is opened, so that of two viewers who come at once only one
    /// opens it.
    opening: Arc<tokio::sync::Mutex<()>>,
    paused: Arc<AtomicBool>,
    threads_alive: mpsc::Sender<()>,
}

/// What the capture thread and the subscribers share.
struct CaptureShared {
    state: Mutex<CaptureState>,
    /// Notified when a viewer takes the picture or leaves.
    taken: Condvar,
    failed: mpsc::UnboundedSender<ScreenError>,
    clipboard_news: mpsc::UnboundedSender<ClipboardNews>,
    paused: Arc<AtomicBool>,
    /// Whether everything that the customer copies goes to those who control.
    clipboard_shared: AtomicBool,
}

#[derive(Default)]
struct CaptureState {
    /// `None` while the capture thread doesn't run.
    running: Option<Running>,
    picture: Arc<Picture>,
    /// Whether no viewer has taken the newest picture yet.
    untaken: bool,
    monitors: Vec<Monitor>,
    cursor: Cursor,
    /// What the customer copied last since somebody watches.
    copied: Option<Copied>,
    subscribers: HashMap<u64, Subscriber>,
    next_id: u64,
}

struct Running {
    waker: Arc<dyn Waker>,
    input: InputThread,
}

struct Subscriber {
    changed: Arc<Notify>,
    pending: PendingChanges,
    clipboard: ClipboardAccess,
}

/// The changes since a viewer's last picture.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PendingChanges {
    pub damage: Vec<Rect>,
    /// The monitors, if they or the picture's size have changed.
    pub resized: Option<Vec<Monitor>>,
    pub cursor: Option<Cursor>,
}

/// One viewer's subscription. Dropping it ends the subscription and releases the viewer's keys and buttons.
pub(crate) struct ScreenSubscription {
    shared: Arc<CaptureShared>,
    id: u64,
    changed: Arc<Notify>,
    input: InputThread,
    controls: bool,
    clipboard: bool,
    allowed: Arc<AtomicBool>,
}

impl SharedScreen {
    /// A screen that nobody watches yet. `clipboard_news` gets what the customer has to hear
    /// of the clipboard, and `failed` gets the reason if the screen can't be captured
    /// any more. `threads_alive` is dropped when the screen's threads have ended; the program waits
    /// for that, so that no key stays down.
    pub fn new(
        open: OpenScreen,
        failed: mpsc::UnboundedSender<ScreenError>,
        clipboard_news: mpsc::UnboundedSender<ClipboardNews>,
        threads_alive: mpsc::Sender<()>,
    ) -> Self {
        let paused = Arc::new(AtomicBool::new(false));
        let shared = CaptureShared {
            state: Mutex::default(),
            taken: Condvar::new(),
            failed,
            clipboard_news,
            paused: Arc::clone(&paused),
            clipboard_shared: AtomicBool::new(false),
        };
        Self { open, shared: Arc::new(shared), opening: Arc::default(), paused, threads_alive }
    }

    /// Subscribes a viewer. `clipboard` has an effect only for a viewer that controls.
    ///
    /// # Errors
    /// [`ScreenError`].
    pub async fn subscribe(
        &self,
        controls: bool,
        clipboard: bool,
    ) -> Result<ScreenSubscription, ScreenError> {
        let _one = self.opening.lock().await;
        if let Some(subscription) = self.shared.subscribe(controls, clipboard) {
            return Ok(subscription);
        }
        let open = Arc::clone(&self.open);
        let opened = tokio::task::spawn_blocking(move || {
            let (mut capture, waker, input) = open()?;
            let picture = capture.whole()?;
            Ok::<_, ScreenError>((capture, waker, input, picture))
        });
        let (capture, waker, input, picture) = opened.await.map_err(|_| ScreenError::Gone)??;
        let (paused, news) = (Arc::clone(&self.paused), self.shared.clipboard_news.clone());
        let input = InputThread::start(input, paused, news, self.threads_alive.clone())
            .map_err(|_| ScreenError::Gone)?;
        {
            let mut state = self.shared.state.lock();
            (state.monitors, state.cursor) = (capture.monitors(), capture.cursor());
            state.picture = Arc::new(picture);
            state.running = Some(Running { waker, input });
        }
        let subscription = self.shared.subscribe(controls, clipboard).ok_or(ScreenError::Gone)?;
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("capture".to_owned());
        thread.spawn(move || shared.capture(capture)).map_err(|_| ScreenError::Gone)?;
        Ok(subscription)
    }

    /// Whether everything that the customer copies goes to those who control.
    pub fn share_clipboard(&self, shared: bool) {
        self.shared.clipboard_shared.store(shared, Ordering::SeqCst);
    }

    /// Sends what the customer copied last, or else copies next, to those who asked for it.
    pub fn send_clipboard(&self) {
        let mut state = self.shared.state.lock();
        let CaptureState { copied, subscribers, .. } = &mut *state;
        let mut goes = false;
        for subscriber in subscribers.values_mut() {
            goes |= subscriber.clipboard.send(copied.as_ref());
            subscriber.changed.notify_one();
        }
        self.shared.tell_customer(copied.as_ref().filter(|_| goes));
    }

    /// Pauses control by viewers, or resumes it.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        let input = self.shared.state.lock().running.as_ref().map(|running| running.input.clone());
        if let Some(input) = input.filter(|_| paused) {
            input.paused();
        }
    }
}

impl CaptureShared {
    /// Adds a subscriber; `None` if the capture thread doesn't run.
    fn subscribe(self: &Arc<Self>, controls: bool, clipboard: bool) -> Option<ScreenSubscription> {
        let mut state = self.state.lock();
        let input = state.running.as_ref()?.input.clone();
        let (id, changed) = (state.next_id, Arc::new(Notify::new()));
        state.next_id += 1;
        let clipboard = controls && clipboard;
        let pending = PendingChanges::default();
        let access = ClipboardAccess::new(clipboard);
        let subscriber = Subscriber { changed: Arc::clone(&changed), pending, clipboard: access };
        state.subscribers.insert(id, subscriber);
        let allowed = Arc::new(AtomicBool::new(controls));
        Some(ScreenSubscription {
            shared: Arc::clone(self),
            id,
            changed,
            input,
            controls,
            clipboard,
            allowed,
        })
    }

    /// Tells the customer if this was to go and isn't carried.
    fn tell_customer(&self, copied: Option<&Copied>) {
        let _ = copied.and_then(Copied::news).map(|news| self.clipboard_news.send(news));
    }

    /// Captures until the last viewer has left or the screen is gone.
    fn capture(self: Arc<Self>, mut capture: Box<dyn Capture>) {
        // Also if the thread panics: a frozen picture must not look like a live screen.
        let mut guard = CaptureEndGuard { shared: &self, error: Some(ScreenError::Gone) };
        let mut pool = PicturePool::default();
        loop {
            let shown = Arc::clone(&self.wait_until_taken().picture);
            let mut canvas = pool.take(&shown);
            // The pool reuses a picture that nobody refers to, so this reference must not last.
            drop(shown);
            match capture.next(&mut canvas.picture, &canvas.stale) {
                Ok(changes) => self.publish(canvas, changes, &mut pool),
                Err(error) => {
                    guard.error = Some(error);
                    return;
                }
            }
            let mut state = self.state.lock();
            if state.subscribers.is_empty() {
                // Ids are never used again: a subscription that is dropped late must not end a
                // new one.
                *state = CaptureState { next_id: state.next_id, ..CaptureState::default() };
                guard.error = None;
                return;
            }
        }
    }

    /// Waits until a viewer has taken the newest picture, at most [`WAIT_UNTIL_TAKEN`].
    fn wait_until_taken(&self) -> MutexGuard<'_, CaptureState> {
        let is_new = |state: &mut CaptureState| state.untaken && !state.subscribers.is_empty();
        let mut state = self.state.lock();
        self.taken.wait_while_for(&mut state, is_new, WAIT_UNTIL_TAKEN);
        state
    }

    fn publish(&self, canvas: Canvas, changes: Vec<Change>, pool: &mut PicturePool) {
        let drawn: Vec<_> = changes.iter().flat_map(Change::drawn).copied().collect();
        let resized = changes.iter().any(|change| matches!(change, Change::Resized(_)));
        let paused = self.paused.load(Ordering::SeqCst);
        let mut state = self.state.lock();
        if resized || !drawn.is_empty() {
            state.untaken = true;
            let before = std::mem::replace(&mut state.picture, Arc::new(canvas.picture));
            if resized {
                pool.clear();
            } else {
                pool.retire(before, &drawn);
            }
        } else {
            pool.put_back(canvas);
        }
        if changes.is_empty() {
            return;
        }
        let CaptureState { monitors, cursor, copied, subscribers, .. } = &mut *state;
        let shared = self.clipboard_shared.load(Ordering::SeqCst);
        let mut offer = |now: Copied, subscribers: &mut HashMap<u64, Subscriber>| {
            let offered = subscribers.values_mut().filter(|_| !paused);
            let told = offered.filter_map(|one| one.clipboard.offer(&now, shared).then_some(()));
            self.tell_customer((told.count() > 0).then_some(&now));
            *copied = Some(now);
        };
        for change in changes {
            match change {
                Change::Damage(areas) => {
                    let pending =
                        subscribers.values_mut().map(|subscriber| &mut subscriber.pending);
                    pending.for_each(|pending| picture_pool::add(&mut pending.damage, &areas));
                }
                Change::Resized(now) => {
                    monitors.clone_from(&now);
                    for subscriber in subscribers.values_mut() {
                        subscriber.pending.damage.clear();
                        subscriber.pending.resized = Some(now.clone());
                    }
                }
                Change::Cursor(now) => {
                    cursor.clone_from(&now);
                    subscribers
                        .values_mut()
                        .for_each(|subscriber| subscriber.pending.cursor = Some(now.clone()));
                }
                Change::Clipboard(contents) => offer(Copied::Contents(contents), subscribers),
                Change::NotCarried(why) => offer(Copied::NotCarried(why), subscribers),
            }
        }
        subscribers.values().for_each(|subscriber| subscriber.changed.notify_one());
    }
}

/// Reports that the capture thread has ended while there are viewers.
struct CaptureEndGuard<'a> {
    shared: &'a CaptureShared,
    error: Option<ScreenError>,
}

impl Drop for CaptureEndGuard<'_> {
    fn drop(&mut self) {
        if let Some(error) = self.error.take() {
            self.shared.state.lock().running = None;
            let _ = self.shared.failed.send(error);
        }
    }
}

impl ScreenSubscription {
    /// The picture, the monitors and the pointer's shape as they are now.
    pub fn current(&self) -> (Arc<Picture>, Vec<Monitor>, Cursor) {
        let state = self.shared.state.lock();
        (Arc::clone(&state.picture), state.monitors.clone(), state.cursor.clone())
    }

    /// Waits until something has changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes what the customer has copied, if there is something new that this viewer may have. RFB
    /// lets the server send it unrequested.
    pub fn take_clipboard(&self) -> Option<Copied> {
        self.shared.state.lock().subscribers.get_mut(&self.id)?.clipboard.take()
    }

    /// The viewer asks for what the customer has copied.
    fn ask_for_clipboard(&self) {
        let shared = self.shared.clipboard_shared.load(Ordering::SeqCst);
        let paused = self.shared.paused.load(Ordering::SeqCst);
        let mut state = self.shared.state.lock();
        let CaptureState { copied, subscribers, .. } = &mut *state;
        let Some(subscriber) = subscribers.get_mut(&self.id).filter(|_| !paused) else { return };
        if subscriber.clipboard.ask(copied.as_ref(), shared) {
            let asked = tokio::task::try_id().map(ClipboardNews::Asked);
            let _ = asked.map(|news| self.shared.clipboard_news.send(news));
        }
    }

    /// Takes the other changes, together with the newest picture, which contains them.
    pub fn take(&self) -> (Arc<Picture>, PendingChanges) {
        let mut state = self.shared.state.lock();
        state.untaken = false;
        self.shared.taken.notify_one();
        let pending = state
            .subscribers
            .get_mut(&self.id)
            .map(|subscriber| std::mem::take(&mut subscriber.pending));
        (Arc::clone(&state.picture), pending.unwrap_or_default())
    }

    /// Passes the viewer's event on to the input thread, if its role allows the event.
    pub async fn handle(&self, event: Event) {
        let may = match event {
            Event::Key { .. } | Event::Pointer { .. } => self.controls,
            Event::Clipboard(_) | Event::Picture(_) => self.clipboard,
            Event::ClipboardWanted => {
                self.ask_for_clipboard();
                false
            }
            Event::Arrived(_) => false,
        };
        if may {
            self.input.perform(ViewerId(self.id), event, &self.allowed).await;
        }
    }
}

impl Drop for ScreenSubscription {
    fn drop(&mut self) {
        self.allowed.store(false, Ordering::SeqCst);
        if self.controls {
            self.input.release(ViewerId(self.id));
        }
        let mut state = self.shared.state.lock();
        state.subscribers.remove(&self.id);
        self.shared.taken.notify_one();
        if let Some(running) = state.running.as_ref().filter(|_| state.subscribers.is_empty()) {
            running.waker.wake();
        }
    }
}
