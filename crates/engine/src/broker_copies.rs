//! Has our own broker delete the sessions that were deleted here. It is tried until the broker has done it, over
//! restarts of either side, or until it can't have anything of them any more.
//!
//! A service without this call is never asked: nothing of its sessions is noted in the first place.

use std::{collections::HashSet, sync::Arc, time::Duration};

use session::Failure;

use crate::{
    SessionId,
    clock::now,
    context::Context,
    journal::{BrokerCopy, JournalError},
};

/// Between two tries while the broker is away.
const AGAIN: Duration = Duration::from_secs(15);
/// Between two looks at what the broker can't have any more.
const TIDY: Duration = Duration::from_secs(3_600);
/// A PIN that a broker doesn't know counts there as a guess, of which a client has 20 in a quarter of an hour.
const MOST_UNKNOWN: usize = 4;

/// Deletes there what is deleted here, at the start and whenever something was.
pub(crate) async fn follow(context: Arc<Context>) {
    // They may be another broker's, that was used before: asked for once, until the console is started again.
    let mut unknown = HashSet::new();
    loop {
        let is_done = match round(&context, &mut unknown).await {
            Ok(is_done) => is_done,
            Err(error) => {
                tracing::warn!(%error, "have the broker delete what was deleted here");
                false
            }
        };
        let pause = tokio::time::sleep(if is_done { TIDY } else { AGAIN });
        tokio::select! {
            () = pause => {}
            () = context.deletions.notified() => {}
            () = context.watch.stopping.cancelled() => return,
        }
    }
}

/// False if something is left to be tried again.
async fn round(context: &Context, unknown: &mut HashSet<SessionId>) -> Result<bool, JournalError> {
    let copies = context.journal.broker_copies().await?;
    let (over, kept): (Vec<_>, Vec<_>) = copies.into_iter().partition(|copy| copy.until <= now());
    for copy in over {
        context.journal.forget_broker_copy(copy.session).await?;
    }
    let is_due = |copy: &BrokerCopy| copy.is_deleted && !unknown.contains(&copy.session);
    let deleted: Vec<_> = kept.into_iter().filter(is_due).collect();
    if deleted.is_empty() {
        return Ok(true);
    }
    match context.client.capabilities().await {
        // Asked each time: a service that isn't ours may mean something else by that path.
        Ok(able) if able.can_delete() => delete(context, &deleted, unknown).await,
        // An older broker forgets them by itself, unless it is a newer one before that.
        Ok(_) => Ok(true),
        Err(_) => Ok(false),
    }
}

async fn delete(
    context: &Context,
    copies: &[BrokerCopy],
    unknown: &mut HashSet<SessionId>,
) -> Result<bool, JournalError> {
    let (mut is_done, mut misses) = (true, 0);
    for copy in copies {
        match context.client.delete_session(&copy.pin).await {
            Ok(true) => context.journal.forget_broker_copy(copy.session).await?,
            Ok(false) => {
                unknown.insert(copy.session);
                misses += 1;
                if misses == MOST_UNKNOWN {
                    return Ok(true);
                }
            }
            // That it is refused stays so.
            Err(error)
                if matches!(error.failure, Failure::Rejected { status: 400 | 403 | 410 }) =>
            {
                tracing::warn!(session = %copy.session, %error, "the broker keeps it for a day");
                context.journal.forget_broker_copy(copy.session).await?;
            }
            Err(error) => {
                tracing::info!(session = %copy.session, %error, "tried again later");
                // One that can't be reached isn't asked for each of them.
                if !matches!(error.failure, Failure::Rejected { .. }) {
                    return Ok(false);
                }
                is_done = false;
            }
        }
    }
    Ok(is_done)
}
