//! One budget for all PUTs of hooks: 20 a second, 16 in flight, the most urgent first.
//!
//! A hook that has just fired doesn't wait for the rate, for events come at their own; it is paid for
//! by those that follow. Only what the service itself asks for (Retry-After) holds it back.
//!
//! Invariant: a hook has at most one PUT waiting here, its newest; what an older one would have
//! answered no longer matters. The rate is halved on 429 and 5xx, and comes back slowly.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use ractor::ActorRef;
use session::{Failure, Input, Urgency};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use wire::{HookType, Pin};

use crate::{SessionId, actor::session::Message, remote::LoginWithMe};

/// PUTs a second when all is well.
const FULL_RATE: f64 = 20.0;
/// It is never slower than this.
const LOWEST_RATE: f64 = 0.5;
/// PUTs that may start at once after a pause, and be in flight together.
const IN_FLIGHT: u16 = 16;

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
    pub to: ActorRef<Message>,
}

enum Event {
    Put(Box<Put>),
    /// A PUT has been answered.
    Answered(Option<Failure>),
}

impl Budget {
    /// Starts the budget of one host.
    pub fn start(client: Arc<LoginWithMe>) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        // Weak: the budget must end when the last handle outside of it is gone.
        let answers = events.downgrade();
        tokio::spawn(spend(inbox, answers, client));
        Self(events)
    }

    /// Queues a PUT; a waiting one of the same hook is replaced.
    pub fn put(&self, put: Put) {
        // Gone only when the engine stops.
        let _ = self.0.send(Event::Put(Box::new(put)));
    }
}

/// Waiting PUTs in their order, one a hook.
#[derive(Default)]
struct Queue {
    by_order: BTreeMap<(Urgency, u64), Box<Put>>,
    by_hook: HashMap<(SessionId, HookType), (Urgency, u64)>,
    next: u64,
}

impl Queue {
    fn push(&mut self, mut put: Box<Put>) {
        let hook = (put.session, put.hook);
        let mut place = (put.urgency, self.next);
        if let Some(old) = self.by_hook.remove(&hook) {
            self.by_order.remove(&old);
            // It doesn't lose its turn, and not its urgency either.
            place = place.min(old);
            put.urgency = place.0;
        }
        self.next += 1;
        self.by_hook.insert(hook, place);
        self.by_order.insert(place, put);
    }

    fn pop(&mut self) -> Option<Box<Put>> {
        let (_, put) = self.by_order.pop_first()?;
        self.by_hook.remove(&(put.session, put.hook));
        Some(put)
    }

    fn first(&self) -> Option<Urgency> {
        self.by_order.keys().next().map(|(urgency, _)| *urgency)
    }
}

/// How fast PUTs may start.
struct Pace {
    rate: f64,
    tokens: f64,
    filled: Instant,
    not_before: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { rate: FULL_RATE, tokens: f64::from(IN_FLIGHT), filled: now, not_before: now }
    }

    /// When a PUT may start: now, or later.
    fn next(&mut self, urgency: Urgency, now: Instant) -> Instant {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(f64::from(IN_FLIGHT));
        self.filled = now;
        let wait = match urgency {
            Urgency::Fired => 0.0,
            Urgency::New | Urgency::Failed | Urgency::OnScreen | Urgency::Other => {
                ((1.0 - self.tokens) / self.rate).max(0.0)
            }
        };
        (now + Duration::from_secs_f64(wait)).max(self.not_before)
    }

    fn take(&mut self) {
        // A storm of events shall not silence the heartbeats for long after it.
        self.tokens = (self.tokens - 1.0).max(-f64::from(IN_FLIGHT));
    }

    fn answered(&mut self, failure: Option<Failure>, now: Instant) {
        match failure {
            None => self.rate = (self.rate + 1.0).min(FULL_RATE),
            Some(Failure::RateLimited { retry_after_ms }) => {
                self.slow_down();
                let pause = Duration::from_millis(retry_after_ms.unwrap_or(1_000));
                self.not_before = self.not_before.max(now + pause);
            }
            Some(Failure::Faulty { .. }) => self.slow_down(),
            Some(
                Failure::Unauthorized
                | Failure::Unreachable
                | Failure::TimedOut
                | Failure::Rejected { .. }
                | Failure::Malformed
                | Failure::NoRegion
                | Failure::Storage
                | Failure::Internal,
            ) => {}
        }
    }

    fn slow_down(&mut self) {
        self.rate = (self.rate / 2.0).max(LOWEST_RATE);
        self.tokens = self.tokens.min(1.0);
    }
}

async fn spend(
    mut inbox: mpsc::UnboundedReceiver<Event>,
    answers: mpsc::WeakUnboundedSender<Event>,
    client: Arc<LoginWithMe>,
) {
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
                Some(Event::Put(put)) => queue.push(put),
                Some(Event::Answered(failure)) => pace.answered(failure, Instant::now()),
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
    let answer = client.put_hook(&pin, hook, &url).await;
    drop(permit);
    let failure = answer.as_ref().err().map(|error| error.failure);
    let input = match failure {
        None => Input::Armed { hook, generation },
        Some(failure) => Input::ArmFailed { hook, generation, failure },
    };
    // A session that is gone doesn't need the answer.
    let _ = to.cast(Message::Told(input));
    if let Some(answers) = answers.upgrade() {
        let _ = answers.send(Event::Answered(failure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_sixteen_at_once_and_then_twenty_a_second() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..IN_FLIGHT {
            assert_eq!(pace.next(Urgency::Other, now), now);
            pace.take();
        }
        assert_eq!(pace.next(Urgency::Other, now), now + Duration::from_millis(50));
    }

    #[test]
    fn what_has_just_fired_does_not_wait_and_is_paid_for_by_the_rest() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..IN_FLIGHT + 1 {
            assert_eq!(pace.next(Urgency::Fired, now), now);
            pace.take();
        }
        assert_eq!(pace.next(Urgency::Other, now), now + Duration::from_millis(100));
    }

    #[test]
    fn halves_on_a_fault_and_comes_back() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.answered(Some(Failure::Faulty { status: 503 }), now);
        assert!((pace.rate - 10.0).abs() < f64::EPSILON);
        for _ in 0..10 {
            pace.answered(None, now);
        }
        assert!((pace.rate - FULL_RATE).abs() < f64::EPSILON);
    }

    #[test]
    fn honours_retry_after() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.answered(Some(Failure::RateLimited { retry_after_ms: Some(7_000) }), now);
        assert_eq!(pace.next(Urgency::Other, now), now + Duration::from_secs(7));
    }
}
