//! All sessions' timers on one wheel, in the machine's own time.
//!
//! A timer that was replaced or stopped never reaches its session: the wheel forgets it, and one
//! already on its way carries an old generation, which the actor ignores. One that is reckoned from a
//! wrong clock fires early, after [`session::time::LONGEST_WAIT`].

use std::{collections::HashMap, sync::Arc, task::Poll, time::Duration};

use session::{Timer, time::bounded};
use tokio::sync::{Mutex, mpsc};
use tokio_util::time::{DelayQueue, delay_queue::Key};

use crate::{
    SessionId,
    actor::message::{Mailbox, SessionMessage},
    watch::Watch,
};

/// A handle to the wheel, which turns until the engine stops.
#[derive(Clone)]
pub struct Timers(mpsc::UnboundedSender<Command>);

enum Command {
    Start { session: SessionId, timer: Timer, generation: u64, after: Duration, to: Mailbox },
    Stop { session: SessionId, timer: Timer },
    Forget { session: SessionId },
}

struct Entry {
    session: SessionId,
    timer: Timer,
    generation: u64,
    to: Mailbox,
}

impl Timers {
    /// Starts the wheel.
    pub fn start(watch: &Watch) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        // Behind a lock that only its one task takes, so that a restarted task finds it as it was.
        let wheel = Wheel { inbox, queue: DelayQueue::new(), keys: HashMap::new() };
        let (wheel, stopping) = (Arc::new(Mutex::new(wheel)), watch.stopping.clone());
        watch.keep("run the sessions' timers", move || {
            let (wheel, stopping) = (wheel.clone(), stopping.clone());
            async move {
                let turn = async { wheel.lock().await.turn().await };
                stopping.run_until_cancelled(turn).await;
            }
        });
        Self(orders)
    }

    /// Starts `timer`, replacing the one with the same key.
    pub fn set(
        &self,
        session: SessionId,
        timer: Timer,
        generation: u64,
        after: Duration,
        to: Mailbox,
    ) {
        // The wheel is gone only when the engine stops: then nothing is to be timed any more.
        let _ = self.0.send(Command::Start { session, timer, generation, after, to });
    }

    /// Stops `timer`, if it runs.
    pub fn stop(&self, session: SessionId, timer: Timer) {
        let _ = self.0.send(Command::Stop { session, timer });
    }

    /// Stops all timers of a session.
    pub fn forget(&self, session: SessionId) {
        let _ = self.0.send(Command::Forget { session });
    }
}

/// The timers that run. It outlives the task that drives it, so a panic there loses no timer.
struct Wheel {
    inbox: mpsc::UnboundedReceiver<Command>,
    queue: DelayQueue<Entry>,
    keys: HashMap<(SessionId, Timer), Key>,
}

impl Wheel {
    /// Ends with the last handle.
    async fn turn(&mut self) {
        loop {
            let due = std::future::poll_fn(|context| match self.queue.poll_expired(context) {
                // An empty queue is ready at once; it has nothing to say until the next order.
                Poll::Ready(None) => Poll::Pending,
                other => other,
            });
            tokio::select! {
                order = self.inbox.recv() => match order {
                    Some(order) => self.carry_out(order),
                    None => return,
                },
                Some(expired) = due => {
                    let Entry { session, timer, generation, to } = expired.into_inner();
                    // The queue gives a key away again, so one that is left here would stop
                    // another timer.
                    self.keys.remove(&(session, timer));
                    to.send(SessionMessage::Elapsed { timer, generation });
                }
            }
        }
    }

    fn carry_out(&mut self, order: Command) {
        match order {
            Command::Start { session, timer, generation, after, to } => {
                // A timer that is started again runs once: the earlier start must not fire, too.
                self.remove(session, timer);
                let entry = Entry { session, timer, generation, to };
                // The queue panics at what it can't hold.
                let key = self.queue.insert(entry, bounded(after));
                self.keys.insert((session, timer), key);
            }
            Command::Stop { session, timer } => self.remove(session, timer),
            Command::Forget { session } => {
                let keys = self.keys.keys();
                let its: Vec<_> = keys.filter(|(id, _)| *id == session).copied().collect();
                for (session, timer) in its {
                    self.remove(session, timer);
                }
            }
        }
    }

    fn remove(&mut self, session: SessionId, timer: Timer) {
        if let Some(key) = self.keys.remove(&(session, timer)) {
            self.queue.try_remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_of_a_clock_that_was_years_ahead_fires_early_and_holds_up_no_other() {
        let (fired, mut came) = mpsc::unbounded_channel();
        let to = Mailbox::new(move |message| {
            if let SessionMessage::Elapsed { timer, .. } = message {
                fired.send(timer).unwrap();
            }
        });
        let watch = Watch::new(|| {});
        let timers = Timers::start(&watch);
        let session = SessionId::from_bytes([1; 16]);
        let years = Duration::from_secs(3 * 365 * 86_400);
        timers.set(session, Timer::PinOver, 1, years, to.clone());
        timers.set(session, Timer::GateOver, 2, Duration::MAX, to.clone());
        timers.set(session, Timer::Heartbeat, 3, Duration::from_secs(1), to);
        assert_eq!(came.recv().await, Some(Timer::Heartbeat));
        let early = [came.recv().await.unwrap(), came.recv().await.unwrap()];
        assert!(early.contains(&Timer::PinOver) && early.contains(&Timer::GateOver), "{early:?}");
        assert!(watch.unwell().is_empty(), "the wheel never stopped");
    }
}
