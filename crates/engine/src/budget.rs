//! One budget for all PUTs of hooks: 20 a second, 16 in flight, the most urgent first.
//!
//! A hook that has just fired doesn't wait for the rate, for events come at their own; it is paid for
//! by those that follow. Only what the service itself asks for (Retry-After) holds it back.
//!
//! Invariant: a hook has at most one PUT waiting here, its newest; what an older one would have
//! answered no longer matters. The rate is halved on 429 and 5xx, and comes back with the
//! good answers. What they all tell of the service's outages is told on.

mod pace;
mod queue;

use std::sync::Arc;

use session::{Failure, Input, Outage, Timestamp, Urgency, outage::News};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use wire::{HookType, Pin};

pub use self::{
    pace::{FULL_RATE, IN_FLIGHT, Pace},
    queue::Queue,
};
use crate::{SessionId, actor::message::Mailbox, clock::now, remote::LoginWithMe};

/// A handle to the budget; it ends with its last handle.
#[derive(Clone)]
pub struct Budget(mpsc::UnboundedSender<Event>);

/// A PUT that wants to go out.
pub struct Put {
    /// Whose.
    pub session: SessionId,
    /// Which of the four.
    pub hook: HookType,
    /// Comes back with the answer.
    pub generation: u32,
    /// Who goes first.
    pub urgency: Urgency,
    /// The session's PIN.
    pub pin: Pin,
    /// Our secret URL for this hook.
    pub url: String,
    /// Who gets the answer.
    pub to: Mailbox,
}

enum Event {
    Put(Box<Put>),
    /// A PUT that began then has been answered.
    Answered(Timestamp, Option<Failure>),
}

impl Budget {
    /// Starts the budget of one host; `news` gets what its answers tell of the host.
    pub fn start(client: Arc<LoginWithMe>, news: mpsc::UnboundedSender<News>) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        // Weak: the budget must end when the last handle outside of it is gone.
        let answers = events.downgrade();
        tokio::spawn(spend(inbox, answers, client, news));
        Self(events)
    }

    /// Queues a PUT; a waiting one of the same hook is replaced.
    pub fn put(&self, put: Put) {
        // Gone only when the engine stops.
        let _ = self.0.send(Event::Put(Box::new(put)));
    }
}

async fn spend(
    mut inbox: mpsc::UnboundedReceiver<Event>,
    answers: mpsc::WeakUnboundedSender<Event>,
    client: Arc<LoginWithMe>,
    news: mpsc::UnboundedSender<News>,
) {
    let mut outage = Outage::default();
    let mut queue = Queue::default();
    let mut pace = Pace::new(Instant::now());
    let flights = Arc::new(Semaphore::new(IN_FLIGHT.into()));
    loop {
        let first = queue.first();
        let start_next = async {
            let permit = flights.clone().acquire_owned().await.ok();
            let at = pace.next(first.unwrap_or(Urgency::Other), Instant::now());
            if at > Instant::now() {
                tokio::time::sleep_until(at).await;
            }
            permit
        };
        tokio::select! {
            biased;
            event = inbox.recv() => match event {
                Some(Event::Put(put)) => queue.push((put.session, put.hook), put.urgency, put),
                Some(Event::Answered(began, failure)) => {
                    pace.answered(failure, Instant::now());
                    if let Some(told) = outage.ended(began, failure, now()) {
                        // Nobody hears it only while the engine stops.
                        let _ = news.send(told);
                    }
                }
                None => return,
            },
            Some(permit) = start_next, if first.is_some() => {
                pace.take();
                if let Some(put) = queue.pop() {
                    tokio::spawn(fly(put, client.clone(), answers.clone(), permit));
                }
            }
        }
    }
}

async fn fly(
    put: Box<Put>,
    client: Arc<LoginWithMe>,
    answers: mpsc::WeakUnboundedSender<Event>,
    permit: OwnedSemaphorePermit,
) {
    let Put { hook, generation, pin, url, to, .. } = *put;
    let began = now();
    let answer = client.put_hook(&pin, hook, &url).await;
    drop(permit);
    let failure = answer.as_ref().err().map(|error| error.failure);
    let input = match failure {
        None => Input::Armed { hook, generation },
        Some(failure) => Input::ArmFailed { hook, generation, failure },
    };
    to.tell(input);
    if let Some(answers) = answers.upgrade() {
        let _ = answers.send(Event::Answered(began, failure));
    }
}
