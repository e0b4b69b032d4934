//! Tells the sessions since when they may have missed events: while this program was away, while the
//! service was, or while the way from it to the listener was broken.

use std::{sync::Arc, time::Duration};

use session::{Input, outage::OutageChange};
use tokio::sync::{Mutex, mpsc};

use crate::{awake::LOOK_EVERY, clock::now, context::Context, way::Way};

/// How often the engine notes that it is alive: the accuracy of "unknown since".
const ALIVE_EVERY: Duration = Duration::from_secs(5);

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
                context.way.test_again();
            }
        }
    }
}

/// Tells the sessions when the way breaks, and when it is mended.
pub(crate) async fn tell_changes(context: Arc<Context>) {
    let mut way = context.way.subscribe();
    let mut before = *way.borrow_and_update();
    while let Some(Ok(())) = context.watch.stopping.run_until_cancelled(way.changed()).await {
        let after = *way.borrow_and_update();
        match (before.is_broken(), after) {
            (false, Way::Broken { since, error }) => {
                tracing::warn!(since_ms = since.0, %error, "hooks cannot arrive");
                context.tell_all(&Input::WayBroken { since });
            }
            // Those that fired in vain are not armed any more.
            (true, Way::Works { .. }) => context.tell_all(&Input::Recheck),
            (true, Way::Broken { .. } | Way::Unknown)
            | (false, Way::Works { .. } | Way::Unknown) => {}
        }
        before = after;
        context.bus.health_changed();
    }
}

/// Looks at the clocks every second.
pub(crate) async fn keep_looking(context: Arc<Context>) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    // After a gap one look replaces all those that were missed.
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // Nothing else is awaited here: a slow disk would look like time that passed without us.
    while context.watch.stopping.run_until_cancelled(every.tick()).await.is_some() {
        context.look();
    }
}

/// Notes regularly that the engine is alive.
pub(crate) async fn note_alive(context: Arc<Context>) {
    let rest = || tokio::time::sleep(ALIVE_EVERY);
    while context.watch.stopping.run_until_cancelled(rest()).await.is_some() {
        let noted = context.journal.mark_alive(now()).await;
        context.journal_wrote(noted.err());
    }
}
