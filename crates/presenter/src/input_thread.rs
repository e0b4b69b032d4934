//! What controllers do at the customer's PC, on a thread of its own, since it may block.
//!
//! Whether something may be done is asked here, at the last moment, and not where it was received: what
//! is still on its way when the customer pauses, or when a viewer goes, is no longer done.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rfb::Event;
use tokio::sync::mpsc;

use crate::screen::{Input, ScreenError};

/// Deeds that may wait. A controller that sends faster than they are done waits itself.
const WAITING: usize = 256;

/// The way to the thread; every controller has one of its own.
#[derive(Debug, Clone)]
pub(crate) struct InputThread {
    queue: mpsc::Sender<Deed>,
    shared: Arc<Shared>,
}

/// What holds for all controllers.
#[derive(Debug)]
struct Shared {
    /// The customer has paused control.
    paused: Arc<AtomicBool>,
    /// Everything that is down is to be let go of before anything else is done.
    let_go: AtomicBool,
}

#[derive(Debug)]
enum Deed {
    Do {
        event: Event,
        allowed: Arc<AtomicBool>,
    },
    /// Only to wake the thread.
    Nothing,
}

impl InputThread {
    /// Starts the thread. It ends with the last clone, lets go of everything, and then drops `works`.
    pub fn start(
        mut input: Box<dyn Input>,
        paused: Arc<AtomicBool>,
        works: mpsc::Sender<()>,
    ) -> std::io::Result<Self> {
        let (queue, mut deeds) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared { paused, let_go: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        std::thread::Builder::new().name("hands".to_owned()).spawn(move || {
            while let Some(deed) = deeds.blocking_recv() {
                if let Err(error) = seen.perform(deed, input.as_mut()) {
                    tracing::warn!(%error, "type and point for a viewer");
                    break;
                }
            }
            let _ = input.release_all();
            // What it has put in place, such as keys that the layout lacks, goes with it.
            drop((input, works));
        })?;
        Ok(Self { queue, shared })
    }

    /// Does what a viewer asks for, as long as `allowed` holds.
    pub async fn act(&self, event: Event, allowed: &Arc<AtomicBool>) {
        // An error means that the thread is gone, and so is the screen: that is told elsewhere.
        let _ = self.queue.send(Deed::Do { event, allowed: Arc::clone(allowed) }).await;
    }

    /// Lets go of everything that is down: somebody's control has just ended.
    pub fn let_go(&self) {
        self.shared.let_go.store(true, Ordering::SeqCst);
        // A full queue wakes the thread as well.
        let _ = self.queue.try_send(Deed::Nothing);
    }
}

impl Shared {
    fn perform(&self, deed: Deed, input: &mut dyn Input) -> Result<(), ScreenError> {
        if self.let_go.swap(false, Ordering::SeqCst) {
            input.release_all()?;
        }
        let Deed::Do { event, allowed } = deed else { return Ok(()) };
        if self.paused.load(Ordering::SeqCst) || !allowed.load(Ordering::SeqCst) {
            return Ok(());
        }
        match event {
            Event::Key { down, keysym, scancode } => input.key(down, keysym, scancode),
            Event::Pointer { x, y, buttons } => input.pointer(x, y, buttons),
            Event::Clipboard(text) => input.clipboard(&text),
            Event::Arrived(_) => Ok(()),
        }
    }
}
