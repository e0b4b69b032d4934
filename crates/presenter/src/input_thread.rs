//! Carries out the key presses, clicks, texts and pictures of the viewers who control, on a thread
//! of its own, since the X server may make them wait.
//!
//! Permission is checked here, at the last moment, and not on receipt: input that still waits when
//! the customer pauses control, or when a viewer leaves, is dropped.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use rfb::{Event, Png};
use tokio::sync::mpsc;

use crate::{
    pointer_turn::PointerTurn,
    screen::{Contents, Input, ScreenError, ViewerId},
};

/// The most tasks in the queue. A viewer that sends faster than they are carried out has to wait.
const QUEUE: usize = 256;

/// A handle to the thread; every controller has one of its own.
#[derive(Debug, Clone)]
pub(crate) struct InputThread {
    queue: mpsc::Sender<InputTask>,
    shared: Arc<Shared>,
}

/// The state that all handles share.
#[derive(Debug)]
struct Shared {
    /// The customer has paused control.
    paused: Arc<AtomicBool>,
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
}

#[derive(Debug)]
enum InputTask {
    Perform {
        viewer: ViewerId,
        event: Event,
        allowed: Arc<AtomicBool>,
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
        alive: mpsc::Sender<()>,
    ) -> std::io::Result<Self> {
        let (queue, mut tasks) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared { paused, due: Mutex::default() });
        let turn = PointerTurn::default();
        let mut performer = Performer { input, turn, shared: Arc::clone(&shared) };
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
        Ok(Self { queue, shared })
    }

    /// Queues a viewer's event. It is dropped if `allowed` is false when its turn comes.
    pub async fn perform(&self, viewer: ViewerId, event: Event, allowed: &Arc<AtomicBool>) {
        let allowed = Arc::clone(allowed);
        // An error means that the thread has ended because the screen is gone, which the
        // capture reports.
        let _ = self.queue.send(InputTask::Perform { viewer, event, allowed }).await;
    }

    /// Releases the keys and buttons of a viewer whose control has just ended, and of no other.
    pub fn release(&self, viewer: ViewerId) {
        self.shared.due.lock().viewers.push(viewer);
        self.wake();
    }

    /// Releases all keys and buttons, because nobody controls any more.
    pub fn release_all(&self) {
        self.shared.due.lock().all = true;
        self.wake();
    }

    fn wake(&self) {
        // If the queue is full, this fails, but then the thread is awake anyway.
        let _ = self.queue.try_send(InputTask::Wake);
    }
}

impl Performer {
    fn perform(&mut self, task: InputTask) -> Result<(), ScreenError> {
        self.release_what_is_due()?;
        let InputTask::Perform { viewer, event, allowed } = task else { return Ok(()) };
        if self.shared.paused.load(Ordering::SeqCst) || !allowed.load(Ordering::SeqCst) {
            return Ok(());
        }
        match event {
            Event::Key { down, keysym, scancode } => self.input.key(viewer, down, keysym, scancode),
            Event::Pointer { x, y, buttons } => match self.turn.pointed(viewer, buttons) {
                Some(buttons) => self.input.pointer(viewer, x, y, buttons),
                None => Ok(()),
            },
            Event::Clipboard(text) => self.input.clipboard(Contents::Text(text.into())),
            Event::Picture(bytes) => match Png::new(&bytes) {
                Ok(picture) => self.input.clipboard(Contents::Picture(picture)),
                Err(error) => {
                    tracing::warn!(%error, "take a viewer's picture for the clipboard");
                    Ok(())
                }
            },
            Event::ClipboardWanted | Event::Arrived(_) => Ok(()),
        }
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
