//! Copies sessions and events from the journal to the archive.
//!
//! Invariant: the journal leads. Rows that are not copied when the program ends, or that the
//! archive refuses, are copied later; the journal forgets nothing that the archive doesn't have.

use std::{collections::HashMap, sync::Arc, time::Duration};

use session::{Record, SessionStatus};

use crate::{
    SessionId,
    archive::{Archive, ArchiveError, Summary},
    bus::Snapshot,
    clock::now,
    context::Context,
};

/// Between two tries when the archive refuses.
const RETRY: Duration = Duration::from_secs(5);
/// Between two batches of the index.
const BETWEEN_BATCHES: Duration = Duration::from_millis(5);
/// From one merging of the index's pieces to the next; a busy day's take a second.
const BETWEEN_MERGES: Duration = Duration::from_secs(3600);
/// Events copied in one transaction.
const PAGE: u32 = 500;

/// Follows the bus until the engine stops.
pub(crate) async fn follow(context: Arc<Context>) {
    let mut subscription = context.bus.subscribe();
    let mut copied = HashMap::<SessionId, Arc<Record>>::new();
    let mut waiting = HashMap::<SessionId, Arc<Snapshot>>::new();
    let mut happened = true;
    loop {
        tokio::select! {
            changes = subscription.changed() => {
                happened |= changes.happened;
                waiting.extend(changes.snapshots.into_iter().map(|snapshot| (snapshot.id, snapshot)));
                for id in changes.gone {
                    waiting.remove(&id);
                    copied.remove(&id);
                }
            }
            () = tokio::time::sleep(RETRY), if happened || !waiting.is_empty() => {}
            () = context.watch.stopping.cancelled() => return,
        }
        let done = copy(&context, &mut copied, &mut waiting, &mut happened).await;
        context.archive_copied(done.err());
    }
}

/// Indexes for the search what an older version archived, and keeps the index in few pieces, beside everything else.
/// Ends with the engine.
pub(crate) async fn tend_index(context: Arc<Context>) {
    let mut is_complete = false;
    loop {
        let step = if is_complete {
            context.archive.merge_index().await
        } else {
            context.archive.index_pending().await
        };
        let rest = match step {
            // So that a chat that arrives meanwhile is written at once.
            Ok(true) => BETWEEN_BATCHES,
            Ok(false) if is_complete => BETWEEN_MERGES,
            Ok(false) => {
                is_complete = true;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "the search's index could not be tended");
                RETRY
            }
        };
        if context.watch.stopping.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
            return;
        }
    }
}

async fn copy(
    context: &Context,
    copied: &mut HashMap<SessionId, Arc<Record>>,
    waiting: &mut HashMap<SessionId, Arc<Snapshot>>,
    happened: &mut bool,
) -> Result<(), ArchiveError> {
    let sessions = copy_sessions(context, copied, waiting).await;
    let events = copy_events(context, happened).await;
    sessions.and(events)
}

/// Copies all that can be; those that the archive doesn't take wait, and keep no other from it.
///
/// # Errors
/// The first failure.
async fn copy_sessions(
    context: &Context,
    copied: &mut HashMap<SessionId, Arc<Record>>,
    waiting: &mut HashMap<SessionId, Arc<Snapshot>>,
) -> Result<(), ArchiveError> {
    let mut outcome = Ok(());
    for (id, snapshot) in std::mem::take(waiting) {
        if copied.get(&id) == Some(&snapshot.record) {
            continue;
        }
        match copy_session(&context.archive, id, copied.get(&id), &snapshot.record).await {
            Ok(()) => {
                copied.insert(id, snapshot.record.clone());
                // Whatever could not be written before: now it can.
                context.archive_wrote(None);
            }
            Err(error) => {
                tracing::warn!(session = %id, %error, "copy a session to the archive");
                waiting.insert(id, snapshot);
                outcome = outcome.and(Err(error));
            }
        }
    }
    outcome
}

async fn copy_events(context: &Context, happened: &mut bool) -> Result<(), ArchiveError> {
    while *happened {
        let last = context.archive.last_event().await?;
        let unreadable = context.journal.unreadable_events();
        let page = context.journal.events_after(last, PAGE).await?;
        if context.journal.unreadable_events() != unreadable {
            context.bus.health_changed();
        }
        // A full page may not be the last one.
        let is_full = page.len() == PAGE as usize;
        if !page.is_empty() {
            context.archive.save_events(page).await?;
            context.archive_wrote(None);
        }
        *happened = is_full;
    }
    Ok(())
}

/// Brings the archive's rows of a session up to date; `copied` is the record that it is known to have.
pub(crate) async fn copy_session(
    archive: &Archive,
    id: SessionId,
    copied: Option<&Arc<Record>>,
    record: &Record,
) -> Result<(), ArchiveError> {
    let word = SessionStatus::new(record, now());
    archive.save_summary(Summary::new(id, record, &word)).await?;
    copy_verifications(archive, id, copied, record).await
}

/// Copies the verifications that the archive doesn't have yet.
async fn copy_verifications(
    archive: &Archive,
    id: SessionId,
    copied: Option<&Arc<Record>>,
    record: &Record,
) -> Result<(), ArchiveError> {
    // Most sessions have none, and a record changes often: so unchanged verifications are
    // not written.
    let none = record.verifications.is_empty() && record.overridden.is_none();
    let same = copied.is_some_and(|copied| {
        copied.verifications == record.verifications && copied.overridden == record.overridden
    });
    if none || same {
        return Ok(());
    }
    let (verifications, overridden) = (record.verifications.clone(), record.overridden.clone());
    archive.save_verifications(id, verifications, overridden).await
}
