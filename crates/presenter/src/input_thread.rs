//! Carries out the key presses, clicks, texts and pictures of the viewers who control, on a thread
//! of its own, since the X server may make them wait.
//!
//! Permission is checked here, on receipt and again at the last moment: input that still waits when
//! the customer pauses control, or when a viewer leaves, is dropped, and what reaches this thread
//! during a pause is dropped as well, however late its turn would have come. What the network holds
//! back until control goes on is carried out: nothing says when it was typed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use rfb::{Event, Png};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    pointer_turn::PointerTurn,
    screen::{Contents, Input, ScreenError, ViewerId},
    shared_clipboard::ClipboardNews,
};

/// The most tasks in the queue. A viewer that sends faster than they are carried out has to wait.
const QUEUE: usize = 256;
/// The most texts and pictures among them, since each may have megabytes.
const MOST_COPIED: usize = 4;

/// A handle to the thread; every controller has one of its own.
#[derive(Debug, Clone)]
pub(crate) struct InputThread {
    queue: mpsc::Sender<InputTask>,
    /// A permit for each text or picture that may be in the queue.
    copied: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// The state that all handles share.
#[derive(Debug)]
struct Shared {
    /// The customer has paused control.
    paused: Arc<AtomicBool>,
    /// How often control was paused so far. A task from before a pause is dropped, also if control
    /// goes on before its turn comes.
    pauses: AtomicU64,
    /// What must be released before the next task.
    due: Mutex<Releases>,
}

/// The keys and buttons that must be released.
#[derive(Debug, Default)]
struct Releases {
    all: bool,
    /// Those of these viewers.
    viewers: Vec<ViewerId>,
}

/// What the thread works with.
struct Performer {
    input: Box<dyn Input>,
    turn: PointerTurn,
    shared: Arc<Shared>,
    /// What the customer has to hear of the clipboard.
    news: mpsc::UnboundedSender<ClipboardNews>,
}

#[derive(Debug)]
enum InputTask {
    Perform {
        viewer: ViewerId,
        event: Event,
        allowed: Arc<AtomicBool>,
        /// How often control had been paused when it came.
        pauses: u64,
        /// For a text or a picture; another may come once this one is carried out.
        copied: Option<OwnedSemaphorePermit>,
    },
    /// Only wakes the thread.
    Wake,
}

impl InputThread {
    /// Starts the thread. When the last handle is dropped, the thread releases all keys and
    /// buttons, drops `alive` and ends.
    pub fn start(
        input: Box<dyn Input>,
        paused: Arc<AtomicBool>,
        news: mpsc::UnboundedSender<ClipboardNews>,
        alive: mpsc::Sender<()>,
    ) -> std::io::Result<Self> {
        let (queue, mut tasks) = mpsc::channel(QUEUE);
        let pauses = AtomicU64::default();
        let shared = Arc::new(Shared { paused, pauses, due: Mutex::default() });
        let turn = PointerTurn::default();
        let mut performer = Performer { input, turn, shared: Arc::clone(&shared), news };
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            while let Some(task) = tasks.blocking_recv() {
                if let Err(error) = performer.perform(task) {
                    tracing::warn!(%error, "type and point for a viewer");
                    break;
                }
            }
            let _ = performer.input.release_all();
            // Dropping the input removes the keys that it added to the layout. `alive` goes last,
            // so that the program doesn't exit before that is done.
            drop((performer, alive));
        })?;
        Ok(Self { queue, copied: Arc::new(Semaphore::new(MOST_COPIED)), shared })
    }

    /// Queues a viewer's event. It is dropped if control is paused, now or before its turn comes, or
    /// if `allowed` is false then.
    pub async fn perform(&self, viewer: ViewerId, event: Event, allowed: &Arc<AtomicBool>) {
        // Counted before the look whether it is paused: a pause in between then counts, too.
        let pauses = self.shared.pauses.load(Ordering::SeqCst);
        if self.shared.paused.load(Ordering::SeqCst) {
            return;
        }
        let allowed = Arc::clone(allowed);
        let copied = match event {
            Event::Clipboard(_) | Event::Picture(_) => {
                Arc::clone(&self.copied).acquire_owned().await.ok()
            }
            _ => None,
        };
        // An error means that the thread has ended because the screen is gone, which the
        // capture reports.
        let _ =
            self.queue.send(InputTask::Perform { viewer, event, allowed, pauses, copied }).await;
    }

    /// Releases the keys and buttons of a viewer whose control has just ended, and of no other.
    pub fn release(&self, viewer: ViewerId) {
        self.shared.due.lock().viewers.push(viewer);
        self.wake();
    }

    /// Control was paused: releases all keys and buttons, and drops what still waits.
    pub fn paused(&self) {
        self.shared.pauses.fetch_add(1, Ordering::SeqCst);
        self.shared.due.lock().all = true;
        self.wake();
    }

    fn wake(&self) {
        // If the queue is full, this fails, but then the thread is awake anyway.
        let _ = self.queue.try_send(InputTask::Wake);
    }
}

impl Shared {
    /// Whether control goes on, and was paused no more often than so many times.
    fn not_paused_since(&self, pauses: u64) -> bool {
        self.pauses.load(Ordering::SeqCst) == pauses && !self.paused.load(Ordering::SeqCst)
    }
}

impl Performer {
    fn perform(&mut self, task: InputTask) -> Result<(), ScreenError> {
        self.release_what_is_due()?;
        let InputTask::Perform { viewer, event, allowed, pauses, copied: _until_performed } = task
        else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        let may_go_on = || shared.not_paused_since(pauses) && allowed.load(Ordering::SeqCst);
        if !may_go_on() {
            return Ok(());
        }
        match event {
            Event::Key { down, keysym, scancode } => self.input.key(viewer, down, keysym, scancode),
            Event::Pointer { x, y, buttons } => match self.turn.pointed(viewer, buttons) {
                Some(buttons) => self.input.pointer(viewer, x, y, buttons),
                None => Ok(()),
            },
            Event::Clipboard(text) => self.copy(Contents::Text(text.into()), &may_go_on),
            Event::Picture(bytes) => match Png::new(&bytes) {
                Ok(picture) => self.copy(Contents::Picture(picture), &may_go_on),
                Err(error) => {
                    tracing::warn!(%error, "take a viewer's picture for the clipboard");
                    Ok(())
                }
            },
            Event::ClipboardWanted | Event::Arrived(_) => Ok(()),
        }
    }

    /// The customer's program may be slow to tell what this replaces. A pause or the end of control doesn't
    /// wait for that: keys and buttons that are held down have to come up at once.
    fn copy(
        &mut self,
        contents: Contents,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<(), ScreenError> {
        if let Some(loss) = self.input.clipboard(contents, may_go_on)? {
            // Once the sharing is over, nobody can be told.
            let _ = self.news.send(ClipboardNews::Lost(loss));
        }
        Ok(())
    }

    fn release_what_is_due(&mut self) -> Result<(), ScreenError> {
        let due = std::mem::take(&mut *self.shared.due.lock());
        for viewer in due.viewers {
            self.input.release_keys(viewer)?;
            if self.turn.left(viewer) {
                self.input.release_buttons()?;
            }
        }
        if due.all {
            self.turn.interrupted();
            self.input.release_all()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::screen::ClipboardLoss;

    /// Fills the clipboard only when it is told to, and tells each key.
    struct SlowInput(Receiver<()>, Sender<u32>);

    impl Input for SlowInput {
        fn key(
            &mut self,
            _: ViewerId,
            _: bool,
            keysym: u32,
            _: Option<u32>,
        ) -> Result<(), ScreenError> {
            let _ = self.1.send(keysym);
            Ok(())
        }

        fn pointer(&mut self, _: ViewerId, _: u16, _: u16, _: u16) -> Result<(), ScreenError> {
            Ok(())
        }

        fn clipboard(
            &mut self,
            _: Contents,
            _: &dyn Fn() -> bool,
        ) -> Result<Option<ClipboardLoss>, ScreenError> {
            let _ = self.0.recv();
            Ok(None)
        }

        fn release_keys(&mut self, _: ViewerId) -> Result<(), ScreenError> {
            Ok(())
        }

        fn release_buttons(&mut self) -> Result<(), ScreenError> {
            Ok(())
        }

        fn release_all(&mut self) -> Result<(), ScreenError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn few_texts_and_pictures_wait_and_keys_beside_them() {
        let (go_on, told) = channel();
        let (alive, _ended) = mpsc::channel(1);
        let input = Box::new(SlowInput(told, channel().0));
        let thread =
            InputThread::start(input, Arc::default(), mpsc::unbounded_channel().0, alive).unwrap();
        let (viewer, allowed) = (ViewerId(1), Arc::new(AtomicBool::new(true)));
        let perform = |event| thread.perform(viewer, event, &allowed);
        for _ in 0..MOST_COPIED {
            perform(Event::Clipboard("a text".to_owned())).await;
        }
        assert_eq!(thread.copied.available_permits(), 0);
        perform(Event::Key { down: true, keysym: 0x61, scancode: None }).await;
        let one_more = perform(Event::Picture(Vec::new()));
        tokio::pin!(one_more);
        tokio::select! {
            biased;
            () = &mut one_more => panic!("it has to wait"),
            () = tokio::task::yield_now() => {}
        }
        go_on.send(()).unwrap();
        one_more.await;
        drop(go_on);
        // All of them come back.
        let all = thread.copied.acquire_many(MOST_COPIED as u32).await;
        assert!(all.is_ok());
    }

    /// The screen hangs meanwhile, so that the turn of none comes before control goes on.
    #[tokio::test]
    async fn what_came_before_or_during_a_pause_is_not_typed_after_it() {
        let ((go_on, told), (tell, typed)) = (channel(), channel());
        let (alive, _ended) = mpsc::channel(1);
        let paused = Arc::new(AtomicBool::new(false));
        let input = Box::new(SlowInput(told, tell));
        let thread =
            InputThread::start(input, Arc::clone(&paused), mpsc::unbounded_channel().0, alive)
                .unwrap();
        let (viewer, allowed) = (ViewerId(1), Arc::new(AtomicBool::new(true)));
        let key = |keysym| Event::Key { down: true, keysym, scancode: None };
        thread.perform(viewer, Event::Clipboard("a text".to_owned()), &allowed).await;
        thread.perform(viewer, key(1), &allowed).await;
        paused.store(true, Ordering::SeqCst);
        thread.paused();
        thread.perform(viewer, key(2), &allowed).await;
        paused.store(false, Ordering::SeqCst);
        thread.perform(viewer, key(3), &allowed).await;
        go_on.send(()).unwrap();
        drop(thread);
        assert_eq!(typed.iter().collect::<Vec<_>>(), [3]);
    }

    /// Reads what is in the clipboard for as long as it may, and tells what it does.
    struct EndlessInput(Sender<&'static str>);

    impl EndlessInput {
        fn tell(&self, what: &'static str) -> Result<(), ScreenError> {
            let _ = self.0.send(what);
            Ok(())
        }
    }

    impl Input for EndlessInput {
        fn key(&mut self, _: ViewerId, _: bool, _: u32, _: Option<u32>) -> Result<(), ScreenError> {
            Ok(())
        }

        fn pointer(&mut self, _: ViewerId, _: u16, _: u16, _: u16) -> Result<(), ScreenError> {
            Ok(())
        }

        fn clipboard(
            &mut self,
            _: Contents,
            may_go_on: &dyn Fn() -> bool,
        ) -> Result<Option<ClipboardLoss>, ScreenError> {
            self.tell("reads")?;
            while may_go_on() {
                std::thread::yield_now();
            }
            self.tell("gives up").map(|()| None)
        }

        fn release_keys(&mut self, _: ViewerId) -> Result<(), ScreenError> {
            self.tell("releases a viewer's keys")
        }

        fn release_buttons(&mut self) -> Result<(), ScreenError> {
            Ok(())
        }

        fn release_all(&mut self) -> Result<(), ScreenError> {
            self.tell("releases all")
        }
    }

    #[tokio::test]
    async fn a_pause_and_the_end_of_control_do_not_wait_for_the_clipboard() {
        for is_pause in [true, false] {
            let (tell, told) = channel();
            let (alive, _ended) = mpsc::channel(1);
            let paused = Arc::new(AtomicBool::new(false));
            let (input, news) = (Box::new(EndlessInput(tell)), mpsc::unbounded_channel().0);
            let thread = InputThread::start(input, Arc::clone(&paused), news, alive).unwrap();
            let (viewer, allowed) = (ViewerId(1), Arc::new(AtomicBool::new(true)));
            thread.perform(viewer, Event::Clipboard("a text".to_owned()), &allowed).await;
            assert_eq!(told.recv(), Ok("reads"));
            let releases = if is_pause {
                paused.store(true, Ordering::SeqCst);
                thread.paused();
                "releases all"
            } else {
                allowed.store(false, Ordering::SeqCst);
                thread.release(viewer);
                "releases a viewer's keys"
            };
            assert_eq!(told.recv(), Ok("gives up"));
            assert_eq!(told.recv(), Ok(releases));
        }
    }
}
