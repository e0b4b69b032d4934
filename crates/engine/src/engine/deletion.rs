//! Deleting sessions that are over, from the archive, the journal and the file of each.
//!
//! The archive comes first and remembers what it deleted. So a deletion that a crash cut short is finished at
//! the next start, and whatever of the session is on its way still finds no place.

use std::time::Duration;

use session::{Life, Record, Timestamp, state::Allocation};

use super::Engine;
use crate::{
    SessionId,
    clock::now,
    error::{CommandError, Misfit},
};

/// Between two tries to empty a log that somebody reads.
const READERS_NEED: Duration = Duration::from_millis(50);
/// After so many it is left to the next deletion, or to the end.
const TRIES: u32 = 100;

impl Engine {
    /// Why a session can't be deleted now; none if it can, be it known to the archive alone.
    pub fn why_not_deleted(&self, id: SessionId) -> Option<Misfit> {
        self.snapshot(id).and_then(|snapshot| obstacle(&snapshot.record, now()))
    }

    /// Deletes a session that is over, with everything that is kept of it, for good and from the disk.
    ///
    /// # Errors
    /// [`CommandError`]; after one of the disk, the same call goes on where it stopped.
    pub async fn delete_session(&self, id: SessionId) -> Result<(), CommandError> {
        self.access().permit()?;
        self.delete_by_rule(id).await?;
        self.empty_logs().await
    }

    /// As [`Self::delete_session`], but nobody asked for it, so it may be locked. What was deleted is in the
    /// files' logs until [`Self::empty_logs`].
    ///
    /// # Errors
    /// [`CommandError`]
    pub async fn delete_by_rule(&self, id: SessionId) -> Result<(), CommandError> {
        if let Some(misfit) = self.why_not_deleted(id) {
            return Err(CommandError::DoesNotFit(misfit));
        }
        let context = &self.context;
        let asked = context.people.of_session(id, now());
        context.archive.delete_asked(id, asked).await.map_err(CommandError::Archive)?;
        let actor = context.sessions.write().remove(&id);
        if let Some(actor) = actor {
            // Its last words are written before the journal erases it.
            let _ = actor.stop_and_wait(None, None).await;
        }
        context.routes.forget(id);
        context.journal.erase(id).await.map_err(CommandError::NotSaved)?;
        context.bus.forget(id);
        context.deletions.notify_one();
        Ok(())
    }

    /// Takes what was deleted out of the logs of journal and archive, too.
    ///
    /// # Errors
    /// [`CommandError::Archive`]
    pub async fn empty_logs(&self) -> Result<(), CommandError> {
        for _ in 0..TRIES {
            // The journal empties its own after each write, unless it is read just then.
            let emptied = self.context.archive.empty_log().await.map_err(CommandError::Archive)?;
            if emptied {
                return Ok(());
            }
            tokio::time::sleep(READERS_NEED).await;
        }
        tracing::warn!("what was deleted is still in the archive's log, which is being read");
        Ok(())
    }
}

/// Why a session can't be deleted at `at`; none if it can.
fn obstacle(record: &Record, at: Timestamp) -> Option<Misfit> {
    let is_good = |allocation: &Option<Allocation>| {
        allocation.as_ref().is_some_and(|allocation| allocation.end(at) > at)
    };
    match &record.life {
        Life::Over { .. } => None,
        Life::Failed { allocation, .. } => is_good(allocation).then_some(Misfit::NotOver),
        Life::Allocating | Life::Live(_) => Some(Misfit::NotOver),
        Life::Closed { allocation, revoked, .. } => {
            // Its actor tries to end the PIN for as long as it is good.
            (is_good(allocation) && revoked.is_none()).then_some(Misfit::PinNotEnded)
        }
    }
}
