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
        context.archive_wrote(done.err());
    }
}

/// Indexes for the search what an older version archived, beside everything else. Ends with the engine.
pub(crate) async fn index_pending(context: Arc<Context>) {
    loop {
        let rest = match context.archive.index_pending().await {
            Ok(false) => break,
            // So that a chat that arrives meanwhile is written at once.
            Ok(true) => BETWEEN_BATCHES,
            Err(error) => {
                tracing::warn!(%error, "older sessions could not be indexed for the search yet");
                RETRY
            }
        };
        if context.watch.stopping.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
            return;
        }
    }
    context.watch.stopping.cancelled().await;
}

async fn copy(
    context: &Context,
    copied: &mut HashMap<SessionId, Arc<Record>>,
    waiting: &mut HashMap<SessionId, Arc<Snapshot>>,
    happened: &mut bool,
) -> Result<(), ArchiveError> {
    while let Some(id) = waiting.keys().next().copied() {
        if let Some(snapshot) = waiting.get(&id)
            && copied.get(&id) != Some(&snapshot.record)
        {
            copy_session(&context.archive, id, copied.get(&id), &snapshot.record).await?;
            copied.insert(id, snapshot.record.clone());
        }
        waiting.remove(&id);
    }
    while *happened {
        let last = context.archive.last_event().await?;
        let page = context.journal.events_after(last, PAGE).await?;
        // A full page may not be the last one.
        *happened = page.len() == PAGE as usize;
        if !page.is_empty() {
            context.archive.save_events(page).await?;
        }
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
