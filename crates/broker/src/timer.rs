//! The timer that applies the hub's deadlines and forgets what is too old, and waits that end.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::coordinator::Coordinator;

/// How often what is too old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// The most that a moment in which this program did not run counts for in [`while_running`].
const MOMENT: Duration = Duration::from_secs(1);

/// Waits for `work` for as long as `within`, of which only the time counts in which this program ran: a computer that
/// slept or a program that was stopped says nothing about the other side, whose answer may have arrived meanwhile and
/// lie unread. `None` if the time is over.
pub(crate) async fn while_running<T>(within: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = within;
    while !left.is_zero() {
        let moment = left.min(MOMENT);
        if let Ok(done) = timeout(moment, work.as_mut()).await {
            return Some(done);
        }
        left -= moment;
    }
    None
}

impl Coordinator {
    /// Moves the clock and applies the deadlines that have passed. It doesn't wait for deliveries.
    pub(crate) async fn advance(self: &Arc<Self>, by: Duration) {
        self.clock.advance(by);
        self.fire_elapsed().await;
    }

    async fn fire_elapsed(self: &Arc<Self>) {
        // In turns, between which others get at the hub.
        loop {
            self.record(|hub, now| hub.fire_elapsed(now)).await;
            let due = self.with_hub(|hub, now| hub.next_deadline().is_some_and(|at| at <= now));
            if !due {
                return;
            }
        }
    }
}

/// Runs for as long as the broker does.
pub(crate) async fn keep_time(coordinator: Arc<Coordinator>) {
    // At once: much may have become too old while the broker was not running.
    let mut forget_at = coordinator.clock.now();
    loop {
        if coordinator.clock.now() >= forget_at {
            coordinator.record(|hub, now| hub.forget_old(now)).await;
            forget_at = coordinator.clock.now().after(FORGET_EVERY);
        }
        let deadline = coordinator.with_hub(|hub, _| hub.next_deadline());
        let deadline = deadline.map_or(forget_at, |deadline| deadline.min(forget_at));
        tokio::select! {
            () = coordinator.clock.sleep_until(deadline) => coordinator.fire_elapsed().await,
            // The next deadline may be earlier now, so the hub is asked again.
            () = coordinator.rescheduled.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::{sync::oneshot, time::advance};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_read_although_the_program_was_stopped_for_longer_than_the_limit() {
        let (answer, answered) = oneshot::channel();
        let waits = tokio::spawn(while_running(LIMIT, answered));
        tokio::task::yield_now().await;
        // As after SIGCONT: the limit is over before anybody has looked whether there is an answer.
        advance(LIMIT * 5).await;
        tokio::task::yield_now().await;
        answer.send("250 OK").unwrap();
        assert_eq!(waits.await.unwrap(), Some(Ok("250 OK")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_silent_is_given_up_after_the_limit() {
        let began = tokio::time::Instant::now();
        assert_eq!(while_running(LIMIT, pending::<()>()).await, None);
        assert!(began.elapsed() >= LIMIT);
    }
}
