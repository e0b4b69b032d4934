//! Carries out the key presses, clicks and clipboard texts of the viewers who control, on a thread
//! of its own, since the X server may make them wait.
//!
//! Permission is checked here, at the last moment, and not on receipt: input that still waits when
//! the customer pauses control, or when a viewer leaves, is dropped.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rfb::Event;
use tokio::sync::mpsc;

use crate::screen::{Input, ScreenError};

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
    /// Whether all keys and buttons must be released before the next task.
    release_due: AtomicBool,
}

#[derive(Debug)]
enum InputTask {
    Perform {
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
        mut input: Box<dyn Input>,
        paused: Arc<AtomicBool>,
        alive: mpsc::Sender<()>,
    ) -> std::io::Result<Self> {
        let (queue, mut tasks) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared { paused, release_due: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            while let Some(task) = tasks.blocking_recv() {
                if let Err(error) = seen.perform(task, input.as_mut()) {
                    tracing::warn!(%error, "type and point for a viewer");
                    break;
                }
            }
            let _ = input.release_all();
            // Dropping the input removes the keys that it added to the layout. `alive` goes last,
            // so that the program doesn't exit before that is done.
            drop((input, alive));
        })?;
        Ok(Self { queue, shared })
    }

    /// Queues a viewer's event. It is dropped if `allowed` is false when its turn comes.
    pub async fn perform(&self, event: Event, allowed: &Arc<AtomicBool>) {
        // An error means that the thread has ended because the screen is gone, which the
        // capture reports.
        let _ = self.queue.send(InputTask::Perform { event, allowed: Arc::clone(allowed) }).await;
    }

    /// Releases all keys and buttons, because a viewer's control has just ended.
    pub fn release_all(&self) {
        self.shared.release_due.store(true, Ordering::SeqCst);
        // If the queue is full, this fails, but then the thread is awake anyway.
        let _ = self.queue.try_send(InputTask::Wake);
    }
}

impl Shared {
    fn perform(&self, task: InputTask, input: &mut dyn Input) -> Result<(), ScreenError> {
        if self.release_due.swap(false, Ordering::SeqCst) {
            input.release_all()?;
        }
        let InputTask::Perform { event, allowed } = task else { return Ok(()) };
        if self.paused.load(Ordering::SeqCst) || !allowed.load(Ordering::SeqCst) {
            return Ok(());
        }
        match event {
            Event::Key { down, keysym, scancode } => input.key(down, keysym, scancode),
            Event::Pointer { x, y, buttons } => input.pointer(x, y, buttons),
            Event::Clipboard(text) => input.clipboard(&text),
            Event::ClipboardWanted | Event::Arrived(_) => Ok(()),
        }
    }
}
