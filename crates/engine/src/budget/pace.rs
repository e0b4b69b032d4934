//! The rate limit for PUTs. Pure: the time is passed in.

use std::time::Duration;

use session::{Failure, Urgency};
use tokio::time::Instant;

/// PUTs a second when all is well.
pub const FULL_RATE: f64 = 20.0;
/// It is never slower than this.
const LOWEST_RATE: f64 = 1.0;
/// PUTs that may start at once after a pause, and be in flight together.
pub const IN_FLIGHT: u16 = 16;

/// How fast PUTs may start.
pub struct Pace {
    rate: f64,
    /// Good answers in a row since the last bad one.
    good: f64,
    tokens: f64,
    filled: Instant,
    not_before: Instant,
}

impl Pace {
    /// At full rate.
    pub fn new(now: Instant) -> Self {
        Self {
            rate: FULL_RATE,
            good: 0.0,
            tokens: f64::from(IN_FLIGHT),
            filled: now,
            not_before: now,
        }
    }

    /// When a PUT may start: now, or later.
    pub fn next(&mut self, urgency: Urgency, now: Instant) -> Instant {
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

    /// A PUT starts.
    pub fn take(&mut self) {
        // Bounded, so that a burst of events doesn't delay the heartbeats for long.
        self.tokens = (self.tokens - 1.0).max(-f64::from(IN_FLIGHT));
    }

    /// A PUT was answered.
    pub fn answered(&mut self, failure: Option<Failure>, now: Instant) {
        match failure {
            None => self.speed_up(),
            Some(limited @ Failure::RateLimited { .. }) => {
                self.slow_down();
                let pause = limited.asked_wait().unwrap_or(Duration::from_secs(1));
                self.not_before = self.not_before.max(now + pause);
            }
            Some(Failure::Faulty { .. }) => self.slow_down(),
            Some(
                Failure::Unauthorized
                | Failure::Unreachable
                | Failure::NoAnswer
                | Failure::TimedOut
                | Failure::Rejected { .. }
                | Failure::Malformed
                | Failure::Blocked { .. }
                | Failure::TooLarge { .. }
                | Failure::NoRegion
                | Failure::Storage
                | Failure::Internal,
            ) => {}
        }
    }

    /// The longer all is well, the faster: six good answers lead from the lowest rate to the full
    /// one, and a service that fails every other time stays slow.
    fn speed_up(&mut self) {
        self.good += 1.0;
        self.rate = (self.rate + self.good).min(FULL_RATE);
    }

    fn slow_down(&mut self) {
        self.good = 0.0;
        self.rate = (self.rate / 2.0).max(LOWEST_RATE);
        // A burst that was saved up in good times must not hit a service in trouble.
        self.tokens = self.tokens.min(1.0);
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

    const FAULT: Option<Failure> = Some(Failure::Faulty { status: 503 });

    fn rates(pace: &mut Pace, answers: &[Option<Failure>]) -> Vec<f64> {
        let now = Instant::now();
        let after = |answer: &Option<Failure>| {
            pace.answered(*answer, now);
            pace.rate
        };
        answers.iter().map(after).collect()
    }

    #[test]
    fn halves_on_a_fault_and_comes_back_faster_with_each_good_answer() {
        let mut pace = Pace::new(Instant::now());
        assert_eq!(rates(&mut pace, &[FAULT; 6]), [10.0, 5.0, 2.5, 1.25, 1.0, 1.0]);
        assert_eq!(rates(&mut pace, &[None; 7]), [2.0, 4.0, 7.0, 11.0, 16.0, 20.0, 20.0]);
    }

    #[test]
    fn stays_slow_while_every_other_answer_is_bad() {
        let mut pace = Pace::new(Instant::now());
        let rates = rates(&mut pace, &[FAULT, None].repeat(20));
        assert!(rates[10..].iter().all(|rate| *rate <= 3.0), "{rates:?}");
    }

    #[test]
    fn honours_retry_after() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.answered(Some(Failure::RateLimited { retry_after_ms: Some(7_000) }), now);
        assert_eq!(pace.next(Urgency::Other, now), now + Duration::from_secs(7));
    }
}
