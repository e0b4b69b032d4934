//! Follows this console's sessions by the event channel of a broker of ours, and gives each state to its session's
//! actor. A service without the channel is asked again only now and then whether it has one.
//!
//! Invariant: while the channel is open, every live session is followed. When it breaks, sessions that can't be asked
//! about otherwise become unknown, and the first state on the next channel makes them known again.

mod channel;
mod facts;

use std::{sync::Arc, time::Duration};

use session::{Failure, Input, Timestamp};
use tokio::time::Instant;

use self::channel::Followed;
use crate::{Snapshot, context::Context, perform, remote::EventChannel};

/// How long the channel may be away before the sessions count as unknown.
const UNKNOWN_AFTER: Duration = Duration::from_secs(2);
/// Between two tries to open the channel: at first...
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// ...at most, where there was a channel: sessions are to be known again soon after the broker is back...
const LONGEST_PAUSE: Duration = Duration::from_millis(1_500);
/// ...and at most where nobody knows yet whether the service has one.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(30);
/// A service that has none is asked again after this time.
const ASKED_AGAIN: Duration = Duration::from_secs(300);
/// A channel that lasted this long was well.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Why the channel isn't open.
enum NoChannel {
    /// The service has none; or it is away, and what stands before it has answered.
    NotOffered,
    /// The service doesn't answer at all.
    ServiceFails,
    /// The service answers, but not on the channel.
    ChannelFails,
}

/// Follows all sessions until the engine stops.
pub(crate) async fn follow(context: Arc<Context>) {
    let stopping = context.watch.stopping.clone();
    let mut lost: Option<Lost> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let opening = until_unknown(&context, &mut lost);
        let Some(opened) = stopping.run_until_cancelled(opening).await else { return };
        match opened {
            Ok(channel) => {
                let opened_at = Instant::now();
                // It answers again.
                context.deletions.notify_one();
                let known_until = lost.as_ref().map(|lost| lost.since);
                let followed = Followed::new(context.clone(), channel, known_until);
                let last_heard = followed.run().await;
                if stopping.is_cancelled() {
                    return;
                }
                tracing::info!("the broker's event channel is gone and is opened again");
                lost = Some(Lost { since: last_heard, at: Instant::now(), told: false });
                if opened_at.elapsed() > WELL_AFTER {
                    pause = FIRST_PAUSE;
                }
            }
            // It may be updated.
            Err(NoChannel::NotOffered) if lost.is_none() && !is_known_to_tell(&context) => {
                let rest = tokio::time::sleep(perform::spread(ASKED_AGAIN));
                if stopping.run_until_cancelled(rest).await.is_none() {
                    return;
                }
                continue;
            }
            // One that has told has the channel still: a proxy before it has answered, and says nothing of its hooks.
            Err(NoChannel::ServiceFails | NoChannel::NotOffered) => {}
            Err(NoChannel::ChannelFails) => tell_lost(&context, &mut lost, false),
        }
        // All consoles of a broker lose it at once, so chance spreads their returns.
        let rest = tokio::time::sleep(perform::spread(pause));
        if stopping.run_until_cancelled(until_told(&context, &mut lost, rest)).await.is_none() {
            return;
        }
        let longest = if lost.is_some() { LONGEST_PAUSE } else { LONGEST_UNKNOWN };
        pause = (pause * 2).min(longest);
    }
}

/// Whether the service has told the state of a session that still lives, maybe to an earlier run.
fn is_known_to_tell(context: &Context) -> bool {
    let tells =
        |snapshot: &Snapshot| snapshot.record.is_live() && snapshot.record.observed.revision > 0;
    context.bus.all().iter().any(|snapshot| tells(snapshot))
}

/// A channel that broke.
struct Lost {
    /// When the broker was last heard.
    since: Timestamp,
    at: Instant,
    /// Whether the sessions know it.
    told: bool,
}

/// Opens the channel; tells the sessions meanwhile if that takes too long.
async fn until_unknown(
    context: &Arc<Context>,
    lost: &mut Option<Lost>,
) -> Result<EventChannel, NoChannel> {
    until_told(context, lost, open(context)).await
}

/// Waits for `work`; if the channel's absence becomes too long meanwhile, the sessions are told.
async fn until_told<T>(
    context: &Arc<Context>,
    lost: &mut Option<Lost>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let due = lost.as_ref().filter(|lost| !lost.told).map(|lost| lost.at + UNKNOWN_AFTER);
    if let Some(due) = due {
        match tokio::time::timeout_at(due, &mut work).await {
            Ok(done) => return done,
            Err(_) => tell_lost(context, lost, true),
        }
    }
    work.await
}

/// Tells the sessions, once, that the channel is gone; `unknown` where the service can't be asked otherwise.
fn tell_lost(context: &Context, lost: &mut Option<Lost>, unknown: bool) {
    if let Some(lost) = lost.as_mut().filter(|lost| !lost.told) {
        lost.told = true;
        // The hooks tell nothing either while they can't arrive.
        let unknown = unknown || context.way.now().is_broken();
        let unknown_since = unknown.then_some(lost.since);
        context.tell_all(&Input::Unobserved { unknown_since });
    }
}

async fn open(context: &Context) -> Result<EventChannel, NoChannel> {
    let able = context.client.capabilities().await;
    match able.map_err(|error| error.failure) {
        Ok(able) if able.tells_events() => {}
        Ok(_) => return Err(NoChannel::NotOffered),
        // Whoever refuses this call has no extensions either.
        Err(failure) if is_refusal(failure) => return Err(NoChannel::NotOffered),
        Err(_) => return Err(NoChannel::ServiceFails),
    }
    context.client.open_events().await.map_err(|error| {
        tracing::info!(%error, "the sessions are known by their webhooks alone for now");
        NoChannel::ChannelFails
    })
}

const fn is_refusal(failure: Failure) -> bool {
    matches!(failure, Failure::Unauthorized | Failure::Rejected { .. } | Failure::Malformed)
}
