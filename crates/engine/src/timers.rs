//! All sessions' timers on one wheel, in the machine's own time.
//!
//! A timer that was replaced or stopped never reaches its session: the wheel forgets it, and one
//! already on its way carries an old generation, which the actor ignores.

use std::{collections::HashMap, time::Duration};

use session::Timer;
use tokio::sync::mpsc;
use tokio_util::time::{DelayQueue, delay_queue::Key};

use crate::{
    SessionId,
    actor::message::{Mailbox, SessionMessage},
};

/// A handle to the wheel. The wheel ends with its last handle.
#[derive(Clone)]
pub struct Timers(mpsc::UnboundedSender<Order>);

enum Order {
    Start { session: SessionId, timer: Timer, generation: u64, after: Duration, to: Mailbox },
    Stop { session: SessionId, timer: Timer },
    Forget { session: SessionId },
}

struct Due {
    session: SessionId,
    timer: Timer,
    generation: u64,
    to: Mailbox,
}

impl Timers {
    /// Starts the wheel.
    pub fn start() -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(turn(inbox));
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
        let _ = self.0.send(Order::Start { session, timer, generation, after, to });
    }

    /// Stops `timer`, if it runs.
    pub fn stop(&self, session: SessionId, timer: Timer) {
        let _ = self.0.send(Order::Stop { session, timer });
    }

    /// Stops all timers of a session.
    pub fn forget(&self, session: SessionId) {
        let _ = self.0.send(Order::Forget { session });
    }
}

async fn turn(mut inbox: mpsc::UnboundedReceiver<Order>) {
    let mut wheel = DelayQueue::<Due>::new();
    let mut keys = HashMap::<(SessionId, Timer), Key>::new();
    loop {
        let due = std::future::poll_fn(|context| match wheel.poll_expired(context) {
            // An empty wheel is ready at once; it has nothing to say until the next order.
            std::task::Poll::Ready(None) => std::task::Poll::Pending,
            other => other,
        });
        tokio::select! {
            order = inbox.recv() => match order {
                Some(order) => carry_out(order, &mut wheel, &mut keys),
                None => return,
            },
            Some(expired) = due => {
                let Due { session, timer, generation, to } = expired.into_inner();
                keys.remove(&(session, timer));
                to.send(SessionMessage::Elapsed { timer, generation });
            }
        }
    }
}

fn carry_out(
    order: Order,
    wheel: &mut DelayQueue<Due>,
    keys: &mut HashMap<(SessionId, Timer), Key>,
) {
    match order {
        Order::Start { session, timer, generation, after, to } => {
            remove(session, timer, wheel, keys);
            let key = wheel.insert(Due { session, timer, generation, to }, after);
            keys.insert((session, timer), key);
        }
        Order::Stop { session, timer } => remove(session, timer, wheel, keys),
        Order::Forget { session } => {
            let its: Vec<Timer> =
                keys.keys().filter(|(id, _)| *id == session).map(|(_, timer)| *timer).collect();
            for timer in its {
                remove(session, timer, wheel, keys);
            }
        }
    }
}

fn remove(
    session: SessionId,
    timer: Timer,
    wheel: &mut DelayQueue<Due>,
    keys: &mut HashMap<(SessionId, Timer), Key>,
) {
    if let Some(key) = keys.remove(&(session, timer)) {
        wheel.try_remove(&key);
    }
}
