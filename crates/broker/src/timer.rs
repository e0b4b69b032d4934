//! The timer that applies the hub's deadlines and forgets what is too old.

use std::{sync::Arc, time::Duration};

use crate::coordinator::Coordinator;

/// How often what is too old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

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
