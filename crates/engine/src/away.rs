//! Notices when this computer slept or the service was unreachable, and tells the sessions since
//! when they may have missed events.

use std::{sync::Arc, time::Duration};

use session::{Input, Timestamp, outage::OutageChange};
use tokio::sync::{Mutex, mpsc};

use crate::{clock::now, context::Context};

/// How often the engine notes that it is alive: the accuracy of "unknown since".
const ALIVE_EVERY: Duration = Duration::from_secs(5);
/// The wall and monotonic clocks differ by more than this only after sleep or a change of
/// the clock.
const JUMP: Duration = Duration::from_secs(10);

/// Informs all sessions of outages that the PUTs of their hooks reveal.
pub(crate) async fn tell_outages(
    context: Arc<Context>,
    news: Arc<Mutex<mpsc::UnboundedReceiver<OutageChange>>>,
) {
    let mut news = news.lock().await;
    while let Some(Some(news)) = context.watch.stopping.run_until_cancelled(news.recv()).await {
        match news {
            OutageChange::Fails => context.tell_all(&Input::ServiceFails),
            OutageChange::Over { since } => {
                tracing::warn!(since_ms = since.0, "the service was away");
                context.tell_all(&Input::Missed { since });
            }
        }
    }
}

/// Notes that the engine lives, and notices when the computer slept or its clock was set.
pub(crate) async fn keep_alive(context: Arc<Context>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    // After a sleep one check replaces all those that were missed.
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut wall, mut own) = (now(), tokio::time::Instant::now());
    let mut noted = own;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = context.watch.stopping.cancelled() => return,
        }
        let (wall_now, own_now) = (now(), tokio::time::Instant::now());
        if let Some(since) = jumped(wall, wall_now, own_now - own) {
            tracing::warn!(since_ms = since.0, "the computer slept or its clock was set");
            context.tell_all(&Input::Missed { since });
        }
        // Also after a jump, so that each is reported once.
        (wall, own) = (wall_now, own_now);
        if own_now - noted >= ALIVE_EVERY {
            noted = own_now;
            let noted = context.journal.mark_alive(wall_now).await;
            context.journal_wrote(noted.err());
        }
    }
}

/// Since when events may have been missed, if the wall clock and the monotonic clock disagree.
///
/// During sleep the monotonic clock stands still; a clock that was set back gives no duration.
fn jumped(wall: Timestamp, wall_now: Timestamp, own_gone: Duration) -> Option<Timestamp> {
    let own_gone = i64::try_from(own_gone.as_millis()).unwrap_or(i64::MAX);
    let jumped = wall_now.0.saturating_sub(wall.0).saturating_sub(own_gone);
    (u128::from(jumped.unsigned_abs()) > JUMP.as_millis()).then(|| wall.min(wall_now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_700_000_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_computer_that_slept_missed_what_came_since_it_was_last_awake() {
        let hour = WALL.plus(Duration::from_secs(3600));
        assert_eq!(jumped(WALL, hour, SECOND), Some(WALL));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_everything_uncertain_from_the_earlier_time_on() {
        let back = Timestamp(WALL.0 - 3_600_000);
        assert_eq!(jumped(WALL, back, SECOND), Some(back));
        assert_eq!(
            jumped(Timestamp(i64::MIN), Timestamp(i64::MAX), SECOND),
            Some(Timestamp(i64::MIN))
        );
    }

    #[test]
    fn a_slow_computer_and_a_clock_that_is_nudged_miss_nothing() {
        let minute = Duration::from_secs(60);
        assert_eq!(jumped(WALL, WALL.plus(minute), minute), None);
        assert_eq!(jumped(WALL, WALL.plus(Duration::from_secs(9)), SECOND), None);
        assert_eq!(jumped(WALL, Timestamp(WALL.0 - 8_000), SECOND), None);
    }
}
