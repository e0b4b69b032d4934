//! One budget for all PUTs of hooks: 20 a second, 16 in flight, the most urgent first.
//!
//! A hook that has just fired doesn't wait for the rate, since events come at their own rate; later
//! PUTs wait for longer instead. Only the number in flight and the service's own Retry-After
//! delay it.
//!
//! Invariant: a hook has at most one PUT waiting here, its newest; the answer to an older one no
//! longer matters. The rate is halved on 429 and 5xx, and comes back with the good answers. Every
//! answer is passed on to detect outages.

mod pace;
mod queue;

use std::sync::Arc;

use session::{Failure, Input, Outage, Timestamp, Urgency, outage::OutageChange};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use wire::{HookType, Pin};

pub use self::{
    pace::{FULL_RATE, IN_FLIGHT, Pace},
    queue::Queue,
};
use crate::{
    SessionId,
    actor::message::{Mailbox, SessionMessage},
    clock::now,
    remote::LoginWithMe,
    watch::{Watch, survive},
};

/// A handle to the budget, which is spent until the engine stops.
#[derive(Clone)]
pub struct Budget(mpsc::UnboundedSender<Event>);

/// A PUT that wants to go out.
pub struct Put {
    pub session: SessionId,
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
    /// Starts the budget of one host; `news` receives the outages that its answers reveal.
    pub(crate) fn start(
        watch: &Watch,
        client: Arc<LoginWithMe>,
        news: mpsc::UnboundedSender<OutageChange>,
    ) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let spending = Spending {
            inbox,
            answers: events.downgrade(),
            client,
            news,
            outage: Outage::default(),
            queue: Queue::default(),
            pace: Pace::new(Instant::now()),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT.into())),
        };
        let (spending, stopping) = (Arc::new(Mutex::new(spending)), watch.stopping.clone());
        watch.keep("put the sessions' hooks", move || {
            let (spending, stopping) = (spending.clone(), stopping.clone());
            async move {
                let spend = async { spending.lock().await.spend().await };
                stopping.run_until_cancelled(spend).await;
            }
        });
        Self(events)
    }

    /// Queues a PUT; a waiting one of the same hook is replaced.
    pub fn put(&self, put: Put) {
        // Gone only when the engine stops.
        let _ = self.0.send(Event::Put(Box::new(put)));
    }
}

/// The budget's state. It outlives the task that uses it, so a panic there loses no waiting PUT.
struct Spending {
    inbox: mpsc::UnboundedReceiver<Event>,
    /// Weak: the budget must end when the last handle outside of it is gone.
    answers: mpsc::WeakUnboundedSender<Event>,
    client: Arc<LoginWithMe>,
    news: mpsc::UnboundedSender<OutageChange>,
    outage: Outage,
    queue: Queue<Box<Put>>,
    pace: Pace,
    in_flight: Arc<Semaphore>,
}

impl Spending {
    /// Ends with the last handle.
    async fn spend(&mut self) {
        loop {
            let first = self.queue.first();
            let (pace, in_flight) = (&mut self.pace, self.in_flight.clone());
            let start_next = async {
                let permit = in_flight.acquire_owned().await.ok();
                let at = pace.next(first.unwrap_or(Urgency::Other), Instant::now());
                if at > Instant::now() {
                    tokio::time::sleep_until(at).await;
                }
                permit
            };
            tokio::select! {
                // News first: a PUT that has just come may be more urgent than the one whose turn
                // it is.
                biased;
                event = self.inbox.recv() => match event {
                    Some(Event::Put(put)) => self.queue.push((put.session, put.hook), put.urgency, put),
                    Some(Event::Answered(began, failure)) => self.answered(began, failure),
                    None => return,
                },
                Some(permit) = start_next, if first.is_some() => {
                    self.pace.take();
                    if let Some(put) = self.queue.pop() {
                        let (client, answers) = (self.client.clone(), self.answers.clone());
                        tokio::spawn(send(put, client, answers, permit));
                    }
                }
            }
        }
    }

    fn answered(&mut self, began: Timestamp, failure: Option<Failure>) {
        self.pace.answered(failure, Instant::now());
        if let Some(told) = self.outage.ended(began, failure, now()) {
            // Nobody hears it only while the engine stops.
            let _ = self.news.send(told);
        }
    }
}

async fn send(
    put: Box<Put>,
    client: Arc<LoginWithMe>,
    answers: mpsc::WeakUnboundedSender<Event>,
    permit: OwnedSemaphorePermit,
) {
    let Put { hook, generation, pin, url, to, .. } = *put;
    let began = now();
    let answer = survive(client.put_hook(&pin, hook, &url)).await;
    // Before the answer is sent: the session may want another PUT at once.
    drop(permit);
    let Ok(answer) = answer else {
        // Without an answer the hook would count as being put for ever.
        to.send(SessionMessage::EffectDied { why: format!("putting the hook {hook} panicked") });
        return;
    };
    let failure = answer.as_ref().err().map(|error| error.failure);
    to.tell(match failure {
        None => Input::Armed { hook, generation },
        Some(failure) => Input::ArmFailed { hook, generation, failure },
    });
    if let Some(answers) = answers.upgrade() {
        let _ = answers.send(Event::Answered(began, failure));
    }
}
